/**
 * The two numbers that no sum of a cube can tell: how many different profiles, and how full the fullest minute was.
 * Whole days without filters (but of the app) come from viewer_days, all else from the views themselves.
 */
import type { AnalyticsReader } from '../ports.ts'
import { sliceColumnOf } from './columns.ts'
import { valueSql } from './dimensions.ts'
import { DAY_MS, MINUTE_MS, QOE_LIMITS } from './limits.ts'
import { PRESENT } from './metrics-audience.ts'
import { type Asked, dimensionsOf, edgesOf, planOf, requireMinutes, type Segment, wholeHours } from './plan.ts'
import { Statement } from './statement.ts'

export type CountAsked = Omit<Asked, 'ofViews' | 'ofMinutes'>

interface Counted {
  readonly at?: number
  readonly of?: string
  readonly n: number | string
}

/** `${step in ms}/${value}` → how many. */
export type Counts = ReadonlyMap<string, number>

export const countKey = (atMs: number, value: string): string => `${atMs}/${value}`

export async function uniqueViewers(analytics: AnalyticsReader, asked: CountAsked): Promise<Counts> {
  const statement = new Statement()
  const parts = viewerParts(asked).map((part) => {
    const { column, weight, table } = part.days ? DAYS : VIEWS
    const time = part.days ? dayBounds(statement, part) : statement.within(column, part)
    const columns = [...keyColumns(statement, asked, column), 'profile_id', `sum(${weight}) AS n`]
    const keys = [...keysOf(asked), 'profile_id'].join(', ')
    const from = statement.table(analytics.views, table)
    return `SELECT ${columns.join(', ')} FROM ${from} WHERE ${time}${statement.filters(asked.filters)} GROUP BY ${keys}`
  })
  const keys = keysOf(asked)
  const inner = [...keys, 'profile_id'].join(', ')
  const profiles = `SELECT ${inner} FROM (${parts.join('\nUNION ALL\n')}) GROUP BY ${inner} HAVING sum(n) > 0`
  const sql = `SELECT ${[...keys, 'count() AS n'].join(', ')} FROM (${profiles})${groupBy(keys)}`
  return await counted(analytics, sql, statement)
}

const DAYS = { column: 'day', weight: 'views', table: 'viewer_days' } as const
const VIEWS = { column: 'started_at', weight: 'views * sign', table: 'views' } as const

function viewerParts(asked: CountAsked) {
  const { window, stepMs } = asked
  const byDay = dimensionsOf(asked).every((dimension) => dimension === 'app_id') && (stepMs ?? DAY_MS) === DAY_MS
  const middle = byDay ? wholeHours(window, DAY_MS) : undefined
  if (middle === undefined) return [{ ...window, days: false }]
  return [{ ...middle, days: true }, ...edgesOf(window, middle).map((edge) => ({ ...edge, days: false }))]
}

function dayBounds(statement: Statement, { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): string {
  const day = (ms: number) => `toDate(${statement.moment(ms)})`
  return `day >= ${day(fromMs)} AND day < ${day(toMs)}`
}

export async function fullestMinute(analytics: AnalyticsReader, asked: CountAsked): Promise<Counts> {
  requireMinutes({ ...asked, stepMs: MINUTE_MS }, 'concurrent_peak')
  const statement = new Statement()
  // An hour's sum does not tell its fullest minute: always by minutes, whatever the step.
  const { dimension, segments } = planOf({ ...asked, stepMs: MINUTE_MS, ofViews: false, ofMinutes: true })
  const outer = keysOf(asked)
  const parts = segments.map((segment) => minuteSql(statement, analytics.views, asked, dimension, segment))
  const sql = `SELECT ${[...outer, 'max(n) AS n'].join(', ')} FROM (${parts.join('\nUNION ALL\n')})${groupBy(outer)}`
  const counts = await counted(analytics, sql, statement)
  return new Map([...counts].map(([key, n]) => [key, Math.round((n / MINUTE_MS) * 10) / 10]))
}

function minuteSql(statement: Statement, database: string, asked: CountAsked, dimension: string, segment: Segment) {
  const isCube = segment.source === 'qoe_minute'
  const table = statement.table(database, isCube ? 'qoe_minute' : 'view_slices')
  const present = isCube ? PRESENT.join(' + ') : `(${PRESENT.map(sliceColumnOf).join(' + ')}) * sign`
  const columns = [...keyColumns(statement, asked, 'minute', isCube ? 'value' : undefined), `sum(${present}) AS n`]
  const where = isCube
    ? `dim = ${statement.value('String', dimension)} AND ${statement.within('minute', segment)}` +
      statement.filters(asked.filters, () => 'value')
    : statement.withinMinutes(segment) + statement.filters(asked.filters)
  return `SELECT ${columns.join(', ')} FROM ${table} WHERE ${where} GROUP BY ${['minute', ...keysOf(asked)].join(', ')}`
}

async function counted(analytics: AnalyticsReader, sql: string, { parameters }: Statement): Promise<Counts> {
  const rows = await analytics.query<Counted>(sql, parameters, { timeoutMs: QOE_LIMITS.queryTimeoutMs })
  return new Map(rows.map(({ at = 0, of = '', n }) => [countKey(Number(at) * 1000, of), Number(n)]))
}

function keysOf({ stepMs, by }: CountAsked): readonly string[] {
  return [...(stepMs === undefined ? [] : ['at']), ...(by === undefined ? [] : ['of'])]
}

function keyColumns(statement: Statement, { stepMs, by }: CountAsked, time: string, value?: string): string[] {
  // Days are dates, and toUnixTimestamp wants moments.
  const moment = time === 'day' ? "toDateTime(day, 'UTC')" : time
  return [
    ...(stepMs === undefined ? [] : [`${statement.step(moment, stepMs)} AS at`]),
    ...(by === undefined ? [] : [`toString(${value ?? valueSql(by)}) AS of`]),
  ]
}

function groupBy(keys: readonly string[]): string {
  return keys.length === 0 ? '' : ` GROUP BY ${keys.join(', ')}`
}
