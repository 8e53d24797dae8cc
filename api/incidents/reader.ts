import type { IncidentRow } from '../../projections/incidents/row.ts'
import { incidentRow } from '../../projections/incidents/v1.ts'
import type { StateTable } from '../../stores/state.ts'
import { INCIDENT_ROUTE_LIMITS } from './limits.ts'

export interface IncidentQuery {
  readonly state: 'open' | 'resolved' | undefined
  readonly rule: string | undefined
  /** Incidents that were open at some moment from here … */
  readonly fromMs: number
  /** … to before here. */
  readonly toMs: number
  readonly limit: number
}

export interface IncidentReader {
  get(incidentId: string): Promise<IncidentRow | undefined>
  /** Newest first. */
  list(query: IncidentQuery): Promise<{ readonly rows: readonly IncidentRow[]; readonly more: boolean }>
}

export function incidentReader(table: StateTable): IncidentReader {
  return {
    async get(incidentId) {
      const [row] = await table.get([[incidentId]])
      return row && incidentRow(row.columns, row.key, row.version)
    },
    async list(query) {
      const found: IncidentRow[] = []
      let scanned = 0
      for await (const { columns, key, version } of table.scan()) {
        if (++scanned > INCIDENT_ROUTE_LIMITS.scannedMax) break
        const row = incidentRow(columns, key, version)
        if (row !== undefined && fits(row, query)) found.push(row)
      }
      found.sort((a, b) => b.openedMs - a.openedMs || (a.incidentId < b.incidentId ? -1 : 1))
      return {
        rows: found.slice(0, query.limit),
        more: found.length > query.limit || scanned > INCIDENT_ROUTE_LIMITS.scannedMax,
      }
    },
  }
}

function fits({ resolved, rule, openedMs }: IncidentRow, query: IncidentQuery): boolean {
  if (query.state !== undefined && (resolved === null) !== (query.state === 'open')) return false
  if (query.rule !== undefined && rule !== query.rule) return false
  return openedMs < query.toMs && (resolved === null || resolved.atMs >= query.fromMs)
}
