import { DIMENSION_NAMES, QOE_DIMENSIONS } from './dimensions.ts'
import { formulaWords } from './formulas.ts'
import { METRIC_NAMES, metricOf } from './metric.ts'
import { DEFINITIONS, type Metric, STANDARD } from './metric-kinds.ts'

/** Every metric and dimension, for people and for tools that build forms of them. */
export function catalogue() {
  return {
    metrics: METRIC_NAMES.map((name) => {
      const metric = metricOf(name)
      const { title, unit, help } = metric
      return { name, title, unit, help, formulas: formulasOf(metric) }
    }),
    dimensions: DIMENSION_NAMES.map((name) => ({
      name,
      help: QOE_DIMENSIONS[name].help,
      /** The finest step in which it is quick, whatever the window. */
      grain: QOE_DIMENSIONS[name].cube,
    })),
    definitions: DEFINITIONS,
  }
}

/** Definition → formula in words. */
export function formulasOf(metric: Metric): Readonly<Record<string, string>> {
  if (metric.kind === 'percentile') return { [STANDARD]: 'percentile of startup_ms, from startup_hist' }
  if (metric.kind === 'viewers') return { [STANDARD]: 'profiles whose views add up to more than 0' }
  if (metric.kind === 'peak') return { [STANDARD]: `greatest minute of Σ (${metric.over.join(' + ')}) ÷ 60,000` }
  const others = Object.entries(metric.others ?? {}).map(([name, formula]) => [name, formulaWords(formula)])
  return { [STANDARD]: formulaWords(metric.formula), ...Object.fromEntries(others) }
}
