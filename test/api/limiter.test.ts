/** The sliding window against a model that forgets nothing, and limits whose shared store goes away. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Registry } from 'prom-client'
import { Breakers } from '../../api/breaker.ts'
import { MemoryLimiter } from '../../api/limiter/memory.ts'
import { SharedLimiter } from '../../api/limiter/shared.ts'
import { SLICES, type Verdict, Window } from '../../api/limiter/window.ts'
import { Clock } from './callers.ts'

const SLICE_MS = 5_000
const WINDOW_MS = SLICE_MS * SLICES

/** Remembers every request that was let through, and counts anew each time. */
class Exact {
  private readonly taken: number[] = []

  take(nowMs: number, limit: number): Verdict {
    const allowed = this.used(nowMs) < limit
    if (allowed) this.taken.push(nowMs)
    return {
      allowed,
      remaining: limit - this.used(nowMs),
      retryAfterMs: this.until(nowMs, (used) => used < limit),
      resetMs: this.until(nowMs, (used) => used === 0),
    }
  }

  /** In any window that ends now, to the millisecond. */
  inWindow(nowMs: number): number {
    return this.taken.filter((at) => at > nowMs - WINDOW_MS).length
  }

  private used(nowMs: number): number {
    const first = (Math.floor(nowMs / SLICE_MS) - SLICES) * SLICE_MS
    return this.taken.filter((at) => at >= first).length
  }

  private until(nowMs: number, fits: (used: number) => boolean): number {
    if (fits(this.used(nowMs))) return 0
    let at = (Math.floor(nowMs / SLICE_MS) + 1) * SLICE_MS
    while (!fits(this.used(at))) at += SLICE_MS
    return at - nowMs
  }
}

const pauses = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 3_000 }) },
    { weight: 1, arbitrary: fc.constantFrom(0, 1, 4_999, 5_000, 5_001, 59_999, 60_000, 60_001, 65_000, 200_000) },
  ),
  { maxLength: 150, size: 'max' },
)

test('the window says what a model says that forgets nothing, and never lets more than the limit into any minute', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 0, max: 100_000 }),
      pauses,
      (limit, startMs, steps) => {
        const window = new Window()
        const exact = new Exact()
        let nowMs = startMs
        for (const step of steps) {
          nowMs += step
          const freeBefore = exact.inWindow(nowMs - SLICE_MS) < limit
          const verdict = window.take(nowMs, limit, SLICE_MS)
          assert.deepEqual(verdict, exact.take(nowMs, limit))
          assert.ok(exact.inWindow(nowMs) <= limit)
          // A place is free at the latest a slice after it could be.
          if (freeBefore) assert.ok(verdict.allowed)
        }
      },
    ),
    { numRuns: 1_000 },
  )
})

test('who comes back when told to is let through, and a moment earlier is not', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), pauses, (limit, steps) => {
      const window = new Window()
      let nowMs = 1_000_000
      for (const step of steps) {
        nowMs += step
        const { allowed, retryAfterMs } = window.take(nowMs, limit, SLICE_MS)
        if (allowed) continue
        assert.equal(window.take(nowMs + retryAfterMs - 1, limit, SLICE_MS).allowed, false)
        assert.equal(window.take(nowMs + retryAfterMs, limit, SLICE_MS).allowed, true)
        nowMs += retryAfterMs
      }
    }),
    { numRuns: 500 },
  )
})

test('a clock that goes back gives nobody a second helping', () => {
  const window = new Window()
  const take = (nowMs: number) => window.take(nowMs, 2, SLICE_MS).allowed
  assert.deepEqual([100_000, 100_000, 20_000, 90_000, 100_001].map(take), [true, true, false, false, false])
})

test('subjects are bounded: those not seen for longest are forgotten, and who keeps asking never is', () => {
  const clock = new Clock()
  const limiter = new MemoryLimiter({ nowMs: clock.now, subjectsMax: 100 })
  const take = (subject: string) => limiter.take('start', subject, 1).allowed
  assert.ok(take('busy'))
  for (let i = 0; i < 1_000; i++) {
    assert.ok(take(`s${i}`))
    if (i % 20 === 0) assert.equal(take('busy'), false)
    assert.ok(limiter.size <= 100)
  }
  assert.equal(take('s990'), false)
  assert.ok(take('s0'), 's0 is forgotten')
})

