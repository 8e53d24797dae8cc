/**
 * Where a question is answered from. None or one dimension: the cube, which is small whatever its history. Several
 * dimensions, or finer than a cube: the views themselves for what belongs to a view's start, the slices (two days at
 * most) for what belongs to a minute. A cube of hours is helped out by minutes, or by single views, at the two ends
 * that are no whole hours: the answer is exact.
 */
import { fieldProblem } from '../validation.ts'
import { isInMinutes, type QoeDimension } from './dimensions.ts'
import type { Filters } from './filters.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, QOE_LIMITS } from './limits.ts'
import type { Window } from './window.ts'

export type Source = 'qoe_minute' | 'qoe_hour' | 'views' | 'slices'

export interface Segment extends Window {
  readonly source: Source
}

export interface Asked {
  readonly window: Window
  readonly filters: Filters
  /** Rows for each value of it. */
  readonly by?: QoeDimension
  /** Rows for each step. */
  readonly stepMs?: number
  /** Sums of views, sums of minutes: which are wanted. */
  readonly ofViews: boolean
  readonly ofMinutes: boolean
}

export interface Plan {
  /** The cube's dimension, if a cube answers; all of `segments` that are no cubes filter by columns. */
  readonly dimension: QoeDimension | 'all'
  readonly segments: readonly Segment[]
}

export function planOf(asked: Asked): Plan {
  const dimensions = dimensionsOf(asked)
  const [dimension = 'all'] = dimensions
  const { window, stepMs = 0 } = asked
  const hoursOnly = dimension !== 'all' && !isInMinutes(dimension)
  const finer = stepMs > 0 && stepMs < (hoursOnly ? HOUR_MS : MINUTE_MS)
  if (dimensions.length > 1 || finer) return { dimension, segments: exact(window, asked) }
  if (!hoursOnly && !wantsHours(window, stepMs)) return { dimension, segments: [{ ...window, source: 'qoe_minute' }] }
  const middle = wholeHours(window)
  const edges = middle === undefined ? [window] : edgesOf(window, middle)
  const ends = edges.flatMap((edge): readonly Segment[] =>
    hoursOnly ? exact(edge, asked) : [{ ...edge, source: 'qoe_minute' }],
  )
  return { dimension, segments: middle === undefined ? ends : [{ ...middle, source: 'qoe_hour' }, ...ends] }
}

/** Whether the sums of minutes can be had at all: single minutes of views are read over two days at most. */
export function hasMinutes(asked: Omit<Asked, 'ofViews' | 'ofMinutes'>): boolean {
  if (asked.stepMs !== undefined && asked.stepMs < MINUTE_MS) return false
  const { segments } = planOf({ ...asked, ofViews: false, ofMinutes: true })
  return segments.every((one) => one.source !== 'slices' || isShort(one))
}

/** Throws the Problem for a question about minutes that only slices could answer, over too long a time. */
export function requireMinutes(asked: Omit<Asked, 'ofViews' | 'ofMinutes'>, what: string): void {
  if (hasMinutes(asked)) return
  if (asked.stepMs !== undefined && asked.stepMs < MINUTE_MS) {
    throw fieldProblem(
      { field: 'grain', problem: `is too fine for ${what}`, remedy: 'Ask for grain=minute, or leave the metric out.' },
      'query',
    )
  }
  const days = QOE_LIMITS.slicesWindowMaxMs / DAY_MS
  const problem = `is over ${days} days before "to", too long for ${what} by several dimensions`
  const remedy = `Ask for ${days} days at most, for one dimension only, or leave the metric out.`
  throw fieldProblem({ field: 'from', problem, remedy }, 'query')
}

export function dimensionsOf({ filters, by }: Pick<Asked, 'filters' | 'by'>): readonly QoeDimension[] {
  const found = new Set(filters.map(({ dimension }) => dimension))
  if (by !== undefined) found.add(by)
  return [...found]
}

function wantsHours(window: Window, stepMs: number): boolean {
  if (stepMs > 0) return stepMs >= HOUR_MS
  return window.toMs - window.fromMs >= QOE_LIMITS.hourCubeFromMs
}

function exact(window: Window, { ofViews, ofMinutes }: Asked): readonly Segment[] {
  const segments: Segment[] = []
  if (ofViews) segments.push({ ...window, source: 'views' })
  if (ofMinutes) segments.push({ ...window, source: 'slices' })
  return segments
}

export function wholeHours({ fromMs, toMs }: Window, stepMs: number = HOUR_MS): Window | undefined {
  const whole = { fromMs: Math.ceil(fromMs / stepMs) * stepMs, toMs: Math.floor(toMs / stepMs) * stepMs }
  return whole.fromMs < whole.toMs ? whole : undefined
}

export function edgesOf(window: Window, middle: Window): readonly Window[] {
  const edges = [
    { fromMs: window.fromMs, toMs: middle.fromMs },
    { fromMs: middle.toMs, toMs: window.toMs },
  ]
  return edges.filter(({ fromMs, toMs }) => fromMs < toMs)
}

function isShort({ fromMs, toMs }: Window): boolean {
  return toMs - fromMs <= QOE_LIMITS.slicesWindowMaxMs
}
