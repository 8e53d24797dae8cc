/** What the catalogue says of titles, for stamping: unlike a player's event, an import can wait for it. */
import type { TitleReader } from '../../api/ports.ts'
import type { TitleRow } from '../../projections/titles/row.ts'
import type { TitleFacts } from '../../schemas/index.ts'
import { IMPORT_LIMITS } from './limits.ts'

export function factsFrom(
  titles: TitleReader,
): (titleIds: readonly string[]) => Promise<ReadonlyMap<string, TitleFacts>> {
  const known = new Map<string, TitleFacts | undefined>()
  return async (titleIds) => {
    // A batch's titles are remembered together, or not at all.
    if (known.size + titleIds.length > IMPORT_LIMITS.factsTitlesMax) known.clear()
    const missing = titleIds.filter((titleId) => !known.has(titleId))
    for (let i = 0; i < missing.length; i += IMPORT_LIMITS.factsAtOnce) {
      const some = missing.slice(i, i + IMPORT_LIMITS.factsAtOnce)
      const rows = await titles.get(some)
      for (const [index, titleId] of some.entries()) {
        const row = rows[index]
        known.set(titleId, row && factsOf(row))
      }
    }
    return new Map(
      titleIds.flatMap((titleId) => {
        const facts = known.get(titleId)
        return facts === undefined ? [] : [[titleId, facts] as const]
      }),
    )
  }
}

function factsOf({ kind, durationMs, creditsStartMs, seriesId, season, episode }: TitleRow): TitleFacts {
  return { contentType: kind, durationMs, creditsStartMs, seriesId, season, episode }
}
