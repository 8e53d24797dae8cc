/** Limits of one process. Bounded: subjects that were not seen for a window are forgotten, sooner if there are too many. */
import type { LimitClass } from '../context.ts'
import { Recent } from '../recent.ts'
import type { Limiter } from './limiter.ts'
import { LIMITER_LIMITS } from './limits.ts'
import { SLICES, type Verdict, Window } from './window.ts'

export interface MemoryLimiterOptions {
  readonly nowMs: () => number
  readonly windowMs?: number
  readonly subjectsMax?: number
}

export class MemoryLimiter implements Limiter {
  private readonly subjects: Recent<Window>
  private readonly nowMs: () => number
  private readonly windowMs: number
  private turnedAtMs: number

  constructor({ nowMs, windowMs, subjectsMax }: MemoryLimiterOptions) {
    this.nowMs = nowMs
    this.windowMs = windowMs ?? LIMITER_LIMITS.windowMs
    this.subjects = new Recent(subjectsMax ?? LIMITER_LIMITS.subjectsMax)
    this.turnedAtMs = nowMs()
  }

  get size(): number {
    return this.subjects.size
  }

  take(limitClass: LimitClass, subject: string, limit: number): Verdict {
    const nowMs = this.nowMs()
    const sliceMs = this.windowMs / SLICES
    // A subject outlives one turn: it is forgotten when it has counted nothing for a window and more.
    if (nowMs - this.turnedAtMs > this.windowMs + sliceMs) {
      this.subjects.turn()
      this.turnedAtMs = nowMs
    }
    const key = `${limitClass}/${subject}`
    let window = this.subjects.get(key)
    if (window === undefined) {
      window = new Window()
      this.subjects.put(key, window)
    }
    return window.take(nowMs, limit, sliceMs)
  }

  async close(): Promise<void> {
    this.subjects.clear()
  }
}
