/**
 * One record of the log as one row of an archive's file: Avro, by hand, because positions need 64 bits and each row is
 * read and written millions of times.
 *
 * position to value are the record, exactly: they are what is digested and restored. What follows is for people, made
 * of the value by whoever archived it: personal data that is sealed stays sealed in it.
 */
import type { LogRecord, TopicPartition } from '../log.ts'
import { ArchiveError } from './errors.ts'

export const ROW_SCHEMA = JSON.stringify({
  type: 'record',
  name: 'ArchivedRecord',
  namespace: 'playhead.archive',
  fields: [
    { name: 'topic', type: 'string' },
    { name: 'partition', type: 'int' },
    { name: 'position', type: 'long' },
    { name: 'timestamp', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'key', type: ['null', 'string'] },
    { name: 'headers', type: { type: 'map', values: 'string' } },
    { name: 'value', type: 'bytes' },
    { name: 'event_type', type: ['null', 'string'] },
    { name: 'event_id', type: ['null', 'string'] },
    { name: 'occurred_at', type: ['null', { type: 'long', logicalType: 'timestamp-millis' }] },
    { name: 'event', type: ['null', 'string'] },
  ],
})

/** What people read of a record. */
export interface Told {
  readonly type: string
  readonly eventId: string
  readonly occurredAtMs: number
  /** The event as JSON. */
  readonly event: string
}

export interface Row {
  readonly record: LogRecord
  /** The bytes that are digested. */
  readonly core: Buffer
}

/** Rows one behind the other, in a buffer that grows. */
export class RowWriter {
  count = 0
  #bytes = Buffer.allocUnsafe(512 * 1024)
  length = 0

  /** Answers the bytes that are digested: valid until the next call. */
  add({ topic, partition }: TopicPartition, record: LogRecord, told: Told | undefined): Buffer {
    this.#text(topic)
    this.#long(BigInt(partition))
    const core = this.#core(record)
    this.#optional(told?.type, (text) => this.#text(text))
    this.#optional(told?.eventId, (text) => this.#text(text))
    this.#optional(told?.occurredAtMs, (ms) => this.#long(BigInt(ms)))
    this.#optional(told?.event, (text) => this.#text(text))
    this.count += 1
    return this.#bytes.subarray(core.from, core.to)
  }

  /** Only what is digested: for a record that is compared. */
  addCore(record: LogRecord): Buffer {
    const { from, to } = this.#core(record)
    return this.#bytes.subarray(from, to)
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.length)
  }

  clear(): void {
    this.count = 0
    this.length = 0
  }

  #core({ position, timestampMs, key, headers, value }: LogRecord): { from: number; to: number } {
    const from = this.length
    this.#long(position)
    this.#long(BigInt(timestampMs))
    this.#optional(key ?? undefined, (text) => this.#text(text))
    const names = Object.keys(headers)
    if (names.length > 0) {
      this.#long(BigInt(names.length))
      for (const name of names) {
        this.#text(name)
        this.#text(headers[name]!)
      }
    }
    this.#long(0n)
    this.#long(BigInt(value.length))
    this.#reserve(value.length)
    this.#bytes.set(value, this.length)
    this.length += value.length
    return { from, to: this.length }
  }

  #optional<T>(value: T | undefined, write: (value: T) => void): void {
    this.#long(value === undefined ? 0n : 1n)
    if (value !== undefined) write(value)
  }

  #text(text: string): void {
    const length = Buffer.byteLength(text)
    this.#long(BigInt(length))
    this.#reserve(length)
    this.#bytes.write(text, this.length, 'utf8')
    this.length += length
  }

  #long(value: bigint): void {
    this.#reserve(10)
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    // Bigints are slow and nearly every number is small.
    while (rest > 0xffff_ffffn) {
      this.#bytes[this.length++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    let small = Number(rest)
    while (small >= 0x80) {
      this.#bytes[this.length++] = (small & 0x7f) | 0x80
      small = Math.floor(small / 0x80)
    }
    this.#bytes[this.length++] = small
  }

  #reserve(more: number): void {
    if (this.length + more <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.length + more))
    this.#bytes.copy(grown, 0, 0, this.length)
    this.#bytes = grown
  }
}

/** The rows of an inflated block. Throws ArchiveError for bytes that are none, and for another place's rows. */
export function readRows(bytes: Buffer, count: number, place: TopicPartition): Row[] {
  const cursor = new RowCursor(bytes)
  const rows: Row[] = []
  for (let i = 0; i < count; i++) {
    const [topic, partition] = [cursor.text(), Number(cursor.long())]
    if (topic !== place.topic || partition !== place.partition) {
      throw new ArchiveError(`it holds a record of ${topic}/${partition}`)
    }
    const from = cursor.at
    const position = cursor.long()
    const timestampMs = Number(cursor.long())
    const key = cursor.branch() ? cursor.text() : null
    const headers = cursor.headers()
    const value = cursor.blob()
    const core = bytes.subarray(from, cursor.at)
    for (const told of ['text', 'text', 'long', 'text'] as const) if (cursor.branch()) cursor[told]()
    rows.push({ record: { position, timestampMs, key, headers, value }, core })
  }
  if (cursor.at !== bytes.length) throw new ArchiveError('a block is longer than its records')
  return rows
}

/** Avro's primitives; each refuses to read beyond the end. */
export class RowCursor {
  readonly #bytes: Buffer
  at: number

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes
    this.at = at
  }

  long(): bigint {
    let low = 0
    let factor = 1
    // Six bytes fit into a number exactly.
    for (let i = 0; i < 6; i++) {
      const byte = this.#byte()
      low += (byte & 0x7f) * factor
      if (byte < 0x80) return unzigzag(BigInt(low))
      factor *= 0x80
    }
    let value = BigInt(low)
    for (let shift = 42n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return unzigzag(value)
    }
    throw new ArchiveError('a number does not end')
  }

  blob(): Buffer {
    const length = Number(this.long())
    if (length < 0 || this.at + length > this.#bytes.length) throw new ArchiveError('it ends too early')
    this.at += length
    return this.#bytes.subarray(this.at - length, this.at)
  }

  text(): string {
    return this.blob().toString('utf8')
  }

  /** Of a union with null as its first: whether there is a value. */
  branch(): boolean {
    const index = this.long()
    if (index !== 0n && index !== 1n) throw new ArchiveError(`a union has no branch ${index}`)
    return index === 1n
  }

  headers(): Record<string, string> {
    const headers: Record<string, string> = {}
    for (let count = this.long(); count !== 0n; count = this.long()) {
      if (count < 0n) {
        count = -count
        this.long()
      }
      for (let i = 0n; i < count; i++) {
        const name = this.text()
        headers[name] = this.text()
      }
    }
    return headers
  }

  #byte(): number {
    const byte = this.#bytes[this.at++]
    if (byte === undefined) throw new ArchiveError('it ends too early')
    return byte
  }
}

function unzigzag(value: bigint): bigint {
  return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
}
