/** The promise of every fold that is not sequenced, kept by `progress`: rows are a function of the set of events. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { progressV1 } from '../../projections/progress/v1.ts'
import { canonicalRow } from '../../stores/canonical.ts'
import type { StateRow } from '../../stores/state.ts'
import { rearranged, someProgress } from './arbitrary-progress.ts'
import { rowsAfter, specOf } from './support.ts'

const projection = progressV1()
const spec = specOf(projection)

const bytesOf = (rows: ReadonlyMap<string, StateRow>): readonly string[] =>
  [...rows.values()].map((row) => canonicalRow(spec, row, { version: 'without' }).toString('hex')).sort()

test('any order, duplication and batching of the same events ends in the same rows, byte for byte', () => {
  fc.assert(
    fc.property(
      someProgress.chain((events) => rearranged(events).map((batches) => ({ events, batches }))),
      ({ events, batches }) => {
        const inOrder = rowsAfter(projection, [{ events, readBack: false }])
        assert.deepEqual(bytesOf(rowsAfter(projection, batches)), bytesOf(inOrder))
      },
    ),
    { numRuns: 10_000 },
  )
})

test('a row read back and written again is the same row', () => {
  fc.assert(
    fc.property(someProgress, (events) => {
      const keyed = projection.keyed!
      for (const { columns, key, expiresAtMs } of rowsAfter(projection, [{ events, readBack: false }]).values()) {
        const state = keyed.fromColumns(columns.slice(0, -1), key)
        assert.deepEqual([...keyed.toColumns(state), -1n], columns)
        assert.equal(keyed.expiresAtMs?.(state), expiresAtMs)
      }
    }),
    { numRuns: 1_000 },
  )
})
