/** What an append must pass before it is in line: the limits of a record, room in the queue, topics that exist. */
import { LogBusy, LogRefused } from '../errors.ts'
import { LOG_LIMITS } from '../limits.ts'
import type { NewRecord } from '../log.ts'
import { headerBytes, recordBytes } from './batch-encode.ts'
import { KAFKA_LIMITS } from './limits.ts'

/** What the record takes in a batch, at most; throws LogRefused, and names the limit, if it is beyond one. */
export function sizeOf(record: NewRecord): number {
  const { key, value, timestampMs, headers } = record
  const checks = [
    ['recordBytesMax', value.length, LOG_LIMITS.recordBytesMax],
    // A UTF-16 unit is three bytes at most; most keys need no closer look.
    ['keyBytesMax', key.length * 3 > LOG_LIMITS.keyBytesMax ? Buffer.byteLength(key) : 0, LOG_LIMITS.keyBytesMax],
    ['headerBytesMax', headers === undefined ? 0 : headerBytes(headers), KAFKA_LIMITS.headerBytesMax],
  ] as const
  for (const [limit, bytes, max] of checks) {
    if (bytes > max) throw new LogRefused(`${limit} is ${max}, a record for ${record.topic} has ${bytes}`)
  }
  if (!Number.isSafeInteger(timestampMs) || timestampMs < 0) {
    throw new LogRefused(`timestampMs must be a whole number of milliseconds, not ${timestampMs}`)
  }
  return recordBytes(record)
}

export class Admission {
  #records = 0
  #bytes = 0
  /** By topic: its partition count, which never changes while the topic lives. */
  readonly #counts = new Map<string, number>()
  #last: Promise<void> | undefined
  readonly #whenEmpty: (() => void)[] = []

  /** Counts them as queued, or throws; the answer takes all of them back. */
  reserve(sizes: readonly number[]): () => void {
    const bytes = sizes.reduce((sum, size) => sum + size, 0)
    const { queuedRecordsMax, queuedBytesMax } = LOG_LIMITS
    if (sizes.length > queuedRecordsMax) {
      throw new LogRefused(`queuedRecordsMax is ${queuedRecordsMax}, one append has ${sizes.length}`)
    }
    if (bytes > queuedBytesMax) throw new LogRefused(`queuedBytesMax is ${queuedBytesMax}, one append has ${bytes}`)
    if (this.#records + sizes.length > queuedRecordsMax || this.#bytes + bytes > queuedBytesMax) {
      const queued = `${this.#records} records and ${this.#bytes} bytes wait to become durable`
      throw new LogBusy(`${queued}, ${sizes.length} more don't fit`, KAFKA_LIMITS.busyRetryAfterMs)
    }
    this.#records += sizes.length
    this.#bytes += bytes
    return () => {
      for (const size of sizes) this.release(size)
    }
  }

  release(size: number): void {
    this.#records--
    this.#bytes -= size
    if (this.#records === 0) for (const wake of this.#whenEmpty.splice(0)) wake()
  }

  empty(): Promise<void> {
    return this.#records === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenEmpty.push(resolve))
  }

  /**
   * Calls `go` when the partition counts of all topics are known: at once if they are, else after asking, and never
   * before the appends that came earlier.
   */
  async inOrder(
    records: readonly NewRecord[],
    ask: (topic: string) => Promise<number>,
    go: (counts: ReadonlyMap<string, number>) => void,
  ): Promise<void> {
    const unknown = new Set<string>()
    for (const { topic } of records) if (!this.#counts.has(topic)) unknown.add(topic)
    if (unknown.size === 0 && this.#last === undefined) return go(this.#counts)

    const before = this.#last
    const asked = Promise.all([...unknown].map(async (topic) => this.#counts.set(topic, await ask(topic))))
    const mine = (async () => {
      await Promise.allSettled([before, asked])
      await asked
      go(this.#counts)
    })()
    // Those behind wait for this one, whether it was refused or not.
    const turn = mine.catch(() => undefined)
    this.#last = turn.then(() => undefined)
    const last = this.#last
    try {
      await mine
    } finally {
      if (this.#last === last) this.#last = undefined
    }
  }
}
