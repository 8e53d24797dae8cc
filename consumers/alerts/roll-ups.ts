/**
 * What rules see of ClickHouse: minutes of the cube where it has the question, else minutes of the rows themselves.
 * Names are ours (metrics.ts, dimensions.ts); values are typed parameters.
 */
import { type Condition, CUBE_DIMENSIONS, conditionsOf } from '../../projections/incidents/dimensions.ts'
import { type WatchedMetric, watchedMetric } from '../../projections/incidents/metrics.ts'
import type { Rule } from '../../projections/incidents/rule.ts'
import type { MinuteSums } from '../../projections/incidents/samples.ts'

export type Query = (
  sql: string,
  parameters: Readonly<Record<string, unknown>>,
) => Promise<readonly Readonly<Record<string, unknown>>[]>

export interface RollUpPorts {
  readonly query: Query
  /** The database of the views generation. */
  readonly views: string
  /** The database of the generation of CDN requests. */
  readonly requests: string
}

export type Minutes = ReadonlyMap<number, MinuteSums>

interface Statement {
  readonly from: string
  readonly minute: string
  readonly value: string
  readonly sums: Sums
  readonly where: readonly string[]
  readonly parameters: Readonly<Record<string, unknown>>
}

interface Sums {
  readonly numerator: string
  readonly denominator: string
  readonly sample: string
  readonly histogram: string
}

/** `fromMs` to before `toMs`, starts of minutes. Without `by` there is one value: ''. */
export async function readMinutes(
  { query, ...names }: RollUpPorts,
  rule: Rule,
  values: readonly string[],
  fromMs: number,
  toMs: number,
): Promise<ReadonlyMap<string, Minutes>> {
  const { from, minute, value, sums, where, parameters } = statementOf(names, rule)
  const among = rule.by === null ? [] : [`${value} IN {among:Array(String)}`]
  const sql = `SELECT toUnixTimestamp(${minute}) AS at, ${value} AS of, ${sums.numerator} AS n, ${sums.denominator} AS d,
 ${sums.sample} AS s, ${sums.histogram} AS h FROM ${from}
 WHERE ${[...where, ...among].join(' AND ')} GROUP BY at, of`
  const rows = await query(sql, { ...parameters, ...window(fromMs, toMs), ...(rule.by !== null && { among: values }) })
  const found = new Map<string, Map<number, MinuteSums>>(values.map((name) => [name, new Map()]))
  for (const row of rows) found.get(String(row.of))?.set(Number(row.at) * 1_000, sumsFrom(row))
  return found
}

/** The values that carry the most, largest first. */
export async function largestValues(
  { query, ...names }: RollUpPorts,
  rule: Rule,
  limit: number,
  fromMs: number,
  toMs: number,
): Promise<readonly string[]> {
  const { from, value, sums, where, parameters } = statementOf(names, rule)
  const sql = `SELECT ${value} AS of, ${sums.sample} AS s FROM ${from} WHERE ${where.join(' AND ')}
 GROUP BY of HAVING of != '' AND s > 0 ORDER BY s DESC, of LIMIT {limit:UInt32}`
  const rows = await query(sql, { ...parameters, ...window(fromMs, toMs), limit })
  return rows.map(({ of }) => String(of))
}

const window = (fromMs: number, toMs: number) => ({ from: fromMs / 1_000, to: toMs / 1_000 })

function statementOf(names: Omit<RollUpPorts, 'query'>, rule: Rule): Statement {
  const metric = watchedMetric(rule)
  const conditions = conditionsOf(rule.filter)
  if (metric.source === 'cdn_requests') return fromRequests(names.requests, conditions, rule.by)
  const cube = cubeOf(conditions, rule.by)
  if (cube !== undefined) return fromCube(names.views, metric, cube, rule.by)
  return fromRows(names.views, metric, conditions, rule.by)
}

/** The cube has one dimension: it answers a question without any, with one filter, or for each value of one. */
function cubeOf(
  conditions: readonly Condition[],
  by: string | null,
): Pick<Condition, 'dimension' | 'values'> | undefined {
  const [only, ...more] = conditions
  if (only === undefined && by === null) return { dimension: 'all', values: [''] }
  if (only === undefined) return by !== null && CUBE_DIMENSIONS.has(by) ? { dimension: by, values: [] } : undefined
  return more.length === 0 && !only.excluded && by === null && CUBE_DIMENSIONS.has(only.dimension) ? only : undefined
}

