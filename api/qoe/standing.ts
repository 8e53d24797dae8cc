/** Rows of single views as they stand, by key. */
import { VIEW_COLUMNS } from '../../projections/views/row.ts'
import type { AnalyticsReader } from '../ports.ts'
import type { ViewCursor } from './cursor.ts'
import { QOE_LIMITS } from './limits.ts'
import { columnsSql, type RawRow } from './rows.ts'
import { Statement } from './statement.ts'

/** Whole rows of views whose begin is known: few granules are read, and FINAL drops what was taken back. */
export async function standingViews(
  analytics: AnalyticsReader,
  views: readonly ViewCursor[],
  columns: readonly string[],
): Promise<readonly RawRow[]> {
  const statement = new Statement()
  const times = views.map(({ startedAtMs }) => startedAtMs)
  const window = { fromMs: Math.min(...times), toMs: Math.max(...times) + 1 }
  const ids = statement.value(
    'Array(String)',
    views.map(({ viewId }) => viewId),
  )
  const sql = `SELECT ${columnsSql(columns, VIEW_COLUMNS)}
FROM ${statement.table(analytics.views, 'views')} FINAL
WHERE ${statement.within('started_at', window)} AND view_id IN ${ids} ORDER BY started_at, view_id`
  return await analytics.query<RawRow>(sql, statement.parameters, { timeoutMs: QOE_LIMITS.lookupTimeoutMs })
}
