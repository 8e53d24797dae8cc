import { episodeRow } from '../../projections/titles/episodes-v1.ts'
import type { EpisodeRow } from '../../projections/titles/row.ts'
import { titleRow } from '../../projections/titles/v1.ts'
import { STORE_LIMITS } from '../../stores/limits.ts'
import type { StateTable } from '../../stores/state.ts'
import type { TitleReader } from '../ports.ts'

export function titleReader(titles: StateTable, episodes: StateTable): TitleReader {
  return {
    async get(titleIds) {
      const rows = await titles.get(titleIds.map((titleId) => [titleId]))
      return rows.map((row) => row && titleRow(row.columns, row.key, row.version))
    },
    async episodes(seriesId) {
      const limit = STORE_LIMITS.listRowsMax
      const found: EpisodeRow[] = []
      for (let after: readonly (string | number)[] | undefined; ; ) {
        const rows = await episodes.list({ partition: [seriesId], limit, ...(after && { after }) })
        for (const row of rows) found.push(episodeRow(row.columns, row.key))
        if (rows.length < limit) return found
        const { season, episode, titleId } = found[found.length - 1]!
        after = [season, episode, titleId]
      }
    },
  }
}
