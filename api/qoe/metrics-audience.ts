/** Who watched, whether it started, whether it failed. */
import type { MinuteMeasure } from './columns.ts'
import { HOUR_MS } from './limits.ts'
import { type Metric, ratio } from './metric-kinds.ts'

/** A view that has neither started nor failed, and will not: it ended so, or its reports stopped. */
const LEFT_BEFORE_START = ['ended_before_start', 'open_unstarted', '-alive_unstarted'] as const
/** Present in a minute: whatever the player does, but paused. */
export const PRESENT: readonly MinuteMeasure[] = [
  'at_starting_ms',
  'at_playing_ms',
  'at_seeking_ms',
  'at_stalled_ms',
  'at_ad_ms',
]

function startup(share: number): Metric {
  const percent = share * 100
  const help = `${percent} of 100 views that started did so in this time or less. First request to first frame; ads, and views that never started, are not in it. Within 1 %.`
  return { kind: 'percentile', title: `Startup time, p${percent}`, unit: 'ms', share, help }
}

export const AUDIENCE = {
  views: ratio('Views', 'views', { over: ['views'] }, 'One title in one session, begun in the window.'),
  starts: ratio('Starts', 'views', { over: ['starts'] }, 'Views that showed a first frame: plays.'),
  unique_viewers: {
    kind: 'viewers',
    title: 'Unique viewers',
    unit: 'viewers',
    help: 'Profiles with a view in the window. Those of two windows, or of two values of a dimension, can not be added.',
  },
  watch_time_hours: ratio(
    'Watch time',
    'hours',
    { over: ['watched_ms'], scale: 1 / HOUR_MS },
    'Wall time from request to pause, end or failure: startup, stalls and seeks are in it, pauses and ads are not.',
    { mux: { over: ['mux_watch_ms'], scale: 1 / HOUR_MS }, puffer: { over: ['puffer_ms'], scale: 1 / HOUR_MS } },
  ),
  playing_time_hours: ratio(
    'Playing time',
    'hours',
    { over: ['playing_ms'], scale: 1 / HOUR_MS },
    'Wall time in which the picture moved.',
  ),
  media_time_hours: ratio(
    'Media time',
    'hours',
    { over: ['media_ms'], scale: 1 / HOUR_MS },
    'Media that was played, repeats counted again: 60 s at half speed are 60 s of media and 120 s of playing.',
  ),
  unique_media_hours: ratio(
    'Unique media time',
    'hours',
    { over: ['unique_media_ms'], scale: 1 / HOUR_MS },
    'Media that was played, each second of a view once.',
  ),
  watch_minutes_per_view: ratio(
    'Watch time per view',
    'minutes',
    { over: ['watched_ms'], by: ['views'], scale: 1 / 60_000 },
    'How long a view lasts in the mean.',
  ),
  concurrent: ratio(
    'Concurrent viewers, mean',
    'viewers',
    { over: PRESENT, by: 'elapsed_ms' },
    'Starting, playing, seeking, stalled or in an ad, in the mean over the time asked about. By the minute itself, whenever the views began.',
  ),
  concurrent_peak: {
    kind: 'peak',
    title: 'Concurrent viewers, peak',
    unit: 'viewers',
    over: PRESENT,
    help: 'The fullest minute. Peaks of two windows can not be added.',
  },
} as const satisfies Readonly<Record<string, Metric>>

export const STARTING = {
  start_success_percent: ratio(
    'Start success',
    'percent',
    { over: ['starts'], by: ['starts', 'startup_failures', ...LEFT_BEFORE_START], scale: 100 },
    'Of the views that started, failed to, or were left before: how many started. Views that are still starting are not in it. Target: over 98 %.',
  ),
  ebvs_percent: ratio(
    'Exits before start (EBVS)',
    'percent',
    { over: LEFT_BEFORE_START, by: ['views'], scale: 100 },
    'Left with neither a start nor a failure, after a second at least: people who did not want to wait. Views that timed out without a start count.',
  ),
  startup_p50_ms: startup(0.5),
  startup_p75_ms: startup(0.75),
  startup_p90_ms: startup(0.9),
  startup_p95_ms: startup(0.95),
  startup_p99_ms: startup(0.99),
  startup_mean_ms: ratio(
    'Startup time, mean',
    'ms',
    { over: ['startup_ms'], by: ['startups'] },
    'A few very slow starts pull it up: prefer p50 and p95. By Mux, the loading of page and player come on top.',
    { mux: { over: ['startup_ms', 'page_startup_ms', 'player_startup_ms'], by: ['startups'] } },
  ),
  preroll_startup_mean_ms: ratio(
    'Pre-roll startup, mean',
    'ms',
    { over: ['preroll_startup_ms'], by: ['startups'] },
    'Request to the first frame of an ad, in no other startup time; views without a pre-roll count as 0.',
  ),
} as const satisfies Readonly<Record<string, Metric>>

export const FAILING = {
  failure_percent: ratio(
    'Failures',
    'percent',
    { over: ['failures'], by: ['views'], scale: 100 },
    'Views that a fatal failure ended. Business exceptions (region, entitlement) are none.',
  ),
  startup_failure_percent: ratio(
    'Startup failures',
    'percent',
    { over: ['startup_failures'], by: ['views'], scale: 100 },
    'Failed before the first frame.',
  ),
  playback_failure_percent: ratio(
    'Playback failures',
    'percent',
    { over: ['playback_failures'], by: ['views'], scale: 100 },
    'Failed after the first frame.',
  ),
  business_failure_percent: ratio(
    'Business exceptions',
    'percent',
    { over: ['business_failures'], by: ['views'], scale: 100 },
    'A rule, not a defect: region, entitlement, streams at once. In no other failure.',
  ),
  errors_per_view: ratio('Errors', 'per view', { over: ['errors'], by: ['views'] }, 'Reported, fatal or not.'),
  dropped_view_percent: ratio(
    'Dropped views',
    'percent',
    { over: ['views', '-clean_ends', '-alive'], by: ['views', '-alive'], scale: 100 },
    'Of the views that are over or timed out: those with no clean end.',
  ),
} as const satisfies Readonly<Record<string, Metric>>
