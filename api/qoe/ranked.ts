/**
 * The first values of a dimension by a metric. Of titles and the like there are many and few are shown: they are ranked
 * by the columns that this takes, and everything else is read of the first ones only.
 */
import type { AnalyticsReader } from '../ports.ts'
import { hasMany } from './dimensions.ts'
import { type Rank, readSums, type SumsAsked, type SumsRow } from './sums.ts'
import type { CountAsked } from './viewers.ts'

export async function readRanked(
  analytics: AnalyticsReader,
  asked: SumsAsked,
  rank: Rank,
): Promise<readonly SumsRow[]> {
  const { by } = asked
  if (by === undefined || !hasMany(by)) return await readSums(analytics, { ...asked, rank })
  const measures = [
    ...new Set([...asked.measures.filter((name) => name === 'at_slices'), 'views' as const, ...rank.of]),
  ]
  const first = await readSums(analytics, { ...asked, measures, histogram: false, rank })
  const narrowed = ofValues(asked, first)
  if (narrowed === undefined) return []
  const rows = await readSums(analytics, narrowed)
  const found = new Map(rows.map((row) => [row.value, row]))
  return first.flatMap(({ value }) => found.get(value) ?? [])
}

/** The same question of these rows' values only; undefined: there are none. */
export function ofValues<A extends CountAsked>(asked: A, rows: readonly SumsRow[]): A | undefined {
  const { by } = asked
  if (by === undefined || rows.length === 0) return undefined
  const any = rows.map(({ value }) => value)
  const others = asked.filters.filter(({ dimension }) => dimension !== by)
  return { ...asked, filters: [...others, { dimension: by, any, none: [] }] }
}
