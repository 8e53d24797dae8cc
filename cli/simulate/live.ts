/**
 * Live: an audience that says each thing when it happens, over HTTP, as players do: with its own event ids, and the times
 * of its own clocks, right or wrong, which the API corrects.
 *
 * The audience's time runs beside ours, `speed` times as fast. What is due is gathered for a tick and sent; a request that
 * fails is sent again, the same events with the same ids, until it is answered. While requests are under way nothing more
 * is gathered: an API that is slow makes the audience late, never large.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { NewEvent } from '../../schemas/index.ts'
import type { Audience, SimEvent } from '../../simulator/index.ts'
import { SIMULATE_LIMITS } from './limits.ts'

export interface LiveOptions {
  readonly audience: Audience
  /** Of the API, as http://127.0.0.1:8080. */
  readonly url: string
  /** Publishable. */
  readonly key: string
  /** How much faster than ours the audience's time runs [1]. Faster only through what is past already. */
  readonly speed?: number
  /** The audience's time as it begins [now]. */
  readonly fromMs?: number
  /** It ends when the audience's time is there; who watches then is cut off [when the audience is over]. */
  readonly untilMs?: number
  readonly signal: AbortSignal
  readonly nowMs: () => number
  readonly onProgress?: (counts: LiveCounts) => void
}

export interface LiveCounts {
  readonly accepted: number
  readonly rejected: number
  readonly requests: number
  readonly retries: number
  /** The audience's time, up to which all was answered. */
  readonly reachedMs: number
  /** By how much that is behind where it should be. */
  readonly behindMs: number
}

const NEVER = Number.POSITIVE_INFINITY

/** The API refused for good: a wrong key, a wrong address. */
export class LiveRefused extends Error {
  readonly code = 'LIVE_REFUSED'
}

/** Until the audience is over, its time has come, or the signal says so. */
export async function sendLive(options: LiveOptions): Promise<LiveCounts> {
  const { audience, signal, nowMs, onProgress, speed = 1, untilMs = NEVER } = options
  const begunAtMs = nowMs()
  const fromMs = options.fromMs ?? begunAtMs
  const timeMs = () => fromMs + (nowMs() - begunAtMs) * speed
  const sender = new Sender(options, timeMs)
  let counts = sender.counts(fromMs, 0)
  while (!signal.aborted && counts.reachedMs < untilMs) {
    const dueMs = Math.min(audience.nextAtMs(), untilMs)
    if (dueMs === NEVER) break
    const waitMs = Math.max(SIMULATE_LIMITS.tickMs, (dueMs - timeMs()) / speed)
    await untilThen(Math.min(waitMs, SIMULATE_LIMITS.reportEveryMs), signal)
    const reachedMs = Math.min(Math.floor(timeMs()), untilMs)
    await sender.sendAll(audience, reachedMs)
    counts = sender.counts(reachedMs, Math.min(timeMs(), untilMs) - reachedMs)
    onProgress?.(counts)
  }
  return counts
}

class Sender {
  readonly #options: LiveOptions
  readonly #timeMs: () => number
  #accepted = 0
  #rejected = 0
  #requests = 0
  #retries = 0

  constructor(options: LiveOptions, timeMs: () => number) {
    this.#options = options
    this.#timeMs = timeMs
  }

  counts(reachedMs: number, behindMs: number): LiveCounts {
    return {
      accepted: this.#accepted,
      rejected: this.#rejected,
      requests: this.#requests,
      retries: this.#retries,
      reachedMs,
      behindMs: Math.round(behindMs),
    }
  }

  /** What is due by then. Events of devices whose clocks differ can't share a request: it has one `sentAt`. */
  async sendAll(audience: Audience, untilMs: number): Promise<void> {
    const { signal, speed = 1 } = this.#options
    const batches = new Map<number, SimEvent[]>()
    const underWay = new Set<Promise<void>>()
    const failures: unknown[] = []
    const send = async (offsetMs: number) => {
      const batch = batches.get(offsetMs) ?? []
      batches.delete(offsetMs)
      const sending = this.#send(batch, offsetMs)
        .catch((error: unknown) => {
          failures.push(error)
        })
        .finally(() => underWay.delete(sending))
      underWay.add(sending)
      if (underWay.size >= SIMULATE_LIMITS.requestsAtOnce) await Promise.race(underWay)
    }
    for (let event = audience.next(untilMs); event !== undefined; event = audience.next(untilMs)) {
      // Without a `sentAt` a wrong clock can't be corrected: then all of them are right.
      const offsetMs = speed === 1 ? event.clockOffsetMs : 0
      const batch = batches.get(offsetMs) ?? []
      batches.set(offsetMs, batch)
      if (batch.push(event) >= SIMULATE_LIMITS.requestEvents) await send(offsetMs)
      if (signal.aborted || failures.length > 0) break
    }
    for (const offsetMs of [...batches.keys()]) await send(offsetMs)
    await Promise.all(underWay)
    if (failures.length > 0) throw failures[0]
  }

  async #send(batch: readonly SimEvent[], offsetMs: number): Promise<void> {
    const { signal, nowMs } = this.#options
    const giveUpAtMs = nowMs() + SIMULATE_LIMITS.patienceMs
    let pauseMs: number = SIMULATE_LIMITS.retryFirstMs
    for (;;) {
      const answer = await this.#post(batch, offsetMs)
      this.#requests++
      if (answer === 'done') return
      if (signal.aborted) return
      if (nowMs() >= giveUpAtMs) throw new LiveRefused(`the API did not answer for ${SIMULATE_LIMITS.patienceMs} ms`)
      this.#retries++
      await untilThen(Math.max(pauseMs, answer.retryAfterMs), signal)
      pauseMs = Math.min(2 * pauseMs, SIMULATE_LIMITS.retryCeilingMs)
    }
  }

  async #post(batch: readonly SimEvent[], offsetMs: number): Promise<'done' | { readonly retryAfterMs: number }> {
    const { url, key, speed = 1 } = this.#options
    const events = batch.map(({ event }) => spoken(event, offsetMs))
    // In a time that runs faster than ours, a moment of sending would correct the others into it.
    const sentAt = speed === 1 ? { sentAt: Math.floor(this.#timeMs()) + offsetMs } : {}
    let response: Response
    try {
      response = await fetch(`${url}/v1/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-playhead-key': key },
        body: JSON.stringify({ events, ...sentAt }),
        signal: AbortSignal.timeout(SIMULATE_LIMITS.requestTimeoutMs),
      })
    } catch (error) {
      if (error instanceof TypeError || (error as Error).name === 'TimeoutError') return { retryAfterMs: 0 }
      throw error
    }
    const text = await response.text()
    if (response.status === 202) {
      const { accepted, rejected } = JSON.parse(text) as { accepted: number; rejected: number }
      this.#accepted += accepted
      this.#rejected += rejected
      return 'done'
    }
    if (response.status === 429 || response.status >= 500) {
      return { retryAfterMs: 1_000 * Number(response.headers.get('retry-after') ?? 0) }
    }
    throw new LiveRefused(`${url}/v1/events answered ${response.status}: ${text.slice(0, 500)}`)
  }
}

/** As the player's own JSON: `meta` is stamped by who receives it. */
function spoken(event: NewEvent, offsetMs: number): object {
  const { meta, ...fields } = event
  return { ...fields, eventId: meta.eventId, occurredAt: meta.occurredAt + offsetMs }
}

async function untilThen(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(Math.max(0, ms), undefined, { signal })
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error
  }
}
