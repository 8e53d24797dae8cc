/** Both sides' sums of the same population: views that began in these days, of this app, one line for each group. */
import type { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import { qualified } from '../../stores/clickhouse/sql.ts'
import { boundsMs, type DayRange } from '../export/days.ts'
import { COMPUTED, type ComparedMetric, columnsOf, ratioOf, type Sums } from './metrics.ts'

/** Expressions over columns that both tables have. */
export const GROUPS = {
  title: 'title_id',
  country: 'country',
  cdn: 'cdn',
  device_type: 'device_type',
  day: "toString(toDate(started_at, 'UTC'))",
} as const
export type By = keyof typeof GROUPS

export interface Tables {
  readonly analytics: ClickHouse
  /** Databases of the generations. */
  readonly views: string
  readonly importedViews: string
}

export interface Question {
  readonly range: DayRange
  readonly by: By | undefined
  readonly app: string | undefined
  readonly environment: string | undefined
  readonly groupsMax: number
  readonly metrics: readonly ComparedMetric[]
}

export interface ComparedGroup {
  readonly group: string
  readonly metrics: Readonly<Record<string, ComparedValues>>
}

/** null: nobody knows. */
export interface ComparedValues {
  readonly theirs: number | null
  readonly oursByMux: number | null
  readonly oursByCta: number | null
}

const IN_RANGE = `started_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
  AND started_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
  AND ({app:String} = '' OR app_id = {app:String}) AND ({environment:String} = '' OR environment = {environment:String})`

/** First and last day of what was imported; undefined: nothing was. */
export async function importedDays({ analytics, importedViews }: Tables): Promise<DayRange | undefined> {
  const [row] = await analytics.query<{ first: string; last: string; rows: string }>(
    `SELECT toString(toDate(min(started_at), 'UTC')) AS first, toString(toDate(max(started_at), 'UTC')) AS last,
            toString(count()) AS rows
     FROM ${qualified(`${importedViews}.imported_view_rows`)}`,
  )
  return row === undefined || row.rows === '0' ? undefined : { from: row.first, to: row.last }
}

export async function readComparison(tables: Tables, question: Question): Promise<readonly ComparedGroup[]> {
  const { by, metrics, groupsMax } = question
  const theirs = await theirSums(tables, question)
  const ours = await ourSums(tables, question)
  const viewsOf = (group: string) => (theirs.get(group)?.views ?? 0) + (ours.get(group)?.views ?? 0)
  const groups = [...new Set([...theirs.keys(), ...ours.keys()])]
  const shown = groups.sort((a, b) => viewsOf(b) - viewsOf(a) || (a < b ? -1 : 1)).slice(0, groupsMax)
  if (by === 'day') shown.sort()
  return shown.map((group) => ({
    group,
    metrics: Object.fromEntries(
      metrics.map((metric) => [
        metric.name,
        {
          theirs: ratioOf(metric.theirs, theirs.get(group)) ?? null,
          oursByMux: ratioOf(metric.mux, ours.get(group)) ?? null,
          oursByCta: ratioOf(metric.cta, ours.get(group)) ?? null,
        },
      ]),
    ),
  }))
}

/** The last import of each view. */
async function theirSums({ analytics, importedViews }: Tables, question: Question) {
  const columns = columnsOf(question.metrics, 'theirs')
  const group = groupOf(question)
  return await sums(
    analytics,
    `SELECT group, ${columns.map((name) => `toString(sum(${name})) AS sum_${name}`).join(', ')}
     FROM (
       SELECT ${group} AS group, ${columns.join(', ')} FROM ${qualified(`${importedViews}.imported_view_rows`)}
       WHERE ${IN_RANGE}
       ORDER BY imported_at DESC, version DESC LIMIT 1 BY vendor, app_id, environment, view_id
     ) GROUP BY group`,
    question,
  )
}

async function ourSums({ analytics, views }: Tables, question: Question) {
  const columns = columnsOf(question.metrics, 'ours').map((name) => {
    const expression = name in COMPUTED ? COMPUTED[name as keyof typeof COMPUTED] : name
    return `toString(sum((${expression}) * sign)) AS sum_${name}`
  })
  return await sums(
    analytics,
    `SELECT ${groupOf(question)} AS group, ${columns.join(', ')}
     FROM ${qualified(`${views}.views`)} WHERE ${IN_RANGE} GROUP BY group HAVING sum(sign) > 0`,
    question,
  )
}

function groupOf({ by }: Question): string {
  return by === undefined ? "''" : GROUPS[by]
}

async function sums(analytics: ClickHouse, sql: string, { range, app, environment }: Question) {
  const { fromMs, toMs } = boundsMs(range)
  const parameters = { from: fromMs, to: toMs, app: app ?? '', environment: environment ?? '' }
  const rows = await analytics.query<Readonly<Record<string, string>>>(sql, parameters)
  return new Map<string, Sums>(
    rows.map(({ group = '', ...named }) => [
      group,
      Object.fromEntries(Object.entries(named).map(([name, value]) => [name.slice('sum_'.length), Number(value)])),
    ]),
  )
}
