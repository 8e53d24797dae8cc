/** Rules as people write them: what is in force, what is refused and why, what a rule sees of the minutes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formulaOf, metricOf } from '../../api/qoe/metric.ts'
import { METRICS, type MetricName } from '../../api/qoe/metrics.ts'
import { bucketOf } from '../../projections/histogram.ts'
import { WATCHED_METRICS } from '../../projections/incidents/metrics.ts'
import { RuleInvalid, rulesInForce } from '../../projections/incidents/rules.ts'
import { type MinuteSums, samplesOf } from '../../projections/incidents/samples.ts'
import { SHIPPED_RULES } from '../../projections/incidents/shipped.ts'
import { rule } from './incident-rules.ts'

const MINUTE_MS = 60_000
const START_MS = Date.UTC(2026, 0, 1)
const WRITTEN = {
  ...{ name: 'slow-in-peru', severity: 'warning', metric: 'startup_p95_ms', filter: ['country:PE', '!cdn:edge'] },
  ...{ direction: 'above', threshold: 3_000, forMinutes: 10, summary: 'Slow starts in Peru' },
}

test('without a file the shipped rules are in force', () => {
  assert.equal(rulesInForce(undefined), SHIPPED_RULES)
})

test('each shipped rule could have been written in a file', () => {
  for (const { beforeMinutes, threshold, by, ...shipped } of SHIPPED_RULES) {
    const limit =
      beforeMinutes === null ? { threshold } : { ratioToBefore: { ratio: threshold, minutes: beforeMinutes } }
    const written = { ...shipped, ...limit, ...(by !== null && { by }) }
    assert.deepEqual(rulesInForce({ shipped: false, rules: [written] }), [{ ...shipped, beforeMinutes, threshold, by }])
  }
})

test('a file adds rules, replaces those of a name and switches them off', () => {
  const names = (file: unknown) => rulesInForce(file).map(({ name }) => name)
  const shipped = SHIPPED_RULES.map(({ name }) => name)
  assert.deepEqual(names({ rules: [WRITTEN] }), [...shipped, 'slow-in-peru'])
  assert.deepEqual(names({ rules: [WRITTEN], shipped: false }), ['slow-in-peru'])
  assert.deepEqual(
    names({ rules: [{ name: 'traffic', disabled: true }] }),
    shipped.filter((name) => name !== 'traffic'),
  )
  const replaced = rulesInForce({ rules: [{ ...WRITTEN, name: 'start-success' }] })
  assert.equal(replaced.find(({ name }) => name === 'start-success')?.metric, 'startup_p95_ms')
  assert.equal(replaced.length, shipped.length)
})

test('what a rule does not say has a default', () => {
  const [peru] = rulesInForce({ shipped: false, rules: [WRITTEN] })
  assert.deepEqual(peru, {
    ...WRITTEN,
    ...{ definition: 'cta-2066', by: null, resolveThreshold: 3_000, beforeMinutes: null },
    ...{ windowMinutes: 1, resolveMinutes: 10, minViews: 50 },
  })
})

const FAULTS: readonly [object, string][] = [
  [{ name: 'Slow in Peru' }, 'rules[0].name'],
  [{ metric: 'startup_p94_ms' }, 'rules[0].metric'],
  [{ definition: 'nielsen' }, 'rules[0].definition'],
  [{ severity: 'bad' }, 'rules[0].severity'],
  [{ direction: undefined }, 'rules[0].direction'],
  [{ treshold: 3 }, 'rules[0].treshold'],
  [{ threshold: '3000' }, 'rules[0].threshold'],
  [{ threshold: undefined }, 'rules[0].threshold'],
  [{ ratioToBefore: { ratio: 2, minutes: 60 } }, 'rules[0].threshold'],
  [{ threshold: undefined, ratioToBefore: { ratio: 2, minutes: 0 } }, 'rules[0].ratioToBefore.minutes'],
  [{ threshold: undefined, ratioToBefore: { ratio: 2, hours: 1 } }, 'rules[0].ratioToBefore.hours'],
  [{ resolveThreshold: 3_001 }, 'rules[0].resolveThreshold'],
  [{ filter: ['country'] }, 'rules[0].filter[0]'],
  [{ filter: ['cdn:a', "x';DROP:1"] }, 'rules[0].filter[1]'],
  [{ filter: 'country:PE' }, 'rules[0].filter'],
  [{ by: 'profile_id' }, 'rules[0].by'],
  [{ forMinutes: 0 }, 'rules[0].forMinutes'],
  [{ forMinutes: 1.5 }, 'rules[0].forMinutes'],
  [{ windowMinutes: 100_000 }, 'rules[0].windowMinutes'],
  [{ minViews: 0 }, 'rules[0].minViews'],
  [{ summary: '' }, 'rules[0].summary'],
]

for (const [fault, field] of FAULTS) {
  test(`a rule with ${JSON.stringify(fault)} is refused at ${field}`, () => {
    const file = { rules: [{ ...WRITTEN, ...fault }] }
    assert.throws(
      () => rulesInForce(file),
      (error) => error instanceof RuleInvalid && error.field === field && error.message.startsWith(field),
    )
  })
}

test('a file that is none is refused', () => {
  const fields = [[], { rules: {} }, { rules: [], ruels: [] }, { rules: [7] }, { rules: [WRITTEN, WRITTEN] }].map(
    (file) => {
      try {
        rulesInForce(file)
        return 'taken'
      } catch (error) {
        assert.ok(error instanceof RuleInvalid)
        return error.field
      }
    },
  )
  assert.deepEqual(fields, ['the file', 'rules', 'ruels', 'rules[0]', 'rules[1].name'])
})

function minutes(count: number, of: (i: number) => Partial<MinuteSums>): Map<number, MinuteSums> {
  const none = { numerator: 0, denominator: 0, sample: 0, histogram: new Map() }
  return new Map(Array.from({ length: count }, (_, i) => [START_MS + i * MINUTE_MS, { ...none, ...of(i) }]))
}

const at = (i: number) => START_MS + i * MINUTE_MS
const observed = (samples: readonly { readonly observed: number | undefined }[]) => samples.map((one) => one.observed)

test('a ratio is that of the sums over the window, not the mean of ratios', () => {
  const two = rule({ windowMinutes: 2 })
  const given = minutes(2, (i) =>
    i === 0 ? { numerator: 10, denominator: 100, sample: 100 } : { numerator: 10, denominator: 10, sample: 10 },
  )
  assert.deepEqual(observed(samplesOf(two, given, at(1), at(1))), [(20 / 110) * 100])
})

test('a minute of which too little is known says nothing, nor does one without a row', () => {
  const given = minutes(2, (i) => ({ numerator: 9, denominator: 9 + i, sample: 9 + i }))
  assert.deepEqual(observed(samplesOf(rule(), given, at(0), at(2))), [undefined, 90, undefined])
})

test('a percentile is that of all minutes of the window together', () => {
  const p99 = rule({ metric: 'startup_p99_ms', windowMinutes: 2 })
  const given = minutes(2, (i) => ({
    sample: 50,
    histogram: new Map([
      [bucketOf(i === 0 ? 900 : 4_000), 50],
      [7, 0],
    ]),
  }))
  const [value = 0] = observed(samplesOf(p99, given, at(1), at(1)))
  assert.ok(Math.abs(value - 4_000) < 40, `${value}`)
})

test('viewers are those of a minute, on average over the window', () => {
  const concurrent = rule({ metric: 'concurrent', windowMinutes: 2, direction: 'above' })
  const given = minutes(2, (i) => ({ numerator: (i + 1) * 60_000 * 30, sample: 40 }))
  assert.deepEqual(observed(samplesOf(concurrent, given, at(1), at(1))), [45])
})

test('a rule may compare with the same window before: growth, a fall to nothing, and nothing to compare with', () => {
  const starts = rule({ metric: 'starts', beforeMinutes: 3, windowMinutes: 2, direction: 'above', threshold: 2 })
  const counts = [10, 10, 0, 0, 50, 0, 0, 3, 3, 100]
  const given = minutes(counts.length, (i) => ({ numerator: counts[i]!, sample: counts[i]! }))
  const ratios = observed(samplesOf(starts, given, at(4), at(9)))
  assert.deepEqual(ratios, [50 / 20, 50 / 10, undefined, 3 / 50, 6 / 50, undefined])
})

test('a metric of the API means the same to a rule, definition by definition', () => {
  const waits = (terms: readonly string[]) => terms.filter((term) => !term.includes('alive'))
  let compared = 0
  for (const [name, byDefinition] of Object.entries(WATCHED_METRICS)) {
    if (name === 'cdn_hit_percent') continue
    assert.ok(Object.hasOwn(METRICS, name), `${name} is no metric of the API`)
    const metric = metricOf(name as MetricName)
    for (const [definition, watched] of Object.entries(byDefinition)) {
      compared++
      if (metric.kind === 'percentile') {
        assert.equal(watched.percentile, metric.share, name)
        continue
      }
      assert.ok(metric.kind === 'ratio', name)
      const { formula, definition: found } = formulaOf(metric, definition as 'mux')
      assert.equal(found, definition, name)
      const prefixed = (columns: readonly string[]) =>
        columns.map((column) => (watched.source === 'slices' ? `at_${column}` : column)).sort()
      assert.deepEqual(prefixed(watched.numerator), waits(formula.over).sort(), name)
      const by = Array.isArray(formula.by) ? formula.by : []
      assert.deepEqual(prefixed(watched.denominator), waits(by).sort(), name)
      if (name !== 'concurrent') assert.equal(watched.scale, formula.scale ?? 1, name)
    }
  }
  assert.ok(compared > 20)
})
