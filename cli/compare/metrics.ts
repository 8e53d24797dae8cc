/**
 * What is compared, and by which columns. A number is Σ over ÷ Σ under, of a population and never of its parts' means.
 * `theirs` reads imported_views; `mux` is ours by Mux's definition, `cta` ours by CTA-2066's; where the two say the same,
 * the columns are the same. `why` names what makes them differ.
 */
import type { ImportedViewColumn } from '../../projections/imported-views/row.ts'
import type { ViewColumn } from '../../projections/views/row.ts'

/** What Mux counts and no column of ours holds. */
export const COMPUTED = {
  first_frame_ms: 'if(preroll_startup_ms > 0, preroll_startup_ms, startup_ms)',
  first_frames: 'toInt64(startups > 0 OR preroll_startup_ms > 0)',
  watch_with_ads_ms: 'mux_watch_ms + ad_ms',
} as const

type OurColumn = ViewColumn | keyof typeof COMPUTED

interface Ratio<C> {
  readonly over: C
  /** Without it the sum itself. */
  readonly under?: C
  readonly times?: number
}

export interface ComparedMetric {
  readonly name: string
  readonly unit: '' | '%' | 'ms' | 'h' | 'kbit/s' | '/h' | 'points'
  readonly theirs: Ratio<ImportedViewColumn>
  readonly mux: Ratio<OurColumn>
  readonly cta: Ratio<OurColumn>
  readonly why: string
}

const HOURS = 1 / 3_600_000
const SHARE = { under: 'views', times: 100 } as const
const STALLS_WHY =
  'Mux leaves out stalls under 250 ms and divides by watch time; CTA-2066 counts every stall and divides by the time from ' +
  'request to pause, finish or failure, which has seeks in it.'

export const COMPARED: readonly ComparedMetric[] = [
  {
    name: 'views',
    unit: '',
    theirs: { over: 'views' },
    mux: { over: 'views' },
    cta: { over: 'views' },
    why: 'The same in both definitions. A difference is one of collection: blocked beacons, apps with one SDK only, samples.',
  },
  {
    name: 'startup_ms',
    unit: 'ms',
    theirs: { over: 'their_startup_ms', under: 'startups' },
    mux: { over: 'first_frame_ms', under: 'first_frames' },
    cta: { over: 'startup_ms', under: 'startups' },
    why: "Mux stops at the first frame of content or of an ad before it; CTA-2066 counts to the content's, without ads.",
  },
  {
    name: 'start_percent',
    unit: '%',
    theirs: { over: 'starts', ...SHARE },
    mux: { over: 'starts', ...SHARE },
    cta: { over: 'starts', ...SHARE },
    why: 'The same in both; theirs is told by a startup time or playing time, ours by a first frame or what proves it.',
  },
  {
    name: 'rebuffer_percent',
    unit: '%',
    theirs: { over: 'mux_stalled_ms', under: 'their_watch_ms', times: 100 },
    mux: { over: 'mux_stalled_ms', under: 'watch_with_ads_ms', times: 100 },
    cta: { over: 'stalled_ms', under: 'watched_ms', times: 100 },
    why: STALLS_WHY,
  },
  {
    name: 'rebuffers_per_hour',
    unit: '/h',
    theirs: { over: 'mux_stalls', under: 'their_watch_ms', times: 1 / HOURS },
    mux: { over: 'mux_stalls', under: 'watch_with_ads_ms', times: 1 / HOURS },
    cta: { over: 'stalls', under: 'watched_ms', times: 1 / HOURS },
    why: STALLS_WHY,
  },
  {
    name: 'failure_percent',
    unit: '%',
    theirs: { over: 'failures', ...SHARE },
    mux: { over: 'failures', ...SHARE },
    cta: { over: 'failures', ...SHARE },
    why: 'The same in both: fatal, business refusals left out. Players differ in which errors they call fatal.',
  },
  {
    name: 'startup_failure_percent',
    unit: '%',
    theirs: { over: 'startup_failures', ...SHARE },
    mux: { over: 'startup_failures', ...SHARE },
    cta: { over: 'startup_failures', ...SHARE },
    why: 'The same in both. Old exports of Mux do not say when it failed: those without a startup time count here.',
  },
  {
    name: 'exit_before_start_percent',
    unit: '%',
    theirs: { over: 'ended_before_start', ...SHARE },
    mux: { over: 'ended_before_start', ...SHARE },
    cta: { over: 'ended_before_start', ...SHARE },
    why: 'CTA-2066 does not define it. Ours counts views that are over with neither start nor failure, after 1 s at least; Mux sets no least time.',
  },
  {
    name: 'watch_hours',
    unit: 'h',
    theirs: { over: 'their_watch_ms', times: HOURS },
    mux: { over: 'watch_with_ads_ms', times: HOURS },
    cta: { over: 'watched_ms', times: HOURS },
    why: "Mux's watch time has startup, playing and rebuffering in it, of content and ads; CTA-2066's runs from request to pause, finish or failure: with seeks, without ads.",
  },
  {
    name: 'playing_hours',
    unit: 'h',
    theirs: { over: 'playing_ms', times: HOURS },
    mux: { over: 'playing_ms', times: HOURS },
    cta: { over: 'playing_ms', times: HOURS },
    why: 'The same in both: wall time in which the picture moved.',
  },
  {
    name: 'bitrate_kbps',
    unit: 'kbit/s',
    theirs: { over: 'wall_bits', under: 'wall_bits_ms' },
    mux: { over: 'wall_bits', under: 'wall_bits_ms' },
    cta: { over: 'bits', under: 'bits_media_ms' },
    why: 'Mux weights by wall time of playing, CTA-2066 by media time: they part where the playback rate is not 1.',
  },
  {
    name: 'score',
    unit: 'points',
    theirs: { over: 'score_milli', under: 'score_views', times: 1 / 1_000 },
    mux: { over: 'score_milli', under: 'score_views', times: 1 / 1_000 },
    cta: { over: 'score_milli', under: 'score_views', times: 1 / 1_000 },
    why: 'Each has a formula of its own: Mux publishes its parts and not how it joins them. Compare trends, not values.',
  },
]

export type Sums = Readonly<Record<string, number>>

/** Undefined where there is nothing to divide by. */
export function ratioOf({ over, under, times = 1 }: Ratio<string>, sums: Sums | undefined): number | undefined {
  if (sums === undefined) return undefined
  const divisor = under === undefined ? 1 : (sums[under] ?? 0)
  return divisor === 0 ? undefined : ((sums[over] ?? 0) / divisor) * times
}

export function columnsOf(metrics: readonly ComparedMetric[], side: 'theirs' | 'ours'): readonly string[] {
  const ratios = metrics.flatMap(({ theirs, mux, cta }): readonly Ratio<string>[] =>
    side === 'theirs' ? [theirs] : [mux, cta],
  )
  return [
    ...new Set(['views', ...ratios.flatMap(({ over, under }) => [over, ...(under === undefined ? [] : [under])])]),
  ]
}
