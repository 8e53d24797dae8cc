import { toRow } from '../../projections/progress/columns.ts'
import type { ProgressRow } from '../../projections/progress/row.ts'
import { STORE_LIMITS } from '../../stores/limits.ts'
import type { StateRow, StateTable } from '../../stores/state.ts'
import type { ProgressReader } from '../ports.ts'

/** Rows as they are stored; whether a position ran out is for the caller, who knows what time it is. */
export function progressReader(table: StateTable): ProgressReader {
  const read = ({ columns, key, version }: StateRow): ProgressRow => toRow(columns, key, version)
  return {
    async get(profileId, titleIds) {
      const rows = await table.get(titleIds.map((titleId) => [profileId, titleId]))
      return rows.map((row) => row && read(row))
    },
    async all(profileId) {
      const limit = STORE_LIMITS.listRowsMax
      const found: ProgressRow[] = []
      for (let after: readonly string[] | undefined; ; ) {
        const rows = await table.list({ partition: [profileId], limit, ...(after && { after }) })
        for (const row of rows) found.push(read(row))
        if (rows.length < limit) return found
        after = [found[found.length - 1]!.titleId]
      }
    },
  }
}
