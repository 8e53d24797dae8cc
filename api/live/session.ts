/**
 * One connection's life, the same for both kinds: open → *ready* (with the current rows before it, for one that comes
 * back) → changes → closed, by whichever comes first: the client, its token's end, its profile's erasure, its slowness,
 * or this process's end.
 */
import { LogUnavailable } from '../../log/errors.ts'
import type { ApiContext } from '../context.ts'
import { isAway } from '../position.ts'
import type { Feed, Subscription } from './feed.ts'
import { LIVE_LIMITS } from './limits.ts'
import { type EndReason, type LiveMessage, messageOf } from './message.ts'

/** A connection as a session sees it. */
export interface Pipe {
  send(message: LiveMessage): void
  beat(): void
  /** Bytes that wait because the client does not read. */
  backlogBytes(): number
  /** Ends in order, after what was sent. */
  end(): void
  /** Cuts: a client that does not read would never see an end. */
  cut(): void
  onClosed(closed: () => void): void
}

export interface Opening {
  readonly profileId: string
  /** The client was here before: it gets the current rows. */
  readonly resumes: boolean
  readonly expiresAtMs: number | undefined
}

export type SessionPorts = Pick<ApiContext, 'progress' | 'nowMs'> & { readonly failed: (error: unknown) => void }

export class Sessions {
  readonly #feed: Pick<Feed, 'open'>
  readonly #ports: SessionPorts
  readonly #open = new Set<(reason: EndReason) => void>()

  constructor(feed: Pick<Feed, 'open'>, ports: SessionPorts) {
    this.#feed = feed
    this.#ports = ports
  }

  /** `connect` answers the request; it is not called if the feed refuses, and the caller answers that. */
  start(opening: Opening, connect: () => Pipe): void {
    let pipe: Pipe | undefined
    const timers: NodeJS.Timeout[] = []
    const end = (reason: EndReason) => {
      if (!this.#open.delete(end)) return
      for (const timer of timers) clearTimeout(timer)
      subscription.close()
      pipe?.send({ type: 'end', reason })
      pipe?.end()
    }
    const send = (message: LiveMessage) => {
      if (pipe === undefined || !this.#open.has(end)) return
      pipe.send(message)
      if (pipe.backlogBytes() > LIVE_LIMITS.backlogBytesMax) pipe.cut()
    }
    const subscription: Subscription = this.#feed.open(opening.profileId, { send, end })
    this.#open.add(end)
    try {
      pipe = connect()
    } catch (error) {
      end('closing')
      throw error
    }
    pipe.onClosed(() => end('closing'))
    const leftMs = (opening.expiresAtMs ?? Number.POSITIVE_INFINITY) - this.#ports.nowMs()
    timers.push(
      setTimeout(() => end('expired'), Math.max(0, Math.min(leftMs, LIVE_LIMITS.streamMsMax))),
      setInterval(() => pipe?.beat(), LIVE_LIMITS.beatEveryMs),
    )
    this.#begin(opening, subscription, send).catch((error: unknown) => {
      if (!isAway(error) && !(error instanceof LogUnavailable)) this.#ports.failed(error)
      end('unavailable')
    })
  }

  async #begin(
    { profileId, resumes }: Opening,
    subscription: Subscription,
    send: (message: LiveMessage) => void,
  ): Promise<void> {
    await subscription.ready
    if (resumes) {
      const rows = [...(await this.#ports.progress.all(profileId))]
      rows.sort((a, b) => b.updatedAtMs - a.updatedAtMs)
      // Oldest of them first, as they would have come.
      for (const row of rows.slice(0, LIVE_LIMITS.snapshotRowsMax).reverse()) {
        send(messageOf(row.titleId, row, this.#ports.nowMs()))
      }
    }
    send({ type: 'ready' })
  }

  end(): void {
    for (const end of [...this.#open]) end('closing')
  }
}
