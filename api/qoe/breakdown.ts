/** A row for each value of a dimension, ranked by a metric. */
import { StoreError } from '../../stores/errors.ts'
import type { AnalyticsReader } from '../ports.ts'
import { Problem } from '../problems.ts'
import { type AnswerRow, answer, answerable } from './answer.ts'
import type { QoeDimension } from './dimensions.ts'
import { formulaSql, measuresOf } from './formulas.ts'
import { QOE_LIMITS } from './limits.ts'
import { definitionsOf, formulaOf, metricNamed, metricOf } from './metric.ts'
import { BREAKDOWN_METRICS, type MetricName } from './metrics.ts'
import { type Question, shownQuestion } from './question.ts'
import { Statement } from './statement.ts'
import type { Rank } from './sums.ts'

export interface BreakdownAsked {
  readonly by: QoeDimension
  /** A metric; `-` in front: largest first. */
  readonly order: string
  readonly limit: number
  readonly viewsMin: number
}

interface Order {
  readonly metric: MetricName
  readonly descending: boolean
}

export async function breakdown(analytics: AnalyticsReader, question: Question, asked: BreakdownAsked) {
  const { by, limit } = asked
  const order = orderOf(asked.order)
  const named = question.named.length > 0 ? question.named : answerable(BREAKDOWN_METRICS, question, { by })
  const metrics = [...new Set([...named, order.metric])]
  const rank = rankOf(question, order, asked)
  const [{ rows }, all] = await Promise.all([
    answer(analytics, question, metrics, { by, rank }),
    answer(analytics, question, ['views']),
  ])
  const ranked = metricOf(order.metric).kind === 'ratio' ? rows : [...rows].sort(comparing(order))
  const shown = ranked.slice(0, limit)
  const names = by === 'title_id' ? await titleNames(analytics, shown) : undefined
  const { sample } = all.rows[0] ?? all.empty(0)
  return {
    ...shownQuestion(question),
    by,
    order: `${order.descending ? '-' : ''}${order.metric}`,
    rows: shown.map(({ value, values, sample: own }) => ({
      value,
      ...(names !== undefined && { name: names.get(value) ?? null }),
      ...values,
      sample: own,
    })),
    /** Whether there are values beyond these. */
    more: ranked.length > limit,
    definitions: definitionsOf(metrics, question.definition),
    sample,
    freshness: question.read.freshness,
  }
}

function orderOf(text: string): Order {
  const descending = text.startsWith('-')
  return { metric: metricNamed(descending ? text.slice(1) : text, 'order'), descending }
}

/** What SQL can rank by, it does. The others are ranked here, among the values with the most views. */
function rankOf(question: Question, { metric: name, descending }: Order, { limit, viewsMin }: BreakdownAsked): Rank {
  const metric = metricOf(name)
  if (metric.kind !== 'ratio') {
    return { of: ['views'], sql: 'views', descending: true, limit: QOE_LIMITS.breakdownRankedMax, viewsMin }
  }
  const { formula } = formulaOf(metric, question.definition)
  return { of: measuresOf(formula), sql: formulaSql(formula), descending, limit: limit + 1, viewsMin }
}

function comparing({ metric, descending }: Order) {
  return (a: AnswerRow, b: AnswerRow): number => {
    const [x, y] = [a.values[metric] ?? null, b.values[metric] ?? null]
    if (x === y) return a.value < b.value ? -1 : 1
    if (x === null || y === null) return x === null ? 1 : -1
    return descending ? y - x : x - y
  }
}

/** A catalogue that is not there, or not in time, costs the answer the names and nothing else. */
async function titleNames(
  analytics: AnalyticsReader,
  rows: readonly AnswerRow[],
): Promise<ReadonlyMap<string, string>> {
  if (rows.length === 0) return new Map()
  const statement = new Statement()
  const ids = statement.value('Array(String)', [...new Set(rows.map(({ value }) => value))])
  const table = statement.table(analytics.shared, 'titles')
  const sql = `SELECT title_id, any(name) AS title FROM ${table} WHERE title_id IN ${ids} GROUP BY title_id`
  try {
    const found = await analytics.query<{ title_id: string; title: string }>(sql, statement.parameters, {
      timeoutMs: QOE_LIMITS.namesTimeoutMs,
    })
    return new Map(found.map(({ title_id, title }) => [title_id, title]))
  } catch (error) {
    if (error instanceof StoreError || error instanceof Problem) return new Map()
    throw error
  }
}
