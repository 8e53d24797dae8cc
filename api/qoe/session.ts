/** What the tables hold of one session: its views, their minutes, their events. Three look-ups by key, each bounded. */
import { SLICE_COLUMNS } from '../../projections/views/row.ts'
import type { AnalyticsReader } from '../ports.ts'
import { MINUTE_MS, QOE_LIMITS } from './limits.ts'
import { ALL_VIEW_COLUMNS, columnsSql, type RawRow, SLICE_SHOWN } from './rows.ts'
import { standingViews } from './standing.ts'
import { Statement } from './statement.ts'

/** A view's last reports may not have changed its row yet. */
const AFTER_LAST_MS = 5 * MINUTE_MS

export interface ViewKey {
  readonly viewId: string
  readonly profileId: string
  readonly titleId: string
  readonly startedAtMs: number
  readonly lastAtMs: number
  readonly lastReceivedAtMs: number
}

export interface StoredEvent {
  readonly topic: string
  readonly partition: number
  readonly position: string
  readonly fate: string
  readonly type: string
  readonly eventId: string
  readonly occurredAtMs: number
  readonly receivedAtMs: number
  readonly source: string
  readonly appId: string
  readonly environment: string
  readonly profileId: string
  readonly titleId: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** In the order of their begin. */
export async function keysOf(analytics: AnalyticsReader, sessionId: string): Promise<readonly ViewKey[]> {
  const statement = new Statement()
  const sql = `SELECT view_id, profile_id, title_id, toUnixTimestamp64Milli(started_at) AS started_ms,
  toUnixTimestamp64Milli(last_at) AS last_ms, toUnixTimestamp64Milli(last_received_at) AS received_ms
FROM ${statement.table(analytics.views, 'view_keys')} WHERE session_id = ${statement.value('String', sessionId)}
GROUP BY view_id, profile_id, title_id, started_at, last_at, last_received_at HAVING sum(views) > 0
ORDER BY started_at, view_id LIMIT ${statement.value('UInt32', QOE_LIMITS.sessionViewsMax + 1)}`
  const rows = await analytics.query<Readonly<Record<string, string | number>>>(sql, statement.parameters, LOOKUP)
  return rows.map((row) => ({
    viewId: String(row.view_id),
    profileId: String(row.profile_id),
    titleId: String(row.title_id),
    startedAtMs: Number(row.started_ms),
    lastAtMs: Number(row.last_ms),
    lastReceivedAtMs: Number(row.received_ms),
  }))
}

const LOOKUP = { timeoutMs: QOE_LIMITS.lookupTimeoutMs }

export async function viewRowsOf(
  analytics: AnalyticsReader,
  keys: readonly ViewKey[],
): Promise<ReadonlyMap<string, RawRow>> {
  const rows = await standingViews(analytics, keys, ALL_VIEW_COLUMNS)
  return new Map(rows.map((row) => [String(row.x_view_id), row]))
}

/** At most so many in all; whether there are more is told. */
export async function slicesOf(analytics: AnalyticsReader, keys: readonly ViewKey[]): Promise<readonly RawRow[]> {
  const statement = new Statement()
  const window = {
    fromMs: Math.floor(Math.min(...keys.map((key) => key.startedAtMs)) / MINUTE_MS) * MINUTE_MS,
    toMs: Math.max(...keys.map((key) => key.lastAtMs)) + MINUTE_MS,
  }
  const titles = statement.value('Array(String)', [...new Set(keys.map((key) => key.titleId))])
  const ids = statement.value(
    'Array(String)',
    keys.map((key) => key.viewId),
  )
  const limit = statement.value('UInt32', QOE_LIMITS.storySlicesMax + 1)
  const sql = `SELECT ${columnsSql(['view_id', ...SLICE_SHOWN], SLICE_COLUMNS)}
FROM ${statement.table(analytics.views, 'view_slices')} FINAL
WHERE ${statement.withinMinutes(window)} AND title_id IN ${titles} AND view_id IN ${ids}
ORDER BY minute, view_id LIMIT ${limit}`
  return await analytics.query<RawRow>(sql, statement.parameters, LOOKUP)
}

/** In the order in which they came in. */
export async function eventsOf(
  analytics: AnalyticsReader,
  sessionId: string,
  keys: readonly ViewKey[],
): Promise<readonly StoredEvent[]> {
  const statement = new Statement()
  const window = {
    fromMs: Math.min(...keys.map((key) => key.startedAtMs)) - MINUTE_MS,
    toMs: Math.max(...keys.map((key) => key.lastReceivedAtMs)) + AFTER_LAST_MS,
  }
  const limit = statement.value('UInt32', QOE_LIMITS.storyEventsMax + 1)
  const profiles = statement.value('Array(String)', [...new Set(keys.map((key) => key.profileId))])
  const sql = `SELECT topic, partition, toString(position) AS at_position, fate, type, toString(event_id) AS id,
  toUnixTimestamp64Milli(occurred_at) AS occurred_ms, toUnixTimestamp64Milli(received_at) AS received_ms,
  source, app_id, environment, profile_id, title_id, payload
FROM ${statement.table(analytics.shared, 'events')}
WHERE ${statement.within('received_at', window)} AND topic = 'playback-events'
  AND session_id = ${statement.value('String', sessionId)} AND profile_id IN ${profiles}
ORDER BY received_at, partition, position LIMIT ${limit}`
  const rows = await analytics.query<Readonly<Record<string, string | number>>>(sql, statement.parameters, LOOKUP)
  return rows.map(eventOf)
}

function eventOf(row: Readonly<Record<string, string | number>>): StoredEvent {
  return {
    topic: String(row.topic),
    partition: Number(row.partition),
    position: String(row.at_position),
    fate: String(row.fate),
    type: String(row.type),
    eventId: String(row.id),
    occurredAtMs: Number(row.occurred_ms),
    receivedAtMs: Number(row.received_ms),
    source: String(row.source),
    appId: String(row.app_id),
    environment: String(row.environment),
    profileId: String(row.profile_id),
    titleId: String(row.title_id),
    fields: fieldsOf(String(row.payload)),
  }
}

/** Written by our own projection as JSON; empty where the bytes could not be decoded. */
function fieldsOf(payload: string): Readonly<Record<string, unknown>> {
  return payload === '' ? {} : (JSON.parse(payload) as Record<string, unknown>)
}
