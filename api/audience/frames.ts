/**
 * One frame for each second, made when the first asks and shared by all: a stream more costs a write and no count.
 * `at` is the end of the second that the frame tells of; what was received up to then has had a moment to be read.
 */
import type { AudienceCounters, AudienceCounts } from './counters.ts'
import { AUDIENCE_LIMITS } from './limits.ts'
import type { AudienceTail, Freshness } from './tail.ts'

export interface AudienceFrame extends AudienceCounts {
  /** End of the second that it tells of. */
  readonly at: string
  /** Since this process began: reports of the past, which don't count here, and views that had to make room. */
  readonly leftOut: { readonly late: number; readonly evicted: number }
  readonly freshness: Freshness
}

export interface Shown {
  readonly atMs: number
  readonly frame: AudienceFrame
  readonly text: string
}

type Listener = (shown: Shown) => void

const SECOND_MS = 1_000

export class AudienceFrames {
  readonly #counters: AudienceCounters
  readonly #tail: Pick<AudienceTail, 'freshness'>
  readonly #nowMs: () => number
  readonly #failed: (error: unknown) => void
  readonly #listeners = new Set<Listener>()
  #timer: NodeJS.Timeout | undefined
  #last: Shown | undefined

  constructor(
    counters: AudienceCounters,
    tail: Pick<AudienceTail, 'freshness'>,
    nowMs: () => number,
    failed: (error: unknown) => void,
  ) {
    this.#counters = counters
    this.#tail = tail
    this.#nowMs = nowMs
    this.#failed = failed
  }

  current(): Shown {
    const atMs = Math.floor((this.#nowMs() - AUDIENCE_LIMITS.settleMs) / SECOND_MS) * SECOND_MS
    if (this.#last?.atMs !== atMs) {
      const { leftOut } = this.#counters
      const at = new Date(atMs).toISOString()
      const frame = { at, ...this.#counters.frame(atMs), leftOut, freshness: this.#tail.freshness() }
      this.#last = { atMs, frame, text: JSON.stringify(frame) }
    }
    return this.#last
  }

  /** The current frame at once, then each second's. */
  listen(listener: Listener): () => void {
    listener(this.current())
    this.#listeners.add(listener)
    if (this.#timer === undefined) this.#schedule()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      clearTimeout(this.#timer)
      this.#timer = undefined
    }
  }

  #schedule(): void {
    const sinceMs = (this.#nowMs() - AUDIENCE_LIMITS.settleMs) % SECOND_MS
    // A little past the border: a timer may be early by a millisecond, and would show the last second again.
    this.#timer = setTimeout(() => this.#tick(), SECOND_MS - sinceMs + 2)
  }

  #tick(): void {
    this.#schedule()
    try {
      const shown = this.current()
      for (const listener of [...this.#listeners]) listener(shown)
    } catch (error) {
      this.#failed(error)
    }
  }
}
