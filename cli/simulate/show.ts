/** The outcome of a run for a person: the truth, or the truth beside the engine's numbers. */
import { metricsOf, type Truth } from '../../simulator/index.ts'
import { table } from '../command.ts'
import type { Comparison } from './compare.ts'

export function truthText(truth: Truth): string {
  const total = truth.total()
  const rows = Object.entries(metricsOf(total)).map(([name, value]) => [name, shown(value)])
  return `${table(['what truly happened', ''], [...rows, ['unique_viewers', String(truth.uniqueViewers())]])}\n`
}

export function comparisonText({ lines, agrees }: Comparison): string {
  const rows = lines
    .filter(({ of, agrees: agreed }) => of === 'all' || !agreed)
    .map(({ of, metric, truth, engine, difference, allowed, agrees: agreed }) => [
      agreed ? '✓' : '✗',
      of,
      metric,
      shown(truth),
      shown(engine),
      shown(difference),
      shown(allowed),
    ])
  const text = table(['', 'of', 'metric', 'truth', 'engine', 'difference', 'allowed'], rows)
  const verdict = agrees
    ? `All ${lines.length} numbers agree; those by CDN, group, device and country are not shown.`
    : `${lines.filter((line) => !line.agrees).length} of ${lines.length} numbers differ by more than is allowed.`
  return `${text}\n${verdict}\n`
}

function shown(value: number | null): string {
  if (value === null) return '-'
  return Number.isInteger(value) ? String(value) : value.toFixed(3)
}
