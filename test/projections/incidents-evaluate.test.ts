/** The state machine of alerts: when an incident opens, when it is over, and that it does not matter who looks when. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  contextMinutes,
  evaluate,
  type Sample,
  type Standing,
  type Transition,
} from '../../projections/incidents/evaluate.ts'
import { INCIDENT_LIMITS } from '../../projections/incidents/limits.ts'
import type { Rule } from '../../projections/incidents/rule.ts'
import { rule } from './incident-rules.ts'

const MINUTE_MS = 60_000
const START_MS = Date.UTC(2026, 0, 1)
const CLOSED: Standing = { open: false, changedMs: 0 }

function samples(...observed: readonly (number | undefined)[]): Sample[] {
  return observed.map((value, i) => ({ minuteMs: START_MS + i * MINUTE_MS, observed: value }))
}

/** All at once: nothing was decided before the first. */
function all(of: Rule, given: readonly Sample[]): readonly Transition[] {
  return evaluate(of, CLOSED, START_MS - MINUTE_MS, given)
}

function told(transitions: readonly Transition[]): readonly string[] {
  return transitions.map(({ kind, atMs }) => `${kind} ${(atMs - START_MS) / MINUTE_MS}`)
}

test('an incident opens when the breach has lasted long enough, and says since when', () => {
  const transitions = all(rule(), samples(99, 90, 91, 92, 90))
  assert.deepEqual(transitions, [
    { kind: 'open', sinceMs: START_MS + MINUTE_MS, atMs: START_MS + 4 * MINUTE_MS, observed: 92 },
  ])
})

test('a breach that is broken off opens nothing', () => {
  assert.deepEqual(all(rule(), samples(90, 90, 99, 90, 90, 99)), [])
})

test('an incident resolves when it was fine for long enough, and not before', () => {
  assert.deepEqual(told(all(rule(), samples(90, 90, 90, 99, 90, 99, 99, 99))), ['open 3', 'resolve 7'])
})

test('between the two thresholds nothing opens and nothing resolves', () => {
  const careful = rule({ threshold: 95, resolveThreshold: 97 })
  assert.deepEqual(told(all(careful, samples(90, 90, 96, 90, 90))), [])
  assert.deepEqual(told(all(careful, samples(90, 90, 90, 96, 96, 96, 98, 96, 98, 98))), ['open 3', 'resolve 10'])
})

test('on the threshold it is no breach, and above it means above', () => {
  assert.deepEqual(all(rule(), samples(95, 95, 95, 95)), [])
  const above = rule({ direction: 'above', threshold: 2 })
  assert.deepEqual(told(all(above, samples(2, 2, 2, 2.1, 2.1, 2.1, 2, 2))), ['open 6', 'resolve 8'])
})

test('what is not known neither opens nor resolves', () => {
  assert.deepEqual(all(rule(), samples(90, undefined, 90, 90, undefined, 90, Number.NaN, 90, 90)), [])
  assert.deepEqual(told(all(rule(), samples(90, 90, 90, 99, undefined, 99, undefined))), ['open 3'])
})

test('an open incident of which nothing is heard for hours is over, and says why', () => {
  const silence = Array.from({ length: INCIDENT_LIMITS.silentMinutes }, () => undefined)
  const transitions = all(rule(), samples(90, 90, 90, ...silence, undefined, 90))
  assert.deepEqual(told(transitions), ['open 3', `resolve ${3 + INCIDENT_LIMITS.silentMinutes}`])
  assert.equal(transitions[1]?.kind === 'resolve' && transitions[1].reason, 'no data')
})

const series = fc.array(fc.option(fc.constantFrom(90, 94, 96, 99), { nil: undefined, freq: 6 }), { maxLength: 80 })
const rules = fc
  .record({
    forMinutes: fc.integer({ min: 1, max: 6 }),
    resolveMinutes: fc.integer({ min: 1, max: 6 }),
    gap: fc.boolean(),
  })
  .map(({ gap, ...minutes }) => rule({ ...minutes, resolveThreshold: gap ? 97 : 95 }))

test('opens and resolves take turns: at most one incident is open, and none is resolved twice', () => {
  fc.assert(
    fc.property(rules, series, (of, observed) => {
      const kinds = all(of, samples(...observed)).map(({ kind }) => kind)
      assert.deepEqual(
        kinds,
        kinds.map((_, i) => (i % 2 === 0 ? 'open' : 'resolve')),
      )
    }),
  )
})

test('an incident stands for a breach that lasted, and its end for minutes that were fine', () => {
  fc.assert(
    fc.property(rules, series, (of, observed) => {
      const valueAt = (ms: number) => observed[(ms - START_MS) / MINUTE_MS]
      for (const transition of all(of, samples(...observed))) {
        const count = transition.kind === 'open' ? of.forMinutes : of.resolveMinutes
        for (let i = 1; i <= count; i++) {
          const value = valueAt(transition.atMs - i * MINUTE_MS)
          assert.ok(value !== undefined)
          assert.ok(transition.kind === 'open' ? value < of.threshold : value >= of.resolveThreshold)
        }
      }
    }),
  )
})

/** Judges in the given portions, each from no more than what the log and the context say. */
function inPortions(of: Rule, given: readonly Sample[], portions: readonly number[]): readonly Transition[] {
  const transitions: Transition[] = []
  let standing = CLOSED
  let judged = 0
  for (let i = 0; judged < given.length; i++) {
    const next = Math.min(given.length, judged + portions[i % portions.length]!)
    const first = Math.max(0, judged - contextMinutes(of, standing.open))
    const found = evaluate(of, standing, START_MS + (judged - 1) * MINUTE_MS, given.slice(first, next))
    transitions.push(...found)
    const last = found.at(-1)
    if (last !== undefined) standing = { open: last.kind === 'open', changedMs: last.atMs }
    judged = next
  }
  return transitions
}

test('whoever takes over or starts again, at any minute, decides as if nobody had stopped', () => {
  fc.assert(
    fc.property(
      rules,
      series,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
      (of, observed, portions) => {
        const given = samples(...observed)
        assert.deepEqual(inPortions(of, given, portions), all(of, given))
      },
    ),
  )
})

test('minutes that were judged and not noted as judged are judged again to the same end', () => {
  fc.assert(
    fc.property(rules, series, fc.nat(79), (of, observed, cut) => {
      const given = samples(...observed)
      const before = all(of, given.slice(0, cut))
      const last = before.at(-1)
      if (last === undefined) return
      // The events are in the log, the cursor is where it was at first.
      const standing = { open: last.kind === 'open', changedMs: last.atMs }
      const after = evaluate(of, standing, START_MS - MINUTE_MS, given)
      assert.deepEqual([...before, ...after], all(of, given))
    }),
  )
})
