/**
 * CMCD as players send it, read: reports of event mode, one a line, and request mode's query and headers. Never throws,
 * whatever the bytes; a record that can't be read costs the others nothing (docs/cmcd.md).
 */
import { CMCD_LIMITS } from './limits.ts'
import { RecordReader } from './reader.ts'
import { cut, type Reading } from './reading.ts'
import { Scanner } from './scanner.ts'
import { HEADER_NAMES } from './vocabulary.ts'

const scanner = new Scanner()

/** One record a line; blank lines are none. At most `recordsPerBodyMax`: ask `countRecords` first. */
export function readReports(text: string): readonly Reading[] {
  const readings: Reading[] = []
  for (const line of linesOf(text)) {
    if (readings.length >= CMCD_LIMITS.recordsPerBodyMax) break
    readings.push(readRecord(line, 'event'))
  }
  return readings
}

export function countRecords(text: string): number {
  let count = 0
  for (const _ of linesOf(text)) count++
  return count
}

function* linesOf(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    let to = text.indexOf('\n', from)
    if (to < 0) to = text.length
    const line = text.slice(from, to).trim()
    if (line !== '') yield line
    from = to + 1
  }
}

export function readRecord(record: string, mode: 'event' | 'request'): Reading {
  if (record.length > CMCD_LIMITS.recordCharsMax) return tooLong(record)
  const reader = new RecordReader()
  reader.begin(record)
  scanner.scan(record, reader)
  return reader.finish(record, mode)
}

/** The value of the query argument `CMCD`, as it stands in the URL. */
export function readQuery(encoded: string): Reading {
  if (encoded.length > 4 * CMCD_LIMITS.recordCharsMax) return tooLong(encoded)
  const { text, broken } = unescaped(encoded)
  const record = text.trim()
  if (record.length > CMCD_LIMITS.recordCharsMax) return tooLong(record)
  const reader = new RecordReader()
  reader.begin(record)
  if (broken) reader.fault('ENCODING_BROKEN', '', encoded)
  scanner.scan(record, reader)
  return reader.finish(record, 'request')
}

/** The four headers, by their names in lower case; undefined if none of them is there. */
export function readHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): Reading | undefined {
  const reader = new RecordReader()
  const parts: string[] = []
  let chars = 0
  for (const name of HEADER_NAMES) {
    const said = headers[name]
    const text = (typeof said === 'object' ? said.join(',') : (said ?? '')).trim()
    if (text === '') continue
    chars += text.length + 1
    parts.push(text)
    if (chars > CMCD_LIMITS.recordCharsMax) return tooLong(parts.join(','))
    reader.begin(text, name)
    scanner.scan(text, reader)
  }
  return parts.length === 0 ? undefined : reader.finish(parts.join(','), 'request')
}

/** The argument `CMCD` of a URL, or of a path with its query, still encoded. */
export function cmcdOfUrl(url: string): string | undefined {
  const query = url.indexOf('?')
  if (query < 0) return undefined
  const fragment = url.indexOf('#', query)
  const text = url.slice(query + 1, fragment < 0 ? url.length : fragment)
  for (const argument of text.split('&')) {
    if (argument.startsWith('CMCD=') || argument.startsWith('cmcd=')) return argument.slice(5)
  }
  return undefined
}

function tooLong(record: string): Reading {
  const raw = cut(record, CMCD_LIMITS.recordCharsMax)
  return { raw, version: 1, values: new Map(), faults: [], ignored: 'length' }
}

const ESCAPE = /%[0-9a-f]{2}/i

/**
 * Percent-encoding undone, once, or twice where a proxy encoded what was encoded. A plus is a blank only beside escapes:
 * URLSearchParams writes blanks so.
 */
function unescaped(encoded: string): { readonly text: string; readonly broken: boolean } {
  if (!encoded.includes('%')) return { text: encoded, broken: false }
  const once = decoded(encoded.replaceAll('+', ' '))
  const twice = !/[=,]/.test(once.text) && ESCAPE.test(once.text) ? decoded(once.text) : undefined
  return twice === undefined ? once : { text: twice.text, broken: true }
}

function decoded(text: string): { readonly text: string; readonly broken: boolean } {
  try {
    return { text: decodeURIComponent(text), broken: false }
  } catch {
    // Not UTF-8, or a percent sign that begins nothing: each escape by itself, so that the rest can be read.
    return { text: leniently(text), broken: true }
  }
}

function leniently(text: string): string {
  const bytes: Buffer[] = []
  let from = 0
  for (const { index } of text.matchAll(/%[0-9a-f]{2}/gi)) {
    bytes.push(Buffer.from(text.slice(from, index)), Buffer.from(text.slice(index + 1, index + 3), 'hex'))
    from = index + 3
  }
  bytes.push(Buffer.from(text.slice(from)))
  return Buffer.concat(bytes).toString()
}
