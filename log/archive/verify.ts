/** Whether an archive's files are what its manifest says, and the live log's records, as far as it still has them. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import type { EventLog, Position, TopicPartition } from '../log.ts'
import { ContainerReader } from './container.ts'
import { ArchiveError } from './errors.ts'
import { ARCHIVE_LIMITS } from './limits.ts'
import { type ArchivedFile, type Manifest, readManifest, refuseAnother } from './manifest.ts'
import { RowWriter } from './row.ts'

export interface Damage {
  readonly path: string
  readonly problem: string
}

export interface VerifyRun {
  readonly folder: string
  /** Undefined: the files are held against the manifest alone. */
  readonly log: EventLog | undefined
  readonly signal: AbortSignal
  readonly progress: (done: bigint, total: bigint) => void
  /** Those that are looked at; all of them without it. */
  readonly wanted?: (file: ArchivedFile) => boolean
}

export interface Verified {
  readonly complete: boolean
  readonly files: number
  readonly records: number
  /** Records that were also found in the log, the same. */
  readonly compared: number
  readonly damaged: readonly Damage[]
}

export async function manifestOf(folder: string): Promise<Manifest> {
  const manifest = await readManifest(folder)
  if (manifest === undefined) throw new ArchiveError(`there is no archive in ${folder}: archive.json is missing`)
  return manifest
}

export async function verifyArchive({
  folder,
  log,
  signal,
  progress,
  wanted = () => true,
}: VerifyRun): Promise<Verified> {
  const manifest = await manifestOf(folder)
  const files = manifest.files.filter(wanted)
  if (log !== undefined) refuseAnother(manifest, await log.incarnation(), folder)
  const total = files.reduce((sum, { records }) => sum + BigInt(records), 0n)
  const starts = log === undefined ? undefined : await startsOf(log, files)
  const damaged: Damage[] = []
  let [seen, records, compared] = [0, 0, 0]
  for (const file of files) {
    if (signal.aborted) break
    try {
      const start = starts?.get(`${file.topic}/${file.partition}`)
      await checkFile(folder, file)
      if (log !== undefined && start !== undefined) compared += await compareWithLog(folder, file, log, start)
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error
      damaged.push({ path: file.path, problem: error.message })
    }
    seen += 1
    records += file.records
    progress(BigInt(records), total)
  }
  return { complete: !signal.aborted, files: seen, records, compared, damaged }
}

/** Throws ArchiveError unless the file is whole and holds what is noted of it. `path`: where it is meanwhile. */
export async function checkFile(folder: string, file: ArchivedFile, path = file.path): Promise<void> {
  const full = join(folder, path)
  const wrong = (what: string) => new ArchiveError(`${full} is damaged: ${what}`)
  if ((await sha256Of(full)) !== file.sha256) throw wrong('its checksum is not the noted one')
  const digest = createHash('sha256')
  let records = 0
  let last: Position = -1n
  await ContainerReader.using(full, async (reader) => {
    for await (const rows of reader.blocks(file)) {
      for (const { record, core } of rows) {
        if (record.position <= last || record.position < file.from || record.position >= file.next) {
          throw wrong(`position ${record.position} does not belong where it is`)
        }
        if (records === 0 && record.position !== file.first) throw wrong(`it begins at position ${record.position}`)
        last = record.position
        records += 1
        digest.update(core)
      }
    }
  })
  if (records !== file.records) throw wrong(`it holds ${records} records, ${file.records} are noted`)
  if (last !== file.last) throw wrong(`its last position is ${last}, ${file.last} is noted`)
  if (digest.digest('hex') !== file.digest) throw wrong('its records are not those that are noted')
}

/** Each record that the log still has is the one in the file, and there is none between; answers how many there were. */
async function compareWithLog(folder: string, file: ArchivedFile, log: EventLog, start: Position): Promise<number> {
  const from = start > file.from ? start : file.from
  if (from >= file.next) return 0
  const live = digestsOf(log, file, from, file.next)
  let compared = 0
  await ContainerReader.using(join(folder, file.path), async (reader) => {
    for await (const rows of reader.blocks(file)) {
      for (const { record, core } of rows) {
        if (record.position < from) continue
        const { value: found } = await live.next()
        const { position } = record
        if (found === undefined || !found.equals(core)) {
          throw new ArchiveError(
            `${file.path} is not what the log has: see position ${position} of ${file.topic}/${file.partition}`,
          )
        }
        compared += 1
      }
    }
  })
  const { value: more } = await live.next()
  if (more !== undefined) throw new ArchiveError(`${file.path} lacks records that the log has`)
  return compared
}

async function* digestsOf(
  log: EventLog,
  place: TopicPartition,
  from: Position,
  next: Position,
): AsyncGenerator<Buffer> {
  const { readBytesMax: bytesMax, readRecordsMax: recordsMax } = ARCHIVE_LIMITS
  const { topic, partition } = place
  const writer = new RowWriter()
  for (let at = from; at < next; ) {
    const page = await log.read({ topic, partition, from: at, to: next - 1n, bytesMax, recordsMax, waitMs: 0 })
    for (const record of page.records) {
      writer.clear()
      yield writer.addCore(record)
    }
    if (page.next <= at) throw new ArchiveError(`${topic}/${partition} can't be read beyond ${at}`)
    at = page.next
  }
}

async function startsOf(log: EventLog, files: readonly ArchivedFile[]): Promise<ReadonlyMap<string, Position>> {
  const topics = [...new Set(files.map(({ topic }) => topic))]
  const bounds = (await Promise.all(topics.map((topic) => log.bounds(topic)))).flat()
  return new Map(bounds.map(({ topic, partition, start }) => [`${topic}/${partition}`, start]))
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  } catch (error) {
    throw new ArchiveError(`${path} can't be read: ${String(error)}`, { cause: error })
  }
  return hash.digest('hex')
}
