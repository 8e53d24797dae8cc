import { streamsRow } from '../../projections/streams/v1.ts'
import type { StateTable } from '../../stores/state.ts'
import type { StreamsReader } from '../ports.ts'

export function streamsReader(table: StateTable): StreamsReader {
  return {
    async get(accountId) {
      const [row] = await table.get([[accountId]])
      return row && streamsRow(row.columns, row.key, row.version)
    },
  }
}
