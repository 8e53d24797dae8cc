/**
 * Who listens to what in this process. The feed follows only the partitions that hold a profile with listeners, and
 * none while nobody listens.
 *
 * Ownership: a tail owns a partition's channels, a channel its profile's listeners; each goes when the last below it
 * goes. Bounded: listeners of the process and of a profile.
 */
import type { EventLog } from '../../log/log.ts'
import { partitionOf } from '../../log/partition.ts'
import { TOPICS } from '../../schemas/index.ts'
import type { ApiContext } from '../context.ts'
import { Problem } from '../problems.ts'
import { Channel, type Listener } from './channel.ts'
import { LIVE_LIMITS } from './limits.ts'
import { Tail } from './tail.ts'

const TOPIC = 'playback-events'

export type FeedPorts = Pick<ApiContext, 'log' | 'codec' | 'progress' | 'positions' | 'nowMs'> & {
  readonly failed: (error: unknown) => void
}

export interface Subscription {
  /** Resolves when every change from now on will be sent; rejects if the log can't be reached. */
  readonly ready: Promise<void>
  close(): void
}

export class Feed {
  readonly #ports: FeedPorts
  readonly #partitions: () => Promise<number>
  readonly #tails = new Map<number, Tail>()
  readonly #ending = new Set<Promise<void>>()
  readonly #listening = new Map<string, number>()
  #listeners = 0

  constructor(ports: FeedPorts) {
    this.#ports = ports
    this.#partitions = remembered(() => partitionsOf(ports.log))
  }

  get listeners(): number {
    return this.#listeners
  }

  /** Throws LIVE_FULL or LIVE_LIMIT. The listener may be called as soon as this has returned. */
  open(profileId: string, listener: Listener): Subscription {
    this.#admit(profileId)
    let closed = false
    let leave: () => void = () => undefined
    const join = async (): Promise<void> => {
      const partition = partitionOf(profileId, await this.#partitions())
      if (closed) return
      const tail = this.#tailOf(partition)
      leave = this.#enter(tail, profileId, listener)
      await tail.ready
    }
    return {
      ready: join(),
      close: () => {
        if (closed) return
        closed = true
        this.#forget(profileId)
        leave()
      },
    }
  }

  async close(): Promise<void> {
    for (const tail of this.#tails.values()) for (const channel of [...tail.channels.values()]) channel.end('closing')
    await Promise.all([...this.#ending])
  }

  #admit(profileId: string): void {
    const { subscribersMax, subscribersPerProfileMax, retryAfterFullMs: retryAfterMs } = LIVE_LIMITS
    if (this.#listeners >= subscribersMax) {
      throw new Problem('LIVE_FULL', 'This process has as many live streams as it takes. Poll, or come back later.', {
        retryAfterMs,
      })
    }
    const ofProfile = this.#listening.get(profileId) ?? 0
    if (ofProfile >= subscribersPerProfileMax) {
      throw new Problem('LIVE_LIMIT', `At most ${subscribersPerProfileMax} live streams of a profile.`, {
        retryAfterMs,
      })
    }
    this.#listeners += 1
    this.#listening.set(profileId, ofProfile + 1)
  }

  #forget(profileId: string): void {
    this.#listeners -= 1
    const left = (this.#listening.get(profileId) ?? 1) - 1
    if (left === 0) this.#listening.delete(profileId)
    else this.#listening.set(profileId, left)
  }

  #tailOf(partition: number): Tail {
    const tail = this.#tails.get(partition) ?? new Tail({ topic: TOPIC, partition }, this.#ports)
    this.#tails.set(partition, tail)
    return tail
  }

  #enter(tail: Tail, profileId: string, listener: Listener): () => void {
    const channel = tail.channels.get(profileId) ?? new Channel(profileId, tail.place, this.#ports)
    tail.channels.set(profileId, channel)
    channel.listeners.add(listener)
    return () => {
      channel.listeners.delete(listener)
      if (channel.listeners.size > 0) return
      tail.channels.delete(profileId)
      this.#end(channel.stop())
      if (tail.channels.size > 0) return
      if (this.#tails.get(tail.place.partition) === tail) this.#tails.delete(tail.place.partition)
      this.#end(tail.stop())
    }
  }

  #end(ending: Promise<void>): void {
    this.#ending.add(ending)
    void ending.finally(() => this.#ending.delete(ending))
  }
}

/** The log's own count: a topic that exists keeps it, whatever this release would have created. */
async function partitionsOf(log: EventLog): Promise<number> {
  const topics = await log.topics()
  return topics.find(({ topic }) => topic === TOPIC)?.partitions ?? TOPICS[TOPIC].partitions
}

/** Asked once; again only if that failed. */
function remembered<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  return () => {
    answer ??= ask().catch((error: unknown) => {
      answer = undefined
      throw error
    })
    return answer
  }
}
