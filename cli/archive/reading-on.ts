/** The log with its archive behind it, where one is set: what was trimmed is read from the files. */
import { resolve } from 'node:path'
import type { EventLog } from '../../log/log.ts'
import { Incurable } from '../incurable.ts'
import type { Config } from '../settings.ts'

export async function readingOn({ archive }: Config, log: EventLog): Promise<EventLog> {
  if (archive === undefined) return log
  const [{ withArchive }, { ArchiveError }] = await Promise.all([
    import('../../log/archive/archived.ts'),
    import('../../log/archive/errors.ts'),
  ])
  try {
    return await withArchive(log, resolve(archive), Date.now)
  } catch (error) {
    await log.close()
    if (!(error instanceof ArchiveError)) throw error
    throw new Incurable(`PLAYHEAD_ARCHIVE: ${error.message}`, { cause: error })
  }
}
