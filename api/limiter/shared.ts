/**
 * Limits that all API processes share. They are manners, no safety: when the shared store is down or slow, each process
 * goes on with limits of its own, says so once, and looks again when the breaker lets it.
 */
import { Counter, type Registry } from 'prom-client'
import { type Breaker, type Breakers, guard } from '../breaker.ts'
import type { LimitClass } from '../context.ts'
import type { Limiter } from './limiter.ts'
import { LIMITER_LIMITS } from './limits.ts'
import type { MemoryLimiter } from './memory.ts'
import type { Verdict } from './window.ts'

/** One atomic take in the shared store. Rejects when it can't be reached. */
export interface SharedWindows {
  take(key: string, limit: number): Promise<Verdict>
  close(): Promise<void>
}

export interface SharedLimiterOptions {
  readonly windows: SharedWindows
  readonly own: MemoryLimiter
  readonly breakers: Breakers
  readonly metrics: Registry
  readonly nowMs: () => number
  readonly warn: (message: string) => void
}

export class SharedLimiter implements Limiter {
  private readonly options: SharedLimiterOptions
  private readonly breaker: Breaker
  private readonly fellBack: Counter
  private away = false

  constructor(options: SharedLimiterOptions) {
    this.options = options
    this.breaker = options.breakers.add({ name: 'limits', nowMs: options.nowMs, isFailure: () => true })
    this.fellBack = new Counter({
      name: 'playhead_limits_own_total',
      help: "Requests counted by this process alone, because the limits' shared store was away.",
      registers: [options.metrics],
    })
  }

  async take(limitClass: LimitClass, subject: string, limit: number): Promise<Verdict> {
    const { windows, own } = this.options
    let shared = true
    const verdict = await guard(this.breaker, () => windows.take(`${limitClass}/${subject}`, limit), {
      timeoutMs: LIMITER_LIMITS.sharedTimeoutMs,
      fallback: () => {
        shared = false
        return own.take(limitClass, subject, limit)
      },
    })
    if (!shared) this.fellBack.inc()
    this.tell(!shared)
    return verdict
  }

  async close(): Promise<void> {
    await this.options.windows.close()
    await this.options.own.close()
  }

  private tell(away: boolean): void {
    if (away === this.away) return
    // One late answer is no outage: the way back is told only once the breaker is closed again.
    if (!away && this.breaker.state !== 'closed') return
    this.away = away
    this.options.warn(
      away
        ? 'The shared limits are away or slow: this process counts by itself until they are back.'
        : 'The shared limits are back.',
    )
  }
}
