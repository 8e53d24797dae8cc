/** One media request with its CMCD keys: from a CDN's log, from request mode, or from a player's `rr` record. */
import type { Meta, NewEventOf } from '../../schemas/index.ts'
import {
  booleanOf,
  intOf,
  ofObject,
  otherKeys,
  protocolOf,
  rateOf,
  smallestOf,
  streamTypeOf,
  textOf,
} from './fields.ts'
import { CMCD_LIMITS } from './limits.ts'
import { cut, type Reading } from './reading.ts'
import type { NewContext } from './report.ts'

/** What is known of the request itself; what nobody said is left out. */
export interface RequestLine {
  readonly url?: string | undefined
  readonly method?: string | undefined
  readonly status?: number | undefined
  readonly bytes?: number | undefined
  readonly firstByteMs?: number | undefined
  readonly totalMs?: number | undefined
  readonly cdn?: string | undefined
  readonly edge?: string | undefined
  readonly cacheStatus?: string | undefined
}

export interface RequestOf {
  readonly sessionId: string
  readonly titleId?: string | undefined
}

export function cmcdRequest(
  reading: Reading,
  { sessionId, titleId }: RequestOf,
  line: RequestLine,
  meta: Meta,
  context: NewContext | null = null,
): NewEventOf<'CmcdRequest'> {
  const { values } = reading
  return {
    type: 'CmcdRequest',
    meta,
    sessionId,
    titleId: titleId ?? textOf(values, 'cid', CMCD_LIMITS.titleCharsMax),
    url: line.url === undefined ? null : withoutQuery(line.url),
    method: line.method === undefined ? null : cut(line.method, CMCD_LIMITS.methodCharsMax),
    status: within(line.status, CMCD_LIMITS.statusMax),
    bytes: within(line.bytes, CMCD_LIMITS.integerMax),
    firstByteMs: within(line.firstByteMs, CMCD_LIMITS.int32Max),
    totalMs: within(line.totalMs, CMCD_LIMITS.int32Max),
    objectType: textOf(values, 'ot', CMCD_LIMITS.tokenCharsMax),
    objectDurationMs: intOf(values, 'd'),
    bitrateKbps: ofObject(values, 'br'),
    topBitrateKbps: ofObject(values, 'tb'),
    bufferMs: smallestOf(values, 'bl'),
    deadlineMs: intOf(values, 'dl'),
    throughputKbps: ofObject(values, 'mtp'),
    starved: booleanOf(values, 'bs'),
    startup: booleanOf(values, 'su'),
    playbackRatePermille: rateOf(values),
    streamType: streamTypeOf(values),
    protocol: protocolOf(values),
    cdn: named(line.cdn) ?? textOf(values, 'cdn', CMCD_LIMITS.textCharsMax),
    edge: named(line.edge),
    cacheStatus: named(line.cacheStatus),
    keys: otherKeys(reading, FIELDS),
    raw: reading.raw,
    context,
    personal: null,
  }
}

/** What an `rr` record says of the response that it tells of; undefined for every other record, and without a url. */
export function responseOf({ values }: Reading): RequestLine | undefined {
  if (values.get('e') !== 'rr') return undefined
  const url = values.get('url')
  if (typeof url !== 'string' || url === '') return undefined
  return {
    url,
    status: intOf(values, 'rc') ?? undefined,
    firstByteMs: intOf(values, 'ttfb') ?? undefined,
    totalMs: intOf(values, 'ttlb') ?? undefined,
  }
}

/** Queries hold tokens and names of people, and so may what stands before the host. */
export function withoutQuery(url: string): string {
  const end = url.search(/[?#]/)
  const bare = end < 0 ? url : url.slice(0, end)
  return cut(bare.replace(/^([a-z][\w+.-]*:)?\/\/[^/@]*@/i, '$1//'), CMCD_LIMITS.urlCharsMax)
}

function within(value: number | undefined, max: number): number | null {
  if (value === undefined || !(value >= 0 && value <= max)) return null
  return Math.round(value)
}

function named(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : cut(text, CMCD_LIMITS.textCharsMax)
}

/** The version has no field here, and stays among the keys. */
const FIELDS: ReadonlySet<string> = new Set(
  'sid cid url ot d br tb bl dl mtp bs su pr st sf cdn rc ttfb ttlb'.split(' '),
)
