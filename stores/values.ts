/** What may be asked of a store, the same for every engine; a value that may not stand in a row is refused by name. */
import { StoreRefused } from './errors.ts'
import { STORE_LIMITS } from './limits.ts'
import type { Column, ColumnType, ColumnValue, CommitRecord, StateRow, TableSpec, Tally } from './state.ts'

/** The farthest a Date goes, either way. */
const dateMs = 8_640_000_000_000_000
const longMax = 2n ** 63n - 1n
/** One below: engines that keep a version as a write time add one to it. */
const versionMax = longMax - 1n
const loneSurrogate = /\p{Cs}/u

const fits: Readonly<Record<ColumnType, (value: ColumnValue) => boolean>> = {
  // A lone surrogate has no UTF-8: it would come back as another character.
  text: (value) => typeof value === 'string' && !loneSurrogate.test(value),
  int: (value) => typeof value === 'number' && (value | 0) === value,
  long: (value) => typeof value === 'bigint' && value <= longMax && value >= -longMax - 1n,
  boolean: (value) => typeof value === 'boolean',
  timestamp: (value) => typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= dateMs,
  blob: (value) => value instanceof Uint8Array,
}

const wanted: Readonly<Record<ColumnType, string>> = {
  text: 'well-formed text',
  int: 'a whole number of 32 bits',
  long: 'a bigint of 64 bits',
  boolean: 'a boolean',
  timestamp: 'milliseconds within the range of a Date',
  blob: 'bytes',
}

export function checkRow(spec: TableSpec, row: StateRow): void {
  checkKey(spec, row.key)
  if (row.version < 0n || row.version > versionMax) refuse(spec, 'version', `is ${row.version}, not a log position`)
  const expiry = row.expiresAtMs
  if (expiry !== undefined && !(fits.timestamp(expiry) && expiry >= 0)) {
    refuse(spec, 'expiresAtMs', `is ${expiry}, not milliseconds since 1970`)
  }
  if (row.columns.length !== spec.columns.length) {
    throw new StoreRefused(`table ${spec.name} has ${spec.columns.length} columns; the row has ${row.columns.length}`)
  }
  let bytes = 0
  for (let i = 0; i < row.columns.length; i++) {
    const column = spec.columns[i]!
    const value = row.columns[i]!
    if (value === null) continue
    if (!fits[column.type](value)) wrongType(spec, column, value)
    bytes += sizeOf(value)
    if (bytes > STORE_LIMITS.valueBytesMax) {
      refuse(spec, column.name, `takes the row above valueBytesMax (${STORE_LIMITS.valueBytesMax} bytes)`)
    }
  }
}

/** A whole key: partition columns, then clustering columns. */
export function checkKey(spec: TableSpec, key: readonly ColumnValue[]): void {
  checkKeyPart(spec, [...spec.partition, ...spec.clustering], key, 'key')
}

export function checkPartition(spec: TableSpec, partition: readonly ColumnValue[]): void {
  checkKeyPart(spec, spec.partition, partition, 'partition')
}

export function checkAfter(spec: TableSpec, after: readonly ColumnValue[]): void {
  checkKeyPart(spec, spec.clustering, after, 'clustering')
}

export function checkListLimit(limit: number): void {
  if (Number.isInteger(limit) && limit > 0 && limit <= STORE_LIMITS.listRowsMax) return
  throw new StoreRefused(`a list's limit is from 1 to listRowsMax (${STORE_LIMITS.listRowsMax}), not ${limit}`)
}

export function checkUpsertSize(rows: number): void {
  if (rows <= STORE_LIMITS.upsertRowsMax) return
  throw new StoreRefused(`an upsert takes up to upsertRowsMax (${STORE_LIMITS.upsertRowsMax}) rows, not ${rows}`)
}

/** Not a refusal but a broken caller: without a revision of its own a swap can't be told from a late copy of another. */
export function checkRevision(expected: CommitRecord | undefined, next: CommitRecord): void {
  const wanted = (expected?.revision ?? 0n) + 1n
  if (next.revision !== wanted) throw new Error(`a swap to revision ${next.revision}, where ${wanted} follows`)
}

function checkKeyPart(
  spec: TableSpec,
  columns: readonly Column[],
  values: readonly ColumnValue[],
  what: 'key' | 'partition' | 'clustering',
): void {
  if (values.length !== columns.length) {
    throw new StoreRefused(`table ${spec.name} has ${columns.length} ${what} columns, not ${values.length}`)
  }
  let bytes = 0
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i]!
    const value = values[i]!
    if (value === null || !fits[column.type](value)) wrongType(spec, column, value)
    bytes += keySizeOf(value)
  }
  if (bytes > STORE_LIMITS.keyBytesMax) {
    throw new StoreRefused(
      `table ${spec.name}: the ${what} has ${bytes} bytes, above keyBytesMax (${STORE_LIMITS.keyBytesMax})`,
    )
  }
  // Cassandra has no empty partition key; a partition of several columns is never empty there.
  if (spec.partition.length === 1 && what !== 'clustering' && isEmpty(values[0]!)) {
    refuse(spec, columns[0]!.name, 'is empty, and the only partition column can not be')
  }
}

function isEmpty(value: ColumnValue): boolean {
  return value === '' || (value instanceof Uint8Array && value.length === 0)
}

function sizeOf(value: ColumnValue): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  return value instanceof Uint8Array ? value.length : 0
}

/** A zero byte counts twice: ordered keys escape it. */
function keySizeOf(value: ColumnValue): number {
  if (typeof value === 'string') {
    return value.includes('\0') ? Buffer.byteLength(value) + value.split('\0').length - 1 : Buffer.byteLength(value)
  }
  return value instanceof Uint8Array ? value.length + value.filter((byte) => byte === 0).length : 0
}

function wrongType(spec: TableSpec, column: Column, value: ColumnValue | undefined): never {
  const found = value === null ? 'null' : value instanceof Uint8Array ? 'bytes' : typeof value
  const shown = typeof value === 'number' ? ` (${value})` : ''
  refuse(spec, column.name, `wants ${wanted[column.type]}, not ${found}${shown}`)
}

function refuse(spec: TableSpec, field: string, why: string): never {
  throw new StoreRefused(`table ${spec.name}: ${field} ${why}`)
}

/** As it is kept where there are no 64-bit numbers. */
export type Texts<T> = T extends bigint ? string : { readonly [K in keyof T]: Texts<T[K]> }

export function tallyFrom({ read, folded, duplicates, parked, undecryptable }: Texts<Tally>): Tally {
  return {
    ...{ read: BigInt(read), folded: BigInt(folded), duplicates: BigInt(duplicates) },
    ...{ parked: BigInt(parked), undecryptable: BigInt(undecryptable) },
  }
}
