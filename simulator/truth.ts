/**
 * What an audience truly did: the sums of its views' tallies, as a whole, by dimension, and by the minute. Views that are
 * over are kept as sums only; those that go on, one by one.
 */
import { AT, type Dimensions, type Ending, TALLY_NAMES, type Tally, type TallyName } from './tally.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

export type Dimension = keyof Dimensions
export const DIMENSIONS: readonly Dimension[] = [
  'cdn',
  'country',
  'device_type',
  'network_type',
  'app_version',
  'title_id',
]

export interface Sums extends Readonly<Record<TallyName, number>> {
  /** Views whose end nobody heard of, or not yet. */
  readonly lostEnds: number
  /** Startup time in milliseconds → how many views had it; empty by title. */
  readonly startups: ReadonlyMap<number, number>
}

export interface ViewTruth extends Readonly<Record<TallyName, number>> {
  readonly profileId: string
  readonly sessionId: string
  readonly titleId: string
  readonly startedAtMs: number
  readonly ending: Ending
}

export interface Truth {
  total(): Sums
  by(dimension: Dimension): ReadonlyMap<string, Sums>
  uniqueViewers(): number
  /** Of each minute: how many watched or waited, on average. */
  concurrents(): readonly { readonly minuteMs: number; readonly concurrent: number }[]
  /** When the first view began, and when the last event was received. */
  window(): { readonly fromMs: number; readonly toMs: number } | undefined
}

class Sum {
  readonly numbers = new Float64Array(TALLY_NAMES.length)
  readonly startups = new Map<number, number>()
  lostEnds = 0

  /** `open`: what its player does now may be over already, but nobody was told. */
  take({ delivered, ending }: Tally, withStartups: boolean, open = false): void {
    for (let i = 0; i < delivered.length; i++) this.numbers[i]! += delivered[i]!
    if (ending === 'lost' || open) this.lostEnds++
    if (open && delivered[AT.starts] === 0) this.numbers[AT.lostBeforeStart]!++
    if (!withStartups || delivered[AT.starts] === 0) return
    const ms = delivered[AT.startupMs]!
    this.startups.set(ms, (this.startups.get(ms) ?? 0) + 1)
  }

  copy(): Sum {
    const made = new Sum()
    made.numbers.set(this.numbers)
    for (const [ms, count] of this.startups) made.startups.set(ms, count)
    made.lostEnds = this.lostEnds
    return made
  }

  get sums(): Sums {
    return { ...named(this.numbers), lostEnds: this.lostEnds, startups: this.startups }
  }
}

export class TruthBook implements Truth {
  readonly #total = new Sum()
  readonly #by = new Map<Dimension, Map<string, Sum>>(DIMENSIONS.map((name) => [name, new Map()]))
  readonly #open = new Set<Tally>()
  readonly #minutes = new Map<number, number>()
  /** A bit for each viewer. */
  readonly #seen: Uint8Array
  #viewers = 0
  #fromMs = Number.POSITIVE_INFINITY
  #toMs = 0
  readonly #onView: ((view: ViewTruth) => void) | undefined

  constructor(viewers: number, onView: ((view: ViewTruth) => void) | undefined) {
    this.#seen = new Uint8Array(Math.ceil(viewers / 8))
    this.#onView = onView
  }

