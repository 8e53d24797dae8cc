/**
 * One canonical byte form of a row, the same whichever engine keeps it: digests and audits are sums over it, and it
 * decides between two writes of one version.
 *
 *     row   = key values, version (8 bytes, or left out), body
 *     body  = expiry, column values in the spec's order without the nulls at the end
 *     value = a tag for its type, then big-endian numbers, or a 4-byte length and bytes
 *     expiry = 0, or 1 and 8 bytes of milliseconds
 *
 * A column added later is null in older rows and so leaves their bytes as they were. The expiry comes first because
 * Cassandra prefers, of two cells of one write time, the one that expires, and then the one that expires later.
 */
import { hash } from 'node:crypto'
import { ByteWriter, readI53 } from './bytes.ts'
import type { ColumnType, ColumnValue, StateRow, StateTable, TableSpec } from './state.ts'

const tags = { null: 0, text: 1, int: 2, long: 3, boolean: 4, timestamp: 5, blob: 6 } as const
const shared = new ByteWriter()

export interface RowForm {
  /** The version says from which write a row came; leave it out to compare folds that wrote at other positions. */
  readonly version: 'with' | 'without'
}

export function canonicalRow(spec: TableSpec, row: StateRow, form: RowForm): Buffer {
  return writeRow(shared.reset(), spec, row, form).take()
}

/** The first 64 bits of SHA-256 over the canonical bytes. */
export function rowHash(spec: TableSpec, row: StateRow, form: RowForm): bigint {
  const { bytes, length } = writeRow(shared.reset(), spec, row, form)
  return hash('sha256', bytes.subarray(0, length), 'buffer').readBigUInt64BE(0)
}

export interface Digest {
  readonly rows: bigint
  /** Σ rowHash modulo 2^64: additive, so that the parts of a table may be summed in any order. */
  readonly sum: bigint
}

/** `asOfMs`: rows that expired by then are left out, so that two engines with two clocks agree. */
export async function digestOf(table: StateTable, options: RowForm & { readonly asOfMs: number }): Promise<Digest> {
  let rows = 0n
  let sum = 0n
  for await (const row of table.scan()) {
    if (isExpired(row.expiresAtMs, options.asOfMs)) continue
    rows += 1n
    sum = BigInt.asUintN(64, sum + rowHash(table.spec, row, options))
  }
  return { rows, sum }
}

export function isExpired(expiresAtMs: number | undefined, nowMs: number): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= nowMs
}

/** All of a row but key and version. */
export function writeBody(out: ByteWriter, spec: TableSpec, row: Pick<StateRow, 'columns' | 'expiresAtMs'>): void {
  if (row.expiresAtMs === undefined) out.u8(0)
  else {
    out.u8(1)
    out.i53(row.expiresAtMs)
  }
  let last = row.columns.length - 1
  while (last >= 0 && row.columns[last] === null) last--
  for (let i = 0; i <= last; i++) writeValue(out, spec.columns[i]!.type, row.columns[i]!)
}

/** The body's expiry alone, without decoding the row. */
export function bodyExpiryMs(bytes: Buffer, at: number): number | undefined {
  return bytes[at] === 0 ? undefined : readI53(bytes, at + 1)
}

/** Columns that the body lacks are null; columns that a newer spec added are passed over. Copies what it answers. */
export function readBody(
  spec: TableSpec,
  bytes: Buffer,
  from: number,
  end: number,
): Pick<StateRow, 'columns' | 'expiresAtMs'> {
  const expiresAtMs = bodyExpiryMs(bytes, from)
  let at = expiresAtMs === undefined ? from + 1 : from + 9
  const columns: ColumnValue[] = []
  for (let i = 0; i < spec.columns.length; i++) {
    if (at >= end) {
      columns.push(null)
      continue
    }
    const tag = bytes[at++]
    if (tag === tags.null) columns.push(null)
    else if (tag === tags.int) {
      columns.push(bytes.readInt32BE(at))
      at += 4
    } else if (tag === tags.long) {
      columns.push(bytes.readBigInt64BE(at))
      at += 8
    } else if (tag === tags.timestamp) {
      columns.push(readI53(bytes, at))
      at += 8
    } else if (tag === tags.boolean) columns.push(bytes[at++] === 1)
    else {
      const size = bytes.readUInt32BE(at)
      at += 4 + size
      if (tag === tags.text) columns.push(bytes.toString('utf8', at - size, at))
      else if (tag === tags.blob) columns.push(Buffer.from(bytes.subarray(at - size, at)))
      else throw new Error(`table ${spec.name}: a stored row has the unknown tag ${tag}`)
    }
  }
  return expiresAtMs === undefined ? { columns } : { columns, expiresAtMs }
}

function writeRow(out: ByteWriter, spec: TableSpec, row: StateRow, form: RowForm): ByteWriter {
  const key = [...spec.partition, ...spec.clustering]
  for (let i = 0; i < key.length; i++) writeValue(out, key[i]!.type, row.key[i]!)
  if (form.version === 'with') out.i64(row.version)
  writeBody(out, spec, row)
  return out
}

function writeValue(out: ByteWriter, type: ColumnType, value: ColumnValue): void {
  out.u8(value === null ? tags.null : tags[type])
  if (value === null) return
  if (type === 'text') out.text(value as string)
  else if (type === 'int') out.i32(value as number)
  else if (type === 'long') out.i64(value as bigint)
  else if (type === 'boolean') out.u8(value ? 1 : 0)
  else if (type === 'timestamp') out.i53(value as number)
  else out.blob(value as Uint8Array)
}
