/**
 * The sliding window: a log of counts, one for each twelfth of the window, and the twelfth that is just leaving counts
 * in full. So there are never more than `limit` in any window, wherever it begins, and a place is free again at the
 * latest a twelfth of a window after it could be. Pure: time comes in.
 */
export const SLICES = 12
const KEPT = SLICES + 1

export interface Verdict {
  readonly allowed: boolean
  /** How many more would be let through now. */
  readonly remaining: number
  /** Until one more would be let through; 0 if it would be now. */
  readonly retryAfterMs: number
  /** Until all of the limit is free again, if nothing more comes. */
  readonly resetMs: number
}

export class Window {
  /** Of slice s at s % KEPT. */
  private readonly counts = new Uint32Array(KEPT)
  private newest = -1
  private sum = 0

  take(nowMs: number, limit: number, sliceMs: number): Verdict {
    // A clock that went back stays at what it was.
    const slice = Math.max(this.newest, Math.floor(nowMs / sliceMs))
    this.advance(slice)
    const allowed = this.sum < limit
    if (allowed) {
      this.counts[slice % KEPT]!++
      this.sum++
    }
    const remaining = Math.max(0, limit - this.sum)
    const leavesInMs = (s: number) => Math.max(1, (s + KEPT) * sliceMs - nowMs)
    return {
      allowed,
      remaining,
      retryAfterMs: remaining > 0 ? 0 : leavesInMs(this.frees(limit)),
      resetMs: this.sum === 0 ? 0 : leavesInMs(this.lastUsed()),
    }
  }

  private advance(slice: number): void {
    for (let s = Math.max(this.newest, slice - KEPT) + 1; s <= slice; s++) {
      this.sum -= this.counts[s % KEPT]!
      this.counts[s % KEPT] = 0
    }
    this.newest = slice
  }

  /** The slice whose leaving makes room for one. */
  private frees(limit: number): number {
    let left = this.sum
    for (let s = Math.max(0, this.newest - SLICES); s < this.newest; s++) {
      left -= this.counts[s % KEPT]!
      if (left < limit) return s
    }
    return this.newest
  }

  private lastUsed(): number {
    for (let s = this.newest; s > Math.max(-1, this.newest - KEPT); s--) {
      if (this.counts[s % KEPT]! > 0) return s
    }
    return this.newest
  }
}
