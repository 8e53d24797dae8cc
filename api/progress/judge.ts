/**
 * Whether a report counts, told from rows: pure. The fold alone decides (newest by time, then event id); this predicts
 * its decision from the row before, or reads it off the row after.
 */
import type { ProgressRow } from '../../projections/progress/row.ts'

export type Verdict = 'accepted' | 'stale' | 'duplicate'

export interface Judged {
  readonly titleId: string
  readonly occurredAtMs: number
  readonly positionMs: number
}

export type Rows = ReadonlyMap<string, ProgressRow | undefined>

/** Each report against the row before and the reports ahead of it in the list. */
export function judgeBefore(before: Rows, reports: readonly Judged[]): readonly Verdict[] {
  const newest = new Map<string, Judged>()
  return reports.map((report) => {
    const ahead = newest.get(report.titleId) ?? standing(before.get(report.titleId))
    const verdict = ahead === undefined ? 'accepted' : against(ahead, report)
    if (verdict === 'accepted') newest.set(report.titleId, report)
    return verdict
  })
}

/**
 * The row after is of the moment that it was read: a report that lost to something since is stale. A row that is gone
 * was too old to be kept at all.
 */
export function judgeAfter(after: Rows, reports: readonly Judged[], predicted: readonly Verdict[]): readonly Verdict[] {
  const newestOurs = new Map<string, number>()
  for (const { titleId, occurredAtMs } of reports) {
    newestOurs.set(titleId, Math.max(occurredAtMs, newestOurs.get(titleId) ?? 0))
  }
  return reports.map((report, index) => {
    const row = after.get(report.titleId)
    const verdict = predicted[index] ?? 'accepted'
    if (row === undefined) return 'stale'
    const ours = newestOurs.get(report.titleId) ?? 0
    if (row.updatedAtMs < ours) return verdict
    if (row.updatedAtMs === ours && standsOn(row, reports, ours)) return verdict
    return verdict === 'duplicate' ? verdict : 'stale'
  })
}

function standsOn(row: ProgressRow, reports: readonly Judged[], atMs: number): boolean {
  return reports.some(
    (r) => r.titleId === row.titleId && r.occurredAtMs === atMs && r.positionMs === row.positionMs && row.started,
  )
}

function standing(row: ProgressRow | undefined): (Judged & { readonly started: boolean }) | undefined {
  if (row === undefined) return undefined
  return { titleId: row.titleId, occurredAtMs: row.updatedAtMs, positionMs: row.positionMs, started: row.started }
}

function against(ahead: Judged & { readonly started?: boolean }, report: Judged): Verdict {
  if (report.occurredAtMs > ahead.occurredAtMs) return 'accepted'
  if (report.occurredAtMs < ahead.occurredAtMs) return 'stale'
  // At the same time and place: the same report again. Elsewhere the event ids decide, as likely for it as against it.
  return report.positionMs === ahead.positionMs && ahead.started !== false ? 'duplicate' : 'accepted'
}
