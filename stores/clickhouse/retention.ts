/**
 * How long ClickHouse keeps the rows of a generation: a TTL by the time in the row (when it happened), never by when it
 * was inserted, so that a rebuild keeps the same rows as the tables it replaces. The log stays as it is.
 *
 * Applied after the migrations, at every start; a table that already has its TTL is not touched. Rows that are too old
 * go when their parts are next merged, some hours later at most.
 */
import { StoreRefused } from '../errors.ts'
import type { ClickHouse } from './clickhouse.ts'
import { identifier } from './sql.ts'

/** By which column each table's rows grow old. */
export const AGED_BY = {
  events: 'received_at',
  cdn_requests: 'occurred_at',
  views: 'started_at',
  view_slices: 'minute',
  view_keys: 'started_at',
  viewer_days: 'day',
  qoe_minute: 'minute',
  qoe_hour: 'hour',
} as const

export type AgedTable = keyof typeof AGED_BY
/** Days for each table that is to forget; 0, or not named: it keeps everything. */
export type RetentionDays = Readonly<Partial<Record<AgedTable, number>>>

const DAYS_MAX = 36_500
const DAYS_SET = /\bTTL .*?toIntervalDay\((\d+)\)/

/** Answers the tables that were changed. */
export async function applyRetention(store: ClickHouse, database: string, days: RetentionDays): Promise<AgedTable[]> {
  const tables = await store.query<{ name: AgedTable; engine_full: string }>(
    `SELECT name, engine_full FROM system.tables WHERE database = {database:String} AND name IN {names:Array(String)}`,
    { database, names: Object.keys(AGED_BY) },
  )
  const changed: AgedTable[] = []
  for (const { name, engine_full } of tables) {
    const wanted = days[name] ?? 0
    if (!Number.isInteger(wanted) || wanted < 0 || wanted > DAYS_MAX) {
      throw new StoreRefused(`"${wanted}" can't be the days that ${name} is kept: use whole days, at most ${DAYS_MAX}`)
    }
    const now = Number(DAYS_SET.exec(engine_full)?.[1] ?? 0)
    if (now === wanted) continue
    const table = `${identifier(database)}.${identifier(name)}`
    const ttl = `MODIFY TTL toDateTime(${AGED_BY[name]}, 'UTC') + INTERVAL ${wanted} DAY`
    await store.command(`ALTER TABLE ${table} ${wanted === 0 ? 'REMOVE TTL' : ttl}`)
    changed.push(name)
  }
  return changed
}
