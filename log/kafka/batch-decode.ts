/**
 * Reads Kafka's record batches (format 2) out of a fetch answer, up to the limits of one read.
 *
 * Ours, not kafkajs': that one forgets the bounds of a batch that holds no records any more (compaction leaves such),
 * and a reader would stand before it for ever.
 */
import { gunzipSync } from 'node:zlib'
import { LogError } from '../errors.ts'
import type { LogRecord, Position } from '../log.ts'
import { crc32c } from './crc32c.ts'

export interface DecodeLimits {
  readonly from: Position
  readonly to?: Position | undefined
  readonly recordsMax: number
  readonly bytesMax: number
}

/** A transaction of some other program's that was rolled back: its records from this offset on do not count. */
export interface Aborted {
  readonly producerId: bigint
  readonly firstOffset: bigint
}

export interface Decoded {
  readonly records: LogRecord[]
  readonly next: Position
  /** From the batch on in which a limit was met; undefined: all that is whole was taken. */
  readonly rest: Buffer | undefined
}

interface BatchHeader {
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  readonly attributes: number
  readonly firstTimestampMs: number
  readonly maxTimestampMs: number
  readonly producerId: bigint
  readonly count: number
}

const HEADER_BYTES = 61
const CRC_AT = 17
const ATTRIBUTES_AT = 21
const ATTRIBUTE = { codec: 0x07, appendTime: 0x08, transactional: 0x10, control: 0x20 } as const
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
/** Kafka's own limit for a batch is 1 MiB as stored; a batch that unpacks to more than this is a bomb. */
const UNPACKED_BYTES_MAX = 256 * 1024 * 1024
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({})

export function decodeBatches(bytes: Buffer, limits: DecodeLimits, aborted: readonly Aborted[]): Decoded {
  const reader = new BatchReader(limits, aborted)
  let at = 0
  let rest: Buffer | undefined
  // The broker may cut the last batch short; what is whole is used.
  while (bytes.length - at >= HEADER_BYTES) {
    const end = at + 12 + bytes.readInt32BE(at + 8)
    if (end > bytes.length) break
    if (!reader.take(bytes.subarray(at, end))) {
      rest = bytes.subarray(at)
      break
    }
    at = end
  }
  return { records: reader.records, next: reader.next, rest }
}

class BatchReader {
  readonly records: LogRecord[] = []
  next: Position
  readonly #limits: DecodeLimits
  readonly #aborted: Aborted[]
  readonly #rolledBack = new Set<bigint>()
  #bytes = 0

  constructor(limits: DecodeLimits, aborted: readonly Aborted[]) {
    this.#limits = limits
    this.next = limits.from
    this.#aborted = [...aborted].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1))
  }

