/** What a rule sees at each minute: sums of the window up to it, or their ratio to the same window before. */
import { percentileOf } from '../histogram.ts'
import type { Sample } from './evaluate.ts'
import { type WatchedMetric, watchedMetric } from './metrics.ts'
import type { Rule } from './rule.ts'

const MINUTE_MS = 60_000

/** One minute of a roll-up, for one value; a minute without a row is a minute of nothing. */
export interface MinuteSums {
  readonly numerator: number
  readonly denominator: number
  readonly sample: number
  /** Bucket → how many; empty where the metric is no percentile. */
  readonly histogram: ReadonlyMap<number, number>
}

/** `fromMs` and `toMs` are starts of minutes, both judged. */
export function samplesOf(
  rule: Rule,
  minutes: ReadonlyMap<number, MinuteSums>,
  fromMs: number,
  toMs: number,
): readonly Sample[] {
  const metric = watchedMetric(rule)
  const samples: Sample[] = []
  for (let minuteMs = fromMs; minuteMs <= toMs; minuteMs += MINUTE_MS) {
    samples.push({ minuteMs, observed: observedAt(rule, metric, minutes, minuteMs) })
  }
  return samples
}

function observedAt(
  rule: Rule,
  metric: WatchedMetric,
  minutes: ReadonlyMap<number, MinuteSums>,
  minuteMs: number,
): number | undefined {
  const now = windowed(rule, metric, minutes, minuteMs)
  if (rule.beforeMinutes === null) return now.sample < rule.minViews ? undefined : now.value
  const before = windowed(rule, metric, minutes, minuteMs - rule.beforeMinutes * MINUTE_MS)
  // What was before has to say enough: growth out of nothing is no ratio. A fall to nothing is one, if things are counted.
  const counts = metric.denominator.length === 0 && metric.percentile === undefined
  if (before.sample < rule.minViews || (!counts && now.sample < rule.minViews)) return undefined
  if (now.value === undefined || before.value === undefined || before.value <= 0) return undefined
  return now.value / before.value
}

function windowed(
  { windowMinutes }: Rule,
  metric: WatchedMetric,
  minutes: ReadonlyMap<number, MinuteSums>,
  minuteMs: number,
): { readonly sample: number; readonly value: number | undefined } {
  let [numerator, denominator, sample] = [0, 0, 0]
  const histogram = new Map<number, number>()
  for (let i = 0; i < windowMinutes; i++) {
    const sums = minutes.get(minuteMs - i * MINUTE_MS)
    if (sums === undefined) continue
    numerator += sums.numerator
    denominator += sums.denominator
    sample += sums.sample
    for (const [bucket, count] of sums.histogram) histogram.set(bucket, (histogram.get(bucket) ?? 0) + count)
  }
  if (metric.percentile !== undefined) return { sample, value: percentileOf(histogram, metric.percentile) }
  if (metric.denominator.length === 0) {
    const divisor = metric.perMinute === true ? windowMinutes : 1
    return { sample, value: (numerator * metric.scale) / divisor }
  }
  return { sample, value: denominator <= 0 ? undefined : (numerator / denominator) * metric.scale }
}
