/**
 * Appends: durable when all in-sync replicas have them, in the order given within each partition.
 *
 * States of a record: *admitted* (counted against the queue's limits; its topic is being asked for) → *in line* (of its
 * partition) → *under way* (in its partition's one batch under way) → settled. Who owns what: a partition has at most one
 * batch under way, a broker at most one request; all that comes in meanwhile forms the next. So order is kept over
 * failures, and batches grow with load.
 *
 * What can fail: any failure of a request is ambiguous. The same bytes go out again, with the same producer id and
 * sequence, and the broker answers a batch that it has already stored with the place of the first. Only if it has lost
 * track of us do they go out under a fresh id, and then a duplicate is possible (readers drop it by event id). After
 * appendTimeoutMs the append rejects with LogUnavailable, and what comes next goes out under a fresh id, since what the
 * broker knows of our sequence is unknown.
 */
import { partitionName } from '../assignment.ts'
import { LogError, LogRefused, LogUnavailable } from '../errors.ts'
import { LOG_LIMITS } from '../limits.ts'
import type { NewRecord, Placed } from '../log.ts'
import { partitionOf } from '../partition.ts'
import { Admission, sizeOf } from './admission.ts'
import { encodeBatch } from './batch-encode.ts'
import { wordsOf } from './client.ts'
import type { Cluster } from './cluster.ts'
import { type ProduceResult, produceFrame } from './frames.ts'
import { KAFKA_LIMITS } from './limits.ts'
import {
  type Append,
  type Batch,
  dropFailed,
  type Entry,
  type Line,
  newLine,
  nextBatch,
  splitByAppend,
} from './line.ts'
import { CODE } from './protocol.ts'
import { backoffMs, Closed, NotYet } from './retry.ts'

interface Identity {
  readonly producerId: bigint
  readonly epoch: number
}

/** What to do about an error code of one batch; any other code is tried again as it is. */
const VERDICTS: ReadonlyMap<number, 'refuse' | 'deny' | 'anew'> = new Map([
  [CODE.messageTooLarge, 'refuse'],
  [CODE.recordListTooLarge, 'refuse'],
  [CODE.invalidTimestamp, 'refuse'],
  [CODE.invalidRecord, 'refuse'],
  [CODE.topicDenied, 'deny'],
  [CODE.clusterDenied, 'deny'],
  [CODE.outOfOrderSequence, 'anew'],
  [CODE.duplicateSequence, 'anew'],
  [CODE.invalidProducerEpoch, 'anew'],
  [CODE.unknownProducer, 'anew'],
])