function fromCube(
  database: string,
  metric: WatchedMetric,
  { dimension, values }: Pick<Condition, 'dimension' | 'values'>,
  by: string | null,
): Statement {
  const prefix = metric.source === 'slices' ? 'at_' : ''
  const sum = (columns: readonly string[]) =>
    columns.length === 0 ? '0' : columns.map((column) => `sum(${prefix}${column})`).join(' + ')
  return {
    from: `${database}.qoe_minute`,
    minute: 'minute',
    value: by === null ? "''" : 'value',
    sums: {
      numerator: sum(metric.numerator),
      denominator: sum(metric.denominator),
      sample: sum([metric.sample]),
      histogram: metric.percentile === undefined ? 'map()' : 'sumMap(startup_hist)',
    },
    where: [
      'dim = {dim:String}',
      ...(values.length > 0 ? ['value IN {values:Array(String)}'] : []),
      'minute >= toDateTime({from:UInt32})',
      'minute < toDateTime({to:UInt32})',
    ],
    parameters: { dim: dimension, ...(values.length > 0 && { values }) },
  }
}

function fromRows(
  database: string,
  metric: WatchedMetric,
  conditions: readonly Condition[],
  by: string | null,
): Statement {
  const ofSlices = metric.source === 'slices'
  const time = ofSlices ? 'minute' : 'started_at'
  const sum = (columns: readonly string[]) => (columns.length === 0 ? '0' : `sum(sign * (${columns.join(' + ')}))`)
  const { where, parameters } = filtered(conditions)
  return {
    from: `${database}.${ofSlices ? 'view_slices' : 'views'}`,
    minute: `toStartOfMinute(${time})`,
    value: by === null ? "''" : expressionOf(by),
    sums: {
      numerator: sum(metric.numerator),
      denominator: sum(metric.denominator),
      sample: sum([metric.sample]),
      histogram:
        metric.percentile === undefined ? 'map()' : 'sumMap(map(toUInt16(startup_bucket), toInt64(sign * startups)))',
    },
    where: [`${time} >= toDateTime({from:UInt32})`, `${time} < toDateTime({to:UInt32})`, ...where],
    parameters,
  }
}

/** What was served from a cache, as the words of CDNs and of proxies say it. */
const HIT =
  "(positionCaseInsensitive(cache_status, 'hit') > 0 OR lower(cache_status) IN ('stale', 'updating', 'revalidated'))"

function fromRequests(database: string, conditions: readonly Condition[], by: string | null): Statement {
  const { where, parameters } = filtered(conditions)
  return {
    // With the copies of lines that were read again: they change no ratio, and leaving them out costs many times more.
    from: `${database}.cdn_requests`,
    minute: 'toStartOfMinute(occurred_at)',
    value: by === null ? "''" : expressionOf(by),
    sums: { numerator: `countIf(${HIT})`, denominator: 'count()', sample: 'count()', histogram: 'map()' },
    where: [
      'occurred_at >= toDateTime({from:UInt32})',
      'occurred_at < toDateTime({to:UInt32})',
      "cache_status != ''",
      ...where,
    ],
    parameters,
  }
}

function filtered(conditions: readonly Condition[]): Pick<Statement, 'where' | 'parameters'> {
  const where = conditions.map(
    ({ dimension, excluded }, i) => `${expressionOf(dimension)} ${excluded ? 'NOT IN' : 'IN'} {f${i}:Array(String)}`,
  )
  return { where, parameters: Object.fromEntries(conditions.map(({ values }, i) => [`f${i}`, values])) }
}

/** As the cube names its values. */
const EXPRESSIONS: Readonly<Record<string, string>> = {
  region: "if(region = '' OR country = '', region, concat(country, '-', region))",
  asn: "if(asn = 0, '', toString(asn))",
}

function expressionOf(dimension: string): string {
  return EXPRESSIONS[dimension] ?? dimension
}

function sumsFrom({ n, d, s, h }: Readonly<Record<string, unknown>>): MinuteSums {
  const histogram = new Map(
    Object.entries((h ?? {}) as object).map(([bucket, count]) => [Number(bucket), Number(count)]),
  )
  return { numerator: Number(n), denominator: Number(d), sample: Number(s), histogram }
}
