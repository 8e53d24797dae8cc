/** How a metric is found by name, and its formula by a definition. */
import { nearest } from '../../schemas/nearest.ts'
import { fieldProblem } from '../validation.ts'
import type { Formula } from './formulas.ts'
import { QOE_LIMITS } from './limits.ts'
import { type Definition, type Metric, type RatioMetric, STANDARD } from './metric-kinds.ts'
import { ALSO_METRICS, METRICS, type MetricName } from './metrics.ts'

export const METRIC_NAMES = Object.keys(METRICS) as readonly MetricName[]

export function metricOf(name: MetricName): Metric {
  return METRICS[name]
}

/** The formula by this definition; the standard's where a metric has no other. */
export function formulaOf(metric: RatioMetric, definition: Definition): { formula: Formula; definition: Definition } {
  const other = definition === 'cta-2066' ? undefined : metric.others?.[definition]
  return other === undefined ? { formula: metric.formula, definition: STANDARD } : { formula: other, definition }
}

/** Whose formula each metric is by, for those that have several. */
export function definitionsOf(names: readonly MetricName[], definition: Definition): Record<string, Definition> {
  const found: Record<string, Definition> = {}
  for (const name of names) {
    const metric = metricOf(name)
    if (metric.kind === 'ratio' && metric.others !== undefined) found[name] = formulaOf(metric, definition).definition
  }
  return found
}

/** In the order asked, each once. Throws the Problem for a name that is none. */
export function metricsOf(given: readonly string[]): readonly MetricName[] {
  if (given.length > QOE_LIMITS.metricsMax) {
    throw invalid('metric', `is there ${given.length} times`, `Ask for ${QOE_LIMITS.metricsMax} metrics at most.`)
  }
  return [...new Set(given.map((name) => metricNamed(name, 'metric')))]
}

export function metricNamed(name: string, field: string): MetricName {
  const known = Object.hasOwn(ALSO_METRICS, name) ? ALSO_METRICS[name] : name
  if (known !== undefined && Object.hasOwn(METRICS, known)) return known as MetricName
  const meant = nearest(name, [...METRIC_NAMES, ...Object.keys(ALSO_METRICS)])
  const remedy = meant === undefined ? 'GET /v1/qoe/metrics lists them.' : `Did you mean ${meant}?`
  throw invalid(field, `names ${JSON.stringify(name.slice(0, QOE_LIMITS.metricCharsMax))}, which is no metric`, remedy)
}

function invalid(field: string, problem: string, remedy: string): Error {
  return fieldProblem({ field, problem, remedy }, 'query')
}
