/**
 * Sums of measures, by step and by value of a dimension: one statement over all the places that a plan names. A measure
 * that a place does not have is 0 there, so that their rows can be added.
 */
import type { Histogram } from '../../projections/histogram.ts'
import type { AnalyticsReader } from '../ports.ts'
import {
  ALIVE_COLUMNS,
  isAliveMeasure,
  isMinuteMeasure,
  isViewMeasure,
  type Measure,
  sliceColumnOf,
} from './columns.ts'
import { valueSql } from './dimensions.ts'
import type { Sums } from './formulas.ts'
import { QOE_LIMITS } from './limits.ts'
import { type Asked, type Plan, planOf, type Segment } from './plan.ts'
import { Statement } from './statement.ts'

export interface SumsAsked extends Omit<Asked, 'ofViews' | 'ofMinutes'> {
  readonly measures: readonly Measure[]
  /** Of startup times. */
  readonly histogram: boolean
  /** An open view whose last report came at this moment or before has timed out. */
  readonly timedOutAtMs: number
  readonly rank?: Rank
}

export interface Rank {
  /** The measures that it takes. */
  readonly of: readonly Measure[]
  /** Over the measures' names. */
  readonly sql: string
  readonly descending: boolean
  readonly limit: number
  readonly viewsMin: number
}

export interface SumsRow {
  /** Of the step; 0 without steps. */
  readonly atMs: number
  /** Of the dimension; '' without one. */
  readonly value: string
  readonly sums: Sums
  /** Of startup times. What was added and taken back leaves a bucket with nothing in it. */
  readonly histogram: Histogram
}

interface Answered extends Readonly<Record<string, unknown>> {
  readonly at?: number
  readonly of?: string
  readonly buckets?: readonly number[]
  readonly counts?: readonly number[]
}

export async function readSums(
  analytics: AnalyticsReader,
  asked: SumsAsked,
  timeoutMs: number = QOE_LIMITS.queryTimeoutMs,
): Promise<readonly SumsRow[]> {
  const statement = new Statement()
  const sql = sumsSql(statement, analytics.views, asked)
  const rows = await analytics.query<Answered>(sql, statement.parameters, { timeoutMs })
  return rows.map((row) => ({
    atMs: Number(row.at ?? 0) * 1000,
    value: row.of ?? '',
    sums: Object.fromEntries(asked.measures.map((measure) => [measure, Number(row[measure] ?? 0)])),
    histogram: { buckets: row.buckets ?? NONE, counts: row.counts ?? NONE },
  }))
}

const NONE: readonly number[] = []

function sumsSql(statement: Statement, database: string, asked: SumsAsked): string {
  const { measures, histogram, rank } = asked
  const plan = planOf({
    ...asked,
    ofViews: histogram || measures.some(isViewMeasure),
    ofMinutes: measures.some(isMinuteMeasure),
  })
  const parts = plan.segments.map((segment) => segmentSql(statement, database, asked, plan, segment))
  if (measures.some(isAliveMeasure)) parts.push(aliveSql(statement, database, asked))
  const keys = keysOf(asked)
  const columns = [
    ...keys,
    ...measures.map((measure) => `sum(s_${measure}) AS ${measure}`),
    // Lists and no object: thousands of objects with other keys each are slow to parse.
    ...(histogram
      ? ['mapKeys(sumMap(s_histogram)) AS buckets', "CAST(mapValues(sumMap(s_histogram)), 'Array(Float64)') AS counts"]
      : []),
  ]
  const group = keys.length === 0 ? '' : ` GROUP BY ${keys.join(', ')}`
  return `SELECT ${columns.join(', ')}\nFROM (\n${parts.join('\nUNION ALL\n')}\n)${group}${endSql(statement, asked, rank)}`
}

function keysOf({ stepMs, by }: Pick<Asked, 'stepMs' | 'by'>): readonly string[] {
  return [...(stepMs === undefined ? [] : ['at']), ...(by === undefined ? [] : ['of'])]
}

function endSql(statement: Statement, asked: SumsAsked, rank: Rank | undefined): string {
  const keys = keysOf(asked)
  if (rank === undefined) return keys.length === 0 ? '' : ` ORDER BY ${keys.join(', ')}`
  const { measures } = asked
  const seen = measures.includes('at_slices') ? ' OR at_slices > 0' : ''
  const having = rank.viewsMin > 0 ? `views >= ${statement.value('Int64', rank.viewsMin)}` : `views > 0${seen}`
  const order = `${rank.sql} ${rank.descending ? 'DESC' : 'ASC'} NULLS LAST, of`
  return ` HAVING ${having} ORDER BY ${order} LIMIT ${statement.value('UInt32', rank.limit)}`
}

