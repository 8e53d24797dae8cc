/**
 * What can be summed: the whole numbers of a view (`started_at` says when), those of a view's minutes (`at_…`, the
 * minute itself says when), and two that depend on when one asks: the open views that have not timed out.
 */
import { type SLICE_COLUMNS, VIEW_COLUMNS } from '../../projections/views/row.ts'

/** Maxima and facts of one view: sums of them mean nothing. */
const NOT_SUMMED = [
  'furthest_ms',
  'longest_stall_ms',
  'title_duration_ms',
  'peak_kbps',
  'upscale_max_permille',
] as const
const NOT_SUMMED_IN_SLICES = ['position_ms'] as const

type Whole<C extends Readonly<Record<string, string>>> = { [K in keyof C]: C[K] extends 'i' ? K : never }[keyof C]
export type ViewMeasure = Exclude<Whole<typeof VIEW_COLUMNS>, (typeof NOT_SUMMED)[number]>
type SliceMeasure = Exclude<Whole<typeof SLICE_COLUMNS>, (typeof NOT_SUMMED_IN_SLICES)[number]>
export type MinuteMeasure = `at_${SliceMeasure}`
/** Open, and not timed out as of the moment that is asked about. */
export type AliveMeasure = 'alive' | 'alive_unstarted'
export type Measure = ViewMeasure | MinuteMeasure | AliveMeasure

function wholeOf(columns: Readonly<Record<string, string>>, not: readonly string[]): readonly string[] {
  return Object.keys(columns).filter((name) => columns[name] === 'i' && !not.includes(name))
}

const VIEW_MEASURES: ReadonlySet<string> = new Set(wholeOf(VIEW_COLUMNS, NOT_SUMMED))

export const isViewMeasure = (name: Measure): name is ViewMeasure => VIEW_MEASURES.has(name)
export const isMinuteMeasure = (name: Measure): name is MinuteMeasure => name.startsWith('at_')

/** As the slices name it. */
export const sliceColumnOf = (name: MinuteMeasure): string => name.slice('at_'.length)

/** The alive ones are sums of these over the views that have not timed out. */
export const ALIVE_COLUMNS: Readonly<Record<AliveMeasure, ViewMeasure>> = {
  alive: 'open',
  alive_unstarted: 'open_unstarted',
}
export const isAliveMeasure = (name: Measure): name is AliveMeasure => name in ALIVE_COLUMNS
