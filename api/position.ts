/**
 * Read your own writes. The answer to a write says where its records are; a read that sends that back is held until
 * the projection's checkpoint is past them. Checkpoints are polled only while somebody waits, and once for all who wait
 * for the same partition.
 *
 * What can fail: a projection that is late or whose store is away has not passed; the read is answered with what there
 * is, and says so in `Playhead-Position-Passed`.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { TopicPartition } from '../log/log.ts'
import { isTopicName } from '../schemas/index.ts'
import { StoreUnavailable } from '../stores/errors.ts'
import type { Positions } from './context.ts'
import { API_LIMITS } from './limits.ts'
import type { Checkpoints, ReadProjection } from './ports.ts'
import { Problem } from './problems.ts'

type Place = TopicPartition & { readonly position: bigint }

const READS: Readonly<Record<ReadProjection, string>> = {
  progress: 'playback-events',
  titles: 'ingest-events',
  episodes: 'ingest-events',
  streams: 'account-events',
  views: 'playback-events',
}

export function positionsOf(checkpoints: Checkpoints): Positions {
  const watches = new Map<string, Watch>()
  let waiting = 0

  async function passed(projection: ReadProjection, place: Place): Promise<boolean> {
    const name = `${projection} ${place.topic}/${place.partition}`
    let watch = watches.get(name)
    if (watch === undefined) {
      watch = new Watch(checkpoints, projection, place, () => watches.delete(name))
      watches.set(name, watch)
    }
    return await watch.passes(place.position)
  }

  return {
    header: headerOf,
    wait: async (header, projection) => {
      if (header === undefined) return 'passed'
      const places = parsePositions(header).filter(({ topic }) => topic === READS[projection])
      if (places.length === 0) return 'passed'
      if (waiting >= API_LIMITS.positionWaitersMax) return 'late'
      waiting += 1
      try {
        const all = await Promise.all(places.map((place) => passed(projection, place)))
        return all.every(Boolean) ? 'passed' : 'late'
      } finally {
        waiting -= 1
      }
    },
  }
}

/** Waits as the request asks, and says in the answer whether the wait was enough. */
export async function waitFor(
  positions: Positions,
  request: FastifyRequest,
  reply: FastifyReply,
  ...projections: readonly ReadProjection[]
): Promise<void> {
  const header = request.headers['playhead-position']
  if (header === undefined) return
  if (typeof header !== 'string') throw malformed()
  const waits = await Promise.all(projections.map((projection) => positions.wait(header, projection)))
  reply.header('playhead-position-passed', String(waits.every((wait) => wait === 'passed')))
}

/** The last position of each partition: passing it is passing those before it. */
function headerOf(placed: readonly Place[]): string {
  const [first] = placed
  if (placed.length === 1 && first !== undefined) return `${first.topic}/${first.partition}@${first.position}`
  const ends = new Map<string, bigint>()
  for (const { topic, partition, position } of placed) {
    const place = `${topic}/${partition}`
    if (position >= (ends.get(place) ?? 0n)) ends.set(place, position)
  }
  return [...ends].map(([place, position]) => `${place}@${position}`).join(',')
}

export function parsePositions(header: string): readonly Place[] {
  if (header.length > API_LIMITS.positionHeaderCharsMax) throw malformed()
  const parts = header.split(',')
  if (parts.length > API_LIMITS.positionPlacesMax) throw malformed()
  return parts.map((part) => {
    const [, topic, partition, position] = /^\s*([a-z-]{1,64})\/(\d{1,9})@(\d{1,18})\s*$/.exec(part) ?? []
    if (topic === undefined || partition === undefined || position === undefined || !isTopicName(topic))
      throw malformed()
    return { topic, partition: Number(partition), position: BigInt(position) }
  })
}

function malformed(): Problem {
  return new Problem('POSITION_INVALID', 'Send the Playhead-Position of an earlier answer as it was.')
}

interface Waiter {
  readonly position: bigint
  readonly deadline: NodeJS.Timeout
  settle(passed: boolean): void
}

/** One partition's checkpoint, polled while there are waiters. */
class Watch {
  readonly #checkpoints: Checkpoints
  readonly #projection: ReadProjection
  readonly #place: TopicPartition
  readonly #ended: () => void
  readonly #waiters = new Set<Waiter>()
  #polling = false

  constructor(checkpoints: Checkpoints, projection: ReadProjection, place: TopicPartition, ended: () => void) {
    this.#checkpoints = checkpoints
    this.#projection = projection
    this.#place = place
    this.#ended = ended
  }

  passes(position: bigint): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        position,
        deadline: setTimeout(() => waiter.settle(false), API_LIMITS.positionWaitMs),
        settle: (passed) => {
          clearTimeout(waiter.deadline)
          this.#waiters.delete(waiter)
          resolve(passed)
        },
      }
      this.#waiters.add(waiter)
      if (this.#polling) return
      this.#polling = true
      this.#poll().catch((error: unknown) => {
        reject(error)
        for (const each of [...this.#waiters]) each.settle(false)
      })
    })
  }

  async #poll(): Promise<void> {
    try {
      while (this.#waiters.size > 0) {
        const next = await this.#next()
        for (const waiter of [...this.#waiters]) if (next > waiter.position) waiter.settle(true)
        if (this.#waiters.size > 0) await new Promise((resolve) => setTimeout(resolve, API_LIMITS.positionPollMs))
      }
    } finally {
      this.#polling = false
      this.#ended()
    }
  }

  /** A store that can't be reached has passed nothing that we know of; the next look may. */
  async #next(): Promise<bigint> {
    try {
      return (await this.#checkpoints.next(this.#projection, this.#place)) ?? 0n
    } catch (error) {
      if (isAway(error)) return 0n
      throw error
    }
  }
}

/** A store that is away, as the store says it or as a guard in front of it does. */
export function isAway(error: unknown): boolean {
  return (
    error instanceof StoreUnavailable || (error instanceof Problem && (error.code as string) === 'STORE_UNAVAILABLE')
  )
}
