/**
 * A log that reads on in its archive: what the live log has no longer comes from the files, at the same positions, so
 * that a fold from the start sees every record whoever keeps it. Everything else is the live log's.
 *
 * Which of the two answers a read: the live log, unless it said that what is asked for was removed. Its start only ever
 * rises, so what was removed once is asked of the files at once.
 */
import { boundTo } from '../bound.ts'
import { LogError } from '../errors.ts'
import type { EventLog, PartitionBounds, Position, ReadAnswer, ReadRequest } from '../log.ts'
import { ARCHIVE_LIMITS } from './limits.ts'
import { ArchiveReader } from './reader.ts'

export async function withArchive(log: EventLog, folder: string, nowMs: () => number): Promise<EventLog> {
  const archive = await ArchiveReader.open(folder, await log.incarnation())
  const both = new Both(log, archive, nowMs)
  return { ...boundTo(log), read: (request) => both.read(request), bounds: (topic) => both.bounds(topic) }
}

class Both {
  readonly #log: EventLog
  readonly #archive: ArchiveReader
  readonly #nowMs: () => number
  /** Of the live log; asked for again after a while. */
  readonly #live = new Map<string, { readonly bounds: readonly PartitionBounds[]; readonly atMs: number }>()

  constructor(log: EventLog, archive: ArchiveReader, nowMs: () => number) {
    this.#log = log
    this.#archive = archive
    this.#nowMs = nowMs
  }

  async read(request: ReadRequest): Promise<ReadAnswer> {
    const known = this.#live.get(request.topic)?.bounds.find((b) => b.partition === request.partition)
    if (known !== undefined && request.from < known.start) return await this.#fromFiles(request)
    try {
      return await this.#log.read(request)
    } catch (error) {
      if (!(error instanceof LogError) || error.code !== 'LOG_RETENTION') throw error
      return await this.#fromFiles(request, error)
    }
  }

  async bounds(topic: string): Promise<readonly PartitionBounds[]> {
    const live = await this.#log.bounds(topic)
    this.#live.set(topic, { bounds: live, atMs: this.#nowMs() })
    return await Promise.all(live.map(async (b) => ({ ...b, start: await this.#startOf(b) })))
  }

  /** The archive's start, if there is no hole between the two. */
  async #startOf(live: PartitionBounds): Promise<Position> {
    if (live.start === 0n) return live.start
    const reaches = () => {
      const covered = this.#archive.coverage(live)
      return covered !== undefined && covered.next >= live.start && covered.from < live.start ? covered.from : undefined
    }
    return reaches() ?? ((await this.#archive.refresh()) ? reaches() : undefined) ?? live.start
  }

  async #fromFiles(request: ReadRequest, refusal?: LogError): Promise<ReadAnswer> {
    const { from, to, topic } = request
    const covers = () => {
      const covered = this.#archive.coverage(request)
      return covered !== undefined && covered.from <= from && from < covered.next
    }
    if (!covers() && !((await this.#archive.refresh()) && covers())) {
      const where = `position ${from} of ${topic}/${request.partition} is in neither the log nor the archive in ${this.#archive.folder}`
      throw refusal ?? new LogError('LOG_RETENTION', where)
    }
    const { end } = await this.#boundsLately(request)
    if (to !== undefined && to < from) return { records: [], next: from, end }
    const { records, next } = await this.#archive.read(request)
    // What was asked of the live log a moment ago may be behind what was archived since.
    return next > end ? { records, next, end: next } : { records, next, end }
  }

  async #boundsLately({ topic, partition }: ReadRequest): Promise<PartitionBounds> {
    let known = this.#live.get(topic)
    if (known === undefined || this.#nowMs() - known.atMs >= ARCHIVE_LIMITS.boundsEveryMs) {
      known = { bounds: await this.#log.bounds(topic), atMs: this.#nowMs() }
      this.#live.set(topic, known)
    }
    return known.bounds.find((b) => b.partition === partition)!
  }
}
