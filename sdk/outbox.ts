/**
 * The events of one session that the service has not confirmed yet, oldest first, mirrored to a store that outlives the
 * page. What is sent is read from memory alone: a store that fails costs what a closed page would have kept, and nothing
 * else. Bounded: the oldest go first, and are counted.
 */
import type { QueuedEvent } from './events.ts'
import * as limits from './limits.ts'

/** What is kept of a session, so that another page can send what is left of it. */
export interface StoredSession {
  readonly sessionId: string
  readonly titleId: string
  readonly url: string
  readonly savedAt: number
  readonly profileId?: string | undefined
  readonly deviceId?: string | undefined
  readonly playbackToken?: string | undefined
}

/** Writes are not waited for; what fails in them is the store's to tell. */
export interface Store {
  put(sessionId: string, event: QueuedEvent): void
  remove(sessionId: string, events: readonly QueuedEvent[]): void
  save(session: StoredSession): void
  /** The session and its events. */
  forget(sessionId: string): void
  sessions(): Promise<readonly StoredSession[]>
  /** Oldest first. */
  events(sessionId: string): Promise<readonly QueuedEvent[]>
}

export interface Outbox {
  readonly sessionId: string
  /** Oldest first. */
  readonly events: () => readonly QueuedEvent[]
  readonly dropped: () => number
  /** False: the oldest had to go for it. */
  readonly add: (event: QueuedEvent) => boolean
  readonly remove: (events: readonly QueuedEvent[]) => void
}

export function createOutbox(sessionId: string, store: Store | undefined, events: readonly QueuedEvent[] = []): Outbox {
  let dropped = 0
  const remove = (gone: readonly QueuedEvent[]) => {
    events = events.filter((event) => !gone.includes(event))
    store?.remove(sessionId, gone)
  }
  return {
    sessionId,
    events: () => events,
    dropped: () => dropped,
    add(event) {
      events = [...events, event]
      store?.put(sessionId, event)
      const full = events.length > limits.queuedEventsMax
      if (full) {
        dropped++
        remove(events.slice(0, 1))
      }
      return !full
    },
    remove,
  }
}
