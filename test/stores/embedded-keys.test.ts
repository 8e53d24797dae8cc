import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { afterPrefix, TableKeys } from '../../stores/embedded/key.ts'
import type { ColumnValue, TableSpec } from '../../stores/state.ts'
import { rowsArbitrary } from './arbitrary-rows.ts'

function compareValues(a: ColumnValue, b: ColumnValue): number {
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array)
  return a! < b! ? -1 : a! > b! ? 1 : 0
}

function compareKeys(spec: TableSpec, a: readonly ColumnValue[], b: readonly ColumnValue[]): number {
  const columns = [...spec.partition, ...spec.clustering]
  for (let i = 0; i < columns.length; i++) {
    const order = compareValues(a[i]!, b[i]!)
    const column = columns[i]!
    if (order !== 0) return 'order' in column && column.order === 'desc' ? -order : order
  }
  return 0
}

describe('ordered keys', () => {
  test('sort as their values do, each column in its own order', () => {
    fc.assert(
      fc.property(rowsArbitrary, ({ spec, rows }) => {
        const keys = new TableKeys(1, spec)
        for (const a of rows) {
          for (const b of rows) {
            assert.equal(Buffer.compare(keys.encode(a.key), keys.encode(b.key)), compareKeys(spec, a.key, b.key))
          }
        }
      }),
    )
  })

  test('are read back as the same values', () => {
    fc.assert(
      fc.property(rowsArbitrary, ({ spec, rows }) => {
        const keys = new TableKeys(1, spec)
        for (const { key } of rows) assert.deepEqual(keys.decode(keys.encode(key)), key)
      }),
    )
  })

  test('of one partition, or one table, lie between its prefix and what follows it', () => {
    fc.assert(
      fc.property(rowsArbitrary, ({ spec, rows }) => {
        const keys = new TableKeys(1, spec)
        const size = spec.partition.length
        for (const a of rows) {
          const prefix = keys.encode(a.key.slice(0, size))
          for (const b of rows) {
            const key = keys.encode(b.key)
            const inside = Buffer.compare(prefix, key) <= 0 && Buffer.compare(key, afterPrefix(prefix)) < 0
            const same = a.key.slice(0, size).every((value, index) => compareValues(value, b.key[index]!) === 0)
            assert.equal(inside, same)
            assert.ok(Buffer.compare(key, new TableKeys(2, spec).encode([])) < 0)
          }
        }
      }),
    )
  })
})
