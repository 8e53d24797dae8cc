/**
 * When an event occurred, on our clock. A device's clock may be wrong by years, but it is wrong by the same amount when
 * it stamps an event and when it sends it: so the event's age at sending is trusted and the clock is not.
 */
import { PRODUCER_LIMITS } from './limits.ts'

export interface TimeClaim {
  /** The client's clock at the event; without it the event is taken to occur as it is received. */
  readonly atMs?: number
  /** The client's clock as it sent the batch; without it nothing can be corrected. */
  readonly sentAtMs?: number
  readonly receivedAtMs: number
}

/** What was done to the claim: the values of `meta.clock`. */
export type ClockWord = 'unknown' | 'trusted' | 'corrected' | 'clamped' | 'implausible'

export interface Occurred {
  /** Never later than `receivedAtMs`, never negative. */
  readonly atMs: number
  /** An implausible event is kept all the same; folds and queries may leave it out. */
  readonly clock: ClockWord
}

export function correctClock({ atMs, sentAtMs, receivedAtMs }: TimeClaim): Occurred {
  if (atMs === undefined) return { atMs: receivedAtMs, clock: 'unknown' }
  const claimedMs = sentAtMs === undefined ? atMs : atMs + (receivedAtMs - sentAtMs)
  const slackMs = sentAtMs === undefined ? PRODUCER_LIMITS.otherClockSlackMs : PRODUCER_LIMITS.sameClockSlackMs
  return {
    atMs: Math.max(0, Math.min(claimedMs, receivedAtMs)),
    clock: wordFor(receivedAtMs - claimedMs, slackMs, sentAtMs),
  }
}

function wordFor(ageMs: number, slackMs: number, sentAtMs: number | undefined): ClockWord {
  if (ageMs < -slackMs || ageMs > PRODUCER_LIMITS.ageMaxMs) return 'implausible'
  if (ageMs < 0) return 'clamped'
  return sentAtMs === undefined ? 'trusted' : 'corrected'
}
