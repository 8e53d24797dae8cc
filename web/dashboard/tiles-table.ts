/** The tiles: which metrics each shows, and how. The metrics' definitions are the API's (docs/qoe.md). */
import type { Series } from '../shared/chart.ts'
import { bitrate, count, percent, perHour, points, wait } from '../shared/format.ts'
import type { TileName } from './choice.ts'
import type { Numbers } from './types.ts'

type Format = (value: number | null | undefined) => string

export interface Tile {
  readonly label: string
  /** What it is, for who does not know. */
  readonly means: string
  readonly metric: string
  readonly format: Format
  /** A smaller line below the number. */
  readonly also: (values: Numbers) => string
  readonly lines: readonly { readonly metric: string; readonly name: string; readonly tone: string }[]
  readonly shape: Series['shape']
  /** Which way is better: a change is coloured by it. */
  readonly better: 'more' | 'less' | 'neither'
}

export const TILES_TABLE: Readonly<Record<TileName, Tile>> = {
  views: {
    label: 'Views',
    means: 'One title in one session, counted when it begins.',
    metric: 'views',
    format: count,
    also: ({ starts }) => `${count(starts)} started`,
    lines: [{ metric: 'views', name: 'Views', tone: 'tone-1' }],
    shape: 'bars',
    better: 'neither',
  },
  startup: {
    label: 'Startup time',
    means: 'From request to first frame. Half of all views start within the median.',
    metric: 'startup_p50_ms',
    format: wait,
    also: ({ startup_p95_ms }) => `p95 ${wait(startup_p95_ms)}`,
    lines: [
      { metric: 'startup_p50_ms', name: 'Median', tone: 'tone-1' },
      { metric: 'startup_p95_ms', name: 'p95', tone: 'tone-2' },
      { metric: 'startup_p99_ms', name: 'p99', tone: 'tone-3' },
    ],
    shape: 'line',
    better: 'less',
  },
  failures: {
    label: 'Failed views',
    means: 'Views that ended in a fatal error, before or after the first frame.',
    metric: 'failure_percent',
    format: percent,
    also: ({ startup_failure_percent }) => `${percent(startup_failure_percent)} at the start`,
    lines: [{ metric: 'failure_percent', name: 'Failed', tone: 'state-failed' }],
    shape: 'area',
    better: 'less',
  },
  exits: {
    label: 'Exits before start',
    means: 'Viewers who left while they waited for the first frame, without an error.',
    metric: 'ebvs_percent',
    format: percent,
    also: ({ start_success_percent }) => `${percent(start_success_percent)} start well`,
    lines: [{ metric: 'ebvs_percent', name: 'Left before start', tone: 'tone-4' }],
    shape: 'area',
    better: 'less',
  },
  rebuffer: {
    label: 'Rebuffering',
    means: 'Share of watched time that viewers waited in stalls; startup and seeks are not in it.',
    metric: 'rebuffer_percent',
    format: percent,
    also: ({ rebuffer_frequency }) => `${perHour(rebuffer_frequency)} stalls`,
    lines: [{ metric: 'rebuffer_percent', name: 'Rebuffering', tone: 'state-stalled' }],
    shape: 'area',
    better: 'less',
  },
  bitrate: {
    label: 'Bitrate',
    means: 'Video and audio together, weighted by what was played.',
    metric: 'average_bitrate_kbps',
    format: bitrate,
    also: ({ watch_time_hours }) => `${points(watch_time_hours)} h watched`,
    lines: [{ metric: 'average_bitrate_kbps', name: 'Average bitrate', tone: 'tone-1' }],
    shape: 'line',
    better: 'more',
  },
  score: {
    label: 'Score',
    means: 'Mean of the views’ scores, 0 to 100: success, startup, smoothness and picture.',
    metric: 'score',
    format: points,
    also: () => 'of 100',
    lines: [{ metric: 'score', name: 'Score', tone: 'tone-1' }],
    shape: 'line',
    better: 'more',
  },
}

/** Everything an overview and a series are asked for. */
export const OVERVIEW_ASKS = [
  'views',
  'starts',
  'startup_p50_ms',
  'startup_p95_ms',
  'startup_p99_ms',
  'start_success_percent',
  'failure_percent',
  'startup_failure_percent',
  'ebvs_percent',
  'rebuffer_percent',
  'rebuffer_frequency',
  'average_bitrate_kbps',
  'watch_time_hours',
  'score',
] as const

export const SERIES_ASKS = [...new Set(Object.values(TILES_TABLE).flatMap(({ lines }) => lines.map((l) => l.metric)))]
