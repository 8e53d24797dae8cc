/**
 * A writer's sessions: `session_id` pins a connection, so that temporary tables, USE and SET stay until the session has
 * not been used for its timeout. A session takes one request at a time (code 373 otherwise, as in ClickHouse).
 * Readers have nothing to keep (`readonly` allows neither SET nor temporary tables): theirs are accepted and not kept.
 */
import type { Connection } from './engine.ts'
import { refuse } from './errors.ts'

export interface SessionRequest {
  readonly id: string
  readonly timeoutSeconds: number
  /** `session_check=1`: it must exist already. */
  readonly mustExist: boolean
}

export interface Session {
  readonly connection: Connection
  /** Its connection has the settings that every one starts with. */
  readonly isReady: boolean
  markReady(): void
  /** Gives the session back; `isBroken` ends it. */
  release(isBroken: boolean): void
}

export interface Sessions {
  take(owner: string, request: SessionRequest): Session
  closeAll(): void
}

interface Entry {
  readonly connection: Connection
  isBusy: boolean
  isReady: boolean
  timer: NodeJS.Timeout | undefined
}

export function createSessions(connect: () => Connection, sessionsMax: number): Sessions {
  const entries = new Map<string, Entry>()

  const end = (key: string, entry: Entry) => {
    clearTimeout(entry.timer)
    entries.delete(key)
    entry.connection.close()
  }

  return {
    take(owner, request) {
      const key = `${owner}\0${request.id}`
      let entry = entries.get(key)
      if (entry === undefined) {
        if (request.mustExist) throw refuse('SESSION_NOT_FOUND', `Session ${request.id} not found`)
        if (entries.size >= sessionsMax)
          throw refuse('TOO_MANY_SIMULTANEOUS_QUERIES', `Too many sessions. Maximum: ${sessionsMax}`)
        entry = { connection: connect(), isBusy: false, isReady: false, timer: undefined }
        entries.set(key, entry)
      }
      if (entry.isBusy) throw refuse('SESSION_IS_LOCKED', `Session ${request.id} is locked by a concurrent client`)
      const mine = entry
      mine.isBusy = true
      clearTimeout(mine.timer)
      return {
        connection: mine.connection,
        isReady: mine.isReady,
        markReady() {
          mine.isReady = true
        },
        release(isBroken) {
          mine.isBusy = false
          if (isBroken || entries.get(key) !== mine) return end(key, mine)
          mine.timer = setTimeout(() => end(key, mine), request.timeoutSeconds * 1000)
          mine.timer.unref()
        },
      }
    },
    closeAll() {
      for (const [key, entry] of entries) if (!entry.isBusy) end(key, entry)
      entries.clear()
    },
  }
}
