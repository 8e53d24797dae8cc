/**
 * A clock that never goes back. It runs on the page's steady clock, anchored once to the wall clock. Where the wall
 * clock runs ahead, the machine slept (the steady clock stops then on most systems), and the time that passed is added.
 * A wall clock that is set back, or by more than any sleep, changes nothing: the service corrects by the difference to
 * `sentAt`, and that is of this clock too.
 */
import * as limits from './limits.ts'

export interface Clock {
  /** Whole milliseconds since 1970, as this device has it. */
  readonly now: () => number
  /** All time that was added so far. */
  readonly sleptMs: () => number
}

export function createClock(wallMs: () => number, steadyMs: () => number): Clock {
  let offsetMs = wallMs() - steadyMs()
  let ignoredMs = 0
  let sleptMs = 0
  return {
    now() {
      const steady = steadyMs()
      const driftMs = wallMs() - steady - offsetMs - ignoredMs
      if (driftMs > limits.clockJumpMinMs && driftMs < limits.clockJumpMaxMs) {
        offsetMs += driftMs
        sleptMs += driftMs
      } else if (Math.abs(driftMs) > limits.clockJumpMinMs) ignoredMs += driftMs
      return Math.round(steady + offsetMs)
    },
    sleptMs: () => sleptMs,
  }
}
