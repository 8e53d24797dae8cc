/**
 * Reads: one partition, one request at a time, each on a connection that nobody else uses meanwhile.
 *
 * A connection is *idle* (in the pool) → *lent* (one fetch under way) → idle again, or dropped when it broke. A read that
 * was aborted has its answer at once; its connection comes back when the broker's long poll ends.
 * What can fail: the leader moved or is gone (asked again, within bounds, then LogUnavailable), or retention removed
 * what was asked for: that is an error with a code of its own and never a silent jump.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { partitionName } from '../assignment.ts'
import { LogError, LogRetention } from '../errors.ts'
import type { Position, ReadAnswer, ReadRequest } from '../log.ts'
import { decodeBatches } from './batch-decode.ts'
import { type Link, wordsOf } from './client.ts'
import type { Cluster } from './cluster.ts'
import { type FetchAnswer, fetchFrame } from './frames.ts'
import { Leftovers } from './leftovers.ts'
import { KAFKA_LIMITS } from './limits.ts'
import { CODE } from './protocol.ts'
import { Closed, NotYet, persist } from './retry.ts'
import { Stops } from './stops.ts'
import { askBounds } from './topics.ts'

interface Pool {
  readonly idle: Link[]
  lent: number
  readonly waiting: (() => void)[]
}

export class Fetcher {
  readonly #cluster: Cluster
  readonly #pools = new Map<number, Pool>()
  readonly #open = new Set<Link>()
  /** The end of each partition, as of its last answer. */
  readonly #ends = new Map<string, Position>()
  readonly #stops = new Stops()
  readonly #leftovers = new Leftovers()
  readonly #closing = new AbortController()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async read(request: ReadRequest): Promise<ReadAnswer> {
    const { signal, from, to } = request
    const place = partitionName(request)
    const deadline = performance.now() + (to !== undefined && from > to ? 0 : request.waitMs)
    let next = from
    for (;;) {
      if (this.#closing.signal.aborted) throw new Closed()
      const leftMs = signal?.aborted ? 0 : Math.max(0, deadline - performance.now())
      const asked = persist(() => this.#once({ ...request, from: next }, leftMs), {
        given: () => !signal?.aborted && !this.#closing.signal.aborted,
      })
      const answer = await this.#stops.firstOf(asked, [signal, this.#closing.signal])
      if (answer === undefined) return { records: [], next, end: this.#ends.get(place) ?? next }
      this.#ends.set(place, answer.end)
      if (answer.records.length > 0 || leftMs === 0 || (to !== undefined && answer.next > to)) return answer
      next = answer.next
    }
  }

  close(): void {
    this.#closing.abort()
    for (const link of this.#open) link.close()
    for (const { waiting } of this.#pools.values()) for (const wake of waiting.splice(0)) wake()
  }

  async #once(request: ReadRequest, leftMs: number): Promise<ReadAnswer> {
    const { topic, partition, from, to } = request
    const left = this.#leftovers.take(request, from)
    if (left !== undefined) return this.#decoded(request, left.answer, left.bytes)
    const nodeId = await this.#cluster.leader(topic, partition)
    const pool = this.#pool(nodeId)
    const crowded = pool.lent >= KAFKA_LIMITS.fetchConnectionsMax
    const waitMs = Math.ceil(Math.min(leftMs, crowded ? KAFKA_LIMITS.crowdedPollMs : KAFKA_LIMITS.pollMs))
    const bytesMax = Math.min(Math.max(1, request.bytesMax), KAFKA_LIMITS.fetchBytesMax)
    const answer = await this.#lend(nodeId, (link) =>
      link.send(fetchFrame({ topic, partition, from, bytesMax, waitMs }), waitMs + KAFKA_LIMITS.requestTimeoutMs),
    )
    if (answer.errorCode === CODE.offsetOutOfRange) return this.#outOfRange(request, waitMs)
    if (answer.errorCode === CODE.topicDenied) {
      throw new LogError('LOG_DENIED', `${topic} may not be read: ${wordsOf(answer.errorCode)}`)
    }
    if (answer.errorCode !== CODE.none) {
      this.#cluster.forget(topic)
      throw new NotYet(`${topic}/${partition} can't be read: ${wordsOf(answer.errorCode)}`)
    }
    if (to !== undefined && from > to) return { records: [], next: from, end: answer.end }
    return this.#decoded(request, answer, answer.batches.length)
  }

  #decoded(request: ReadRequest, answer: FetchAnswer, bytes: number): ReadAnswer {
    const { from, to, recordsMax, bytesMax } = request
    const limits = { from, to, recordsMax: Math.max(1, recordsMax), bytesMax }
    const { records, next, rest } = decodeBatches(answer.batches, limits, answer.aborted)
    if (rest !== undefined && to === undefined) this.#leftovers.keep(request, next, answer, rest, bytes)
    return { records, next, end: answer.end }
  }

  async #outOfRange(request: ReadRequest, waitMs: number): Promise<ReadAnswer> {
    const { topic, partition, from } = request
    const { start, end } = await askBounds(this.#cluster, { topic, partition })
    if (from < start) throw new LogRetention({ topic, partition }, from, start)
    // Beyond the end there is nothing yet; the broker does not wait for that, so we do.
    await delay(waitMs)
    return { records: [], next: from, end }
  }

  async #lend(nodeId: number, use: (link: Link) => Promise<FetchAnswer>): Promise<FetchAnswer> {
    const pool = this.#pool(nodeId)
    while (pool.lent >= KAFKA_LIMITS.fetchConnectionsMax) {
      await new Promise<void>((resolve) => pool.waiting.push(resolve))
      if (this.#closing.signal.aborted) throw new Closed()
    }
    pool.lent++
    try {
      const link = await this.#take(nodeId, pool)
      const answer = await use(link)
      pool.idle.push(link)
      return answer
    } catch (error) {
      // Whoever led may not lead any more.
      this.#cluster.forgetNode(nodeId)
      throw error
    } finally {
      pool.lent--
      pool.waiting.shift()?.()
    }
  }

  async #take(nodeId: number, pool: Pool): Promise<Link> {
    for (let link = pool.idle.pop(); link !== undefined; link = pool.idle.pop()) {
      if (link.usable()) return link
      this.#open.delete(link)
    }
    const link = await this.#cluster.ownLink(nodeId)
    this.#open.add(link)
    if (this.#closing.signal.aborted) link.close()
    return link
  }

  #pool(nodeId: number): Pool {
    let pool = this.#pools.get(nodeId)
    if (pool === undefined) {
      pool = { idle: [], lent: 0, waiting: [] }
      this.#pools.set(nodeId, pool)
    }
    return pool
  }
}
