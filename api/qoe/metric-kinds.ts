/** What a metric is: a ratio of sums, a percentile, or one of the two that no sum can tell. */
import type { MinuteMeasure } from './columns.ts'
import type { Formula } from './formulas.ts'

export const DEFINITIONS = ['cta-2066', 'mux', 'conviva', 'puffer'] as const
export type Definition = (typeof DEFINITIONS)[number]
export const STANDARD: Definition = 'cta-2066'

export type Unit =
  | 'views'
  | 'viewers'
  | 'count'
  | 'percent'
  | 'ms'
  | 'kbit/s'
  | 'hours'
  | 'minutes'
  | 'per hour'
  | 'per view'
  | 'points'

interface Shown {
  readonly title: string
  readonly unit: Unit
  /** What it tells, and what to do with it. */
  readonly help: string
}

export interface RatioMetric extends Shown {
  readonly kind: 'ratio'
  readonly formula: Formula
  /** Where others define it otherwise. */
  readonly others?: Readonly<Partial<Record<Exclude<Definition, 'cta-2066'>, Formula>>>
}

export interface PercentileMetric extends Shown {
  readonly kind: 'percentile'
  readonly share: number
}

export interface ViewersMetric extends Shown {
  readonly kind: 'viewers'
}

/** The greatest sum of a minute, as viewers. */
export interface PeakMetric extends Shown {
  readonly kind: 'peak'
  readonly over: readonly MinuteMeasure[]
}

export type Metric = RatioMetric | PercentileMetric | ViewersMetric | PeakMetric

export function ratio(
  title: string,
  unit: Unit,
  formula: Formula,
  help: string,
  others?: NonNullable<RatioMetric['others']>,
): RatioMetric {
  return { kind: 'ratio', title, unit, formula, help, ...(others !== undefined && { others }) }
}
