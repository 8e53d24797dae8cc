/** How a table is shown to people: as it is, only the rows that stand, or added up by key with what is worked out of sums. */

export interface Column {
  readonly name: string
  readonly type: string
  readonly comment: string
}

export interface Alias {
  readonly name: string
  readonly target: string
  readonly comment: string
  /** Of columns that the target does not have, or that mean something else here. */
  readonly comments: Readonly<Record<string, string>>
  /** `from`: the target with its database, quoted. */
  select(from: string, columns: readonly Column[]): string
}

/** What the runtime adds to signed rows: no question of people's is about it. */
const RUNTIME = new Set(['topic', 'partition', 'version', 'sign'])

export function plain(name: string, target: string, comment: string): Alias {
  return { name, target, comment, comments: {}, select: (from) => `SELECT * FROM ${from}` }
}

export function standing(name: string, target: string, comment: string): Alias {
  return {
    ...{ name, target, comment, comments: {} },
    select: (from, columns) => {
      const shown = columns.map((c) => c.name).filter((c) => !RUNTIME.has(c))
      return `SELECT ${shown.join(', ')} FROM ${from} FINAL`
    },
  }
}

export function added(
  name: string,
  target: string,
  comment: string,
  comments: Alias['comments'],
  select: (from: string) => string,
): Alias {
  return { name, target, comment, comments, select }
}

/** A view that neither started nor failed counts as left once it must have timed out; younger ones may still start. */
const left = (at: string) => `(ended_before_start + if(${at} < now() - INTERVAL 90 MINUTE, open_unstarted, 0))`
const percent = (over: string, by: string) => `round(100 * ${over} / nullIf(${by}, 0), 4)`
const ratio = (over: string, by: string) => `round(${over} / nullIf(${by}, 0), 3)`

/** By the definitions of docs/qoe.md; null where there is nothing to divide by. */
function derived(at: string, grainMs: number): Readonly<Record<string, readonly [sql: string, comment: string]>> {
  return {
    start_success_percent: [
      percent('starts', `(starts + startup_failures + ${left(at)})`),
      'Of the views that started, failed to, or were left before (at once, or 30 min without a report): how many started',
    ],
    ebvs_percent: [percent(left(at), 'views'), 'Views that were left before the start, with no failure'],
    failure_percent: [percent('failures', 'views'), 'Views that a fatal failure ended'],
    rebuffer_percent: [percent('stalled_ms', 'watched_ms'), 'CTA-2066: stalled time of watched time'],
    mux_rebuffer_percent: [percent('mux_stalled_ms', 'mux_watch_ms'), 'Mux: rebuffering of watch time'],
    connection_rebuffer_percent: [
      percent('connection_stalled_ms', '(playing_ms + stalled_ms)'),
      'Conviva: stalls that no seek precedes, of playing and stalled time',
    ],
    puffer_rebuffer_percent: [percent('puffer_stalled_ms', 'puffer_ms'), 'Puffer: stalled of the time after startup'],
    stalls_per_hour: [ratio('3600000 * stalls', 'watched_ms'), 'Stalls per hour watched'],
    average_bitrate_kbps: [ratio('bits', 'bits_media_ms'), 'CTA-2066: bits of media time, kbit/s'],
    startup_mean_ms: [ratio('startup_ms', 'startups'), 'Startup time in the mean, ms'],
    startup_p50_ms: [percentile(0.5), 'Startup time of half the views at most, ms, within 1 %'],
    startup_p95_ms: [percentile(0.95), 'Startup time of 95 of 100 views at most, ms, within 1 %'],
    startup_p99_ms: [percentile(0.99), 'Startup time of 99 of 100 views at most, ms, within 1 %'],
    score: [ratio('score_milli / 1000', 'score_views'), 'Overall score in the mean, 0 to 100'],
    concurrent_viewers: [
      `round((at_starting_ms + at_playing_ms + at_seeking_ms + at_stalled_ms + at_ad_ms) / ${grainMs}, 3)`,
      'Who watched then, in the mean: starting, playing, seeking, stalled or in an ad; not paused',
    ],
  }
}

/** The bucket in which the rank lies, and the value that stands for it: see projections/histogram.ts. */
function percentile(share: number): string {
  const bucket = `mapKeys(startup_hist)[arrayFirstIndex(c -> c >= ceil(${share} * startups), arrayCumSum(mapValues(startup_hist)))]`
  return `if(startups <= 0, NULL, round(if(${bucket} = 0, 1, exp((${bucket} - 0.5) * 0.0200007)), 1))`
}

/** Sums by (dim, value, time), and behind them what is worked out of them. */
export function cube(name: string, target: string, at: 'minute' | 'hour'): Alias {
  const extra = derived(at, at === 'minute' ? 60_000 : 3_600_000)
  const comment = `Views and watching by ${at}, of all (dim = 'all') or by one dimension: always choose one dim`
  const comments = Object.fromEntries(Object.entries(extra).map(([column, [, text]]) => [column, text]))
  return {
    ...{ name, target, comment, comments },
    select: (from, columns) => {
      const sums = columns.filter((c) => c.type.startsWith('SimpleAggregateFunction(sum,')).map((c) => c.name)
      const added = sums.map((c) => `sum(t.${c}) AS ${c}`).join(', ')
      const hist = 'mapSort(mapFilter((k, n) -> n != 0, sumMap(t.startup_hist))) AS startup_hist'
      const inner = `SELECT dim, value, ${at}, ${added}, ${hist} FROM ${from} AS t GROUP BY dim, value, ${at}`
      const more = Object.entries(extra).map(([column, [sql]]) => `${sql} AS ${column}`)
      return `SELECT dim, value, ${at}, ${sums.join(', ')}, startup_hist, ${more.join(', ')} FROM (${inner})`
    },
  }
}
