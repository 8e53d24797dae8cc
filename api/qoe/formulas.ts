/**
 * How a number is made of sums. A ratio is Σ ÷ Σ over the whole population, never a mean of ratios; nothing to divide by
 * is null, never zero. The same formula is evaluated here and, where rows are ranked, in SQL.
 */
import { type Histogram, percentileIn } from '../../projections/histogram.ts'
import type { Measure } from './columns.ts'

/** What was asked about, in ms: turns viewer-milliseconds into viewers. */
export type Elapsed = 'elapsed_ms'
export type Term = Measure | `-${Measure}`

export interface Formula {
  readonly over: readonly Term[]
  /** Without it the sum itself. */
  readonly by?: readonly Term[] | Elapsed
  /** 1 without it. */
  readonly scale?: number
}

export type Sums = Readonly<Partial<Record<Measure, number>>>

export function measuresOf({ over, by }: Formula): readonly Measure[] {
  const terms = by === undefined || by === 'elapsed_ms' ? over : [...over, ...by]
  return terms.map((term) => measureOf(term).measure)
}

export function resultOf({ over, by, scale = 1 }: Formula, sums: Sums, elapsedMs: number): number | null {
  const numerator = sumOf(over, sums)
  if (by === undefined) return rounded(numerator * scale)
  const denominator = by === 'elapsed_ms' ? elapsedMs : sumOf(by, sums)
  return denominator > 0 ? rounded((numerator * scale) / denominator) : null
}

/** In SQL, over columns that are named as their measures. What it answers only ranks. */
export function formulaSql({ over, by }: Formula): string {
  const numerator = sumSql(over)
  return by === undefined || by === 'elapsed_ms' ? numerator : `(${numerator}) / nullIf(${sumSql(by)}, 0)`
}

/** In words, for people: `Σ starts ÷ Σ (views − alive_unstarted) × 100`. */
export function formulaWords({ over, by, scale = 1 }: Formula): string {
  const words = (terms: readonly Term[]) => {
    const text = terms.join(' + ').replaceAll('+ -', '− ')
    return terms.length === 1 ? `Σ ${text}` : `Σ (${text})`
  }
  const divided = by === undefined ? '' : ` ÷ ${by === 'elapsed_ms' ? 'elapsed ms' : words(by)}`
  return `${words(over)}${divided}${scaleWords(scale)}`
}

function scaleWords(scale: number): string {
  if (scale === 1) return ''
  return scale > 1 ? ` × ${scale.toLocaleString('en')}` : ` ÷ ${(1 / scale).toLocaleString('en')}`
}

export function percentile(histogram: Histogram, share: number): number | null {
  const ms = percentileIn(histogram, share)
  return ms === undefined ? null : Math.round(ms)
}

/** As many digits as mean something; the same bytes for the same sums. */
export function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(10))
}

function sumOf(terms: readonly Term[], sums: Sums): number {
  let total = 0
  for (const term of terms) {
    const { measure, sign } = measureOf(term)
    total += sign * (sums[measure] ?? 0)
  }
  return total
}

function sumSql(terms: readonly Term[]): string {
  return terms.map((term, i) => (term.startsWith('-') || i === 0 ? term : `+${term}`)).join(' ')
}

function measureOf(term: Term): { readonly measure: Measure; readonly sign: 1 | -1 } {
  if (!term.startsWith('-')) return { measure: term as Measure, sign: 1 }
  return { measure: term.slice(1) as Measure, sign: -1 }
}
