/** Fields of a row as values: from CSV's text or NDJSON's own types. Each says what it wants when it can't read. */
import { IMPORT_LIMITS } from './limits.ts'
import { RowRejected } from './problem.ts'
import type { Fields } from './rows.ts'

const ID_CHARS_MAX = 128
/** Half a character: it has no UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/u
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$/
const WORDS: Readonly<Record<string, boolean>> = {
  true: true,
  t: true,
  yes: true,
  y: true,
  '1': true,
  false: false,
  f: false,
  no: false,
  n: false,
  '0': false,
}
/** Numbers below it are seconds, from it on milliseconds: as seconds it is the year 5138, as milliseconds 1973. */
const SECONDS_BELOW = 1e11
const INSTANT = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?( ?UTC| ?[Zz]|[+-]\d\d(:?\d\d)?)?$/

export function idOf(fields: Fields, name: string): string {
  return optionalId(fields, name) ?? absent(name)
}

export function optionalId(fields: Fields, name: string): string | undefined {
  const value = fields.get(name)
  if (value === undefined) return undefined
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value
  if (typeof text !== 'string' || text.length === 0 || text.length > ID_CHARS_MAX || LONE_SURROGATE.test(text)) {
    throw new RowRejected(name, 'is no id', `Wanted: a text of 1 to ${ID_CHARS_MAX} characters.`)
  }
  return text
}

export function numberOf(fields: Fields, name: string): number | undefined {
  const value = fields.get(name)
  if (value === undefined) return undefined
  const text = typeof value === 'string' ? value.trim() : ''
  const number = typeof value === 'number' ? value : NUMBER.test(text) ? Number(text) : Number.NaN
  if (Number.isFinite(number)) return number
  throw new RowRejected(name, 'is no number', 'Wanted: digits with a point for decimals, such as 1234 or 1.5.')
}

export function wholeNumberOf(fields: Fields, name: string, max: number): number | undefined {
  const number = numberOf(fields, name)
  if (number === undefined || (Number.isInteger(number) && number >= 0 && number <= max)) return number
  throw new RowRejected(name, 'is no whole number in range', `Wanted: 0 to ${max}.`)
}

/** `positionMs` or `positionSeconds`: whichever is there, in milliseconds. */
export function durationOf(fields: Fields, stem: string, maxMs: number): number | undefined {
  const [msName, secondsName] = [`${stem}Ms`, `${stem}Seconds`]
  const name = fields.has(msName) ? msName : secondsName
  const number = numberOf(fields, name)
  if (number === undefined) return undefined
  const ms = Math.round(name === msName ? number : number * 1000)
  if (ms >= 0 && ms <= maxMs) return ms
  throw new RowRejected(name, 'is out of range', `Wanted: 0 to ${name === msName ? maxMs : maxMs / 1000}.`)
}

export function booleanOf(fields: Fields, name: string): boolean | undefined {
  const value = fields.get(name)
  if (value === undefined || typeof value === 'boolean') return value
  const word = WORDS[String(value).trim().toLowerCase()]
  if (word !== undefined) return word
  throw new RowRejected(name, 'is neither true nor false', 'Wanted: true or false (or yes/no, 1/0).')
}

export interface TimeRules {
  readonly nowMs: number
  /** A time without a zone is UTC; otherwise it is refused, since nobody knows what it means. */
  readonly assumeUtc: boolean
}

/** Milliseconds, seconds or RFC 3339; at most a little later than now. */
export function timeOf(fields: Fields, name: string, rules: TimeRules): number {
  const value = fields.get(name) ?? absent(name)
  const atMs =
    typeof value === 'number' || NUMBER.test(String(value).trim())
      ? ofNumber(Number(value))
      : ofText(name, value, rules)
  if (Number.isNaN(atMs) || atMs < 0) {
    throw new RowRejected(name, 'is no time', 'Wanted: milliseconds or seconds since 1970, or 2026-01-31T12:00:00Z.')
  }
  if (atMs > rules.nowMs + IMPORT_LIMITS.aheadMaxMs) {
    throw new RowRejected(
      name,
      'is more than a day in the future',
      'Check its unit: milliseconds or seconds since 1970.',
    )
  }
  return atMs
}

function ofNumber(number: number): number {
  return Math.round(number < SECONDS_BELOW ? number * 1000 : number)
}

function ofText(name: string, value: unknown, { assumeUtc }: TimeRules): number {
  const text = typeof value === 'string' ? value.trim() : ''
  const match = INSTANT.exec(text)
  if (match === null) return Number.NaN
  const zone = match[3]?.trim()
  if (zone === undefined && !assumeUtc) {
    throw new RowRejected(name, 'has no time zone', 'Put Z or an offset behind it, or pass --assume-utc.')
  }
  const local = text.slice(0, text.length - (match[3]?.length ?? 0)).replace(/[ t]/, 'T')
  return Date.parse(`${local.length === 16 ? `${local}:00` : local}${offsetOf(zone)}`)
}

/** `+02`, `+0200` and `UTC` as Date.parse reads them. */
function offsetOf(zone: string | undefined): string {
  if (zone === undefined || /^(UTC|Z)$/i.test(zone)) return 'Z'
  const digits = zone.slice(1).replace(':', '')
  return `${zone[0]}${digits.slice(0, 2)}:${digits.slice(2) || '00'}`
}

function absent(name: string): never {
  throw new RowRejected(name, 'is missing', `Give the row a ${name}, or name its column with --map theirs=${name}.`)
}
