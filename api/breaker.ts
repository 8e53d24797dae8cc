/**
 * Circuit breakers: a store that is away is not waited for by every request.
 *
 * States: *closed* (calls go through) → five failures within a minute → *open* (calls fail at once) → after half a
 * minute *half-open*: one call, the probe, goes through; its success closes the breaker, its failure opens it again.
 * A result counts for the state in which its call began: one that comes late changes nothing.
 */
import { Gauge, type Registry } from 'prom-client'
import { BREAKER_LIMITS } from './limits.ts'
import { Problem } from './problems.ts'

export type BreakerState = 'closed' | 'half-open' | 'open'
const GAUGE_VALUES: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 }

export interface BreakerOptions {
  readonly name: string
  readonly nowMs: () => number
  /** What speaks against the store, and not against the call. A call that timed out always does. */
  readonly isFailure: (error: unknown) => boolean
  readonly onChange?: (state: BreakerState) => void
}

/** One call's admission. */
export interface Ticket {
  readonly epoch: number
  readonly probe: boolean
}

export class Breaker {
  readonly name: string
  readonly isFailure: (error: unknown) => boolean
  private readonly nowMs: () => number
  private readonly onChange: (state: BreakerState) => void
  /** Times of the latest failures, while closed. */
  private failures: number[] = []
  private openedAtMs: number | undefined
  private probing = false
  private epoch = 0

  constructor({ name, nowMs, isFailure, onChange }: BreakerOptions) {
    this.name = name
    this.nowMs = nowMs
    this.isFailure = isFailure
    this.onChange = onChange ?? (() => undefined)
  }

  get state(): BreakerState {
    if (this.openedAtMs === undefined) return 'closed'
    return this.probing || this.halfOpenInMs === 0 ? 'half-open' : 'open'
  }

  /** How long a refused caller should wait. */
  get halfOpenInMs(): number {
    if (this.openedAtMs === undefined) return 0
    return Math.max(0, this.openedAtMs + BREAKER_LIMITS.halfOpenAfterMs - this.nowMs())
  }

  /** Undefined: not now. Whoever gets a ticket settles it. */
  enter(): Ticket | undefined {
    if (this.openedAtMs === undefined) return { epoch: this.epoch, probe: false }
    if (this.probing || this.halfOpenInMs > 0) return undefined
    this.probing = true
    this.onChange('half-open')
    return { epoch: this.epoch, probe: true }
  }

  settle(ticket: Ticket, failed: boolean): void {
    if (ticket.epoch !== this.epoch) return
    if (ticket.probe) {
      this.probing = false
      if (failed) this.open()
      else this.close()
    } else if (failed) {
      const sinceMs = this.nowMs() - BREAKER_LIMITS.windowMs
      this.failures = [...this.failures.filter((at) => at > sinceMs), this.nowMs()]
      if (this.failures.length >= BREAKER_LIMITS.failuresMax) this.open()
    }
  }

  private open(): void {
    this.openedAtMs = this.nowMs()
    this.change('open')
  }

  private close(): void {
    this.openedAtMs = undefined
    this.change('closed')
  }

  private change(state: BreakerState): void {
    this.failures = []
    this.epoch++
    this.onChange(state)
  }
}

export interface GuardOptions<T> {
  readonly timeoutMs?: number
  /** What is answered instead; without it, or if it is undefined itself, the problem STORE_UNAVAILABLE. */
  readonly fallback?: () => T | undefined
}

/** The call's answer, in bounded time: `timeoutMs` at most, at once while the breaker is open. */
export async function guard<T>(breaker: Breaker, call: () => Promise<T>, options: GuardOptions<T> = {}): Promise<T> {
  const ticket = breaker.enter()
  if (ticket === undefined) return instead(breaker, options)
  try {
    const answer = await inTime(call(), options.timeoutMs ?? BREAKER_LIMITS.callTimeoutMs)
    breaker.settle(ticket, false)
    return answer
  } catch (error) {
    const failed = error instanceof TookTooLong || breaker.isFailure(error)
    breaker.settle(ticket, failed)
    if (!failed) throw error
    return instead(breaker, options)
  }
}

function instead<T>(breaker: Breaker, { fallback }: GuardOptions<T>): T {
  const answer = fallback?.()
  if (answer !== undefined) return answer
  throw new Problem('STORE_UNAVAILABLE', 'What this needs can not be reached at the moment: try again.', {
    retryAfterMs: Math.max(BREAKER_LIMITS.retryAfterMs, breaker.halfOpenInMs),
  })
}

class TookTooLong extends Error {}

/** The call goes on when it was given up; its late answer, or error, is of no interest to anybody. */
function inTime<T>(call: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new TookTooLong()), timeoutMs)
    call.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** All breakers of a process, and their gauge. It is read when asked for: an open breaker becomes half-open by itself. */
export class Breakers {
  private readonly breakers: Breaker[] = []

  constructor(registry: Registry) {
    const { breakers } = this
    new Gauge({
      name: 'circuit_breaker_state',
      help: '0 closed, 1 half-open, 2 open; by what is behind it.',
      labelNames: ['service'],
      registers: [registry],
      collect() {
        for (const { name, state } of breakers) this.set({ service: name }, GAUGE_VALUES[state])
      },
    })
  }

  add(options: BreakerOptions): Breaker {
    const breaker = new Breaker(options)
    this.breakers.push(breaker)
    return breaker
  }
}
