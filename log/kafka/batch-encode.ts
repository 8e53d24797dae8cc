/**
 * Writes Kafka's record batch (format 2), what one produce request carries for one partition.
 *
 * Ours, not kafkajs': that one sorts times as strings, takes time 0 for now, and is the slower half of its producer.
 * Same records and identity give the same bytes, so that a batch may be sent again and the broker knows it.
 */
import { crc32c } from './crc32c.ts'

/** Where the broker looks to tell a batch that was sent twice; see producer.ts. */
export interface ProducerStamp {
  readonly producerId: bigint
  readonly epoch: number
  readonly sequence: number
}

export interface BatchRecord {
  readonly key: string
  readonly value: Uint8Array
  readonly timestampMs: number
  readonly headers?: Readonly<Record<string, string>>
}

const BATCH_HEADER_BYTES = 61
const CRC_AT = 17
const ATTRIBUTES_AT = 21
/** Length, attributes, time, offset, key length, value length, header count: each as long as it can get. */
const RECORD_OVERHEAD_BYTES = 5 + 1 + 10 + 5 + 5 + 5 + 5

/** At least as many bytes as the record will take. */
export function recordBytes({ key, value, headers }: BatchRecord): number {
  const named = headers === undefined ? 0 : headerBytes(headers) + Object.keys(headers).length * 10
  return RECORD_OVERHEAD_BYTES + Buffer.byteLength(key) + value.length + named
}

export function headerBytes(headers: Readonly<Record<string, string>>): number {
  let bytes = 0
  for (const name in headers) bytes += Buffer.byteLength(name) + Buffer.byteLength(headers[name]!)
  return bytes
}

export function encodeBatch(records: readonly BatchRecord[], stamp: ProducerStamp): Buffer {
  const first = records[0]!.timestampMs
  let max = first
  let room = BATCH_HEADER_BYTES
  for (const record of records) {
    room += recordBytes(record)
    if (record.timestampMs > max) max = record.timestampMs
  }
  const bytes = Buffer.allocUnsafe(room)
  let at = BATCH_HEADER_BYTES
  for (let i = 0; i < records.length; i++) at = writeRecord(bytes, at, records[i]!, i, records[i]!.timestampMs - first)

  bytes.writeBigInt64BE(0n, 0)
  bytes.writeInt32BE(at - 12, 8)
  bytes.writeInt32BE(-1, 12)
  bytes.writeInt8(2, 16)
  bytes.writeInt16BE(0, ATTRIBUTES_AT)
  bytes.writeInt32BE(records.length - 1, 23)
  bytes.writeBigInt64BE(BigInt(first), 27)
  bytes.writeBigInt64BE(BigInt(max), 35)
  bytes.writeBigInt64BE(stamp.producerId, 43)
  bytes.writeInt16BE(stamp.epoch, 51)
  bytes.writeInt32BE(stamp.sequence, 53)
  bytes.writeInt32BE(records.length, 57)
  bytes.writeUInt32BE(crc32c(bytes, ATTRIBUTES_AT, at), CRC_AT)
  return bytes.subarray(0, at)
}

/** The body is written after a gap for its length, then moved up by what the length did not need. */
function writeRecord(bytes: Buffer, start: number, record: BatchRecord, offset: number, deltaMs: number): number {
  const body = start + 5
  let at = body
  bytes[at++] = 0
  at = writeVarLong(bytes, at, deltaMs)
  at = writeVarInt(bytes, at, offset)
  at = writeText(bytes, at, record.key)
  at = writeVarInt(bytes, at, record.value.length)
  bytes.set(record.value, at)
  at += record.value.length
  at = writeHeaders(bytes, at, record.headers)
  const moved = writeVarInt(bytes, start, at - body)
  bytes.copyWithin(moved, body, at)
  return moved + at - body
}

function writeHeaders(bytes: Buffer, start: number, headers: Readonly<Record<string, string>> | undefined): number {
  if (headers === undefined) return writeVarInt(bytes, start, 0)
  const names = Object.keys(headers)
  let at = writeVarInt(bytes, start, names.length)
  for (const name of names) at = writeText(bytes, writeText(bytes, at, name), headers[name]!)
  return at
}

function writeText(bytes: Buffer, start: number, text: string): number {
  const at = writeVarInt(bytes, start, Buffer.byteLength(text))
  return at + bytes.write(text, at, 'utf8')
}

/** Zigzag, then seven bits a byte. */
function writeVarInt(bytes: Buffer, start: number, value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0
  let at = start
  while (rest > 0x7f) {
    bytes[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[at++] = rest
  return at
}

function writeVarLong(bytes: Buffer, start: number, value: number): number {
  if (value === (value | 0)) return writeVarInt(bytes, start, value)
  let rest = BigInt(value) < 0n ? -BigInt(value) * 2n - 1n : BigInt(value) * 2n
  let at = start
  while (rest > 0x7fn) {
    bytes[at++] = Number(rest & 0x7fn) | 0x80
    rest >>= 7n
  }
  bytes[at++] = Number(rest)
  return at
}
