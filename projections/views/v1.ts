/**
 * Projection `views`, fold version 1: one row for each view (one title in one session) and one for each of its minutes,
 * from playback events, heartbeats and CMCD reports alike. Rows are a function of the set of observations (state.ts),
 * shown up to the last change of state or whole minute, whichever is later (timeline.ts).
 */
import type { Keyed, Projection } from '../projection.ts'
import { fromColumns, SHAPE, toColumns } from './columns.ts'
import { changed, DAY_MS, VIEWS_PARAMETERS, type ViewsParameters } from './limits.ts'
import { isView, VIEW_EVENTS, type ViewEvent } from './observation.ts'
import { SLICES_LANDING, VIEWS_LANDING } from './rows.ts'
import { View } from './state.ts'

export function viewsV1(given: Partial<ViewsParameters> = {}): Projection<View> & { readonly keyed: Keyed<View> } {
  const parameters: ViewsParameters = { ...VIEWS_PARAMETERS, ...given }
  const own = changed(parameters)
  const lifeMs = parameters.stateDays * DAY_MS
  return {
    name: 'views',
    foldVersion: 1,
    topics: ['playback-events'],
    reads: [...VIEW_EVENTS, 'ProfileErased'],
    batchMs: 1_000,
    batchRecordsMax: 40_000,
    landings: [VIEWS_LANDING, SLICES_LANDING],
    ...(own === undefined ? {} : { parameters: own }),
    keyed: {
      shape: SHAPE,
      key: (event) => (isView(event) ? [event.profileId, event.sessionId, event.titleId] : undefined),
      fold: (state, event) =>
        state === undefined ? View.first(event as ViewEvent, parameters) : state.with(event as ViewEvent),
      rows: (state) => state.rows(),
      toColumns,
      fromColumns: (columns, key) => fromColumns(columns, key, parameters),
      keptMs: lifeMs,
      erasers: ['ProfileErased'],
      erases: (event) => (event.type === 'ProfileErased' ? [event.profileId] : undefined),
    },
  }
}
