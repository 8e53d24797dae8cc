/**
 * One profile's listeners, and which of its titles changed since they were told.
 *
 * States: *quiet* → (a record of the profile is seen) *dirty* → (the projection has passed it) its rows are read and
 * sent → quiet for 250 ms → again, if something was seen meanwhile. So a title is sent at most four times a second, and
 * what is sent is never older than the last record seen before it was read.
 *
 * What can fail: the projection is late or its store is away: the titles stay dirty until they can be read.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Position, TopicPartition } from '../../log/log.ts'
import { isProgress } from '../../projections/progress/fold.ts'
import type { PlayheadEvent } from '../../schemas/index.ts'
import type { ApiContext } from '../context.ts'
import { isStale } from '../guarded.ts'
import { isAway } from '../position.ts'
import { LIVE_LIMITS } from './limits.ts'
import { type EndReason, type LiveMessage, messageOf } from './message.ts'

export interface Listener {
  send(message: LiveMessage): void
  /** Nothing is sent after it. */
  end(reason: EndReason): void
}

export type ChannelPorts = Pick<ApiContext, 'progress' | 'positions' | 'nowMs'> & {
  /** A read failed in a way that nobody expected. */
  readonly failed: (error: unknown) => void
}

export class Channel {
  readonly listeners = new Set<Listener>()
  readonly profileId: string
  readonly #ports: ChannelPorts
  readonly #place: TopicPartition
  readonly #stopped = new AbortController()
  /** By title: where it was seen last. */
  readonly #dirty = new Map<string, Position>()
  #seen: Position = 0n
  #overflow = false
  #sending: Promise<void> | undefined

  constructor(profileId: string, place: TopicPartition, ports: ChannelPorts) {
    this.profileId = profileId
    this.#place = place
    this.#ports = ports
  }

  saw(event: PlayheadEvent, position: Position): void {
    if (event.type === 'ProfileErased') this.end('erased')
    const titleId = isProgress(event) ? event.titleId : undefined
    if (titleId === undefined) return
    this.#seen = position
    if (this.#dirty.size < LIVE_LIMITS.titlesWaitingMax || this.#dirty.has(titleId)) this.#dirty.set(titleId, position)
    else this.#overflow = true
    this.#sending ??= this.#send()
  }

  end(reason: EndReason): void {
    for (const listener of [...this.listeners]) listener.end(reason)
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#sending
  }

  async #send(): Promise<void> {
    const { signal } = this.#stopped
    try {
      while (!signal.aborted && (this.#dirty.size > 0 || this.#overflow)) await this.#round(signal)
    } catch (error) {
      if (!signal.aborted) {
        this.#ports.failed(error)
        this.end('unavailable')
      }
    } finally {
      this.#sending = undefined
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const messages = await this.#read()
    if (signal.aborted) return
    if (messages !== 'late' && messages !== 'away') {
      for (const message of messages) for (const listener of [...this.listeners]) listener.send(message)
    }
    const pauseMs = messages === 'away' ? LIVE_LIMITS.retryMs : LIVE_LIMITS.sendEveryMs
    await sleep(pauseMs, undefined, { signal })
  }

  async #read(): Promise<readonly LiveMessage[] | 'late' | 'away'> {
    const { positions, progress, nowMs } = this.#ports
    const upTo = this.#seen
    const overflow = this.#overflow
    const titles = [...this.#dirty.keys()].slice(0, LIVE_LIMITS.titlesAtOnceMax)
    try {
      const header = positions.header([{ ...this.#place, position: upTo }])
      if ((await positions.wait(header, 'progress')) === 'late') return 'late'
      const rows = await progress.get(this.profileId, titles)
      // What a guard remembers of better days is no news.
      if (isStale(rows)) return 'away'
      // A title that was seen again meanwhile stays dirty: what was read may be from before.
      for (const titleId of titles) if (this.#dirty.get(titleId)! <= upTo) this.#dirty.delete(titleId)
      if (overflow) this.#overflow = this.#seen > upTo
      const messages = titles.map((titleId, i) => messageOf(titleId, rows[i], nowMs()))
      return overflow ? [...messages, { type: 'resync' }] : messages
    } catch (error) {
      if (isAway(error)) return 'away'
      throw error
    }
  }
}
