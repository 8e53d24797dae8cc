/** Keys of the simulated state store: a name for each, and the order that the port promises. */
import type { ColumnValue, TableSpec } from '../../stores/state.ts'

/** Different keys of one table have different names. */
export function nameOf(key: readonly ColumnValue[]): string {
  return JSON.stringify(
    key.map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : `${value}`)),
  )
}

export type Order = (a: readonly ColumnValue[], b: readonly ColumnValue[]) => number

export function byClustering({ clustering }: TableSpec): Order {
  return (a, b) => {
    for (const [i, column] of clustering.entries()) {
      const sign = compare(a[i]!, b[i]!)
      if (sign !== 0) return column.order === 'desc' ? -sign : sign
    }
    return 0
  }
}

/** Two values of one type; text by its UTF-8 bytes. */
function compare(a: ColumnValue, b: ColumnValue): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  return a! < b! ? -1 : a! > b! ? 1 : 0
}
