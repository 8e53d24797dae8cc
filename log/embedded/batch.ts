/**
 * The record batch: one LMDB value. Pure bytes, no LMDB here.
 *
 *   0  magic "PB"   2 bytes        12  first timestamp   8 bytes (a double, whole milliseconds)
 *   2  version      1 byte         20  greatest timestamp 8 bytes
 *   3  zero         1 byte         28  records, each:
 *   4  CRC-32       4 bytes              varint  positions skipped since the record before (0: none)
 *   8  count        4 bytes              zigzag  timestamp − first timestamp
 *                                        varint  key length + 1 (0: no key), key
 *                                        varint  value length, value
 *                                        varint  headers, each: length, name, length, value
 *
 * The checksum covers the records, then bytes 8 to 28. The first record's position is the batch's key in LMDB, so that a batch can
 * be built and sealed before anybody knows where it will be stored.
 */
import { crc32 } from 'node:zlib'
import { LOG_LIMITS } from '../limits.ts'
import type { LogRecord, NewRecord, Position } from '../log.ts'
import { EMBEDDED_LIMITS } from './limits.ts'

const MAGIC = 0x5042
const VERSION = 1
const HEADER_BYTES = 28
/** Varints and the like around one record, and around one of its headers, at most. */
const FRAME_BYTES = 40
const HEADER_FRAME_BYTES = 10

/** A record that is restored may have no key; a new one has. */
export type Storable = Omit<NewRecord, 'key' | 'topic'> & { readonly key: string | null }

/** What a record takes at most; known before it is encoded, so that limits are checked before anything is taken. */
export function recordBytesBound(record: Storable): number {
  let bytes = FRAME_BYTES + 3 * (record.key?.length ?? 0) + record.value.length
  for (const name in record.headers) bytes += HEADER_FRAME_BYTES + 3 * (name.length + record.headers[name]!.length)
  return bytes
}

export class BatchWriter {
  count = 0
  #bytes: Buffer
  #length = HEADER_BYTES
  #firstMs = 0
  #greatestMs = 0
  #checksum = 0
  /** So far the checksum goes. */
  #summed = HEADER_BYTES

  /** Writes into `buffer`, and into a larger one when it is full. */
  constructor(buffer: Buffer) {
    this.#bytes = buffer
  }

  /** Whether a batch with this record too is as small as batches are to be. */
  hasRoom(bound: number): boolean {
    return this.count < LOG_LIMITS.batchRecordsMax && this.#length + bound <= LOG_LIMITS.batchBytesMax
  }

