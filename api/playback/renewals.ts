/** When each slot was renewed last by this process, so that not every heartbeat renews it. Bounded; the oldest go first. */
import { PLAYBACK_LIMITS } from './limits.ts'

export class Renewals {
  readonly #atMs = new Map<string, number>()
  readonly #keptMax: number

  constructor(keptMax: number = PLAYBACK_LIMITS.renewalsKeptMax) {
    this.#keptMax = keptMax
  }

  due(slotId: string, nowMs: number): boolean {
    const atMs = this.#atMs.get(slotId)
    // A clock that was set back must not keep a slot from being renewed.
    return atMs === undefined || nowMs - atMs >= PLAYBACK_LIMITS.renewEveryMs || nowMs < atMs
  }

  /** Only when the renewal is durable. */
  done(slotId: string, nowMs: number): void {
    this.#atMs.delete(slotId)
    this.#atMs.set(slotId, nowMs)
    if (this.#atMs.size <= this.#keptMax) return
    for (const [oldest] of this.#atMs) {
      this.#atMs.delete(oldest)
      return
    }
  }

  forget(slotId: string): void {
    this.#atMs.delete(slotId)
  }
}
