/** Ads apart from content, scores, what it is all based on, and what goes by the minute it happened. */
import { type Metric, ratio } from './metric-kinds.ts'

export const ADS = {
  ad_minutes: ratio(
    'Ad time',
    'minutes',
    { over: ['ad_ms'], scale: 1 / 60_000 },
    'In no time and no stall of the content.',
  ),
  ads: ratio('Ads', 'count', { over: ['ads'] }, 'Ads that began.'),
  ad_errors: ratio(
    'Ad errors',
    'count',
    { over: ['ad_errors'] },
    'Ads and ad breaks that failed; no failure of the view.',
  ),
} as const satisfies Readonly<Record<string, Metric>>

export const SCORES = {
  score: ratio(
    'Score',
    'points',
    { over: ['score_milli'], by: ['score_views'], scale: 0.001 },
    'Overall, 0 to 100, the mean over views. The formula is in docs/qoe.md.',
  ),
  startup_score: ratio(
    'Startup score',
    'points',
    { over: ['startup_score_milli'], by: ['startup_score_views'], scale: 0.001 },
    '800 ÷ (8 + s), at most 100.',
  ),
  smoothness_score: ratio(
    'Smoothness score',
    'points',
    { over: ['smoothness_score_milli'], by: ['score_views'], scale: 0.001 },
    'Of the number of stalls and the share of time in them.',
  ),
  quality_score: ratio(
    'Picture score',
    'points',
    { over: ['quality_score_milli'], by: ['quality_score_views'], scale: 0.001 },
    'Of the upscaling.',
  ),
  success_score: ratio(
    'Success score',
    'points',
    { over: ['success_score_milli'], by: ['score_views'], scale: 0.001 },
    '100; 50 for an exit before start; 0 for a failure.',
  ),
} as const satisfies Readonly<Record<string, Metric>>

export const COMPLETENESS = {
  reports: ratio(
    'Reports',
    'count',
    { over: ['reports'] },
    'Received, by sequence number: what all of this is based on.',
  ),
  lost_report_percent: ratio(
    'Lost reports',
    'percent',
    { over: ['lost_reports'], by: ['reports', 'lost_reports'], scale: 100 },
    'Numbers missing between the first and the last of a session.',
  ),
  duplicate_report_percent: ratio(
    'Duplicate reports',
    'percent',
    { over: ['duplicate_reports'], by: ['reports', 'duplicate_reports'], scale: 100 },
    'Came again; counted once.',
  ),
  late_report_percent: ratio(
    'Late reports',
    'percent',
    { over: ['late_reports'], by: ['reports'], scale: 100 },
    'Received over a minute after they happened; they correct what was shown.',
  ),
  nonsense_per_view: ratio(
    'Values without sense',
    'per view',
    { over: ['nonsense'], by: ['views'] },
    'Left out of every other number.',
  ),
} as const satisfies Readonly<Record<string, Metric>>

export const MINUTES = {
  minute_rebuffer_percent: ratio(
    'Rebuffering by the minute',
    'percent',
    { over: ['at_stalled_ms'], by: ['at_starting_ms', 'at_playing_ms', 'at_seeking_ms', 'at_stalled_ms'], scale: 100 },
    'As rebuffer_percent, but by when it happened and not by when the views began: for what happens now.',
  ),
  minute_bitrate_kbps: ratio(
    'Bitrate by the minute',
    'kbit/s',
    { over: ['at_bits'], by: ['at_bits_media_ms'] },
    'As average_bitrate_kbps, but by when it was played.',
  ),
} as const satisfies Readonly<Record<string, Metric>>
