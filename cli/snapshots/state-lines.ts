/** A row of the state store as one line of JSON: key, version, expiry and columns; what JSON has no word for as text. */
import type { ColumnType, ColumnValue, StateRow, TableSpec } from '../../stores/state.ts'

type Word = string | number | boolean | null

export function lineOf(spec: TableSpec, { key, version, columns, expiresAtMs }: StateRow): string {
  const keys = [...spec.partition, ...spec.clustering]
  return JSON.stringify([
    key.map((value, i) => wordOf(keys[i]!.type, value)),
    `${version}`,
    expiresAtMs ?? null,
    columns.map((value, i) => wordOf(spec.columns[i]!.type, value)),
  ])
}

/** `spec` may have more columns than the line, added since at the end. */
export function rowOf(spec: TableSpec, line: string): StateRow {
  const [key, version, expiresAtMs, columns] = JSON.parse(line) as [Word[], string, number | null, Word[]]
  const keys = [...spec.partition, ...spec.clustering]
  return {
    key: key.map((word, i) => cellOf(keys[i]!.type, word)),
    version: BigInt(version),
    columns: spec.columns.map(({ type }, i) => cellOf(type, columns[i] ?? null)),
    ...(expiresAtMs !== null && { expiresAtMs }),
  }
}

function wordOf(type: ColumnType, value: ColumnValue): Word {
  if (value === null) return null
  if (type === 'long') return `${value as bigint}`
  if (type === 'blob') return Buffer.from(value as Uint8Array).toString('base64')
  return value as Word
}

function cellOf(type: ColumnType, word: Word): ColumnValue {
  if (word === null) return null
  if (type === 'long') return BigInt(word as string)
  if (type === 'blob') return Buffer.from(word as string, 'base64')
  return word
}
