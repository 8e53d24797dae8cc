/**
 * The whole story of a session. Each view: its row, its minutes, and its explanation: its events folded once more, with
 * what each made. Where that comes to another number than the stored row, the difference is shown and not hidden. No
 * explanation: there are too many events for one answer, or the table no longer keeps any.
 */
import type { ViewsParameters } from '../../projections/views/limits.ts'
import { SLICE_COLUMNS, VIEW_COLUMNS } from '../../projections/views/row.ts'
import type { AnalyticsReader } from '../ports.ts'
import { Problem } from '../problems.ts'
import { explanationOf } from './explanation.ts'
import { QOE_LIMITS } from './limits.ts'
import type { Question } from './question.ts'
import { ALL_VIEW_COLUMNS, type RawRow, SLICE_SHOWN, shownRow, stateOf } from './rows.ts'
import { eventsOf, keysOf, type StoredEvent, slicesOf, type ViewKey, viewRowsOf } from './session.ts'

export interface StoryAsked {
  readonly sessionId: string
  /** Of the generation that is read; the fold's own without them. */
  readonly parameters: ViewsParameters | undefined
}

export async function story(
  analytics: AnalyticsReader,
  { read, timedOutAtMs }: Question,
  { sessionId, parameters }: StoryAsked,
) {
  const found = await keysOf(analytics, sessionId)
  const keys = found.slice(0, QOE_LIMITS.sessionViewsMax)
  if (keys.length === 0) {
    throw new Problem(
      'SESSION_UNKNOWN',
      'No view of it is in the tables: it is new, its name is misspelt, or it is too old.',
    )
  }
  const [rows, slices, events] = await Promise.all([
    viewRowsOf(analytics, keys),
    slicesOf(analytics, keys),
    eventsOf(analytics, sessionId, keys),
  ])
  const shownSlices = slices.slice(0, QOE_LIMITS.storySlicesMax)
  const shownEvents = events.slice(0, QOE_LIMITS.storyEventsMax)
  const whole = events.length <= QOE_LIMITS.storyEventsMax
  const views = keys.flatMap((key) => {
    const row = rows.get(key.viewId)
    if (row === undefined) return []
    const own = shownEvents.filter((event) => event.profileId === key.profileId && event.titleId === key.titleId)
    const explanation = whole && own.length > 0 ? explanationOf(own, sessionId, row, parameters) : null
    return [{ ...viewStory(key, row, shownSlices, timedOutAtMs), explanation }]
  })
  return {
    sessionId,
    views,
    events: shownEvents.map(shownEvent),
    more: {
      views: found.length > keys.length,
      slices: slices.length > shownSlices.length,
      events: !whole,
    },
    sample: sampleOf([...rows.values()]),
    freshness: read.freshness,
  }
}

export function viewStory(
  { viewId }: Pick<ViewKey, 'viewId'>,
  row: RawRow,
  slices: readonly RawRow[],
  timedOutAtMs: number,
) {
  return {
    viewId,
    state: stateOf(row, timedOutAtMs),
    row: shownRow(row, ALL_VIEW_COLUMNS, VIEW_COLUMNS),
    slices: slices
      .filter((slice) => slice.x_view_id === viewId)
      .map((slice) => shownRow(slice, SLICE_SHOWN, SLICE_COLUMNS)),
  }
}

export function shownEvent({ occurredAtMs, receivedAtMs, topic, partition, position, ...event }: StoredEvent) {
  return {
    at: `${topic}/${partition}@${position}`,
    occurredAt: new Date(occurredAtMs).toISOString(),
    receivedAt: new Date(receivedAtMs).toISOString(),
    ...event,
  }
}

export function sampleOf(rows: readonly RawRow[]) {
  const sum = (column: string) => rows.reduce((total, row) => total + Number(row[`x_${column}`] ?? 0), 0)
  return { views: rows.length, startups: sum('startups'), reports: sum('reports'), lostReports: sum('lost_reports') }
}
