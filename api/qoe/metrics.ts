/**
 * Every metric by name, in one place: what it tells, and of which sums it is made, by each definition that differs from
 * CTA-2066. docs/qoe.md shows this table; a test holds the two to each other.
 */
import type { Metric } from './metric-kinds.ts'
import { AUDIENCE, FAILING, STARTING } from './metrics-audience.ts'
import { ADS, COMPLETENESS, MINUTES, SCORES } from './metrics-others.ts'
import { DELIVERY, PICTURE, STALLING } from './metrics-playing.ts'

export const METRICS = {
  ...AUDIENCE,
  ...STARTING,
  ...FAILING,
  ...STALLING,
  ...PICTURE,
  ...DELIVERY,
  ...ADS,
  ...SCORES,
  ...COMPLETENESS,
  ...MINUTES,
} as const satisfies Readonly<Record<string, Metric>>

export type MetricName = keyof typeof METRICS

/** Other names that people look for. */
export const ALSO_METRICS: Readonly<Record<string, MetricName>> = {
  plays: 'starts',
  startup_p50: 'startup_p50_ms',
  startup_p75: 'startup_p75_ms',
  startup_p90: 'startup_p90_ms',
  startup_p95: 'startup_p95_ms',
  startup_p99: 'startup_p99_ms',
  startup_mean: 'startup_mean_ms',
  average_bitrate: 'average_bitrate_kbps',
  viewers: 'unique_viewers',
}

/** What an overview shows without being asked. */
export const OVERVIEW_METRICS: readonly MetricName[] = [
  'views',
  'starts',
  'concurrent',
  'watch_time_hours',
  'start_success_percent',
  'ebvs_percent',
  'startup_p50_ms',
  'startup_p95_ms',
  'startup_p99_ms',
  'failure_percent',
  'startup_failure_percent',
  'playback_failure_percent',
  'rebuffer_percent',
  'rebuffer_frequency',
  'average_bitrate_kbps',
  'dropped_view_percent',
  'score',
  'lost_report_percent',
  'late_report_percent',
]
export const SERIES_METRICS: readonly MetricName[] = ['views', 'start_success_percent', 'rebuffer_percent']
export const BREAKDOWN_METRICS: readonly MetricName[] = [
  'views',
  'start_success_percent',
  'startup_p95_ms',
  'failure_percent',
  'rebuffer_percent',
  'average_bitrate_kbps',
]
