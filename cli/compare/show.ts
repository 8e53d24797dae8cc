/** A comparison for a terminal: numbers side by side, then what makes them differ. */
import { table } from '../command.ts'
import { COMPARE_LIMITS } from './limits.ts'
import type { ComparedMetric } from './metrics.ts'
import type { ComparedGroup, ComparedValues } from './read.ts'

const HEAD = ['METRIC', 'THEIRS (MUX)', "OURS, MUX'S WAY", 'DIFFERENCE', 'OURS, CTA-2066', 'DIFFERENCE']

export function comparisonText(
  groups: readonly ComparedGroup[],
  metrics: readonly ComparedMetric[],
  by: string | undefined,
): string {
  const rows = groups.flatMap(({ group, metrics: values }) =>
    metrics.map((metric) => {
      const cells = cellsOf(metric, values[metric.name]!)
      return by === undefined ? cells : [group === '' ? '(none)' : group, ...cells]
    }),
  )
  const head = by === undefined ? HEAD : [by.toUpperCase(), ...HEAD]
  const notes = notesOf(groups, metrics)
  const missing = missingSide(groups)
  return [
    table(head, rows),
    ...(missing === undefined ? [] : ['', missing]),
    ...(notes.length === 0 ? [] : ['', 'What makes them differ:', ...notes]),
    '',
  ].join('\n')
}

/** One line for each reason, with all the metrics that differ by it. */
function notesOf(groups: readonly ComparedGroup[], metrics: readonly ComparedMetric[]): readonly string[] {
  const differing = metrics.filter(({ name }) => groups.some(({ metrics: values }) => differs(values[name]!)))
  const reasons = new Map<string, string[]>()
  for (const { name, why } of differing) reasons.set(why, [...(reasons.get(why) ?? []), name])
  return [...reasons].map(([why, names]) => `  ${names.join(', ')}: ${why}`)
}

function missingSide(groups: readonly ComparedGroup[]): string | undefined {
  const known = (side: keyof ComparedValues) =>
    groups.some(({ metrics }) => Object.values(metrics).some((values) => values[side] !== null))
  if (!known('oursByMux')) return 'Ours has no views of these days: there is nothing to hold theirs against.'
  if (!known('theirs')) return 'Nothing of these days was imported: there is nothing to hold ours against.'
  return undefined
}

function cellsOf({ name }: ComparedMetric, { theirs, oursByMux, oursByCta }: ComparedValues): readonly string[] {
  const shown = (value: number | null) => (value === null ? '-' : decimal(value))
  return [name, shown(theirs), shown(oursByMux), share(theirs, oursByMux), shown(oursByCta), share(theirs, oursByCta)]
}

function decimal(value: number): string {
  return Number.isInteger(value) || Math.abs(value) >= 1_000 ? value.toFixed(0) : value.toFixed(2)
}

function share(theirs: number | null, ours: number | null): string {
  if (theirs === null || ours === null) return '-'
  if (theirs === ours) return '0.0%'
  if (theirs === 0) return '-'
  return `${(((ours - theirs) / theirs) * 100).toFixed(1)}%`
}

function differs({ theirs, oursByMux, oursByCta }: ComparedValues): boolean {
  return apart(theirs, oursByMux) || apart(theirs, oursByCta) || apart(oursByMux, oursByCta)
}

function apart(a: number | null, b: number | null): boolean {
  // What one side does not know is no difference of definitions.
  if (a === null || b === null) return false
  return Math.abs(a - b) > COMPARE_LIMITS.sameShare * Math.max(Math.abs(a), Math.abs(b))
}
