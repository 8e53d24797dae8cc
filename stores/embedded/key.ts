/**
 * Keys whose bytes sort as their values do: [table id, partition…, clustering…].
 *
 * Numbers are big-endian with the sign bit flipped. Text and blobs end with 00 00, and a zero byte inside is 00 01, so
 * that no value is a prefix of another. A descending column has all its bits flipped.
 */
import { ByteWriter, readI53 } from '../bytes.ts'
import type { Column, ColumnType, ColumnValue, TableSpec } from '../state.ts'

const shared = new ByteWriter()

export class TableKeys {
  readonly #id: number
  readonly #columns: readonly { readonly type: ColumnType; readonly flip: number }[]

  constructor(id: number, spec: TableSpec) {
    this.#id = id
    const plain = ({ type }: Column) => ({ type, flip: 0 })
    const ordered = ({ type, order }: TableSpec['clustering'][number]) => ({ type, flip: order === 'desc' ? 0xff : 0 })
    this.#columns = [...spec.partition.map(plain), ...spec.clustering.map(ordered)]
  }

  /** Of the first columns, as many as there are values: the whole key, or what all keys of a partition start with. */
  encode(values: readonly ColumnValue[]): Buffer {
    return Buffer.from(this.encodeShared(values))
  }

  /** Good until the next call. */
  encodeShared(values: readonly ColumnValue[]): Buffer {
    const out = shared.reset()
    out.i32(this.#id)
    for (let i = 0; i < values.length; i++) {
      const { type, flip } = this.#columns[i]!
      const from = out.length
      writeOrdered(out, type, values[i]!)
      if (flip) flipBits(out.bytes, from, out.length)
    }
    return out.bytes.subarray(0, out.length)
  }

  decode(key: Buffer): ColumnValue[] {
    let at = 4
    return this.#columns.map(({ type, flip }) => {
      const end = endOf(key, at, type, flip)
      const from = at
      at = end
      if (!flip) return readOrdered(key, from, end, type)
      const part = Buffer.from(key.subarray(from, end))
      flipBits(part, 0, part.length)
      return readOrdered(part, 0, part.length, type)
    })
  }
}

/** The first key after all keys that start with `prefix`. */
export function afterPrefix(prefix: Buffer): Buffer {
  const next = Buffer.from(prefix)
  for (let i = next.length - 1; i >= 0; i--) {
    if (next[i] === 0xff) continue
    next[i]! += 1
    return next.subarray(0, i + 1)
  }
  throw new Error('a key prefix of 0xff bytes only')
}

function writeOrdered(out: ByteWriter, type: ColumnType, value: ColumnValue): void {
  if (type === 'int') out.i32((value as number) ^ 0x8000_0000)
  else if (type === 'long') out.i64(BigInt.asIntN(64, (value as bigint) ^ (1n << 63n)))
  else if (type === 'timestamp') {
    out.i53(value as number)
    out.bytes[out.length - 8]! ^= 0x80
  } else if (type === 'boolean') out.u8(value ? 1 : 0)
  else {
    writeEscaped(out, typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array))
    out.u8(0)
    out.u8(0)
  }
}

function writeEscaped(out: ByteWriter, bytes: Uint8Array): void {
  if (!bytes.includes(0)) out.raw(bytes)
  else {
    for (const byte of bytes) {
      out.u8(byte)
      if (byte === 0) out.u8(1)
    }
  }
}

function endOf(key: Buffer, from: number, type: ColumnType, flip: number): number {
  if (type === 'int') return from + 4
  if (type === 'long' || type === 'timestamp') return from + 8
  if (type === 'boolean') return from + 1
  let zero = key.indexOf(flip, from)
  while (key[zero + 1] !== flip) zero = key.indexOf(flip, zero + 2)
  return zero + 2
}

function readOrdered(bytes: Buffer, from: number, end: number, type: ColumnType): ColumnValue {
  if (type === 'int') return bytes.readInt32BE(from) ^ 0x8000_0000
  if (type === 'long') return BigInt.asIntN(64, bytes.readBigInt64BE(from) ^ (1n << 63n))
  if (type === 'boolean') return bytes[from] === 1
  if (type === 'timestamp') {
    const signed = Buffer.from(bytes.subarray(from, end))
    signed[0]! ^= 0x80
    return readI53(signed, 0)
  }
  const plain = unescaped(bytes.subarray(from, end - 2))
  return type === 'text' ? plain.toString('utf8') : plain
}

function unescaped(bytes: Buffer): Buffer {
  if (!bytes.includes(0)) return Buffer.from(bytes)
  return Buffer.from(bytes.filter((_, index) => index === 0 || bytes[index - 1] !== 0))
}

function flipBits(bytes: Buffer, from: number, end: number): void {
  for (let i = from; i < end; i++) bytes[i]! ^= 0xff
}
