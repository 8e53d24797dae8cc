/**
 * Sends an outbox, one request at a time, oldest first, until it is empty.
 *
 * at rest    nothing waits
 * gathering  something waits, a timer runs (250 ms, or the back-off after a failure)
 * sending    one request is under way
 *
 * Only an answer takes events out of the outbox: 2xx all of the batch (what is rejected in it would be rejected again),
 * 4xx that names no event halves the batch until the one that is wrong is alone. What was sent and not answered is sent
 * again under the same ids, so it counts once.
 */
import type { Access, Credential } from './access.ts'
import type { Env } from './env.ts'
import type { QueuedEvent } from './events.ts'
import * as limits from './limits.ts'
import type { Outbox } from './outbox.ts'
import { bodyOfAnswer, retryAfterMs } from './problem.ts'

export interface Sender {
  /** Something waits. */
  readonly poke: () => void
  /** The network is back, or somebody waits: at once, unless the service asked for patience. */
  readonly hurry: () => void
  /** When everything was confirmed. */
  readonly empty: () => Promise<void>
  /** The page may be gone in a moment. */
  readonly hide: () => void
}

export interface Route {
  readonly url: string
  readonly titleId: string
  /** Told each time a request was confirmed. */
  readonly confirmed?: (() => void) | undefined
}

export function createSender(env: Env, outbox: Outbox, access: Access, { url, titleId, confirmed }: Route): Sender {
  const { now, tell, beacon } = env
  const to = `${url}/v1/events`
  let cancel: (() => void) | undefined
  let sending = false
  let failures = 0
  let notBefore = 0
  let most: number = limits.batchEventsMax
  const waiting: (() => void)[] = []
  /** Up to here it was sent as the page was hidden: closing a page hides it twice. */
  let hidden = -1

  function schedule(ms: number): void {
    cancel?.()
    cancel = env.later(
      () => {
        cancel = undefined
        void flush()
      },
      Math.max(ms, notBefore - now()),
    )
  }

  function rest(): void {
    if (outbox.events().length > 0) poke()
    else for (const resolve of waiting.splice(0)) resolve()
  }

  function poke(): void {
    if (!cancel && !sending) schedule(limits.gatherMs)
  }

  async function flush(): Promise<void> {
    if (sending) return
    sending = true
    let waitMs: number | undefined
    try {
      while (waitMs === undefined && outbox.events().length > 0) waitMs = await next()
    } catch (error) {
      // Nobody answered.
      tell('OFFLINE', error)
      waitMs = backoff(0)
    }
    sending = false
    if (waitMs === undefined) rest()
    else schedule(waitMs)
  }

  /** One batch. How long to wait before the next, if something is wrong. */
  async function next(): Promise<number | undefined> {
    const granted = await access.get()
    if (typeof granted === 'number') return backoff(granted)
    const batch = fitting(outbox.events().slice(0, most), limits.batchBytesMax)
    const answer = await env.fetch(to, {
      method: 'POST',
      headers: { ...granted.headers, 'content-type': 'application/json' },
      body: bodyOf(batch, granted),
      signal: AbortSignal.timeout(limits.requestTimeoutMs),
    })
    return await judge(answer, batch)
  }

  async function judge(answer: Response, batch: readonly QueuedEvent[]): Promise<number | undefined> {
    const { status, ok } = answer
    if (status === 408 || status === 429 || status >= 500) return backoff(retryAfterMs(answer))
    const said = await bodyOfAnswer(answer)
    if (status === 401 || status === 403 || status === 410) {
      tell(said.code, said, status)
      access.refuse()
      // Once anew at once, then with patience.
      return failures++ === 0 ? undefined : backoff(0)
    }
    for (const rejection of said.results ?? []) {
      if (rejection.status === 'rejected') tell(rejection.code, { ...rejection, event: batch[rejection.index] })
    }
    if (!ok && !said.results) {
      if (batch.length > 1) {
        most = batch.length >> 1
        return undefined
      }
      tell(said.code, said, status)
    }
    outbox.remove(batch)
    failures = 0
    most = limits.batchEventsMax
    confirmed?.()
    return undefined
  }

  function bodyOf(events: readonly QueuedEvent[], { profileId }: Credential): string {
    const whose = { profileId, sessionId: outbox.sessionId, titleId }
    return JSON.stringify({ sentAt: now(), events: events.map((event) => ({ ...event, ...whose })) })
  }

  /** Doubled each time, with half of it left to chance, so that players that failed together do not return together. */
  function backoff(askedMs: number): number {
    const patienceMs = Math.min(limits.retryAfterMaxMs, askedMs)
    const ms = Math.min(limits.backoffMaxMs, limits.backoffMinMs * 2 ** failures++)
    if (patienceMs > 0) notBefore = now() + patienceMs
    return patienceMs + ms * (0.5 + env.random() / 2)
  }

  return {
    poke,
    hurry() {
      if (sending || outbox.events().length === 0) return
      failures = 0
      schedule(0)
    },
    empty: () =>
      new Promise((resolve) => {
        if (outbox.events().length === 0) resolve()
        else waiting.push(resolve)
      }),
    hide() {
      const credential = access.current()
      const fresh = outbox.events().filter(({ sequence }) => sequence > hidden)
      // The newest: they hold the position to resume from. The rest is in the store.
      const events = fitting(fresh.reverse(), limits.hideBytesMax).reverse()
      if (!credential || events.length === 0) return
      hidden = events.at(-1)!.sequence
      const address = `${to}?${credential.query}`
      const body = bodyOf(events, credential)
      if (beacon) beacon(address, body)
      else {
        // Of a type that needs no preflight: there may be no time for one.
        env
          .fetch(address, { method: 'POST', body, keepalive: true, headers: { 'content-type': 'text/plain' } })
          .then((answer) => judge(answer, events))
          .then(rest, (error) => tell('OFFLINE', error))
      }
    },
  }
}

/** As many of the first as fit, and one at least. What is sent is mostly ASCII; ids are put to each. */
function fitting(events: readonly QueuedEvent[], bytesMax: number): QueuedEvent[] {
  let bytes = 0
  return events.filter((event, i) => {
    bytes += JSON.stringify(event).length + limits.idsBytes
    return i === 0 || bytes <= bytesMax
  })
}
