/** Projection `incidents`: one row for each incident, whatever the order in which its events come. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { IncidentRow } from '../../projections/incidents/row.ts'
import { incidentRow, incidentsV1 } from '../../projections/incidents/v1.ts'
import type { EventOf, PlayheadEvent } from '../../schemas/index.ts'
import { canonicalRow } from '../../stores/canonical.ts'
import { after, digestOfRows, meta, numbers, rowsAfter, START_MS, shuffled, specOf } from './support.ts'

const incidents = incidentsV1()

type Opened = EventOf<'IncidentOpened'>
type Resolved = EventOf<'IncidentResolved'>

function opened(atMs: number, id: number, fields: Partial<Opened> = {}): Opened {
  const what = { subject: 'incident:start-success', rule: 'start-success', severity: 'critical' } as const
  const seen = { summary: 'Too few starts', observed: 91.5, threshold: 95, dimensions: {}, since: atMs - 300_000 }
  return {
    type: 'IncidentOpened',
    meta: meta(atMs, id),
    ...what,
    ...seen,
    incidentId: 'a' as Opened['incidentId'],
    ...fields,
  }
}

function resolved(atMs: number, id: number, fields: Partial<Resolved> = {}): Resolved {
  const what = { subject: 'incident:start-success', rule: 'start-success', incidentId: 'a' as Resolved['incidentId'] }
  return {
    type: 'IncidentResolved',
    meta: meta(atMs, id),
    ...what,
    observed: 99,
    reason: 'recovered',
    by: null,
    ...fields,
  }
}

function row(...events: readonly PlayheadEvent[]): IncidentRow | undefined {
  const [one] = after(incidents, events)
  return one && incidentRow(one.columns, one.key, 7n)
}

test('an incident is open until it is resolved, and stays resolved', () => {
  const first = opened(START_MS, 1, { dimensions: { cdn: 'edge', '!os': 'tvos' } })
  assert.equal(row(first)?.resolved, null)
  assert.deepEqual(row(first, resolved(START_MS + 600_000, 2)), {
    ...{ incidentId: 'a', subject: 'incident:start-success', rule: 'start-success', severity: 'critical' },
    ...{ summary: 'Too few starts', dimensions: { '!os': 'tvos', cdn: 'edge' }, observed: 91.5, threshold: 95 },
    ...{ sinceMs: START_MS - 300_000, openedMs: START_MS, openedBy: first.meta.eventId, version: 7n },
    resolved: {
      ...{ atMs: START_MS + 600_000, eventId: meta(0, 2).eventId },
      ...{ observed: 99, reason: 'recovered', by: null },
    },
  })
  const again = row(first, resolved(START_MS + 600_000, 2), opened(START_MS + 900_000, 3))
  assert.equal(again?.resolved?.atMs, START_MS + 600_000)
  assert.equal(again?.openedMs, START_MS)
})

test('what was resolved and never opened is no incident yet', () => {
  assert.equal(row(resolved(START_MS, 1)), undefined)
})

test('numbers that are none and maps without end do not get into a row', () => {
  const hostile = opened(START_MS, 1, {
    ...{ observed: Number.NaN, threshold: Number.POSITIVE_INFINITY, since: null },
    dimensions: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`d${i}`, 'x'.repeat(1_000)])),
  })
  const found = row(hostile)
  assert.deepEqual([found?.observed, found?.threshold, found?.sinceMs], [null, null, START_MS])
  assert.ok(JSON.stringify(found?.dimensions).length < 5_000)
})

const events = fc.array(
  fc.record({
    kind: fc.constantFrom('opened', 'resolved'),
    id: fc.nat(4),
    atMs: fc.integer({ min: START_MS, max: START_MS + 3 }),
    incidentId: fc.constantFrom('a', 'b'),
    observed: fc.option(fc.constantFrom(90, 91)),
  }),
  { maxLength: 12 },
)

test('any order, repetition and batching of the same events ends in the same rows', () => {
  fc.assert(
    fc.property(events, fc.nat(1_000), fc.boolean(), (given, seed, readBack) => {
      const made = given.map(({ kind, id, atMs, incidentId, observed }) => {
        const fields = { incidentId: incidentId as Opened['incidentId'], observed }
        return kind === 'opened' ? opened(atMs, id, fields) : resolved(atMs, id, fields)
      })
      const other = shuffled([...made, ...made], numbers(seed)).map((event) => ({ events: [event], readBack }))
      const bytes = (rows: Iterable<Parameters<typeof canonicalRow>[1]>) =>
        [...rows].map((one) => canonicalRow(specOf(incidents), one, { version: 'without' }).toString('hex')).sort()
      assert.deepEqual(bytes(rowsAfter(incidents, other).values()), bytes(after(incidents, made)))
    }),
  )
})

test('incidents v1 means by its golden log what it always meant', () => {
  const next = numbers(5)
  const log = Array.from({ length: 200 }, (_, i) => {
    const atMs = START_MS + next(100) * 1_000
    const fields = { incidentId: `incident-${next(30)}` as Opened['incidentId'], observed: next(1_000) / 8 }
    return next(2) === 0
      ? resolved(atMs, i, fields)
      : opened(atMs, i, { ...fields, dimensions: { cdn: `c${next(3)}` } })
  })
  const { rows, sum } = digestOfRows(incidents, after(incidents, log))
  assert.equal(`${rows} rows, ${sum.toString(16)}`, '30 rows, c43624be763f4327')
})
