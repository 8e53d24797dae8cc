/** `filter=cdn:akamai`, repeated: any of one dimension's values, all of the dimensions; `!` in front leaves out. */
import { fieldProblem } from '../validation.ts'
import { dimensionOf, type QoeDimension } from './dimensions.ts'
import { QOE_LIMITS } from './limits.ts'

export interface DimensionFilter {
  readonly dimension: QoeDimension
  /** Empty: any. */
  readonly any: readonly string[]
  readonly none: readonly string[]
}

/** In the order of dimensions and values, so that the same question in another order is the same question. */
export type Filters = readonly DimensionFilter[]

export function filtersOf(given: string | readonly string[] | undefined): Filters {
  const texts = listOf(given)
  if (texts.length > QOE_LIMITS.filtersMax) {
    throw invalid(`is there ${texts.length} times`, `Send ${QOE_LIMITS.filtersMax} filters at most.`)
  }
  const found = new Map<QoeDimension, { any: Set<string>; none: Set<string> }>()
  for (const text of texts) {
    const { dimension, value, excluded } = filterOf(text)
    const sets = found.get(dimension) ?? { any: new Set(), none: new Set() }
    found.set(dimension, sets)
    sets[excluded ? 'none' : 'any'].add(value)
  }
  return [...found]
    .map(([dimension, { any, none }]) => ({ dimension, any: [...any].sort(), none: [...none].sort() }))
    .sort((a, b) => (a.dimension < b.dimension ? -1 : 1))
}

export function listOf(given: string | readonly string[] | undefined): readonly string[] {
  if (given === undefined) return []
  return typeof given === 'string' ? [given] : given
}

/** As they are asked for, in one spelling: for the answer. */
export function filterTexts(filters: Filters): readonly string[] {
  return filters.flatMap(({ dimension, any, none }) => [
    ...any.map((value) => `${dimension}:${value}`),
    ...none.map((value) => `!${dimension}:${value}`),
  ])
}

function filterOf(text: string): { dimension: QoeDimension; value: string; excluded: boolean } {
  const excluded = text.startsWith('!')
  const rest = excluded ? text.slice(1) : text
  const colon = rest.indexOf(':')
  if (colon < 1) throw invalid('is not dimension:value', 'Send for example filter=cdn:akamai or filter=!country:DE.')
  return { dimension: dimensionOf(rest.slice(0, colon), 'filter'), value: rest.slice(colon + 1), excluded }
}

function invalid(problem: string, remedy: string): Error {
  return fieldProblem({ field: 'filter', problem, remedy }, 'query')
}