function segmentSql(statement: Statement, database: string, asked: SumsAsked, plan: Plan, segment: Segment): string {
  const { source } = segment
  const isCube = source === 'qoe_minute' || source === 'qoe_hour'
  if (isCube) return cubeSql(statement, database, asked, plan, { ...segment, source })
  return source === 'views'
    ? viewsSql(statement, database, asked, segment)
    : slicesSql(statement, database, asked, segment)
}

function cubeSql(
  statement: Statement,
  database: string,
  asked: SumsAsked,
  { dimension }: Plan,
  segment: Segment & { readonly source: 'qoe_minute' | 'qoe_hour' },
): string {
  const time = segment.source === 'qoe_minute' ? 'minute' : 'hour'
  const sums = asked.measures.map((measure) =>
    isAliveMeasure(measure) ? nothing(measure) : `toInt64(${measure}) AS s_${measure}`,
  )
  const columns = [...keyColumns(statement, asked, time, 'value'), ...sums]
  if (asked.histogram) columns.push("CAST(startup_hist, 'Map(UInt16, Int64)') AS s_histogram")
  const where =
    `dim = ${statement.value('String', dimension)} AND ${statement.within(time, segment)}` +
    statement.filters(asked.filters, () => 'value')
  return select(columns, statement.table(database, segment.source), where)
}

const NO_HISTOGRAM = "CAST(map(), 'Map(UInt16, Int64)')"

function viewsSql(statement: Statement, database: string, asked: SumsAsked, segment: Segment): string {
  const sums = asked.measures.map((measure) =>
    isViewMeasure(measure) ? `${measure} * sign AS s_${measure}` : nothing(measure),
  )
  const columns = [...keyColumns(statement, asked, 'started_at'), ...sums]
  if (asked.histogram) {
    const one = `if(startups = 0, ${NO_HISTOGRAM}, map(startup_bucket, toInt64(startups * sign)))`
    columns.push(`${one} AS s_histogram`)
  }
  const where = statement.within('started_at', segment) + statement.filters(asked.filters)
  return select(columns, statement.table(database, 'views'), where)
}

function slicesSql(statement: Statement, database: string, asked: SumsAsked, segment: Segment): string {
  const sums = asked.measures.map((measure) =>
    isMinuteMeasure(measure) ? `${sliceColumnOf(measure)} * sign AS s_${measure}` : nothing(measure),
  )
  const columns = [...keyColumns(statement, asked, 'minute'), ...sums]
  if (asked.histogram) columns.push(`${NO_HISTOGRAM} AS s_histogram`)
  const where = statement.withinMinutes(segment) + statement.filters(asked.filters)
  return select(columns, statement.table(database, 'view_slices'), where)
}

/** Of the whole window at once: which views have not timed out no cube knows. */
function aliveSql(statement: Statement, database: string, asked: SumsAsked): string {
  const sums = asked.measures.map((measure) =>
    isAliveMeasure(measure) ? `${ALIVE_COLUMNS[measure]} * sign AS s_${measure}` : nothing(measure),
  )
  const columns = [...keyColumns(statement, asked, 'started_at'), ...sums]
  if (asked.histogram) columns.push(`${NO_HISTOGRAM} AS s_histogram`)
  const where =
    `${statement.within('started_at', asked.window)} AND open = 1` +
    ` AND last_received_at > ${statement.moment(asked.timedOutAtMs)}${statement.filters(asked.filters)}`
  return select(columns, statement.table(database, 'views'), where)
}

function keyColumns(statement: Statement, { stepMs, by }: SumsAsked, time: string, value?: string): string[] {
  return [
    ...(stepMs === undefined ? [] : [`${statement.step(time, stepMs)} AS at`]),
    ...(by === undefined ? [] : [`toString(${value ?? valueSql(by)}) AS of`]),
  ]
}

function nothing(measure: Measure): string {
  return `toInt64(0) AS s_${measure}`
}

/** Rows as they are: they are added once, outside. */
function select(columns: readonly string[], table: string, where: string): string {
  return `SELECT ${columns.join(', ')} FROM ${table} WHERE ${where}`
}