  /** What the view's player has said by now is known. */
  deliver(tally: Tally, receivedAtMs: number): void {
    if (tally.delivered[AT.views] === 0) this.#begin(tally)
    if (receivedAtMs > this.#toMs) this.#toMs = receivedAtMs
    tally.deliver(this.#watched)
  }

  close(tally: Tally): void {
    this.#open.delete(tally)
    this.#add(tally, this.#total, this.#by)
    this.#onView?.({ ...named(tally.delivered), ...shownWhose(tally), ending: tally.ending })
  }

  total(): Sums {
    const sum = this.#total.copy()
    for (const tally of this.#open) sum.take(tally, true, true)
    return sum.sums
  }

  by(dimension: Dimension): ReadonlyMap<string, Sums> {
    const sums = new Map<string, Sum>()
    for (const [value, sum] of this.#by.get(dimension) ?? []) sums.set(value, sum.copy())
    for (const tally of this.#open) sumOf(sums, tally.dimensions[dimension]).take(tally, dimension !== 'title_id', true)
    return new Map([...sums].map(([value, sum]) => [value, sum.sums]))
  }

  uniqueViewers(): number {
    return this.#viewers
  }

  concurrents(): readonly { readonly minuteMs: number; readonly concurrent: number }[] {
    const minutes = [...this.#minutes].sort(([a], [b]) => a - b)
    return minutes.map(([minute, ms]) => ({ minuteMs: minute * MINUTE_MS, concurrent: ms / MINUTE_MS }))
  }

  window(): { readonly fromMs: number; readonly toMs: number } | undefined {
    return this.#toMs === 0 ? undefined : { fromMs: this.#fromMs, toMs: this.#toMs }
  }

  #begin(tally: Tally): void {
    const { viewer, startedAtMs } = tally.whose
    this.#open.add(tally)
    if (startedAtMs < this.#fromMs) this.#fromMs = startedAtMs
    const bit = 1 << (viewer & 7)
    if ((this.#seen[viewer >> 3]! & bit) !== 0) return
    this.#seen[viewer >> 3]! |= bit
    this.#viewers++
  }

  #add(tally: Tally, total: Sum, by: ReadonlyMap<Dimension, Map<string, Sum>>): void {
    total.take(tally, true)
    for (const [name, sums] of by) sumOf(sums, tally.dimensions[name]).take(tally, name !== 'title_id')
  }

  readonly #watched = (fromMs: number, toMs: number): void => {
    for (let at = fromMs; at < toMs; ) {
      const minute = Math.floor(at / MINUTE_MS)
      const end = Math.min(toMs, (minute + 1) * MINUTE_MS)
      this.#minutes.set(minute, (this.#minutes.get(minute) ?? 0) + end - at)
      at = end
    }
  }
}

/** The same by the names of /v1/qoe/metrics; null where there is nothing to divide by. */
export function metricsOf(sums: Sums): Readonly<Record<string, number | null>> {
  const watchedMs = sums.startingMs + sums.playingMs + sums.seekingMs + sums.stalledMs
  const { views, starts } = sums
  const exits = sums.exitsBeforeStart + sums.lostBeforeStart
  return {
    views,
    starts,
    watch_time_hours: watchedMs / HOUR_MS,
    playing_time_hours: sums.playingMs / HOUR_MS,
    media_time_hours: sums.mediaMs / HOUR_MS,
    start_success_percent: percent(starts, starts + sums.startupFailures + exits),
    ebvs_percent: percent(exits, views),
    startup_mean_ms: ratio(sums.startupMs, starts),
    startup_p50_ms: percentileOf(sums.startups, 0.5),
    startup_p75_ms: percentileOf(sums.startups, 0.75),
    startup_p90_ms: percentileOf(sums.startups, 0.9),
    startup_p95_ms: percentileOf(sums.startups, 0.95),
    startup_p99_ms: percentileOf(sums.startups, 0.99),
    failure_percent: percent(sums.startupFailures + sums.playbackFailures, views),
    startup_failure_percent: percent(sums.startupFailures, views),
    playback_failure_percent: percent(sums.playbackFailures, views),
    business_failure_percent: percent(sums.businessFailures, views),
    dropped_view_percent: percent(views - sums.cleanEnds, views),
    rebuffer_percent: percent(sums.stalledMs, watchedMs),
    rebuffer_frequency: ratio(sums.stalls * HOUR_MS, watchedMs),
    stalls_per_view: ratio(sums.stalls, views),
    stalled_view_percent: percent(sums.stalledViews, views),
    sustained_stall_frequency: ratio(sums.sustainedStalls * HOUR_MS, watchedMs),
    stall_mean_ms: ratio(sums.stalledMs, sums.stalls),
    seek_latency_mean_ms: ratio(sums.seekLatencyMs, sums.seekLatencies),
    seeks_per_view: ratio(sums.seeks, views),
    average_bitrate_kbps: ratio(sums.bits, sums.mediaMs),
    switches_per_hour: ratio((sums.upSwitches + sums.downSwitches) * HOUR_MS, sums.playingMs),
  }
}

/** The smallest that this share of all is not above. */
export function percentileOf(counts: ReadonlyMap<number, number>, share: number): number | null {
  let total = 0
  for (const count of counts.values()) total += count
  if (total === 0) return null
  const rank = Math.max(1, Math.ceil(share * total))
  let seen = 0
  for (const [ms, count] of [...counts].sort(([a], [b]) => a - b)) {
    seen += count
    if (seen >= rank) return ms
  }
  return null
}

function percent(over: number, under: number): number | null {
  return ratio(100 * over, under)
}

function ratio(over: number, under: number): number | null {
  return under === 0 ? null : over / under
}

function sumOf(sums: Map<string, Sum>, value: string): Sum {
  let sum = sums.get(value)
  if (sum === undefined) {
    sum = new Sum()
    sums.set(value, sum)
  }
  return sum
}

function named(numbers: Float64Array): Record<TallyName, number> {
  return Object.fromEntries(TALLY_NAMES.map((name, i) => [name, numbers[i]!])) as Record<TallyName, number>
}

function shownWhose({ whose: { profileId, sessionId, titleId, startedAtMs } }: Tally) {
  return { profileId, sessionId, titleId, startedAtMs }
}
