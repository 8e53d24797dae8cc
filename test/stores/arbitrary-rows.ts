import fc from 'fast-check'
import type { ColumnType, ColumnValue, StateRow, TableSpec } from '../../stores/state.ts'

/** Small alphabets, so that equal and nearly equal values come up. */
const values: Readonly<Record<ColumnType, fc.Arbitrary<ColumnValue>>> = {
  text: fc.oneof(
    fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\u0001', 'é', '\u{10ffff}'), maxLength: 4 }),
    fc.string(),
  ),
  int: fc.oneof(fc.integer({ min: -2, max: 2 }), fc.integer()),
  long: fc.oneof(fc.bigInt({ min: -2n, max: 2n }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  boolean: fc.boolean(),
  timestamp: fc.oneof(fc.integer({ min: -2, max: 2 }), fc.integer({ min: -8.64e15, max: 8.64e15 })),
  blob: fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
}

const typeArbitrary = fc.constantFrom<ColumnType[]>('text', 'int', 'long', 'boolean', 'timestamp', 'blob')

const columnsOf = (prefix: string, types: readonly ColumnType[]) =>
  types.map((type, index) => ({ name: `${prefix}${index}`, type }))

export const specArbitrary: fc.Arbitrary<TableSpec> = fc
  .record({
    partition: fc.array(typeArbitrary, { minLength: 1, maxLength: 2 }),
    clustering: fc.array(fc.tuple(typeArbitrary, fc.constantFrom<('asc' | 'desc')[]>('asc', 'desc')), { maxLength: 3 }),
    columns: fc.array(typeArbitrary, { maxLength: 4 }),
  })
  .map(({ partition, clustering, columns }) => ({
    name: 't',
    comment: '',
    partition: columnsOf('p', partition),
    clustering: clustering.map(([type, order], index) => ({ name: `k${index}`, type, order })),
    columns: columnsOf('c', columns),
  }))

export function rowArbitrary(spec: TableSpec): fc.Arbitrary<StateRow> {
  const key = fc.tuple(...[...spec.partition, ...spec.clustering].map(({ type }) => values[type]))
  const columns = fc.tuple(...spec.columns.map(({ type }) => fc.option(values[type])))
  const version = fc.oneof(fc.bigInt({ min: 0n, max: 3n }), fc.bigInt({ min: 0n, max: 2n ** 63n - 2n }))
  const whole = fc.record({ key, columns, version })
  const expiry = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 8.64e15 }))
  return fc.oneof(
    whole,
    fc.tuple(whole, expiry).map(([row, expiresAtMs]) => ({ ...row, expiresAtMs })),
  )
}

/** A spec and some rows of it. */
export const rowsArbitrary = specArbitrary.chain((spec) =>
  fc.record({ spec: fc.constant(spec), rows: fc.array(rowArbitrary(spec), { minLength: 2, maxLength: 8 }) }),
)