test('subjects of yesterday leave no trace, and none is forgotten while it counts', () => {
  const clock = new Clock()
  const limiter = new MemoryLimiter({ nowMs: clock.now })
  const take = (subject: string) => limiter.take('start', subject, 1).allowed
  for (let i = 0; i < 1_000; i++) assert.ok(take(`s${i}`))
  for (let i = 0; i < 59; i++) {
    clock.ms += 1_000
    assert.equal(take('s7'), false)
  }
  assert.equal(take('s8'), false)
  for (let i = 0; i < 140; i++) {
    clock.ms += 1_000
    take('somebody')
  }
  assert.ok(limiter.size <= 2, `${limiter.size} subjects`)
})

test('a subject that asks often costs no more among many others', () => {
  const limiter = new MemoryLimiter({ nowMs: () => 0 })
  for (let i = 0; i < 50_000; i++) limiter.take('start', `s${i}`, 1)
  const startedMs = performance.now()
  for (let i = 0; i < 50_000; i++) limiter.take('start', 'busy', 60)
  // With a map in the order of use this took four seconds.
  assert.ok(performance.now() - startedMs < 1_000)
})

/** A shared store that the test breaks. */
function shared(clock: Clock) {
  const state = { mode: 'up' as 'up' | 'down' | 'slow', calls: 0 }
  const store = new MemoryLimiter({ nowMs: clock.now })
  const warnings: string[] = []
  const metrics = new Registry()
  const open = () =>
    new SharedLimiter({
      windows: {
        take: (key, limit) => {
          state.calls++
          if (state.mode === 'down') return Promise.reject(new Error('ECONNREFUSED'))
          if (state.mode === 'slow') return new Promise(() => undefined)
          return Promise.resolve(store.take('start', key, limit))
        },
        close: async () => undefined,
      },
      own: new MemoryLimiter({ nowMs: clock.now }),
      breakers: new Breakers(metrics),
      metrics,
      nowMs: clock.now,
      warn: (message) => warnings.push(message),
    })
  return { state, warnings, metrics, open }
}

test('limits whose shared store is down are counted here, which is said once, and counted there again when it is back', async () => {
  const clock = new Clock()
  const { state, warnings, metrics, open } = shared(clock)
  const limiter = open()
  const take = async () => (await limiter.take('start', 'smith', 3)).remaining
  assert.deepEqual([await take(), await take()], [2, 1])
  state.mode = 'down'
  assert.deepEqual([await take(), await take(), await take(), await take()], [2, 1, 0, 0])
  for (let i = 0; i < 20; i++) await take()
  assert.equal(state.calls, 2 + 5, 'the breaker keeps us from asking a store that is away')
  assert.equal(warnings.length, 1)
  assert.match(await metrics.metrics(), /playhead_limits_own_total 24/)
  assert.match(await metrics.metrics(), /circuit_breaker_state\{service="limits"\} 2/)
  state.mode = 'up'
  clock.ms += 30_000
  assert.equal(await take(), 0)
  assert.equal(warnings.length, 2)
  assert.match(await metrics.metrics(), /circuit_breaker_state\{service="limits"\} 0/)
})

test('a shared store that does not answer costs a request fifty milliseconds, and later ones nothing', async () => {
  const clock = new Clock()
  const { state, open } = shared(clock)
  const limiter = open()
  state.mode = 'slow'
  for (let i = 0; i < 5; i++) {
    const startedMs = performance.now()
    assert.ok((await limiter.take('start', 'smith', 60)).allowed)
    assert.ok(performance.now() - startedMs < 1_000)
  }
  for (let i = 0; i < 50; i++) await limiter.take('start', 'smith', 60)
  assert.equal(state.calls, 5)
})
