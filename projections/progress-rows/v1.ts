/**
 * Projection `progress_rows`, fold version 1: where profiles are in titles as a table of ClickHouse, so that a query can
 * join positions. It is the fold `progress` with rows.
 *
 * A heartbeat moves a position by seconds, and each move would be a pair of rows. So what moves with the playing is
 * rounded down (positions and watched time to minutes, times to hours): a function of the state alone, and two changes
 * a minute at most. The exact position is in the state table and in the API. The device is left out: it points at a
 * person, and a row that is taken back lies about until parts are merged.
 */
import type { PlayheadEvent } from '../../schemas/index.ts'
import { timeCell } from '../cells.ts'
import { toRow } from '../progress/columns.ts'
import { DAY_MS } from '../progress/limits.ts'
import { type ProgressParameters, progressV1, RETENTION } from '../progress/v1.ts'
import type { Cell, Keyed, Landing, Projection, SignedRow, StateCell } from '../projection.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

const landing: Landing = {
  name: 'landing_progress',
  target: 'progress',
  columns: [
    ...['topic', 'partition', 'row_key', 'version', 'sign'],
    ...['profile_id', 'title_id', 'position_ms', 'duration_ms', 'completed', 'watched_ms', 'plays'],
    ...['first_watched_at', 'last_watched_at', 'updated_at', 'series_id', 'season', 'episode'],
  ],
}

/** The fold's own state knows no key; a row needs it. */
interface Named {
  readonly key: readonly StateCell[]
  readonly progress: unknown
}

export function progressRowsV1(given: Partial<ProgressParameters> = {}): Projection {
  const progress = progressV1(given)
  const { historyDays } = { ...RETENTION, ...given }
  const inner = progress.keyed as Keyed<unknown>
  // Its rows are taken back by its states, so those live by the clock of who writes.
  const { expiresAtMs: _, ...withoutExpiry } = inner
  const keyed: Keyed<Named> = {
    ...withoutExpiry,
    fold: (state, event) => ({ key: keyOf(inner, event), progress: inner.fold(state?.progress, event) }),
    rows: (state) => rowsOf(state.key, inner.toColumns(state.progress)),
    toColumns: (state) => inner.toColumns(state.progress),
    fromColumns: (columns, key) => ({ key, progress: inner.fromColumns(columns, key) }),
    keptMs: historyDays * DAY_MS,
  }
  const { topics, parameters, reads } = progress
  return {
    ...{ name: 'progress_rows', foldVersion: 1, topics, batchMs: 1_000, landings: [landing] },
    ...(parameters !== undefined && { parameters }),
    ...(reads !== undefined && { reads }),
    keyed: keyed as Keyed<unknown>,
  }
}

function keyOf(inner: Keyed<unknown>, event: PlayheadEvent): readonly StateCell[] {
  const key = inner.key(event)
  if (key === undefined) throw new TypeError(`${event.type} says nothing of progress`)
  return key
}

function rowsOf(key: readonly StateCell[], columns: readonly StateCell[]): readonly SignedRow[] {
  const row = toRow(columns, key, 0n)
  const { profileId, titleId, firstWatchedAtMs, lastWatchedAtMs } = row
  const watched = lastWatchedAtMs > 0
  const cells: Cell[] = [
    ...[profileId, titleId, row.started ? floor(row.positionMs, MINUTE_MS) : null, row.durationMs, row.completed],
    ...[floor(row.watchedMs, MINUTE_MS), row.plays.length],
    ...[watched ? timeCell(firstWatchedAtMs) : null, watched ? timeCell(floor(lastWatchedAtMs, HOUR_MS)) : null],
    ...[timeCell(floor(row.updatedAtMs, HOUR_MS)), row.seriesId ?? '', row.season, row.episode],
  ]
  return [{ landing, rowKey: `${Buffer.byteLength(profileId)}:${profileId}${titleId}`, cells }]
}

function floor(value: number, step: number): number {
  return value - (value % step)
}
