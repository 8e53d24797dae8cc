/** A view as it is shown: its numbers at the last change of state or whole minute, whichever is later. */
import type { Slice } from './slices.ts'

/** What a view is doing. */
export const CODE = {
  none: 0,
  starting: 1,
  playing: 2,
  paused: 3,
  seeking: 4,
  stalled: 5,
  ended: 6,
  failed: 7,
  ad: 8,
} as const

/** What is no number; replaced, never changed. */
export interface Words {
  readonly errorCode: string
  readonly failurePhase: string
  readonly endReason: string
}

export const NO_WORDS: Words = { errorCode: '', failurePhase: '', endReason: '' }

export interface Cut {
  /** Another number, another cut. */
  readonly id: number
  /** By numbers.ts. The timeline's own: whoever keeps them copies them. */
  readonly numbers: Float64Array
  readonly words: Words
  /** Seconds: from, to, from, to, … */
  readonly watched: readonly number[]
  readonly startedAt: number
  /** How many of the timeline's minutes are done by now, and the one at hand. */
  readonly slicesDone: number
  readonly slice: Slice | undefined
}

/** Told of what happens, for those who want to explain it. */
export interface Watcher {
  span(code: number, fromMs: number, toMs: number): void
}
