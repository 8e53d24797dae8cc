/**
 * Group commit. Appends that arrive while a commit is under way are encoded at once, into batches that wait; when the
 * commit is done, all that waits is the next commit (or several, each of commitBytesEnough or so: then the callers of the
 * first encode their next records while the second is written).
 *
 * States of an append: *refused* (nothing was taken: LogRefused, LogBusy) or *waiting* → *committing* → *durable*, or
 * *failed* (nothing stored: LogFull; or unknown: LogUnavailable). An append is in one commit, so it is stored whole or
 * not at all. Positions are given inside the write transaction, where no other process can be.
 *
 * Bounded by queuedRecordsMax and queuedBytesMax, over all that waits or is being committed.
 */
import { LogBusy, LogError, LogRefused } from '../errors.ts'
import { LOG_LIMITS } from '../limits.ts'
import type { NewRecord, Placed } from '../log.ts'
import { recordBytesBound } from './batch.ts'
import { Commit } from './commit.ts'
import type { Environment } from './environment.ts'
import { batchKey, partitionKey, positionBytes } from './keys.ts'
import { EMBEDDED_LIMITS } from './limits.ts'
import type { Topics } from './topics.ts'

export class Appender {
  readonly #environment: Environment
  readonly #topics: Topics
  /** In the order in which they will be committed; only the last still takes appends. */
  readonly #waiting: Commit[] = []
  /** Buffers of stored batches, written to again: fresh memory costs more than the encoding. */
  readonly #spare: Buffer[] = []
  #running: Promise<void> | undefined
  #queuedRecords = 0
  #queuedBytes = 0

  constructor(environment: Environment, topics: Topics) {
    this.#environment = environment
    this.#topics = topics
  }

  async append(records: readonly NewRecord[]): Promise<readonly Placed[]> {
    if (records.length === 0) return []
    this.#admit(records)
    const commit = this.#open()
    const places = commit.take(records, this.#topics, this.#spare)
    this.#running ??= this.#run()
    await commit.durable
    return places()
  }

  /** Waits until nothing waits. */
  async drained(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  /** Checks everything before anything is taken. */
  #admit(records: readonly NewRecord[]): void {
    let bytes = 0
    let topic: string | undefined
    for (const record of records) {
      if (record.topic !== topic) this.#topics.get(record.topic)
      topic = record.topic
      check(record)
      bytes += recordBytesBound(record)
    }
    const { queuedRecordsMax, queuedBytesMax } = LOG_LIMITS
    if (records.length > queuedRecordsMax) {
      throw new LogRefused(`${records.length} records in one append, at most ${queuedRecordsMax} (queuedRecordsMax)`)
    }
    if (bytes > queuedBytesMax) {
      throw new LogRefused(`${bytes} bytes in one append, at most ${queuedBytesMax} (queuedBytesMax)`)
    }
    if (this.#queuedRecords + records.length > queuedRecordsMax || this.#queuedBytes + bytes > queuedBytesMax) {
      const queued = `${this.#queuedRecords} records, ${this.#queuedBytes} bytes`
      throw new LogBusy(`the queue of appends is full (${queued} wait)`, EMBEDDED_LIMITS.busyRetryMs)
    }
    this.#queuedRecords += records.length
    this.#queuedBytes += bytes
  }

  #open(): Commit {
    const last = this.#waiting.at(-1)
    if (last !== undefined && last.bytes < EMBEDDED_LIMITS.commitBytesEnough) return last
    const commit = new Commit()
    this.#waiting.push(commit)
    return commit
  }

  async #run(): Promise<void> {
    // The callers of this turn first, all of them: they are one commit.
    await new Promise((resolve) => setImmediate(resolve))
    let tell: () => void = () => undefined
    for (let commit = this.#waiting.shift(); commit !== undefined; commit = this.#waiting.shift()) {
      tell = await this.#commit(commit, tell)
      if (this.#waiting.length === 0) tell()
    }
    this.#running = undefined
  }

  /**
   * Stores a commit; the answer tells its callers. `tellBefore` tells those of the commit before, as soon as this one
   * is in LMDB's hands: what they do next then overlaps with the disk instead of keeping it waiting.
   */
  async #commit(commit: Commit, tellBefore: () => void): Promise<() => void> {
    const patience = setTimeout(tellBefore, EMBEDDED_LIMITS.tellAfterMs)
    let failure: LogError | undefined
    try {
      await this.#store(commit, () => setImmediate(tellBefore))
      this.#environment.appended.ring()
    } catch (error) {
      if (!(error instanceof LogError)) throw error
      failure = error
    }
    clearTimeout(patience)
    tellBefore()
    this.#queuedRecords -= commit.records
    this.#queuedBytes -= commit.bytes
    for (const { writer } of commit.batches) {
      if (this.#spare.length < EMBEDDED_LIMITS.spareBuffersMax) this.#spare.push(writer.takeBuffer())
    }
    return () => commit.settle(failure)
  }

  async #store(commit: Commit, stored: () => void): Promise<void> {
    const sealed = commit.batches.map(({ writer }) => writer.seal())
    const { batches, ends } = this.#environment
    await this.#environment.writeFast('an append', () => {
      for (const [i, batch] of commit.batches.entries()) {
        const { topicId, partition, writer } = batch
        const key = partitionKey(topicId, partition)
        batch.base = ends.getBinary(key)?.readBigUInt64BE() ?? 0n
        batches.putSync(batchKey(topicId, partition, batch.base), sealed[i]!)
        ends.putSync(key, positionBytes(batch.base + BigInt(writer.count)))
      }
      stored()
    })
  }
}

/** Differences of timestamps must stay exact when doubled (zigzag). */
const TIMESTAMP_MS_MAX = 2 ** 52

function check({ topic, key, value, headers, timestampMs }: NewRecord): void {
  const { keyBytesMax, recordBytesMax } = LOG_LIMITS
  if (3 * key.length > keyBytesMax && Buffer.byteLength(key) > keyBytesMax) {
    throw new LogRefused(`a key for ${topic} has ${Buffer.byteLength(key)} bytes, at most ${keyBytesMax} (keyBytesMax)`)
  }
  let bytes = value.length
  for (const name in headers) bytes += Buffer.byteLength(name) + Buffer.byteLength(headers[name]!)
  if (bytes > recordBytesMax) {
    throw new LogRefused(`a record for ${topic} has ${bytes} bytes, at most ${recordBytesMax} (recordBytesMax)`)
  }
  if (!Number.isSafeInteger(timestampMs) || timestampMs < 0 || timestampMs > TIMESTAMP_MS_MAX) {
    throw new LogRefused(`a record for ${topic} has the timestamp ${timestampMs}, which is not whole milliseconds`)
  }
}
