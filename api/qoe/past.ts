/**
 * The story of a session as it was known at a moment: the same answer as story.ts gives, from the log and not from the
 * tables. What is asked for is folded again, so the rows are what the tables had then.
 */

import { VIEWS_PARAMETERS } from '../../projections/views/limits.ts'
import { SLICE_COLUMNS, VIEW_COLUMNS } from '../../projections/views/row.ts'
import { Problem } from '../problems.ts'
import type { Past } from '../replay/past.ts'
import type { HistoryState, HistoryStep, Plain } from '../replay/ports.ts'
import { explanationOf } from './explanation.ts'
import { MINUTE_MS, QOE_LIMITS } from './limits.ts'
import type { RawRow } from './rows.ts'
import type { StoredEvent } from './session.ts'
import { sampleOf, shownEvent, viewStory } from './story.ts'

export interface PastAsked {
  readonly sessionId: string
  readonly asOf: string
  readonly timeoutMinutes: number | undefined
}

export async function pastStory(past: Past, { sessionId, asOf: text, timeoutMinutes }: PastAsked) {
  const { asOf, ...moment } = past.moment(text)
  const asked = { projection: 'views', of: { session_id: sessionId }, moment, steps: true }
  const { states, steps, clockMs, parameters } = await past.history(asked)
  const known = states.flatMap((state) => knownView(state)).sort((a, b) => a.startedMs - b.startedMs)
  if (known.length === 0) {
    throw new Problem('SESSION_UNKNOWN', 'No view of it was known then: it is newer, or its name is misspelt.')
  }
  const atMs = moment.untilMs ?? clockMs ?? 0
  const timeoutMs = timeoutMinutes === undefined ? QOE_LIMITS.viewTimeoutMs : timeoutMinutes * MINUTE_MS
  const events = steps.flatMap(storedEvent)
  const shownEvents = events.slice(0, QOE_LIMITS.storyEventsMax)
  const shown = known.slice(0, QOE_LIMITS.sessionViewsMax)
  const slices = shown.flatMap((view) => view.slices)
  const shownSlices = slices.slice(0, QOE_LIMITS.storySlicesMax)
  const whole = events.length <= QOE_LIMITS.storyEventsMax
  return {
    sessionId,
    asOf,
    views: shown.map(({ viewId, row, profileId, titleId }) => {
      const own = events.filter((event) => event.profileId === profileId && event.titleId === titleId)
      const folds = parameters === null ? undefined : { ...VIEWS_PARAMETERS, ...parameters }
      const explanation = whole ? explanationOf(own, sessionId, row, folds) : null
      return { ...viewStory({ viewId }, row, shownSlices, Math.max(0, atMs - timeoutMs)), explanation }
    }),
    events: shownEvents.map(shownEvent),
    more: { views: known.length > shown.length, slices: slices.length > shownSlices.length, events: !whole },
    sample: sampleOf(shown.map(({ row }) => row)),
    freshness: { readThrough: {}, lag: null, asOf: new Date(atMs).toISOString() },
  }
}

/** A state that means no row is nobody's view yet. */
function knownView({ rows }: HistoryState) {
  const [view] = rows.views ?? []
  if (view === undefined) return []
  const { view_id: viewId, profile_id: profileId, title_id: titleId, started_at: startedMs } = view
  return [
    {
      ...{ viewId: String(viewId), profileId: String(profileId), titleId: String(titleId) },
      startedMs: Number(startedMs),
      row: rawOf(view, Object.keys(VIEW_COLUMNS)),
      slices: (rows.view_slices ?? []).map((slice) => rawOf(slice, Object.keys(SLICE_COLUMNS))),
    },
  ]
}

/** As a query of the tables gives it. */
function rawOf(row: Plain, names: readonly string[]): RawRow {
  return Object.fromEntries(names.map((name) => [`x_${name}`, row[name]]))
}

function storedEvent({ event, topic, partition, position, timestampMs, fate }: HistoryStep): readonly StoredEvent[] {
  if (event === null) return []
  const { type, meta, profileId, titleId, sessionId: _, ...rest } = event
  const { eventId, occurredAt, receivedAt, source, appId, environment } = (meta ?? {}) as Plain
  const fields = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null))
  return [
    {
      ...{ topic, partition, position: String(position), fate, fields },
      ...{ type: String(type), eventId: String(eventId), source: String(source) },
      ...{ appId: String(appId), environment: String(environment) },
      ...{ profileId: String(profileId), titleId: String(titleId) },
      occurredAtMs: Number(occurredAt),
      receivedAtMs: Number(receivedAt ?? timestampMs),
    },
  ]
}
