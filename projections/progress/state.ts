/**
 * Where a profile is in a title: registers in which the last write wins, and parts that merge (ranges, sessions).
 *
 * A position that is not newer than the clear counts no more and never will again; the same holds for a mark that is
 * not newer than both. So what a row says needs neither of them, and `settled` leaves them out.
 */
import { isNewer, type Stamp } from '../stamp.ts'
import { PROGRESS_LIMITS } from './limits.ts'
import type { Sessions } from './plays.ts'
import type { Seconds } from './ranges.ts'

export interface PositionReport extends Stamp {
  readonly positionMs: number
  readonly device: string | null
}

export interface KnownDuration extends Stamp {
  readonly durationMs: number
}

export interface KnownFacts extends Stamp {
  readonly seriesId: string | null
  readonly season: number | null
  readonly episode: number | null
  readonly creditsStartMs: number | null
}

export interface Mark extends Stamp {
  readonly watched: boolean
}

export interface Progress {
  /** Client times of the oldest and of the newest event that counts here. */
  readonly oldestMs: number
  readonly newestMs: number
  readonly position: PositionReport | undefined
  readonly duration: KnownDuration | undefined
  readonly facts: KnownFacts | undefined
  readonly mark: Mark | undefined
  readonly clear: Stamp | undefined
  readonly watched: Seconds
  readonly sessions: Sessions
  /** Undefined: only marked or cleared. */
  readonly firstWatchedMs: number | undefined
  readonly lastWatchedMs: number | undefined
}

/** The registers that still decide something. */
export interface Settled {
  readonly position: PositionReport | undefined
  readonly mark: Mark | undefined
  readonly clear: Stamp | undefined
}

export function settled({ position, mark, clear }: Progress): Settled {
  const counts = position !== undefined && isNewer(position, clear)
  const marks = mark !== undefined && isNewer(mark, clear) && isNewer(mark, position)
  return { position: counts ? position : undefined, mark: marks ? mark : undefined, clear }
}

/** 0 to 10000; null without a duration. */
export function permyriadOf(positionMs: number, durationMs: number | undefined): number | null {
  if (durationMs === undefined) return null
  return positionMs >= durationMs ? 10_000 : Math.floor((positionMs * 10_000) / durationMs)
}

export function isCompleted({ position, mark }: Settled, { duration, facts }: Progress): boolean {
  if (mark !== undefined) return mark.watched
  if (position === undefined) return false
  const permyriad = permyriadOf(position.positionMs, duration?.durationMs)
  if (permyriad === null) return false
  if (permyriad >= PROGRESS_LIMITS.completedPermyriad) return true
  const creditsMs = facts?.creditsStartMs ?? null
  if (creditsMs === null || position.positionMs < creditsMs) return false
  return permyriad >= PROGRESS_LIMITS.completedInCreditsPermyriad
}
