import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { correctClock } from '../../producers/clock.ts'
import { PRODUCER_LIMITS } from '../../producers/limits.ts'

const RECEIVED = 1_800_000_000_000
const ms = fc.integer({ min: -(2 ** 45), max: 2 ** 45 })

test('an event never occurs after it was received, nor before 1970', () => {
  fc.assert(
    fc.property(fc.option(ms, { nil: undefined }), fc.option(ms, { nil: undefined }), (atMs, sentAtMs) => {
      const claim = {
        receivedAtMs: RECEIVED,
        ...(atMs !== undefined && { atMs }),
        ...(sentAtMs !== undefined && { sentAtMs }),
      }
      const { atMs: occurred } = correctClock(claim)
      assert.ok(occurred <= RECEIVED && occurred >= 0)
    }),
  )
})

test('with sentAt, the answer is the same however wrong the device clock is', () => {
  fc.assert(
    fc.property(fc.integer({ min: -5_000, max: 10 ** 10 }), ms, (age, skew) => {
      const right = correctClock({ atMs: RECEIVED - age, sentAtMs: RECEIVED, receivedAtMs: RECEIVED })
      const skewed = correctClock({ atMs: RECEIVED - age + skew, sentAtMs: RECEIVED + skew, receivedAtMs: RECEIVED })
      assert.deepEqual(skewed, right)
    }),
  )
})

test('distances between the events of a batch are kept', () => {
  fc.assert(
    fc.property(fc.nat(10 ** 9), fc.nat(10 ** 6), ms, (age, gap, skew) => {
      const at = (atMs: number) => correctClock({ atMs, sentAtMs: RECEIVED + skew, receivedAtMs: RECEIVED }).atMs
      const later = RECEIVED + skew - age
      assert.equal(at(later) - at(later - gap), gap)
    }),
  )
})

test('without a claim the event occurs as it is received, and the clock is unknown', () => {
  assert.deepEqual(correctClock({ receivedAtMs: RECEIVED }), { atMs: RECEIVED, clock: 'unknown' })
})

test('meta.clock says what was done to the claim', () => {
  const { sameClockSlackMs, otherClockSlackMs, ageMaxMs } = PRODUCER_LIMITS
  const word = (aheadMs: number, corrected: boolean) =>
    correctClock({ atMs: RECEIVED + aheadMs, receivedAtMs: RECEIVED, ...(corrected && { sentAtMs: RECEIVED }) }).clock
  assert.equal(word(0, true), 'corrected')
  assert.equal(word(0, false), 'trusted')
  assert.equal(word(sameClockSlackMs, true), 'clamped')
  assert.equal(word(sameClockSlackMs + 1, true), 'implausible')
  assert.equal(word(otherClockSlackMs, false), 'clamped')
  assert.equal(word(otherClockSlackMs + 1, false), 'implausible')
  assert.equal(word(-ageMaxMs, true), 'corrected')
  assert.equal(word(-ageMaxMs - 1, false), 'implausible')
})
