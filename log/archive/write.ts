/**
 * Writes what an archive does not have yet: each partition from where its last file ends, a file for each UTC day of the
 * log's clock (several for a large one), up to a moment.
 *
 * States of a file: *draft* (being written, under another name) → *verified* (read again from the disk, the same
 * records) → *noted* (renamed, and in the manifest: only now it counts). Killed in any of them, the next run begins
 * again behind the last file that was noted. Whoever calls this holds the folder: two runs would take each other's
 * drafts away.
 *
 * Memory: one page of the log and one block, whatever a day holds.
 */
import { createHash, type Hash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { EventLog, LogRecord, PartitionBounds, Position, TopicPartition } from '../log.ts'
import { ContainerWriter } from './container.ts'
import { clockAfter, dayOf } from './days.ts'
import { ArchiveError } from './errors.ts'
import { ARCHIVE_LIMITS } from './limits.ts'
import {
  type ArchivedFile,
  DRAFT,
  type Manifest,
  noteFiles,
  pathOf,
  readManifest,
  refuseAnother,
  removeStrays,
} from './manifest.ts'
import type { Told } from './row.ts'
import { checkFile } from './verify.ts'

export interface ArchiveRun {
  readonly log: EventLog
  readonly folder: string
  readonly topics: readonly string[]
  /** Records at or behind this, by the log's clock, stay out. */
  readonly untilMs: number
  readonly nowMs: () => number
  /** What people read of a record; undefined: it is no event of ours. */
  readonly tell: (value: Buffer) => Told | undefined | Promise<Told | undefined>
  readonly signal: AbortSignal
  /** Positions passed, of all that there are. */
  readonly progress: (done: bigint, total: bigint) => void
  /** Named points between two steps, for tests that end it there. */
  readonly at?: (step: string) => void
}

export interface ArchiveOutcome {
  readonly complete: boolean
  readonly files: number
  readonly records: number
  readonly bytes: number
  /** In the archive before. */
  readonly before: number
}

interface Draft {
  readonly place: TopicPartition
  readonly path: string
  readonly day: string
  readonly from: Position
  readonly first: Position
  readonly writer: ContainerWriter
  readonly digest: Hash
  last: Position
  records: number
  clockMs: number
}

export async function writeArchive(run: ArchiveRun): Promise<ArchiveOutcome> {
  const { log, folder } = run
  const incarnation = await log.incarnation()
  const found = await readManifest(folder)
  if (found !== undefined) refuseAnother(found, incarnation, folder)
  const specs = (await log.topics()).filter(({ topic }) => run.topics.includes(topic))
  const known = (found?.topics ?? []).filter(({ topic }) => !run.topics.includes(topic))
  const topics = [...known, ...specs].sort((a, b) => (a.topic < b.topic ? -1 : 1))
  const manifest = { incarnation, topics, files: found?.files ?? [] }
  await removeStrays(folder, manifest)
  const writing = new Writing(run, manifest)
  const bounds = (await Promise.all(specs.map(({ topic }) => log.bounds(topic)))).flat()
  const begun = bounds.map((b) => ({ bounds: b, from: writing.beginning(b) }))
  const total = begun.reduce((sum, { bounds: { end }, from }) => sum + (end - from), 0n)
  let done = 0n
  try {
    for (const one of begun) {
      await writing.partition(one.bounds, one.from, (reached) => run.progress(done + reached, total))
      done += one.bounds.end - one.from
    }
  } finally {
    await writing.abandon()
  }
  await writing.note()
  return { ...writing.outcome, complete: !run.signal.aborted, before: found?.files.length ?? 0 }
}

class Writing {
  readonly #run: ArchiveRun
  #manifest: Manifest
  /** Verified, and not noted yet. */
  #waiting: ArchivedFile[] = []
  #notedAtMs: number
  #draft: Draft | undefined
  readonly outcome = { files: 0, records: 0, bytes: 0 }

  constructor(run: ArchiveRun, manifest: Manifest) {
    this.#run = run
    this.#manifest = manifest
    this.#notedAtMs = run.nowMs()
  }

  beginning({ topic, partition, start }: PartitionBounds): Position {
    const last = this.#lastOf({ topic, partition })
    if (last === undefined) return start
    if (start <= last.next) return last.next
    const lost = `positions ${last.next} to ${start - 1n} of ${topic}/${partition} are neither in the archive nor in the log`
    throw new ArchiveError(`${lost}: they were removed before they were archived. Begin an archive in another folder.`)
  }

  #lastOf({ topic, partition }: TopicPartition): ArchivedFile | undefined {
    return this.#manifest.files.findLast((file) => file.topic === topic && file.partition === partition)
  }

  async partition({ topic, partition, end }: PartitionBounds, begin: Position, reached: (done: bigint) => void) {
    const { log, signal, untilMs } = this.#run
    const place = { topic, partition }
    let clockMs = this.#lastOf(place)?.clockMs ?? Number.NEGATIVE_INFINITY
    const { readBytesMax: bytesMax, readRecordsMax: recordsMax } = ARCHIVE_LIMITS
    let [at, from] = [begin, begin]
    let open = true
    while (open && at < end && !signal.aborted) {
      const page = await log.read({ ...place, from: at, to: end - 1n, bytesMax, recordsMax, waitMs: 0 })
      if (page.next <= at) throw new ArchiveError(`${topic}/${partition} can't be read beyond ${at} of ${end}`)
      for (const record of page.records) {
        clockMs = clockAfter(clockMs, record.timestampMs, this.#run.nowMs())
        open = (Number.isFinite(clockMs) ? clockMs : 0) < untilMs
        if (!open) break
        from = await this.#add(place, record, clockMs, from)
      }
      at = page.next
      reached(at - begin)
    }
    if (signal.aborted) await this.abandon()
    // Behind the last record there may be positions that hold none.
    else if (this.#draft !== undefined) await this.#seal(open ? end : this.#draft.last + 1n)
  }

  /** Answers where the file that it is in begins. */
  async #add(place: TopicPartition, record: LogRecord, clockMs: number, from: Position): Promise<Position> {
    const day = dayOf(Number.isFinite(clockMs) ? clockMs : 0)
    let draft = this.#draft
    let begins = from
    if (draft !== undefined && (draft.day !== day || isFull(draft))) {
      begins = draft.last + 1n
      await this.#seal(begins)
      draft = undefined
    }
    draft ??= await this.#begin(place, day, begins, record.position)
    const core = await draft.writer.add(place, record, await this.#run.tell(record.value))
    draft.digest.update(core)
    draft.last = record.position
    draft.records += 1
    draft.clockMs = clockMs
    return begins
  }

  async #begin(place: TopicPartition, day: string, from: Position, first: Position): Promise<Draft> {
    const path = pathOf(place, day, from)
    const file = join(this.#run.folder, path + DRAFT)
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    const { incarnation } = this.#manifest
    const writer = await ContainerWriter.create(file, `${incarnation}/${path}`, { 'playhead.log': incarnation })
    const counts = { last: first, records: 0, clockMs: 0 }
    this.#draft = { place, path, day, from, first, writer, digest: createHash('sha256'), ...counts }
    this.#run.at?.('begun')
    return this.#draft
  }

  async #seal(next: Position): Promise<void> {
    const { place, path, from, first, last, records, clockMs, writer, digest } = this.#draft!
    this.#draft = undefined
    const { bytes, sha256 } = await writer.close()
    const sealed = { ...place, path, from, next, first, last, records, bytes, sha256, clockMs }
    const file: ArchivedFile = { ...sealed, digest: digest.digest('hex') }
    this.#run.at?.('written')
    await checkFile(this.#run.folder, file, path + DRAFT)
    this.#run.at?.('verified')
    this.#waiting.push(file)
    if (this.#run.nowMs() - this.#notedAtMs >= ARCHIVE_LIMITS.noteEveryMs) await this.note()
  }

  /** What is not sealed is of no use: the next run begins it again. */
  async abandon(): Promise<void> {
    await this.#draft?.writer.abandon()
    this.#draft = undefined
  }

  async note(): Promise<void> {
    const waiting = this.#waiting
    this.#manifest = await noteFiles(this.#run.folder, this.#manifest, waiting, this.#run.at)
    this.#waiting = []
    this.#notedAtMs = this.#run.nowMs()
    this.outcome.files += waiting.length
    for (const { records, bytes } of waiting) {
      this.outcome.records += records
      this.outcome.bytes += bytes
    }
    this.#run.at?.('noted')
  }
}

function isFull({ records, writer }: Draft): boolean {
  return records >= ARCHIVE_LIMITS.fileRecordsMax || writer.bytes >= ARCHIVE_LIMITS.fileBytesMax
}
