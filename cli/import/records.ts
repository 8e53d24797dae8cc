/**
 * Cuts a byte stream into records. NDJSON: a record is a line. CSV (RFC 4180): a line break between quotes belongs to
 * its field; a quote opens only where a field begins, so that a stray one in the midst of a text swallows nothing.
 * Offsets and line numbers are of the whole stream, so that a reader that stopped can say where.
 *
 * What can be wrong is told, never thrown: a record that is too long, bytes that are no UTF-8.
 */
import { IMPORT_LIMITS } from './limits.ts'

export interface SourceRecord {
  /** Line on which it begins, from 1. */
  readonly line: number
  /** Undefined: why it has no text is in `problem`. */
  readonly text: string | undefined
  readonly problem?: string
  /** Where the record after it begins. */
  readonly endOffset: number
  readonly endLine: number
}

export interface Cut {
  /** A quote character opens a field behind one of these; without it, quotes mean nothing. */
  readonly delimiters?: string
  readonly offset?: number
  readonly line?: number
}

const LF = 10
const CR = 13
const QUOTE = 34

/** Where the scanner is within a record. */
const FIELD_START = 0
const PLAIN = 1
const QUOTED = 2
const QUOTE_SEEN = 3

export class RecordCutter {
  readonly #delimiters: ReadonlySet<number> | undefined
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  #pieces: Buffer[] = []
  #bytes = 0
  #mode = FIELD_START
  #offset: number
  #line: number
  #linesWithin = 0

  constructor({ delimiters, offset = 0, line = 1 }: Cut) {
    this.#delimiters = delimiters === undefined ? undefined : new Set(Buffer.from(delimiters))
    this.#offset = offset
    this.#line = line
  }

  push(chunk: Buffer): SourceRecord[] {
    const found: SourceRecord[] = []
    let from = 0
    for (;;) {
      const end =
        this.#delimiters === undefined ? chunk.indexOf(LF, from) : this.#endOfCsv(chunk, from, this.#delimiters)
      if (end < 0) break
      this.#keep(chunk.subarray(from, end + 1))
      found.push(this.#record())
      from = end + 1
    }
    // A copy: the rest must not keep a whole read alive.
    if (from < chunk.length) this.#keep(Buffer.from(chunk.subarray(from)))
    return found
  }

  /** The last record, if no line break ended it. */
  end(): SourceRecord[] {
    return this.#bytes === 0 ? [] : [this.#record()]
  }

  #endOfCsv(chunk: Buffer, from: number, delimiters: ReadonlySet<number>): number {
    let mode = this.#mode
    for (let i = from; i < chunk.length; i++) {
      const byte = chunk[i]!
      if (mode === QUOTED) {
        if (byte === QUOTE) mode = QUOTE_SEEN
        else if (byte === LF) this.#linesWithin++
      } else if (byte === LF) {
        this.#mode = FIELD_START
        return i
      } else if (byte === QUOTE && mode !== PLAIN) mode = QUOTED
      else mode = delimiters.has(byte) ? FIELD_START : PLAIN
    }
    this.#mode = mode
    return -1
  }

  #keep(piece: Buffer): void {
    // Of a record that is too long nothing is kept but its length.
    if (this.#bytes + piece.length <= IMPORT_LIMITS.recordBytesMax) this.#pieces.push(piece)
    else this.#pieces = []
    this.#bytes += piece.length
  }

  #record(): SourceRecord {
    const line = this.#line
    this.#offset += this.#bytes
    this.#line += 1 + this.#linesWithin
    const tooLong = this.#bytes > IMPORT_LIMITS.recordBytesMax
    const read = tooLong
      ? { text: undefined, problem: `is longer than ${IMPORT_LIMITS.recordBytesMax} bytes` }
      : this.#decode(this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces))
    this.#pieces = []
    this.#bytes = 0
    this.#linesWithin = 0
    this.#mode = FIELD_START
    return { line, ...read, endOffset: this.#offset, endLine: this.#line }
  }

  #decode(bytes: Buffer): { readonly text: string | undefined; readonly problem?: string } {
    let end = bytes.length
    if (bytes[end - 1] === LF) end--
    if (bytes[end - 1] === CR) end--
    try {
      const text = this.#decoder.decode(bytes.subarray(0, end))
      return { text: this.#offset === this.#bytes && text.startsWith('\ufeff') ? text.slice(1) : text }
    } catch {
      return { text: undefined, problem: 'is not UTF-8' }
    }
  }
}
