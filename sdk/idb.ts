/**
 * The store in IndexedDB: what is left of a session when its page closes. Keyed by session and sequence; session ids are
 * in order of time, so the oldest come first. A write is committed without waiting for the page, which may be gone by
 * then. If the store can't be opened (private windows, full disks), it says so once and holds nothing.
 */
import type { QueuedEvent } from './events.ts'
import type { Store, StoredSession } from './outbox.ts'
import type { Tell } from './problem.ts'

export function openStore(tell: Tell): Store {
  const opened = open()
  let complain = tell
  opened.catch(fail)

  function fail(error: unknown): void {
    complain('STORE', error)
    complain = () => undefined
  }

  function write(one: (events: IDBObjectStore, sessions: IDBObjectStore) => void): void {
    opened
      .then((database) => {
        const transaction = database.transaction(['events', 'sessions'], 'readwrite')
        one(transaction.objectStore('events'), transaction.objectStore('sessions'))
        transaction.onabort = () => fail(transaction.error)
        transaction.commit()
      })
      .catch(fail)
  }

  async function read<T>(ask: (events: IDBObjectStore, sessions: IDBObjectStore) => IDBRequest<T[]>): Promise<T[]> {
    try {
      const transaction = (await opened).transaction(['events', 'sessions'])
      return await answered(ask(transaction.objectStore('events'), transaction.objectStore('sessions')))
    } catch (error) {
      fail(error)
      return []
    }
  }

  return {
    put: (sessionId, event) => write((events) => events.put(event, [sessionId, event.sequence])),
    remove: (sessionId, gone) =>
      write((events) => {
        for (const { sequence } of gone) events.delete([sessionId, sequence])
      }),
    save: (session) => write((_, sessions) => sessions.put(session)),
    forget: (sessionId) =>
      write((events, sessions) => {
        events.delete(rangeOf(sessionId))
        sessions.delete(sessionId)
      }),
    sessions: () => read<StoredSession>((_, sessions) => sessions.getAll()),
    events: (sessionId) => read<QueuedEvent>((events) => events.getAll(rangeOf(sessionId))),
  }
}

function rangeOf(sessionId: string): IDBKeyRange {
  return IDBKeyRange.bound([sessionId], [sessionId, []])
}

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open('playhead', 1)
  request.onupgradeneeded = () => {
    request.result.createObjectStore('events')
    request.result.createObjectStore('sessions', { keyPath: 'sessionId' })
  }
  return await answered(request)
}

function answered<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
