/**
 * What a rule may watch: Σ numerator ÷ Σ denominator over columns of the roll-ups, or a percentile of a histogram that
 * can be subtracted. Names and definitions are those of the QoE API (docs/qoe.md); a test holds them to each other.
 *
 * A view's own measures count at the minute it began; those of its minutes (`slices`) at the minute itself. To see
 * trouble while it lasts, watch the latter: the stalls of a long view are laid on the hour in which it began.
 */
export type Source = 'views' | 'slices' | 'cdn_requests'

export interface WatchedMetric {
  readonly source: Source
  readonly unit: 'percent' | 'ms' | 'kbit/s' | 'views' | 'viewers'
  /** Columns that are added up. In the roll-ups, those of slices have the prefix `at_`. */
  readonly numerator: readonly string[]
  /** Empty: the numerator alone is the value. */
  readonly denominator: readonly string[]
  readonly scale: number
  /** Of the startup histogram; then there is no numerator. */
  readonly percentile?: number
  /** What `minViews` counts. */
  readonly sample: string
  /** The value is what there is in a minute, on average over the window. */
  readonly perMinute?: true
}

export const DEFAULT_DEFINITION = 'cta-2066'

const views = { source: 'views', sample: 'views', scale: 1 } as const
const slices = { source: 'slices', sample: 'slices', scale: 1 } as const
const percentOf = (numerator: readonly string[], denominator: readonly string[]): WatchedMetric => ({
  ...{ ...views, unit: 'percent', numerator, denominator, scale: 100 },
})
const startup = (percentile: number): WatchedMetric => ({
  ...{ ...views, unit: 'ms', numerator: [], denominator: [], percentile, sample: 'startups' },
})
const cta = (metric: WatchedMetric) => ({ [DEFAULT_DEFINITION]: metric })

/** Left, or still waiting: when a minute is judged, a view of it that has no picture has waited for a minute at least. */
const LEFT_BEFORE_START = ['ended_before_start', 'open_unstarted']
const WATCHED = ['starting_ms', 'playing_ms', 'seeking_ms', 'stalled_ms']

export const WATCHED_METRICS: Readonly<Record<string, Readonly<Record<string, WatchedMetric>>>> = {
  views: cta({ ...views, unit: 'views', numerator: ['views'], denominator: [] }),
  starts: cta({ ...views, unit: 'views', numerator: ['starts'], denominator: [] }),
  start_success_percent: cta(percentOf(['starts'], ['starts', 'startup_failures', ...LEFT_BEFORE_START])),
  ebvs_percent: cta(percentOf(LEFT_BEFORE_START, ['views'])),
  failure_percent: cta(percentOf(['failures'], ['views'])),
  startup_failure_percent: cta(percentOf(['startup_failures'], ['views'])),
  playback_failure_percent: cta(percentOf(['playback_failures'], ['views'])),
  business_failure_percent: cta(percentOf(['business_failures'], ['views'])),
  startup_p50_ms: cta(startup(0.5)),
  startup_p75_ms: cta(startup(0.75)),
  startup_p90_ms: cta(startup(0.9)),
  startup_p95_ms: cta(startup(0.95)),
  startup_p99_ms: cta(startup(0.99)),
  rebuffer_percent: {
    ...cta(percentOf(['stalled_ms'], ['watched_ms'])),
    mux: percentOf(['mux_stalled_ms'], ['mux_watch_ms']),
    conviva: percentOf(['connection_stalled_ms'], ['playing_ms', 'stalled_ms']),
    puffer: percentOf(['puffer_stalled_ms'], ['puffer_ms']),
  },
  minute_rebuffer_percent: cta({
    ...{ ...slices, unit: 'percent', numerator: ['stalled_ms'], denominator: WATCHED, scale: 100 },
  }),
  average_bitrate_kbps: {
    ...cta({ ...views, unit: 'kbit/s', numerator: ['bits'], denominator: ['bits_media_ms'] }),
    mux: { ...views, unit: 'kbit/s', numerator: ['wall_bits'], denominator: ['wall_bits_ms'] },
  },
  minute_bitrate_kbps: cta({ ...slices, unit: 'kbit/s', numerator: ['bits'], denominator: ['bits_media_ms'] }),
  concurrent: cta({
    ...{ ...slices, unit: 'viewers', numerator: [...WATCHED, 'ad_ms'], denominator: [] },
    ...{ scale: 1 / 60_000, perMinute: true },
  }),
  /** Requests whose cache status is known, from the CDNs' logs; the only one that the QoE API does not have. */
  cdn_hit_percent: cta({
    ...{ source: 'cdn_requests', unit: 'percent', numerator: ['hits'], denominator: ['requests'] },
    ...{ scale: 100, sample: 'requests' },
  }),
}

export function watchedMetric({ metric, definition }: { metric: string; definition: string }): WatchedMetric {
  const found = Object.hasOwn(WATCHED_METRICS, metric) ? WATCHED_METRICS[metric]?.[definition] : undefined
  if (found === undefined) throw new Error(`no metric ${metric} by ${definition}`)
  return found
}
