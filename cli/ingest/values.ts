/** What the fields of a line say: its time, its URL, how long it took. Each says what it wants when it can't read. */
import type { RequestLine } from '../../producers/cmcd/index.ts'
import { RowRejected } from '../import/problem.ts'
import type { Fields } from '../import/rows.ts'
import { numberOf, type TimeRules, timeOf } from '../import/values.ts'
import { INGEST_LIMITS } from './limits.ts'
import type { LogFormat } from './presets.ts'

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec'
/** 21/Nov/2026:10:00:00 +0000, as access logs write it. */
const LOG_TIME = /^\[?(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d{4})\]?$/
/** Numbers from here on are microseconds, and then nanoseconds, since 1970. */
const MICROSECONDS_FROM = 1e14
const NANOSECONDS_FROM = 1e17
const INT32_MAX = 2 ** 31 - 1

export function atMsOf(fields: Fields, rules: TimeRules): number {
  const value = fields.get('time')
  const number = typeof value === 'number' ? value : typeof value === 'string' && /^\d{15,20}$/.test(value) ? +value : 0
  if (number >= NANOSECONDS_FROM) return timeOf(new Map([['time', number / 1e6]]), 'time', rules)
  if (number >= MICROSECONDS_FROM) return timeOf(new Map([['time', number / 1e3]]), 'time', rules)
  const [, day, name = '', year, clock, zone] = LOG_TIME.exec(typeof value === 'string' ? value.trim() : '') ?? []
  const month = name === '' ? -1 : MONTHS.indexOf(name) / 3
  if (!Number.isInteger(month) || month < 0) return timeOf(fields, 'time', rules)
  const iso = `${year}-${String(month + 1).padStart(2, '0')}-${day}T${clock}${zone}`
  return timeOf(new Map([['time', iso]]), 'time', rules)
}

/** What was asked for: a path, or a whole URL; with its query, where CMCD stands. */
export interface Target {
  readonly method: string | undefined
  readonly path: string
  readonly query: string | undefined
}

export function targetOf(fields: Fields): Target {
  const request = textOf(fields, 'request')?.split(' ') ?? []
  const [method, asked] = request.length >= 2 ? request : [undefined, request[0]]
  const path = textOf(fields, 'url') ?? asked ?? textOf(fields, 'path') ?? ''
  return { method: textOf(fields, 'method') ?? method, path, query: textOf(fields, 'query')?.replace(/^\?/, '') }
}

export function lineOf(fields: Fields, target: Target, cdn: string | undefined, format: LogFormat): RequestLine {
  return {
    url: urlOf(fields, target.path),
    method: target.method,
    status: whole(fields, 'status', 999),
    bytes: whole(fields, 'bytes', Number.MAX_SAFE_INTEGER),
    firstByteMs: tookMs(fields, 'firstByte'),
    totalMs: tookMs(fields, 'total'),
    cdn: textOf(fields, 'cdn') ?? cdn,
    edge: dimension(fields, 'edge'),
    cacheStatus: cacheStatusOf(fields, format),
  }
}

function urlOf(fields: Fields, path: string): string | undefined {
  const host = textOf(fields, 'host')
  if (path === '' || !path.startsWith('/') || host === undefined) return path === '' ? undefined : path
  const scheme = textOf(fields, 'scheme')?.toLowerCase()
  return `${scheme === 'http' ? 'http' : 'https'}://${host}${path}`
}

/** Lower case, so that a query finds every CDN's hits; a word for the digits and tails that some write instead. */
function cacheStatusOf(fields: Fields, format: LogFormat): string | undefined {
  const value = fields.get('cacheStatus')
  if (typeof value === 'boolean') return value ? 'hit' : 'miss'
  const said = dimension(fields, 'cacheStatus')?.toLowerCase()
  if (format === 'akamai') return said === '1' ? 'hit' : said === '0' ? 'miss' : said
  // HIT-CLUSTER, MISS-WAIT; a "hit for pass" is what the cache says of what it must not keep.
  if (format === 'fastly') return said?.startsWith('hitpass') ? 'pass' : said?.split('-')[0]
  return said
}

export function contextOf(fields: Fields) {
  const country = textOf(fields, 'country')?.toUpperCase()
  const known = country !== undefined && /^[A-Z]{2}$/.test(country)
  const asn = /^(?:AS)?(\d{1,10})$/i.exec(textOf(fields, 'asn') ?? '')?.[1]
  const said = {
    country: known ? country : undefined,
    region: dimension(fields, 'region'),
    asn: asn === undefined || Number(asn) > 2 ** 32 - 1 ? undefined : Number(asn),
    isp: dimension(fields, 'isp'),
  }
  return Object.values(said).some((value) => value !== undefined) ? said : undefined
}

export function textOf(fields: Fields, name: string): string | undefined {
  const value = fields.get(name)
  if (typeof value === 'string') return value === '' ? undefined : value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

/** What is too long is cut; half a character has no UTF-8 and is replaced. */
function dimension(fields: Fields, name: string): string | undefined {
  const text = textOf(fields, name)
  return text === undefined ? undefined : Buffer.from(text.slice(0, INGEST_LIMITS.dimensionCharsMax)).toString()
}

function whole(fields: Fields, name: string, max: number): number | undefined {
  const number = numberOf(fields, name)
  if (number === undefined || (Number.isInteger(number) && number >= 0 && number <= max)) return number
  throw new RowRejected(name, 'is no whole number in range', `Wanted: 0 to ${max}.`)
}

const UNITS = [
  ['Ms', 1],
  ['Seconds', 1_000],
  ['Us', 0.001],
] as const

function tookMs(fields: Fields, stem: 'firstByte' | 'total'): number | undefined {
  for (const [unit, factor] of UNITS) {
    const name = `${stem}${unit}`
    if (!fields.has(name)) continue
    const number = sumOf(fields.get(name)) ?? numberOf(fields, name)
    const ms = number === undefined ? undefined : Math.round(number * factor)
    if (ms === undefined || (ms >= 0 && ms <= INT32_MAX)) return ms
    throw new RowRejected(name, 'is out of range', 'Check its unit, which the end of our name says.')
  }
  return undefined
}

/** nginx writes one time for each server that it asked, with a comma or a colon between: what came of all is wanted. */
function sumOf(value: unknown): number | undefined {
  if (typeof value !== 'string' || !/[,:]/.test(value)) return undefined
  const times = value.split(/[,:]/).map((text) => text.trim())
  if (!times.every((text) => text === '-' || /^\d+(\.\d+)?$/.test(text))) return undefined
  return times.reduce((sum, text) => sum + (text === '-' ? 0 : Number(text)), 0)
}
