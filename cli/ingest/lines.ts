/**
 * Lines of a CDN's log that carry CMCD, as events. A line without CMCD, or whose CMCD names no session, can't be joined
 * to anything: it is counted and passed over. Addresses and user agents are left out; nothing of the line is kept but
 * what is named here and its CMCD.
 *
 * The same line is the same event, whichever file it is read from: its id is derived from its text, and from its number
 * in the file where the CDN gave the request no id of its own, since two requests may look the same to the second.
 */

import type { EventLog } from '../../log/log.ts'
import {
  cmcdOfUrl,
  cmcdRequest,
  type Reading,
  type RequestLine,
  readHeaders,
  readQuery,
  readRecord,
  sessionOfRecord,
} from '../../producers/cmcd/index.ts'
import { importMeta } from '../../producers/import.ts'
import { toRecord } from '../../producers/record.ts'
import type { EventCodec } from '../../schemas/index.ts'
import type { ImportKind, ImportRun } from '../import/kind.ts'
import type { SourceRecord } from '../import/records.ts'
import type { Fields } from '../import/rows.ts'
import type { TimeRules } from '../import/values.ts'
import { LINE_FIELDS, type LogFormat } from './presets.ts'
import { atMsOf, contextOf, lineOf, type Target, targetOf, textOf } from './values.ts'

export interface IngestPorts {
  readonly log: Pick<EventLog, 'append'>
  readonly codec: EventCodec
}

interface Request {
  readonly reading: Reading
  readonly sessionId: string
  readonly line: RequestLine
  readonly context: ReturnType<typeof contextOf>
  readonly atMs: number
  /** What its id is derived from. */
  readonly identity: readonly string[]
}

/** Why a line became no event. */
export type PassedOver = 'withoutCmcd' | 'withoutSession' | 'unreadableCmcd'

/** What was seen in this call; what former calls saw is in the state's counts. */
export interface Seen {
  readonly passedOver: Record<PassedOver, number>
  /** Records with something wrong in them. */
  faulty: number
}

export interface LineSettings {
  readonly format: LogFormat
  /** Who served, where a line doesn't say. */
  readonly cdn: string | undefined
}

export function nothingSeen(): Seen {
  return { passedOver: { withoutCmcd: 0, withoutSession: 0, unreadableCmcd: 0 }, faulty: 0 }
}

export function linesKind(settings: LineSettings, seen: Seen): ImportKind<Request | PassedOver, IngestPorts> {
  return {
    name: 'cmcd-log',
    fields: LINE_FIELDS,
    needed: [],
    row: (fields, rules, record) => {
      const row = requestOf(settings, fields, rules, record)
      if (typeof row === 'string') seen.passedOver[row]++
      else if (row.reading.faults.length > 0) seen.faulty++
      return row
    },
    records: async ({ codec }, run, rows) =>
      rows.flatMap((row) => (typeof row === 'string' ? [] : [toRecord(codec, eventOf(run, row))])),
  }
}

function requestOf(
  { format, cdn }: LineSettings,
  fields: Fields,
  rules: TimeRules,
  { text = '', line }: SourceRecord,
): Request | PassedOver {
  const target = targetOf(fields)
  const reading = readingOf(fields, target)
  if (reading === undefined) return 'withoutCmcd'
  if (reading.ignored !== undefined) return 'unreadableCmcd'
  const sessionId = sessionOfRecord(reading)
  if (sessionId === undefined) return 'withoutSession'
  return {
    reading,
    sessionId,
    line: lineOf(fields, target, cdn, format),
    context: contextOf(fields),
    atMs: atMsOf(fields, rules),
    identity: ['cmcd-log', textOf(fields, 'requestId') === undefined ? String(line) : '', text],
  }
}

/** Headers beat the query, as where players send both. */
function readingOf(fields: Fields, { path, query }: Target): Reading | undefined {
  const header = (name: string) => textOf(fields, `cmcd${name}`)
  const headers = readHeaders({
    'cmcd-request': header('Request'),
    'cmcd-object': header('Object'),
    'cmcd-status': header('Status'),
    'cmcd-session': header('Session'),
  })
  if (headers !== undefined) return headers
  const said = textOf(fields, 'cmcd') ?? cmcdOfUrl(path) ?? (query === undefined ? undefined : cmcdOfUrl(`?${query}`))
  if (said !== undefined) return readQuery(said)
  const keys = [...fields].filter(([name]) => name.startsWith('cmcd.'))
  return keys.length === 0 ? undefined : readRecord(keys.map(memberOf).join(','), 'request')
}

const TEXTS = new Set(['sid', 'cid', 'nor', 'nrr'])

/** A field for each key, such as real-time logs have: written as a player would have. */
function memberOf([name, value]: readonly [string, unknown]): string {
  const key = name.slice('cmcd.'.length)
  const text = String(value)
  if (TEXTS.has(key)) return `${key}="${text.replaceAll(/["\\]/g, '\\$&')}"`
  if (/^(true|1)$/i.test(text) && (key === 'bs' || key === 'su')) return key
  return /^(false|0)$/i.test(text) && (key === 'bs' || key === 'su') ? `${key}=?0` : `${key}=${text}`
}

function eventOf(run: ImportRun, { reading, sessionId, line, context, atMs, identity }: Request) {
  const meta = importMeta(run, identity, Math.max(0, Math.min(atMs, run.receivedAtMs)))
  const where = context === undefined ? null : { streamType: 'unknown' as const, ...context }
  return cmcdRequest(reading, { sessionId }, line, meta, where)
}
