/**
 * The truth of a simulated audience beside what the engine answers for it: one line a metric, with the difference and how
 * much of one is allowed. Counts must be the same. Durations may differ by a heartbeat a view, and by a minute where the
 * end of a view got lost: a view that goes on is shown up to its last whole minute (docs/qoe.md). Percentiles come from
 * buckets that are right within 1 %.
 */
import { type Dimension, metricsOf, type Sums, type Truth } from '../../simulator/index.ts'

type Kind = 'exact' | 'hours' | 'near' | 'time'

/** Metrics of /v1/qoe that the truth knows too. */
export const COMPARED: Readonly<Record<string, Kind>> = {
  views: 'exact',
  starts: 'exact',
  start_success_percent: 'exact',
  ebvs_percent: 'exact',
  startup_failure_percent: 'exact',
  playback_failure_percent: 'exact',
  business_failure_percent: 'exact',
  dropped_view_percent: 'exact',
  stalls_per_view: 'exact',
  stalled_view_percent: 'exact',
  startup_mean_ms: 'time',
  startup_p50_ms: 'time',
  startup_p75_ms: 'time',
  startup_p90_ms: 'time',
  startup_p95_ms: 'time',
  startup_p99_ms: 'time',
  watch_time_hours: 'hours',
  playing_time_hours: 'hours',
  media_time_hours: 'hours',
  // A seek in a pause changes no state, so of a view that goes on it is shown with the next whole minute.
  seeks_per_view: 'near',
  rebuffer_percent: 'near',
  rebuffer_frequency: 'near',
  stall_mean_ms: 'time',
  seek_latency_mean_ms: 'time',
  average_bitrate_kbps: 'near',
  switches_per_hour: 'near',
}

export interface Line {
  readonly of: string
  readonly metric: string
  readonly truth: number | null
  readonly engine: number | null
  /** engine − truth. */
  readonly difference: number
  readonly allowed: number
  readonly agrees: boolean
}

export interface Tolerance {
  /** What sending over a network adds to the time between two events. */
  readonly jitterMs: number
  /** Of ratios and percentiles. */
  readonly share: number
}

/** History has no network between. */
export const HISTORY_TOLERANCE: Tolerance = { jitterMs: 1, share: 0.01 }
export const LIVE_TOLERANCE: Tolerance = { jitterMs: 50, share: 0.03 }

type Words = readonly (readonly [string, string])[]
export type Ask = (route: string, words: Words) => Promise<unknown>

interface Answer {
  readonly values: Readonly<Record<string, number | null>>
}
interface Rows {
  readonly rows: readonly (Readonly<Record<string, number | string | null>> & { readonly value: string })[]
}

const HEARTBEAT_MS = 10_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** Any view has timed out by then. */
const LATER_MS = 2 * HOUR_MS
/** Dimensions that are compared value by value. */
const BY: readonly Dimension[] = ['cdn', 'app_version', 'device_type', 'country']

export interface Comparison {
  readonly lines: readonly Line[]
  readonly agrees: boolean
}

/** `filter` names only what was simulated, where the engine has more. */
export async function compareTruth(
  truth: Truth,
  ask: Ask,
  tolerance: Tolerance,
  filter: Words = [],
): Promise<Comparison> {
  const window = truth.window()
  if (window === undefined) return { lines: [], agrees: true }
  const asked: Words = [
    ['from', String(window.fromMs)],
    ['to', String(window.toMs + MINUTE_MS)],
    ['asOf', String(window.toMs + LATER_MS)],
    ...filter,
    ...Object.keys(COMPARED).map((metric) => ['metric', metric] as const),
  ]
  const total = truth.total()
  const lines: Line[] = []
  // At most twenty metrics are answered at a time.
  const values = { ...((await askAll(ask, 'overview', asked)) as Answer).values }
  lines.push(...linesOf('all', total, values, tolerance))
  for (const by of BY) {
    const { rows } = (await ask('breakdown', [
      ...asked.filter(([name]) => name !== 'metric'),
      ['by', by],
      ...BREAKDOWN,
    ])) as Rows
    const sums = truth.by(by)
    for (const value of new Set([...sums.keys(), ...rows.map((row) => row.value)])) {
      const row = rows.find((one) => one.value === value)
      const mine = sums.get(value)
      lines.push(...compareRow(`${by} ${value === '' ? '(not known)' : value}`, mine, row, tolerance))
    }
  }
  return { lines, agrees: lines.every(({ agrees }) => agrees) }
}

const BREAKDOWN_METRICS = ['views', 'starts', 'startup_p50_ms', 'startup_failure_percent', 'watch_time_hours']
const BREAKDOWN: Words = [['limit', '200'], ...BREAKDOWN_METRICS.map((metric) => ['metric', metric] as const)]
const METRICS_AT_ONCE = 20

async function askAll(ask: Ask, route: string, words: Words): Promise<Answer> {
  const metrics = words.filter(([name]) => name === 'metric')
  const rest = words.filter(([name]) => name !== 'metric')
  const values: Record<string, number | null> = {}
  for (let i = 0; i < metrics.length; i += METRICS_AT_ONCE) {
    const answer = (await ask(route, [...rest, ...metrics.slice(i, i + METRICS_AT_ONCE)])) as Answer
    Object.assign(values, answer.values)
  }
  return { values }
}

function compareRow(
  of: string,
  sums: Sums | undefined,
  row: Rows['rows'][number] | undefined,
  tolerance: Tolerance,
): Line[] {
  if (sums === undefined || row === undefined) {
    const [mine, theirs] = [sums?.views ?? 0, Number(row?.views ?? 0)]
    const same = mine === theirs
    return [{ of, metric: 'views', truth: mine, engine: theirs, difference: theirs - mine, allowed: 0, agrees: same }]
  }
  const values = Object.fromEntries(BREAKDOWN_METRICS.map((metric) => [metric, row[metric] as number | null]))
  return linesOf(of, sums, values, tolerance)
}

function linesOf(
  of: string,
  sums: Sums,
  values: Readonly<Record<string, number | null>>,
  tolerance: Tolerance,
): Line[] {
  const truths = metricsOf(sums)
  return Object.entries(values).map(([metric, engine]) => {
    const truth = truths[metric] ?? null
    const allowed = allowedOf(COMPARED[metric] ?? 'near', truth ?? 0, sums, tolerance)
    const difference = (engine ?? 0) - (truth ?? 0)
    const agrees = (engine === null) === (truth === null) && Math.abs(difference) <= allowed
    return { of, metric, truth, engine, difference, allowed, agrees }
  })
}

function allowedOf(kind: Kind, truth: number, sums: Sums, { jitterMs, share }: Tolerance): number {
  const unheardMs = sums.lostEnds * (MINUTE_MS + HEARTBEAT_MS)
  switch (kind) {
    case 'exact':
      return 1e-6
    case 'hours':
      return (sums.views * HEARTBEAT_MS + sums.lostEnds * MINUTE_MS) / HOUR_MS
    case 'near': {
      // What happened after the last that was heard is in the one and not in the other: in both of a ratio's sums.
      const watchedMs = sums.startingMs + sums.playingMs + sums.seekingMs + sums.stalledMs
      return truth * (share + (2 * unheardMs) / Math.max(1, watchedMs))
    }
    case 'time':
      return share * truth + jitterMs
  }
}
