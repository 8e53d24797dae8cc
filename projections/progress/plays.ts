/** Sessions of a title, by id, and the plays that they amount to. */
import { DAY_MS, PROGRESS_LIMITS } from './limits.ts'
import type { Play } from './row.ts'

export interface Session {
  readonly id: string
  readonly firstMs: number
  readonly lastMs: number
}

/** Ascending by id, each id once. */
export type Sessions = readonly Session[]

/** A report outside of any session counts to its day (UTC). */
export function sessionIdOf(sessionId: string | null, atMs: number): string {
  return sessionId ?? `day:${Math.floor(atMs / DAY_MS)}`
}

export function touch(sessions: Sessions, id: string, atMs: number): Sessions {
  const place = placeOf(sessions, id)
  const found = sessions[place]
  if (found?.id === id) {
    if (atMs >= found.firstMs && atMs <= found.lastMs) return sessions
    const changed = sessions.slice()
    changed[place] = { id, firstMs: Math.min(found.firstMs, atMs), lastMs: Math.max(found.lastMs, atMs) }
    return changed
  }
  const longer = [...sessions.slice(0, place), { id, firstMs: atMs, lastMs: atMs }, ...sessions.slice(place)]
  return longer.length > PROGRESS_LIMITS.sessionsMax ? longer.slice(0, PROGRESS_LIMITS.sessionsMax) : longer
}

/** Where the id is, or would be. */
function placeOf(sessions: Sessions, id: string): number {
  let low = 0
  let high = sessions.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sessions[middle]!.id < id) low = middle + 1
    else high = middle
  }
  return low
}

/** Oldest first. */
export function playsOf(sessions: Sessions): Play[] {
  const plays: { startedAtMs: number; lastAtMs: number }[] = []
  let startMs = Number.NEGATIVE_INFINITY
  for (const { firstMs, lastMs } of [...sessions].sort((a, b) => a.firstMs - b.firstMs)) {
    const last = plays[plays.length - 1]
    if (last === undefined || firstMs - startMs > PROGRESS_LIMITS.playGapMs) {
      plays.push({ startedAtMs: firstMs, lastAtMs: lastMs })
    } else if (lastMs > last.lastAtMs) last.lastAtMs = lastMs
    startMs = firstMs
  }
  return plays
}

/** `[["id",first,last],…]` */
export function toText(sessions: Sessions): string {
  let text = '['
  for (const { id, firstMs, lastMs } of sessions) {
    text += `${text.length === 1 ? '' : ','}[${JSON.stringify(id)},${firstMs},${lastMs}]`
  }
  return `${text}]`
}

export function fromText(text: string): Sessions {
  const stored = JSON.parse(text) as readonly (readonly [string, number, number])[]
  return stored.map(([id, firstMs, lastMs]) => ({ id, firstMs, lastMs }))
}