  /** False when a limit is reached. */
  take(batch: Buffer): boolean {
    const header = readHeader(batch)
    if (this.#limits.to !== undefined && header.baseOffset > this.#limits.to) return this.#pastTo()
    const counts = this.#counts(header, batch)
    if (header.lastOffset < this.#limits.from) return true
    if (counts && !this.#takeRecords(header, unpacked(batch, header))) return false
    this.next = header.lastOffset + 1n
    return true
  }

  /** Control batches hold no events; they end a transaction. */
  #counts(header: BatchHeader, batch: Buffer): boolean {
    const transactional = (header.attributes & ATTRIBUTE.transactional) !== 0
    while (this.#aborted.length > 0 && this.#aborted[0]!.firstOffset <= header.lastOffset) {
      this.#rolledBack.add(this.#aborted.shift()!.producerId)
    }
    if ((header.attributes & ATTRIBUTE.control) !== 0) {
      if (transactional && header.count > 0 && isAbort(batch)) this.#rolledBack.delete(header.producerId)
      return false
    }
    return !(transactional && this.#rolledBack.has(header.producerId))
  }

  #takeRecords(header: BatchHeader, body: Buffer): boolean {
    const { from, to, recordsMax, bytesMax } = this.#limits
    const appendTime = (header.attributes & ATTRIBUTE.appendTime) !== 0
    const cursor = new Cursor(body)
    for (let i = 0; i < header.count; i++) {
      const length = cursor.varInt()
      const end = cursor.at + length
      cursor.at += 1
      const deltaMs = cursor.varLong()
      const position = header.baseOffset + BigInt(cursor.varInt())
      if (to !== undefined && position > to) return this.#pastTo()
      if (position >= from) {
        const full = this.records.length >= recordsMax || (this.records.length > 0 && this.#bytes + length > bytesMax)
        if (full) return false
        const timestampMs = appendTime ? header.maxTimestampMs : header.firstTimestampMs + deltaMs
        this.records.push(readRecord(cursor, position, timestampMs))
        this.#bytes += length
        this.next = position + 1n
      }
      cursor.at = end
    }
    return true
  }

  #pastTo(): false {
    const past = this.#limits.to! + 1n
    if (past > this.next) this.next = past
    return false
  }
}

function readHeader(batch: Buffer): BatchHeader {
  const baseOffset = batch.readBigInt64BE(0)
  const magic = batch.readInt8(16)
  if (magic !== 2) throw corrupt(baseOffset, `has message format ${magic}, older than Kafka 0.11`)
  if (crc32c(batch, ATTRIBUTES_AT) !== batch.readUInt32BE(CRC_AT)) throw corrupt(baseOffset, 'fails its checksum')
  return {
    baseOffset,
    lastOffset: baseOffset + BigInt(batch.readInt32BE(23)),
    attributes: batch.readInt16BE(ATTRIBUTES_AT),
    firstTimestampMs: Number(batch.readBigInt64BE(27)),
    maxTimestampMs: Number(batch.readBigInt64BE(35)),
    producerId: batch.readBigInt64BE(43),
    count: batch.readInt32BE(57),
  }
}

function unpacked(batch: Buffer, header: BatchHeader): Buffer {
  const body = batch.subarray(HEADER_BYTES)
  const codec = CODECS[header.attributes & ATTRIBUTE.codec]
  if (codec === 'none') return body
  if (codec === 'gzip') return gunzipSync(body, { maxOutputLength: UNPACKED_BYTES_MAX })
  const how =
    "Set the topic's compression.type to uncompressed or gzip; what is stored already has to be written again."
  throw new LogError('LOG_UNREADABLE', `the batch at ${header.baseOffset} is compressed with ${codec}. ${how}`)
}

/** A control record's key: version, then type; 0 is abort, 1 commit. */
function isAbort(batch: Buffer): boolean {
  const cursor = new Cursor(batch.subarray(HEADER_BYTES))
  cursor.varInt()
  cursor.at += 1
  cursor.varLong()
  cursor.varInt()
  const length = cursor.varInt()
  return length >= 4 && cursor.bytes.readInt16BE(cursor.at + 2) === 0
}

function readRecord(cursor: Cursor, position: Position, timestampMs: number): LogRecord {
  const key = cursor.blob()
  const value = cursor.blob()
  const count = cursor.varInt()
  let headers = NO_HEADERS
  if (count > 0) {
    const read: Record<string, string> = Object.create(null)
    for (let i = 0; i < count; i++) read[cursor.blob()?.toString('utf8') ?? ''] = cursor.blob()?.toString('utf8') ?? ''
    headers = read
  }
  return { position, timestampMs, key: key?.toString('utf8') ?? null, value: value ?? Buffer.alloc(0), headers }
}

function corrupt(offset: bigint, what: string): LogError {
  return new LogError('LOG_CORRUPT', `the batch at ${offset} ${what}`)
}

class Cursor {
  readonly bytes: Buffer
  at = 0
  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  varInt(): number {
    const { bytes } = this
    let raw = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[this.at++]!
      raw |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    return (raw >>> 1) ^ -(raw & 1)
  }

  varLong(): number {
    const { bytes, at } = this
    // Within 37 hours of the batch's first, four bytes are enough; big integers are for the odd one.
    if (bytes[at]! < 0x80 || bytes[at + 1]! < 0x80 || bytes[at + 2]! < 0x80 || bytes[at + 3]! < 0x80)
      return this.varInt()
    let raw = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.bytes[this.at++]!
      raw |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    return Number((raw >> 1n) ^ -(raw & 1n))
  }

  /** Null for none: a record without a key, a tombstone. */
  blob(): Buffer | null {
    const length = this.varInt()
    if (length < 0) return null
    const blob = this.bytes.subarray(this.at, this.at + length)
    if (blob.length < length) throw new LogError('LOG_CORRUPT', 'a record reaches past its batch')
    this.at += length
    return blob
  }
}
