/** `playhead log restore`: the log again, of its archive. */
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { type RestoreOptions, type RestoreOutcome, restoreToFolder, restoreToLog } from '../archive/restore.ts'
import { UsageError } from '../args.ts'
import { type Command, JSON_FLAG } from '../command.ts'
import { loadConfig } from '../config.ts'
import { foldersOf, openLogAt } from '../engines.ts'
import { untilInterrupted } from '../interrupt.ts'
import { toJson } from '../json.ts'
import { liveRoles } from '../live-roles.ts'
import { lockDataFolder } from '../lock.ts'
import { progress } from '../progress.ts'
import type { Config } from '../settings.ts'

const NAME = 'log restore'

export const restore: Command = {
  name: NAME,
  about: `Makes the log that the settings name of what FOLDER holds; it must be empty. Records keep their order, times, keys and
headers, on one machine also their positions. It is a new log: its tables are folded from it at the next start, and it
needs an archive folder of its own. The keys of personal data are not in an archive: bring them back with the vault
(\`playhead backup\`), or what is sealed stays closed.`,
  positionals: [{ name: 'FOLDER' }],
  flags: [JSON_FLAG],
  examples: ['PLAYHEAD_DATA=/srv/new playhead log restore /archive'],
  run: async (args, io) => {
    const { config } = loadConfig(io.env)
    const shown = progress(io, 'records', Date.now)
    const folder = resolve(args.positional('FOLDER') ?? '')
    const options = { folder, signal: untilInterrupted(), progress: shown.show, command: NAME }
    const outcome = await (config.log.engine === 'embedded' ? intoFolder(config, options) : intoKafka(config, options))
    shown.end()
    io.out(args.has('json') ? `${toJson(outcome)}\n` : words(outcome))
    return outcome.complete ? 0 : 1
  },
}

async function intoFolder(config: Config, options: RestoreOptions): Promise<RestoreOutcome> {
  const { data, run, log } = foldersOf(config)
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const lock = await lockDataFolder(data, Date.now)
  if (!lock.ok) throw new UsageError(`${data} is in use: end Playhead first.`, NAME)
  try {
    if (liveRoles(run).length > 0) throw new UsageError(`${data} is in use: end Playhead first.`, NAME)
    return await restoreToFolder(log, options)
  } finally {
    await lock.release()
  }
}

async function intoKafka(config: Config, options: RestoreOptions): Promise<RestoreOutcome> {
  const log = await openLogAt(config, config.log)
  try {
    return await restoreToLog(log, 'Kafka', options)
  } finally {
    await log.close()
  }
}

function words({ complete, records, samePositions, withoutKey }: RestoreOutcome): string {
  if (!complete) return `cut off after ${records} records: this is no whole log. Empty it, and call it again.\n`
  const where = samePositions ? 'each at the position it had' : 'in the order they had, at new positions'
  const keyless = withoutKey > 0 ? `${withoutKey} of them had no key: they have the empty key now\n` : ''
  return `restored: ${records} records, ${where}\n${keyless}The tables are folded from it at the next start.\n`
}
