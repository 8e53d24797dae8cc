/** What a listener is sent: rows as they are read anywhere else, never events. */
import type { ProgressRow } from '../../projections/progress/row.ts'

export type EndReason = 'erased' | 'expired' | 'closing' | 'unavailable'

export type LiveMessage =
  /** From here on, every change is sent. */
  | { readonly type: 'ready' }
  | ProgressMessage
  /** There is no row any more. */
  | { readonly type: 'removed'; readonly titleId: string }
  /** Too much changed at once: read the profile's progress anew. */
  | { readonly type: 'resync' }
  | { readonly type: 'end'; readonly reason: EndReason }

export interface ProgressMessage {
  readonly type: 'progress'
  readonly titleId: string
  readonly positionMs: number
  readonly durationMs: number | null
  readonly percent: number | null
  readonly completed: boolean
  /** Off once the title was removed from the list. */
  readonly started: boolean
  readonly device: string | null
  readonly updatedAt: number
  readonly version: string
}

export function messageOf(titleId: string, row: ProgressRow | undefined, nowMs: number): LiveMessage {
  if (row === undefined) return { type: 'removed', titleId }
  const counts = row.positionUntilMs > nowMs
  return {
    type: 'progress',
    titleId,
    positionMs: counts ? row.positionMs : 0,
    durationMs: row.durationMs,
    percent: counts && row.permyriad !== null ? row.permyriad / 100 : null,
    completed: row.completed,
    started: counts && row.started,
    device: row.device,
    updatedAt: row.updatedAtMs,
    version: `${row.version}`,
  }
}