export class Producer {
  readonly #cluster: Cluster
  readonly #admission = new Admission()
  readonly #lines = new Map<string, Line>()
  /** Lines with something in them, the one that has waited longest first. */
  readonly #active = new Set<Line>()
  /** Brokers with a request under way. */
  readonly #busy = new Set<number>()
  readonly #expiry: NodeJS.Timeout
  #identity: Promise<Identity> | undefined
  #pumping = false
  #closed = false

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.#expiry = setInterval(() => this.#expire(), KAFKA_LIMITS.expiryCheckMs).unref()
  }

  async append(records: readonly NewRecord[]): Promise<readonly Placed[]> {
    if (this.#closed) throw new Closed()
    if (records.length === 0) return []
    const sizes = records.map(sizeOf)
    const release = this.#admission.reserve(sizes)
    return new Promise((resolve, reject) => {
      const append: Append = {
        placed: new Array(records.length),
        since: performance.now(),
        left: records.length,
        failed: false,
        lastError: undefined,
        resolve,
        reject,
      }
      const ask = async (topic: string) => (await this.#cluster.layout(topic)).leaders.length
      this.#admission
        .inOrder(records, ask, (counts) => this.#line(records, sizes, counts, append))
        .catch((error) => {
          release()
          append.failed = true
          reject(error)
        })
    })
  }

  /** Waits for what is under way; it settles or times out. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#admission.empty()
    clearInterval(this.#expiry)
  }

  #line(
    records: readonly NewRecord[],
    sizes: readonly number[],
    counts: ReadonlyMap<string, number>,
    append: Append,
  ): void {
    for (const [index, record] of records.entries()) {
      const { topic, key } = record
      const partition = partitionOf(key, counts.get(topic)!)
      const name = partitionName({ topic, partition })
      let line = this.#lines.get(name)
      if (line === undefined) {
        line = newLine({ topic, partition })
        this.#lines.set(name, line)
      }
      line.entries.push({ append, index, record, bytes: sizes[index]! })
      this.#active.add(line)
    }
    this.#pumpSoon()
  }

  /** After the callbacks that are due now, so that what they append goes out together. */
  #pumpSoon(): void {
    if (this.#pumping) return
    this.#pumping = true
    setImmediate(() => {
      this.#pumping = false
      this.#pump()
    })
  }

  #pump(): void {
    const requests = new Map<number, { lines: Line[]; bytes: number }>()
    for (const line of [...this.#active]) {
      if (line.underWay) continue
      const batch = nextBatch(line)
      if (batch === undefined) {
        this.#active.delete(line)
        continue
      }
      if (batch.resting) continue
      const leader = this.#cluster.known(line.topic)?.leaders[line.partition] ?? -1
      if (leader < 0) {
        void this.#findLeader(line, batch)
        continue
      }
      if (this.#busy.has(leader)) continue
      const request = requests.get(leader) ?? { lines: [], bytes: 0 }
      requests.set(leader, request)
      if (request.lines.length > 0 && request.bytes + batch.bytes > KAFKA_LIMITS.requestBytesMax) continue
      request.lines.push(line)
      request.bytes += batch.bytes
    }
    for (const [nodeId, { lines }] of requests) void this.#send(nodeId, lines)
  }

  async #findLeader(line: Line, batch: Batch): Promise<void> {
    line.underWay = true
    try {
      await this.#cluster.leader(line.topic, line.partition)
    } catch (error) {
      this.#again(line, batch, error)
    } finally {
      line.underWay = false
      this.#pumpSoon()
    }
  }

  /** One request to one broker: the first batch of each of these lines. Never throws. */
  async #send(nodeId: number, lines: readonly Line[]): Promise<void> {
    this.#busy.add(nodeId)
    for (const line of lines) {
      line.underWay = true
      // To the end of the row.
      this.#active.delete(line)
      this.#active.add(line)
    }
    try {
      const identity = await this.#identify(nodeId)
      const link = await this.#cluster.link(nodeId, 'produce')
      const batches = lines.map((line) => ({ ...line, bytes: stamped(line, identity) }))
      const results = await link.send(produceFrame(batches, KAFKA_LIMITS.requestTimeoutMs))
      const paired = lines.map((line) => [line, resultFor(line, results)] as const)
      for (const [line, result] of paired) this.#settle(line, result)
    } catch (error) {
      this.#cluster.forgetNode(nodeId)
      for (const line of lines) if (line.batches[0] !== undefined) this.#again(line, line.batches[0], error)
    } finally {
      for (const line of lines) line.underWay = false
      this.#busy.delete(nodeId)
      this.#pumpSoon()
    }
  }

  #settle(line: Line, { errorCode, baseOffset }: ProduceResult): void {
    const batch = line.batches[0]!
    if (errorCode === CODE.none) {
      line.batches.shift()
      // Kafka's sequences start again at 0 after the largest 32-bit integer.
      line.nextSequence = (line.nextSequence + batch.entries.length) % 2 ** 31
      for (const [i, entry] of batch.entries.entries()) this.#stored(entry, line.partition, baseOffset + BigInt(i))
      return
    }
    const words = `${partitionName(line)}: ${wordsOf(errorCode)}`
    const verdict = VERDICTS.get(errorCode)
    if (verdict === 'refuse') {
      const parts = splitByAppend(batch)
      line.batches.splice(0, 1, ...(parts.length > 1 ? parts : []))
      if (parts.length === 1) this.#reject(batch.entries, new LogRefused(words))
    } else if (verdict === 'deny') {
      line.batches.shift()
      this.#reject(batch.entries, new LogError('LOG_DENIED', words))
    } else {
      if (verdict === 'anew') this.#startAnew(batch)
      this.#cluster.forget(line.topic)
      this.#again(line, batch, new NotYet(words))
    }
  }

  /** The batch goes out again after a while, unless nobody waits for it any more. */
  #again(line: Line, batch: Batch, error: unknown): void {
    // A bug of ours must not be tried again for ever.
    if (!(error instanceof LogUnavailable)) {
      line.batches.shift()
      this.#startAnew(batch)
      const cause = error instanceof LogError ? error : new LogError('LOG_BROKEN', String(error), { cause: error })
      this.#reject(batch.entries, cause)
      return
    }
    for (const { append } of batch.entries) append.lastError = error
    if (batch.entries.every((e) => e.append.failed)) {
      line.batches.shift()
      this.#startAnew(batch)
      this.#reject(batch.entries, error)
      return
    }
    // The timer ends the rest, not a clock: a timer may go off before a clock says that its time has passed.
    batch.resting = true
    setTimeout(
      () => {
        batch.resting = false
        this.#pumpSoon()
      },
      backoffMs(batch.failures++),
    )
  }

  #startAnew(batch: Batch): void {
    batch.sent = undefined
    this.#identity = undefined
  }

  #identify(nodeId: number): Promise<Identity> {
    this.#identity ??= this.#newIdentity(nodeId).catch((error) => {
      this.#identity = undefined
      throw error
    })
    return this.#identity
  }

  async #newIdentity(nodeId: number): Promise<Identity> {
    const link = await this.#cluster.link(nodeId, 'produce')
    const ask = { transactionalId: null, transactionTimeout: KAFKA_LIMITS.requestTimeoutMs }
    const { errorCode, producerId, producerEpoch } = await link.call('InitProducerId', ask)
    if (errorCode === CODE.none) return { producerId: BigInt(producerId), epoch: producerEpoch }
    if (errorCode === CODE.clusterDenied) throw new LogError('LOG_DENIED', `a producer id: ${wordsOf(errorCode)}`)
    throw new NotYet(`no producer id: ${wordsOf(errorCode)}`)
  }

  #stored({ append, index, bytes }: Entry, partition: number, position: bigint): void {
    this.#admission.release(bytes)
    append.placed[index] = { partition, position }
    if (--append.left === 0 && !append.failed) append.resolve(append.placed)
  }

  #reject(entries: readonly Entry[], error: LogError): void {
    for (const { append, bytes } of entries) {
      this.#admission.release(bytes)
      if (append.failed) continue
      append.failed = true
      append.reject(error)
    }
  }

  #expire(): void {
    const before = performance.now() - LOG_LIMITS.appendTimeoutMs
    for (const line of this.#active) {
      // A line is in the order of its appends.
      const oldest = line.batches[0]?.entries[0] ?? line.entries[0]
      if (oldest === undefined || oldest.append.since > before) continue
      for (const { append } of [...line.batches.flatMap((b) => b.entries), ...line.entries]) {
        if (append.since > before || append.failed) continue
        append.failed = true
        const why = append.lastError === undefined ? 'Kafka has not answered' : append.lastError.message
        append.reject(new LogUnavailable(`not known to be durable after ${LOG_LIMITS.appendTimeoutMs} ms: ${why}`))
      }
      for (const { bytes } of dropFailed(line)) this.#admission.release(bytes)
    }
  }
}

function stamped(line: Line, { producerId, epoch }: Identity): Buffer {
  const batch = line.batches[0]!
  if (batch.sent === undefined) {
    if (line.producerId !== producerId) {
      line.producerId = producerId
      line.nextSequence = 0
    }
    const stamp = { producerId, epoch, sequence: line.nextSequence }
    const bytes = encodeBatch(
      batch.entries.map((e) => e.record),
      stamp,
    )
    batch.sent = { stamp, bytes }
  }
  return batch.sent.bytes
}

function resultFor(line: Line, results: readonly ProduceResult[]): ProduceResult {
  const result = results.find((r) => r.topic === line.topic && r.partition === line.partition)
  if (result === undefined) throw new NotYet(`Kafka answered nothing for ${partitionName(line)}`)
  return result
}
