/**
 * Reads. What LMDB shows is durable, so a read is: find the batch that holds `from`, take records until a limit is met,
 * and if there is none yet wait for the bell (wake.ts) and look again.
 *
 * A batch that is damaged is never passed over: a read that comes to it answers the records before it, and one that
 * begins there is rejected with LogCorrupt, each time. So the caller stands exactly at the damage.
 */
import { LogCorrupt, LogRefused, LogRetention } from '../errors.ts'
import type { PartitionBounds, Position, ReadAnswer, ReadRequest } from '../log.ts'
import { batchFault, type Page, readBatch } from './batch.ts'
import type { Environment } from './environment.ts'
import { batchKey, POSITION_MAX, partitionKey, positionIn } from './keys.ts'
import { EMBEDDED_LIMITS } from './limits.ts'
import type { Topics } from './topics.ts'

interface OpenPage {
  readonly base: Position
  readonly batch: Buffer
  /** Its checksum was found right. */
  readonly sound: boolean
}

export class Reader {
  readonly #environment: Environment
  readonly #topics: Topics
  #closed = false
  /** By partition: the batch that the last read left in its middle. The least recently read goes first. */
  readonly #openPages = new Map<string, OpenPage>()

  constructor(environment: Environment, topics: Topics) {
    this.#environment = environment
    this.#topics = topics
  }

  bounds(topic: string): PartitionBounds[] {
    const { id, partitions } = this.#topics.get(topic)
    this.#environment.latest()
    return Array.from({ length: partitions }, (_, partition) => ({
      topic,
      partition,
      start: this.#start(id, partition),
      end: this.#end(id, partition),
    }))
  }

  /** Ends the reads that wait. */
  close(): void {
    this.#closed = true
    this.#environment.appended.stir()
  }

  async read(request: ReadRequest): Promise<ReadAnswer> {
    const topicId = this.#topics.idOf(request)
    const { from, to, waitMs, signal } = request
    if (from < 0n || from > POSITION_MAX) throw new LogRefused(`position ${from} of ${place(request)} can't be`)
    const { appended } = this.#environment
    const deadline = performance.now() + waitMs
    for (;;) {
      const rings = appended.listen()
      const answer = this.#look(topicId, request)
      const leftMs = deadline - performance.now()
      const nothingToCome = to !== undefined && to < answer.next
      if (answer.records.length > 0 || nothingToCome || leftMs <= 0 || signal?.aborted) return answer
      await appended.after(rings, leftMs, signal)
      if (this.#closed) return answer
    }
  }

  #look(topicId: number, request: ReadRequest): ReadAnswer {
    const { partition, from, to } = request
    this.#environment.latest()
    const end = this.#end(topicId, partition)
    const start = this.#start(topicId, partition)
    if (from < start) throw new LogRetention(request, from, start)
    if (from >= end || (to !== undefined && to < from)) return { records: [], next: from, end }
    // No batch behind `to` is touched: it is no concern of this read if that one is damaged.
    const last = to !== undefined && to < end ? to : end - 1n
    const page: Page = { records: [], bytes: 0, full: false }
    let stop: OpenPage | undefined
    for (const open of this.#from(topicId, request, last)) {
      const fault = open.sound ? undefined : batchFault(open.batch)
      if (fault !== undefined && page.records.length === 0) throw this.#corrupt(topicId, request, open.base, end, fault)
      if (fault !== undefined) break
      stop = { ...open, sound: true }
      readBatch(open.batch, open.base, { ...request, to: last }, page)
      if (page.full) break
    }
    this.#keep(partitionKey(topicId, partition).toString('latin1'), page.full ? stop : undefined)
    const final = page.records.at(-1)
    return { records: page.records, next: final === undefined ? last + 1n : final.position + 1n, end }
  }

  /** The batches that hold `from` to `last`, in order, beginning with the one that the read before left half read. */
  *#from(topicId: number, request: ReadRequest, last: Position): Iterable<OpenPage> {
    const { partition, from } = request
    const kept = this.#openPages.get(partitionKey(topicId, partition).toString('latin1'))
    let start = batchKey(topicId, partition, from)
    if (kept !== undefined && kept.base <= from && from < kept.base + BigInt(kept.batch.readUInt32BE(8))) {
      yield kept
      start = batchKey(topicId, partition, kept.base + 1n)
    } else {
      const before = { start, end: batchKey(topicId, partition, 0n), inclusiveEnd: true, reverse: true, limit: 1 }
      for (const key of this.#environment.batches.getKeys(before)) start = Buffer.from(key)
    }
    const range = { start, end: batchKey(topicId, partition, last), inclusiveEnd: true }
    for (const { key, value } of this.#environment.batches.getRange(range)) {
      yield { base: positionIn(key), batch: value, sound: false }
    }
  }

  #keep(key: string, page: OpenPage | undefined): void {
    this.#openPages.delete(key)
    if (page === undefined) return
    this.#openPages.set(key, page)
    if (this.#openPages.size <= EMBEDDED_LIMITS.openPagesMax) return
    for (const [oldest] of this.#openPages) {
      this.#openPages.delete(oldest)
      return
    }
  }

  #end(topicId: number, partition: number): Position {
    return this.#environment.ends.getBinary(partitionKey(topicId, partition))?.readBigUInt64BE() ?? 0n
  }

  #start(topicId: number, partition: number): Position {
    return this.#environment.starts.getBinary(partitionKey(topicId, partition))?.readBigUInt64BE() ?? 0n
  }

  #corrupt(topicId: number, request: ReadRequest, base: Position, end: Position, fault: string): LogCorrupt {
    const after = {
      start: batchKey(topicId, request.partition, base + 1n),
      end: batchKey(topicId, request.partition, end),
      limit: 1,
    }
    let next = end
    for (const key of this.#environment.batches.getKeys(after)) next = positionIn(key)
    const where = `the batch at positions ${base} to ${next - 1n} of ${place(request)} in ${this.#environment.path}`
    return new LogCorrupt(`${where} is damaged: ${fault}`)
  }
}

function place({ topic, partition }: ReadRequest): string {
  return `${topic}/${partition}`
}
