/**
 * What closed pages left behind. A session whose page lives is locked (Web Locks; the browser frees the lock when the
 * page dies), so each queue has one sender. Without Web Locks a session is left alone for five minutes; two senders of
 * one queue cost a request, no event: ids are kept.
 */
import type { QueuedEvent } from './events.ts'
import * as limits from './limits.ts'
import type { Store, StoredSession } from './outbox.ts'

const nameOf = (sessionId: string) => `playhead ${sessionId}`

/** Until what it returns is called. */
export function holdLock(sessionId: string): () => void {
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  // Refused where a page has no origin to lock in: then the others go by time.
  void navigator.locks?.request(nameOf(sessionId), () => held).catch(() => undefined)
  return release
}

export async function adopt(
  store: Store,
  own: StoredSession,
  nowMs: number,
  send: (session: StoredSession, events: readonly QueuedEvent[]) => Promise<void>,
): Promise<void> {
  const left = (await store.sessions()).filter(({ sessionId }) => sessionId !== own.sessionId)
  for (const [i, session] of left.entries()) {
    const { sessionId, savedAt, url } = session
    const one = async () => {
      const events = await store.events(sessionId)
      if (events.length === 0 || nowMs - savedAt > limits.storedMaxMs || i < left.length - limits.storedSessionsMax) {
        store.forget(sessionId)
      } else if (url === own.url) await send(session, events)
    }
    if (navigator.locks) {
      await navigator.locks.request(nameOf(sessionId), { ifAvailable: true }, async (lock) => {
        if (lock !== null) await one()
      })
    } else if (nowMs - savedAt > limits.orphanAfterMs) await one()
  }
}
