/** Views and minutes made up by chance (of a seed), and what plain JavaScript says of them: no SQL, no cubes. */
import { bucketOf } from '../../projections/histogram.ts'
import {
  DIMENSIONS,
  SLICE_COLUMNS,
  type SliceRow,
  VIEW_COLUMNS,
  type ViewColumn,
  type ViewRow,
} from '../../projections/views/row.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

export type Random = () => number

/** A linear congruence: the same rows every time. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const pick = <T>(random: Random, values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
const whole = (random: Random, below: number) => Math.floor(random() * below)

const VALUES: Readonly<Record<string, readonly string[]>> = {
  app_id: ['shop', 'tv'],
  environment: ['production', 'staging'],
  title_id: ['t1', 't2', 't3', "o'neil \\ \t\n{x:String}", 'ünï'],
  series_id: ['', 's1'],
  content_type: ['movie', 'episode'],
  stream_type: ['vod', 'live'],
  country: ['', 'DE', 'US', 'FR'],
  region: ['', 'BY', 'CA'],
  cdn: ['', 'akamai', 'fastly', 'own'],
  isp: ['', 'telco'],
  device_type: ['tv', 'phone', 'desktop'],
  os: ['linux', 'ios'],
  browser: ['', 'firefox'],
  player: ['hls.js', 'shaka'],
  player_version: ['1', '2'],
  app_version: ['7', '8'],
  network_type: ['wifi', 'cellular'],
  protocol: ['hls', 'dash'],
  error_code: ['', '', '', 'E1', 'E2'],
  source: ['sdk', 'cmcd'],
}

export interface Played {
  readonly view: ViewRow
  readonly slices: readonly SliceRow[]
}

const EMPTY_VIEW = Object.fromEntries(
  Object.entries(VIEW_COLUMNS).map(([name, kind]) => [name, emptyOf(kind)]),
) as unknown as ViewRow
const EMPTY_SLICE = Object.fromEntries(
  Object.entries(SLICE_COLUMNS).map(([name, kind]) => [name, emptyOf(kind)]),
) as unknown as SliceRow

function emptyOf(kind: string): number | string | readonly number[] {
  if (kind === 'ints') return []
  return kind === 's' || kind === 'w' ? '' : 0
}

export function played(random: Random, index: number, fromMs: number, toMs: number): Played {
  const dimensions = Object.fromEntries(
    Object.keys(DIMENSIONS).map((name) => [
      name,
      name === 'asn' ? whole(random, 3) : pick(random, VALUES[name] ?? ['']),
    ]),
  )
  const startedAt = fromMs + whole(random, toMs - fromMs)
  const numbers: Record<string, number> = {}
  for (const [name, kind] of Object.entries(VIEW_COLUMNS)) if (kind === 'i') numbers[name] = whole(random, 50_000)
  const fate = random()
  const starts = fate < 0.8 ? 1 : 0
  const open = fate > 0.6 ? 1 : 0
  const startups = starts
  const startupMs = startups === 0 ? 0 : 200 + whole(random, 4_000)
  const view: ViewRow = {
    ...EMPTY_VIEW,
    ...dimensions,
    ...numbers,
    view_id: index.toString(16).padStart(32, '0'),
    profile_id: `p${whole(random, 60)}`,
    session_id: `session-${index % 1_000}`,
    started_at: startedAt,
    last_at: startedAt + 5 * MINUTE,
    last_received_at: startedAt + whole(random, 2 * HOUR),
    views: 1,
    starts,
    open,
    open_unstarted: open === 1 && starts === 0 ? 1 : 0,
    ended_before_start: open === 0 && starts === 0 ? 1 : 0,
    clean_ends: open === 0 && starts === 1 ? 1 : 0,
    startups,
    startup_ms: startupMs,
    startup_bucket: startups === 0 ? 0 : bucketOf(startupMs),
    state: open === 1 ? 'playing' : 'ended',
    flags: whole(random, 64),
  }
  return { view, slices: slicesOf(random, view) }
}

function slicesOf(random: Random, view: ViewRow): readonly SliceRow[] {
  const first = Math.floor(view.started_at / MINUTE) * MINUTE
  return Array.from({ length: 1 + whole(random, 3) }, (_, i) => {
    const slice: Record<string, unknown> = { ...EMPTY_SLICE }
    for (const name of Object.keys(SLICE_COLUMNS)) {
      if (name in view) slice[name] = view[name as ViewColumn]
      if (SLICE_COLUMNS[name as keyof typeof SLICE_COLUMNS] === 'i') slice[name] = whole(random, 60_000)
    }
    return { ...slice, minute: first + i * MINUTE, slices: 1, played_from: [], played_to: [] } as unknown as SliceRow
  })
}

/** The same view, corrected: begun earlier, with other numbers and another network. */
export function corrected(random: Random, { view }: Played, index: number): Played {
  const fresh = played(random, index, view.started_at - HOUR, view.started_at)
  return { ...fresh, view: { ...fresh.view, view_id: view.view_id, session_id: view.session_id } }
}

export function valueIn(row: ViewRow | SliceRow, dimension: string): string {
  if (dimension === 'region') {
    return row.region === '' || row.country === '' ? row.region : `${row.country}-${row.region}`
  }
  if (dimension === 'asn') return row.asn === 0 ? '' : String(row.asn)
  return String(row[dimension as keyof (ViewRow | SliceRow)])
}

export function sum<R>(rows: readonly R[], column: keyof R): number {
  return rows.reduce((total, row) => total + Number(row[column]), 0)
}

export function grouped<R, K>(rows: readonly R[], keyOf: (row: R) => K): Map<K, R[]> {
  const groups = new Map<K, R[]>()
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row])
  return groups
}
