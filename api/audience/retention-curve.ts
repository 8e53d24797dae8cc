/**
 * From "so many more, so many fewer from this second on" to a curve, and to where it falls and where it is watched
 * again. Whole numbers until the last step, and nothing but the arguments: no store, no clock.
 */
import { AUDIENCE_LIMITS } from './limits.ts'

/** From `second` on, `change` more play (fewer, if negative). */
export interface Edge {
  readonly second: number
  readonly change: number
}

export interface RetentionFacts {
  /** Of views that played a second at least once; of all plays of it. */
  readonly watched: readonly Edge[]
  readonly played: readonly Edge[]
  readonly starts: number
  /** 0: not known, and then the title is as long as it was played. */
  readonly durationSeconds: number
  readonly stepSeconds?: number
}

export interface RetentionPoint {
  readonly atSeconds: number
  readonly audience: number
  readonly audiencePercent: number | null
  readonly plays: number
}

export interface RetentionMark {
  readonly fromSeconds: number
  readonly toSeconds: number
  readonly views: number
  readonly percent: number
}

export interface RetentionCurve {
  readonly lengthSeconds: number
  readonly stepSeconds: number
  readonly averagePercent: number | null
  readonly points: readonly RetentionPoint[]
  /** Views that were lost between the two seconds, net, and of all starts. */
  readonly dropOffs: readonly RetentionMark[]
  /** Plays beyond the first, on average over the stretch, and of the views that played it. */
  readonly rewatchPeaks: readonly RetentionMark[]
}

/** Marks tell of a stretch of this share of the title; a change below these shares is no mark. */
const STRETCHES = 100
const DROP_PERCENT_MIN = 2
const REWATCH_PERCENT_MIN = 10
const AUDIENCE_PERCENT_MIN = 1

export function retentionCurve(facts: RetentionFacts): RetentionCurve {
  const { starts, durationSeconds } = facts
  const played = [...facts.watched, ...facts.played].reduce((last, { second }) => Math.max(last, second), 0)
  const lengthSeconds = Math.min(durationSeconds > 0 ? durationSeconds : played, AUDIENCE_LIMITS.retentionSecondsMax)
  const finest = Math.max(1, Math.ceil(lengthSeconds / AUDIENCE_LIMITS.retentionPointsMax))
  const stepSeconds = Math.max(finest, facts.stepSeconds ?? 1)
  const audience = accumulated(facts.watched, lengthSeconds)
  const plays = accumulated(facts.played, lengthSeconds)
  const points: RetentionPoint[] = []
  for (let from = 0; from < lengthSeconds; from += stepSeconds) {
    const to = Math.min(from + stepSeconds, lengthSeconds)
    const mean = sumOf(audience, from, to) / (to - from)
    points.push({
      atSeconds: from,
      audience: rounded(mean),
      audiencePercent: percentOf(mean, starts),
      plays: rounded(sumOf(plays, from, to) / (to - from)),
    })
  }
  const whole = lengthSeconds === 0 ? 0 : sumOf(audience, 0, lengthSeconds) / lengthSeconds
  return {
    lengthSeconds,
    stepSeconds,
    averagePercent: lengthSeconds === 0 ? null : percentOf(whole, starts),
    points,
    dropOffs: dropOffs(audience, starts),
    rewatchPeaks: rewatchPeaks(audience, plays, starts),
  }
}

/** How many play each second. */
function accumulated(edges: readonly Edge[], lengthSeconds: number): Float64Array {
  const level = new Float64Array(lengthSeconds)
  for (const { second, change } of edges) if (second < lengthSeconds) level[second] = (level[second] as number) + change
  for (let second = 1; second < lengthSeconds; second++) {
    level[second] = (level[second] as number) + (level[second - 1] as number)
  }
  return level
}

function dropOffs(audience: Float64Array, starts: number): readonly RetentionMark[] {
  if (starts <= 0) return []
  const stretch = stretchOf(audience)
  const lostFrom = (from: number) => (audience[from] as number) - (audience[from + stretch] as number)
  const found = strongest(audience.length - stretch, stretch, (from) => {
    const lost = lostFrom(from)
    return lost * 100 >= DROP_PERCENT_MIN * starts ? lost : 0
  })
  return found.map((from) => {
    const views = lostFrom(from)
    return { fromSeconds: from, toSeconds: from + stretch, views, percent: percentOf(views, starts) as number }
  })
}

function rewatchPeaks(audience: Float64Array, plays: Float64Array, starts: number): readonly RetentionMark[] {
  const stretch = stretchOf(audience)
  const [views, all] = [summed(audience), summed(plays)]
  const over = (sums: Float64Array, from: number) => (sums[from + stretch] as number) - (sums[from] as number)
  const shareFrom = (from: number) => {
    const seen = over(views, from)
    if (seen * 100 < AUDIENCE_PERCENT_MIN * starts * stretch || seen <= 0) return 0
    const share = (over(all, from) - seen) / seen
    return share * 100 >= REWATCH_PERCENT_MIN ? share : 0
  }
  return strongest(audience.length - stretch + 1, stretch, shareFrom).map((from) => {
    const again = over(all, from) - over(views, from)
    return {
      fromSeconds: from,
      toSeconds: from + stretch,
      views: rounded(again / stretch),
      percent: percentOf(again, over(views, from)) as number,
    }
  })
}

function stretchOf(audience: Float64Array): number {
  return Math.max(1, Math.round(audience.length / STRETCHES))
}

/** The strongest of stretches that don't overlap, the strongest first; the earlier of two alike. */
function strongest(count: number, stretch: number, strengthOf: (from: number) => number): readonly number[] {
  const strengths = Float64Array.from({ length: Math.max(0, count) }, (_, from) => strengthOf(from))
  const found: number[] = []
  while (found.length < AUDIENCE_LIMITS.retentionMarksMax) {
    let best = -1
    for (let from = 0; from < strengths.length; from++) {
      if ((strengths[from] as number) > (best < 0 ? 0 : (strengths[best] as number))) best = from
    }
    if (best < 0) return found
    found.push(best)
    strengths.fill(0, Math.max(0, best - stretch + 1), best + stretch)
  }
  return found
}

function summed(level: Float64Array): Float64Array {
  const sums = new Float64Array(level.length + 1)
  for (let i = 0; i < level.length; i++) sums[i + 1] = (sums[i] as number) + (level[i] as number)
  return sums
}

function sumOf(level: Float64Array, from: number, to: number): number {
  let sum = 0
  for (let i = from; i < to; i++) sum += level[i] as number
  return sum
}

function percentOf(part: number, whole: number): number | null {
  return whole > 0 ? rounded((part * 100) / whole) : null
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
