/** The rows of titles and progress in ClickHouse: a function of the set of events, and what they always meant. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { murmur3 } from '../../consumers/hash.ts'
import { progressRowsV1 } from '../../projections/progress-rows/v1.ts'
import type { Projection } from '../../projections/projection.ts'
import { titleRowsV1 } from '../../projections/title-rows/v1.ts'
import type { PlayheadEvent } from '../../schemas/index.ts'
import { progressLog } from './progress-log.ts'
import { keyedOf, numbers, START_MS, shuffled } from './support.ts'
import { registered, withdrawn } from './titles.ts'

function catalogue(): PlayheadEvent[] {
  const next = numbers(5)
  return Array.from({ length: 120 }, (_, id) => {
    const titleId = `title-${next(12)}`
    const atMs = START_MS + next(60) * 1_000
    if (next(5) === 0) return withdrawn(atMs, id, titleId)
    const more = {
      seriesId: next(2) === 0 ? null : 's',
      season: next(3),
      durationMs: null,
      releaseYear: 1990 + next(40),
    }
    return registered(atMs, id, { titleId, name: `Name ${next(30)}`, genres: ['a', 'b'].slice(next(3)), ...more })
  })
}

/** What stands after these events; every few of them the states are read back from their columns. */
function standing(projection: Projection, events: readonly PlayheadEvent[]): string[] {
  const keyed = keyedOf(projection)
  const states = new Map<string, unknown>()
  events.forEach((event, i) => {
    const key = keyed.key(event)
    if (key === undefined) return
    const name = JSON.stringify(key)
    const held = states.get(name)
    const before = held !== undefined && i % 3 === 0 ? keyed.fromColumns(keyed.toColumns(held), key) : held
    states.set(name, keyed.fold(before, event))
  })
  const rows = [...states.values()].flatMap((state) => keyed.rows(state))
  return rows.map(({ rowKey, cells }) => JSON.stringify([rowKey, cells], bigAsText)).sort()
}

function bigAsText(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}

const CASES: readonly [Projection, readonly PlayheadEvent[], string][] = [
  [titleRowsV1(), catalogue(), '12 rows, 3b73ec4f'],
  [progressRowsV1(), progressLog(), '30 rows, a7df1dcd'],
]

for (const [projection, events, golden] of CASES) {
  const { name, foldVersion } = projection

  test(`${name}: any order and any repeats of the same events mean the same rows`, () => {
    const expected = standing(projection, events)
    const property = fc.property(fc.integer(), (seed) => {
      const next = numbers(seed)
      const repeated = [...events, ...events.filter(() => next(4) === 0)]
      assert.deepEqual(standing(projection, shuffled(repeated, next)), expected)
    })
    fc.assert(property, { numRuns: 20 })
  })

  test(`${name} v${foldVersion} means by its golden log what it always meant`, () => {
    const rows = standing(projection, events)
    const bytes = new TextEncoder().encode(rows.join('\n'))
    assert.equal(`${rows.length} rows, ${murmur3(bytes, bytes.length).toString(16)}`, golden)
  })

  test(`${name}: as many cells as its landing table has columns`, () => {
    const keyed = keyedOf(projection)
    const [landing] = projection.landings
    const first = events.find((event) => keyed.rows(keyed.fold(undefined, event)).length > 0) as PlayheadEvent
    for (const row of keyed.rows(keyed.fold(undefined, first))) {
      assert.equal(row.cells.length + 5, landing?.columns.length)
    }
  })
}
