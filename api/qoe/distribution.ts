/** How startup times are spread: a histogram that people can read, and its percentiles. */
import { midOf as middleOf, percentileOf } from '../../projections/histogram.ts'
import type { AnalyticsReader } from '../ports.ts'
import { sampleOf } from './answer.ts'
import { resultOf } from './formulas.ts'
import { QOE_LIMITS } from './limits.ts'
import { type Question, shownQuestion } from './question.ts'
import { readSums } from './sums.ts'

const PERCENTILES = { p50: 0.5, p75: 0.75, p90: 0.9, p95: 0.95, p99: 0.99 } as const

export async function distribution(analytics: AnalyticsReader, { timedOutAtMs, ...question }: Question) {
  const { window, filters } = question
  const [row] = await readSums(analytics, {
    window,
    filters,
    measures: ['views', 'startups', 'startup_ms', 'reports', 'lost_reports'],
    histogram: true,
    timedOutAtMs,
  })
  const { buckets, counts: inEach } = row?.histogram ?? { buckets: [], counts: [] }
  const counts = new Map(buckets.map((bucket, i) => [bucket, inEach[i] ?? 0] as const).filter(([, n]) => n !== 0))
  const percentiles = Object.entries(PERCENTILES).map(([name, share]) => [name, msOf(percentileOf(counts, share))])
  const sums = row?.sums ?? {}
  return {
    ...shownQuestion({ ...question, timedOutAtMs }),
    of: 'startup_ms',
    bins: binsOf(counts),
    percentiles: Object.fromEntries(percentiles) as Readonly<Record<keyof typeof PERCENTILES, number | null>>,
    mean: resultOf({ over: ['startup_ms'], by: ['startups'] }, sums, 0),
    sample: sampleOf(sums),
    freshness: question.read.freshness,
  }
}

export interface Bin {
  /** Above this, up to `toMs`. */
  readonly fromMs: number
  readonly toMs: number
  readonly views: number
}

/** The fine buckets, so many together that there are few enough to draw; those in between that are empty too. */
export function binsOf(counts: ReadonlyMap<number, number>): readonly Bin[] {
  const buckets = [...counts.keys()]
  if (buckets.length === 0) return []
  const first = Math.min(...buckets)
  const together = Math.ceil((Math.max(...buckets) - first + 1) / QOE_LIMITS.distributionBinsMax)
  const bins: Bin[] = []
  for (let bucket = first; bucket <= Math.max(...buckets); bucket += together) {
    let views = 0
    for (let one = bucket; one < bucket + together; one++) views += counts.get(one) ?? 0
    bins.push({ fromMs: upperOf(bucket - 1), toMs: upperOf(bucket + together - 1), views })
  }
  return bins
}

/** The largest value in a bucket: half a bucket above what stands for it. */
function upperOf(bucket: number): number {
  return bucket < 0 ? 0 : Math.floor(middleOf(bucket + 0.5))
}

function msOf(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value)
}
