/** Metrics of a question: which sums they need, and what they come to in each row. */
import type { Histogram } from '../../projections/histogram.ts'
import type { AnalyticsReader } from '../ports.ts'
import { isMinuteMeasure, type Measure } from './columns.ts'
import type { QoeDimension } from './dimensions.ts'
import { measuresOf, percentile, resultOf, type Sums } from './formulas.ts'
import { MINUTE_MS } from './limits.ts'
import { formulaOf, metricOf } from './metric.ts'
import type { Definition } from './metric-kinds.ts'
import type { MetricName } from './metrics.ts'
import { hasMinutes, requireMinutes } from './plan.ts'
import type { Question } from './question.ts'
import { ofValues, readRanked } from './ranked.ts'
import { type Rank, readSums, type SumsRow } from './sums.ts'
import { type Counts, countKey, fullestMinute, uniqueViewers } from './viewers.ts'

/** What every answer counts, so that a number comes with what it is based on. */
const SAMPLE: readonly Measure[] = ['views', 'startups', 'reports', 'lost_reports']

export interface Sample {
  readonly views: number
  /** Views whose startup time is known: what percentiles are of. */
  readonly startups: number
  readonly reports: number
  readonly lostReports: number
}

export type Values = Readonly<Partial<Record<MetricName, number | null>>>

export interface AnswerRow {
  readonly atMs: number
  readonly value: string
  readonly values: Values
  readonly sample: Sample
}

export interface Shape {
  readonly by?: QoeDimension
  readonly stepMs?: number
  readonly rank?: Rank
}

export interface Answer {
  readonly rows: readonly AnswerRow[]
  /** Values of what is not there: no view, no minute. */
  readonly empty: (atMs: number) => AnswerRow
}

export async function answer(
  analytics: AnalyticsReader,
  question: Question,
  metrics: readonly MetricName[],
  shape: Shape = {},
): Promise<Answer> {
  const { rank, ...steps } = shape
  const asked = { window: question.window, filters: question.filters, ...steps }
  const kinds = new Set(metrics.map((name) => metricOf(name).kind))
  const measures = new Set([...SAMPLE, ...metrics.flatMap((name) => neededBy(name, question.definition))])
  const minute = [...measures].find(isMinuteMeasure)
  if (minute !== undefined) {
    requireMinutes(asked, 'viewers by the minute')
    if (rank !== undefined) measures.add('at_slices')
  }
  const { timedOutAtMs } = question
  const sums = { ...asked, measures: [...measures], histogram: kinds.has('percentile'), timedOutAtMs }
  const reading = rank === undefined ? readSums(analytics, sums) : readRanked(analytics, sums, rank)
  // Who is not shown is not counted.
  const shown = rank === undefined ? asked : ofValues(asked, await reading)
  const [rows, viewers, peaks] = await Promise.all([
    reading,
    kinds.has('viewers') && shown !== undefined ? uniqueViewers(analytics, shown) : NONE,
    kinds.has('peak') && shown !== undefined ? fullestMinute(analytics, shown) : NONE,
  ])
  const show = (row: SumsRow): AnswerRow => {
    const values: Partial<Record<MetricName, number | null>> = {}
    for (const name of metrics) values[name] = resultIn(name, row, { question, shape, viewers, peaks })
    return { atMs: row.atMs, value: row.value, values, sample: sampleOf(row.sums) }
  }
  const empty = (atMs: number) => show({ atMs, value: '', sums: {}, histogram: NO_COUNTS })
  return { rows: rows.map(show), empty }
}

const NONE: Counts = new Map()
const NO_COUNTS: Histogram = { buckets: [], counts: [] }

/** Without those that would need the minutes of single views over too long a time. */
export function answerable(
  metrics: readonly MetricName[],
  question: Question,
  shape: Shape = {},
): readonly MetricName[] {
  const { window, filters } = question
  if (hasMinutes({ window, filters, ...shape })) return metrics
  return metrics.filter((name) => !neededBy(name, question.definition).some(isMinuteMeasure))
}

export function neededBy(name: MetricName, definition: Definition): readonly Measure[] {
  const metric = metricOf(name)
  return metric.kind === 'ratio' ? measuresOf(formulaOf(metric, definition).formula) : []
}

interface Around {
  readonly question: Question
  readonly shape: Shape
  readonly viewers: Counts
  readonly peaks: Counts
}

function resultIn(name: MetricName, row: SumsRow, { question, shape, viewers, peaks }: Around): number | null {
  const metric = metricOf(name)
  if (metric.kind === 'percentile') return percentile(row.histogram, metric.share)
  if (metric.kind === 'viewers') return viewers.get(countKey(row.atMs, row.value)) ?? 0
  if (metric.kind === 'peak') return peaks.get(countKey(row.atMs, row.value)) ?? 0
  return resultOf(formulaOf(metric, question.definition).formula, row.sums, elapsedMs(question, shape, row.atMs))
}

/** Time of the step (or the window) that has passed by now; what is to come is nobody's. */
function elapsedMs({ window, read }: Question, { stepMs }: Shape, atMs: number): number {
  const fromMs = stepMs === undefined ? window.fromMs : atMs
  const toMs = stepMs === undefined ? window.toMs : atMs + stepMs
  // A clock of a viewer may be ahead of the log's by a little: a minute that was reported of has passed.
  const passedMs = Math.ceil(read.asOfMs / MINUTE_MS) * MINUTE_MS
  return Math.max(MINUTE_MS, Math.min(toMs, Math.max(passedMs, fromMs)) - fromMs)
}

export function sampleOf(sums: Sums): Sample {
  const { views = 0, startups = 0, reports = 0, lost_reports: lostReports = 0 } = sums
  return { views, startups, reports, lostReports }
}
