/** What every QoE route is asked, read once: when, of what, by whose definition, as of when. */

import { type Filters, filtersOf, filterTexts, listOf } from './filters.ts'
import type { Read } from './freshness.ts'
import { MINUTE_MS, QOE_LIMITS } from './limits.ts'
import { metricsOf } from './metric.ts'
import { type Definition, STANDARD } from './metric-kinds.ts'
import type { MetricName } from './metrics.ts'
import { shownWindow, timeOf, type Window, windowOf } from './window.ts'

export interface AskedQuery {
  readonly from?: string | number
  readonly to?: string | number
  readonly filter?: string | readonly string[]
  readonly metric?: string | readonly string[]
  readonly definition?: Definition
  readonly asOf?: string | number
  readonly timeoutMinutes?: number
}

export interface Question {
  readonly window: Window
  readonly filters: Filters
  readonly definition: Definition
  /** Metrics that were named; empty: the route's own. */
  readonly named: readonly MetricName[]
  readonly timedOutAtMs: number
  readonly read: Read
}

export interface QuestionParts {
  readonly nowMs: () => number
  readonly freshness: (asOfMs: number | undefined) => Promise<Read>
}

export async function questionOf(
  parts: QuestionParts,
  query: AskedQuery,
  windowFor: (query: AskedQuery, nowMs: number) => Window = (asked, nowMs) => windowOf(asked, nowMs),
): Promise<Question> {
  const window = windowFor(query, parts.nowMs())
  const filters = filtersOf(query.filter)
  const named = metricsOf(listOf(query.metric))
  const asOfMs = query.asOf === 'now' ? parts.nowMs() : timeOf('asOf', query.asOf)
  const read = await parts.freshness(asOfMs)
  const timeoutMs = query.timeoutMinutes === undefined ? QOE_LIMITS.viewTimeoutMs : query.timeoutMinutes * MINUTE_MS
  // An imported or replayed view may be of any time: its last report decides, never below 1970.
  const timedOutAtMs = Math.max(0, read.asOfMs - timeoutMs)
  return { window, filters, definition: query.definition ?? STANDARD, named, timedOutAtMs, read }
}

/** What the answer says of its question. */
export function shownQuestion({ window, filters, definition }: Question) {
  return { ...shownWindow(window), filters: filterTexts(filters), definition }
}
