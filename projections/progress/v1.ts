/**
 * Projection `progress`, fold version 1: one row for each profile and title, from what players, applications and people
 * say of it. Visible rows are a function of the set of events (fold.ts); which of them are still wanted, of the time
 * when they are read (`positionUntilMs`).
 */
import { type Keyed, type Projection, parametersBeside } from '../projection.ts'
import { fromColumns, SHAPE, toColumns } from './columns.ts'
import { fold, isProgress, type ProgressEvent } from './fold.ts'
import { DAY_MS } from './limits.ts'
import type { Progress } from './state.ts'

export interface ProgressParameters {
  /** How long a position counts after it was decided last. */
  readonly positionDays: number
  /** How long a row lives after its newest event. */
  readonly historyDays: number
}

export const RETENTION: ProgressParameters = { positionDays: 90, historyDays: 365 }

export function progressV1(given: Partial<ProgressParameters> = {}): Projection {
  const { positionDays, historyDays } = { ...RETENTION, ...given }
  const historyMs = historyDays * DAY_MS
  const keyed: Keyed<Progress> = {
    shape: SHAPE,
    personal: true,
    key: (event) => (isProgress(event) ? [event.profileId, event.titleId] : undefined),
    fold: (state, event) => fold(state, event as ProgressEvent, historyMs),
    rows: () => [],
    toColumns: (state) => toColumns(state, positionDays),
    fromColumns: (cells) => fromColumns(cells),
    expiresAtMs: ({ newestMs }) => newestMs + historyMs,
    erases: (event) => (event.type === 'ProfileErased' ? [event.profileId] : undefined),
    erasers: ['ProfileErased'],
  }
  const parameters = parametersBeside(RETENTION, given)
  return { name: 'progress', foldVersion: 1, parameters, topics: ['playback-events'], batchMs: 20, landings: [], keyed }
}
