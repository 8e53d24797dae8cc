import type { AnalyticsReader } from '../ports.ts'
import { type AnswerRow, answer, answerable, type Sample } from './answer.ts'
import { definitionsOf } from './metric.ts'
import { SERIES_METRICS } from './metrics.ts'
import { type Question, shownQuestion } from './question.ts'
import { GRAINS, type Grain } from './window.ts'

/** A point for each step, without gaps: a step in which nothing was is a point too. */
export async function timeseries(analytics: AnalyticsReader, question: Question, grain: Grain) {
  const stepMs = GRAINS[grain]
  const shape = { stepMs }
  const metrics = question.named.length > 0 ? question.named : answerable(SERIES_METRICS, question, shape)
  const { rows, empty } = await answer(analytics, question, metrics, shape)
  const found = new Map(rows.map((row) => [row.atMs, row]))
  const points = []
  for (let atMs = question.window.fromMs; atMs < question.window.toMs; atMs += stepMs) {
    points.push(pointOf(found.get(atMs) ?? empty(atMs)))
  }
  return {
    ...shownQuestion(question),
    grain,
    points,
    definitions: definitionsOf(metrics, question.definition),
    sample: totalOf(rows),
    freshness: question.read.freshness,
  }
}

function pointOf({ atMs, values, sample }: AnswerRow) {
  return { at: new Date(atMs).toISOString(), ...values, sample: { views: sample.views, startups: sample.startups } }
}

export function totalOf(rows: readonly AnswerRow[]): Sample {
  const total = { views: 0, startups: 0, reports: 0, lostReports: 0 }
  for (const { sample } of rows) {
    total.views += sample.views
    total.startups += sample.startups
    total.reports += sample.reports
    total.lostReports += sample.lostReports
  }
  return total
}
