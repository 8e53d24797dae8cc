import type { AnalyticsReader } from '../ports.ts'
import { answer, answerable } from './answer.ts'
import { definitionsOf } from './metric.ts'
import { OVERVIEW_METRICS } from './metrics.ts'
import { type Question, shownQuestion } from './question.ts'

/** One number for each metric, over the whole window. */
export async function overview(analytics: AnalyticsReader, question: Question) {
  const metrics = question.named.length > 0 ? question.named : answerable(OVERVIEW_METRICS, question)
  const { rows, empty } = await answer(analytics, question, metrics)
  const { values, sample } = rows[0] ?? empty(0)
  return {
    ...shownQuestion(question),
    values,
    definitions: definitionsOf(metrics, question.definition),
    sample,
    freshness: question.read.freshness,
  }
}
