/** Rows of views and slices as the API shows them: by their columns' names, times as RFC 3339, flags by name. */
import { type ColumnKind, FLAGS, SLICE_COLUMNS, VIEW_COLUMNS } from '../../projections/views/row.ts'

type ShownCell = string | number | readonly number[] | null
export type RawRow = Readonly<Record<string, unknown>>

/** The columns of a query, each under a name of its own: an alias that is a column's name would stand in for it. */
export function columnsSql(names: readonly string[], kinds: Readonly<Record<string, ColumnKind>>): string {
  return names
    .map((name) => (kinds[name] === 't' ? `toUnixTimestamp64Milli(${name}) AS x_${name}` : `${name} AS x_${name}`))
    .join(', ')
}

export function shownRow(
  raw: RawRow,
  names: readonly string[],
  kinds: Readonly<Record<string, ColumnKind>>,
): Record<string, ShownCell | readonly string[]> {
  return Object.fromEntries(names.map((name) => [name, cellOf(name, raw[`x_${name}`], kinds[name])]))
}

function cellOf(name: string, value: unknown, kind: ColumnKind | undefined): ShownCell | readonly string[] {
  if (kind === 't') return new Date(Number(value)).toISOString()
  if (kind === 'ints') return (value as readonly unknown[]).map(Number)
  if (name === 'flags') return flagNames(Number(value))
  return kind === 'i' || kind === 'u' ? Number(value) : String(value)
}

export function flagNames(flags: number): readonly string[] {
  return Object.entries(FLAGS).flatMap(([name, bit]) => ((flags & bit) === 0 ? [] : [name]))
}

export type FlagName = keyof typeof FLAGS
export const FLAG_NAMES = Object.keys(FLAGS) as readonly FlagName[]

export const ALL_VIEW_COLUMNS = Object.keys(VIEW_COLUMNS)
/** What the view's own row says already is not said again with each minute. */
export const SLICE_SHOWN: readonly string[] = Object.entries(SLICE_COLUMNS).flatMap(([name, kind]) =>
  name === 'minute' || kind === 'i' || kind === 'ints' ? [name] : [],
)

/** A page of views shows these. */
export const LISTED_COLUMNS: readonly (keyof typeof VIEW_COLUMNS)[] = [
  'view_id',
  'session_id',
  'profile_id',
  'title_id',
  'started_at',
  'last_at',
  'last_received_at',
  'app_id',
  'country',
  'region',
  'cdn',
  'isp',
  'device_type',
  'os',
  'player',
  'player_version',
  'stream_type',
  'state',
  'open',
  'starts',
  'startups',
  'startup_ms',
  'watched_ms',
  'playing_ms',
  'stalled_ms',
  'stalls',
  'failures',
  'failure_phase',
  'error_code',
  'end_reason',
  'score_views',
  'score_milli',
  'reports',
  'lost_reports',
  'flags',
]

/** What the player did last, but for an open view whose reports stopped. */
export function stateOf(row: RawRow, timedOutAtMs: number): string {
  const timedOut = Number(row.x_open) === 1 && Number(row.x_last_received_at) <= timedOutAtMs
  return timedOut ? 'timed_out' : String(row.x_state)
}