  /** `bound` is the record's recordBytesBound; `skipped`: positions between the record before and this one. */
  add(record: Storable, bound: number, skipped = 0): void {
    this.#reserve(bound)
    const { timestampMs, value } = record
    if (this.count === 0) this.#firstMs = this.#greatestMs = timestampMs
    if (timestampMs > this.#greatestMs) this.#greatestMs = timestampMs
    const bytes = this.#bytes
    let at = this.#length
    at = putVarint(bytes, at, skipped)
    at = putVarint(bytes, at, zigzag(timestampMs - this.#firstMs))
    if (record.key === null) bytes[at++] = 0
    else at = putText(bytes, at, record.key, 1)
    at = putVarint(bytes, at, value.length)
    bytes.set(value, at)
    at += value.length
    if (record.headers === undefined) bytes[at++] = 0
    else {
      const headers = Object.entries(record.headers)
      at = putVarint(bytes, at, headers.length)
      for (const [name, text] of headers) at = putText(bytes, putText(bytes, at, name, 0), text, 0)
    }
    this.#length = at
    this.count += 1
    // Bit by bit, so that little is left to do when a commit waits for the seal.
    if (at - this.#summed >= EMBEDDED_LIMITS.checksumBytesAtOnce) this.#sum()
  }

  /** The batch as stored; nothing may be added after it. */
  seal(): Buffer {
    const batch = this.#bytes.subarray(0, this.#length)
    batch.writeUInt16BE(MAGIC, 0)
    batch[2] = VERSION
    batch[3] = 0
    batch.writeUInt32BE(this.count, 8)
    batch.writeDoubleBE(this.#firstMs, 12)
    batch.writeDoubleBE(this.#greatestMs, 20)
    this.#sum()
    batch.writeUInt32BE(crc32(batch.subarray(8, HEADER_BYTES), this.#checksum), 4)
    return batch
  }

  /** For another batch, once this one is stored. */
  takeBuffer(): Buffer {
    return this.#bytes
  }

  #sum(): void {
    this.#checksum = crc32(this.#bytes.subarray(this.#summed, this.#length), this.#checksum)
    this.#summed = this.#length
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#length + more))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
  }
}

export interface PageLimits {
  readonly from: Position
  /** Inclusive. */
  readonly to: Position
  readonly recordsMax: number
  readonly bytesMax: number
}

export interface Page {
  records: LogRecord[]
  bytes: number
  /** A limit was met: there is more. */
  full: boolean
}

/** What is wrong with a stored batch, or undefined. */
export function batchFault(batch: Buffer): string | undefined {
  if (batch.length < HEADER_BYTES) return `only ${batch.length} bytes are left of it`
  if (batch.readUInt16BE(0) !== MAGIC) return 'it does not begin as a record batch does'
  if (batch[2] !== VERSION) return `its version is ${batch[2]}, this program knows ${VERSION}`
  const checksum = crc32(batch.subarray(8, HEADER_BYTES), crc32(batch.subarray(HEADER_BYTES)))
  if (batch.readUInt32BE(4) !== checksum) return 'its checksum does not match'
  return undefined
}

/** Adds the wanted records of a sound batch to the page. Values are views of `batch`, not copies. */
export function readBatch(batch: Buffer, base: Position, limits: PageLimits, page: Page): void {
  const count = batch.readUInt32BE(8)
  const firstMs = batch.readDoubleBE(12)
  const cursor = new Cursor(batch, HEADER_BYTES)
  // Small offsets instead of bigints for the records that are passed over.
  const skipTo = limits.from > base ? Number(limits.from - base) : 0
  let offset = -1
  for (let i = 0; i < count; i++) {
    offset += 1 + cursor.varint()
    const start = cursor.at
    const deltaMs = cursor.zigzag()
    const keyLength = cursor.varint() - 1
    const keyAt = cursor.skip(Math.max(0, keyLength))
    const valueLength = cursor.varint()
    const valueAt = cursor.skip(valueLength)
    const headerCount = cursor.varint()
    const headers = headerCount === 0 ? NO_HEADERS : cursor.headers(headerCount)
    if (offset < skipTo) continue
    const position = base + BigInt(offset)
    const bytes = cursor.at - start
    const over = page.records.length >= limits.recordsMax || page.bytes + bytes > limits.bytesMax
    if (position > limits.to || (over && page.records.length > 0)) {
      page.full = true
      return
    }
    page.bytes += bytes
    page.records.push({
      position,
      timestampMs: firstMs + deltaMs,
      key: keyLength < 0 ? null : batch.toString('utf8', keyAt, keyAt + keyLength),
      value: batch.subarray(valueAt, valueAt + valueLength),
      headers,
    })
  }
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({})

class Cursor {
  readonly #bytes: Buffer
  at: number

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  varint(): number {
    const bytes = this.#bytes
    let byte = bytes[this.at++]!
    if (byte < 0x80) return byte
    let value = byte & 0x7f
    // Multiplied, not shifted: timestamps need 53 bits.
    for (let factor = 0x80; byte >= 0x80; factor *= 0x80) {
      byte = bytes[this.at++]!
      value += (byte & 0x7f) * factor
    }
    return value
  }

  zigzag(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** Moves past so many bytes and answers where they began. */
  skip(length: number): number {
    const begin = this.at
    this.at += length
    return begin
  }

  headers(count: number): Record<string, string> {
    const headers: Record<string, string> = {}
    for (let i = 0; i < count; i++) {
      const name = this.#text()
      headers[name] = this.#text()
    }
    return headers
  }

  #text(): string {
    const length = this.varint()
    const begin = this.skip(length)
    return this.#bytes.toString('utf8', begin, this.at)
  }
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value
}

function putVarint(bytes: Buffer, at: number, value: number): number {
  let rest = value
  let to = at
  while (rest >= 0x80) {
    bytes[to++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  bytes[to++] = rest
  return to
}

/** Length (plus `lengthOffset`) and bytes of a text. */
function putText(bytes: Buffer, at: number, text: string, lengthOffset: number): number {
  // A length of one byte is right for nearly every key; if it is not, the text is written again further on.
  const guess = at + 1
  const length = bytes.write(text, guess, 'utf8')
  if (length + lengthOffset < 0x80) {
    bytes[at] = length + lengthOffset
    return guess + length
  }
  const begin = putVarint(bytes, at, length + lengthOffset)
  return begin + bytes.write(text, begin, 'utf8')
}
