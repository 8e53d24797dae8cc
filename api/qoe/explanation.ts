/** A view's events folded once more, and where that comes to another number than the row that is stored. */
import { explainView, type LooseEvent } from '../../projections/views/explain.ts'
import type { ViewsParameters } from '../../projections/views/limits.ts'
import { type ColumnKind, FLAGS, VIEW_COLUMNS } from '../../projections/views/row.ts'
import type { RawRow } from './rows.ts'
import type { StoredEvent } from './session.ts'

export interface Difference {
  readonly column: string
  readonly stored: unknown
  readonly explained: unknown
}

export interface ViewExplanation {
  /** What the player did, and the event after which it did. */
  readonly timeline: readonly {
    readonly from: string
    readonly to: string
    readonly state: string
    readonly cause: string
  }[]
  /** Column → ids of the events that made it; of many, the first and the last. */
  readonly evidence: Readonly<Record<string, readonly string[]>>
  readonly notes: readonly string[]
  /** None: the stored row is what these events come to. */
  readonly differences: readonly Difference[]
  /** Row and events are two tables: which of them has not heard all that the other has. */
  readonly behind: 'row' | 'events' | null
}

/** Null: none of the events says anything of a view. */
export function explanationOf(
  events: readonly StoredEvent[],
  sessionId: string,
  row: RawRow,
  parameters: ViewsParameters | undefined,
): ViewExplanation | null {
  // Duplicates and what could not be decoded count for nothing in the fold either.
  const folded = events.filter(({ fate }) => fate === 'folded').map((event) => looseOf(event, sessionId))
  const explained = parameters === undefined ? explainView(folded) : explainView(folded, parameters)
  if (explained === undefined) return null
  return {
    timeline: explained.timeline.map(({ fromMs, toMs, state, cause }) => ({
      from: new Date(fromMs).toISOString(),
      to: new Date(toMs).toISOString(),
      state,
      cause,
    })),
    evidence: explained.evidence,
    notes: explained.notes,
    differences: differencesOf(row, explained.row),
    behind: behind(Number(row.x_last_received_at), Number(explained.row.last_received_at)),
  }
}

function looseOf(event: StoredEvent, sessionId: string): LooseEvent {
  const { type, eventId, occurredAtMs: occurredAt, receivedAtMs: receivedAt, source, appId, environment } = event
  const { profileId, titleId } = event
  const meta = { eventId, occurredAt, receivedAt, source, appId, environment }
  return { ...event.fields, type, meta, profileId, sessionId, titleId }
}

function differencesOf(raw: RawRow, explained: Readonly<Record<string, unknown>>): readonly Difference[] {
  return Object.entries(VIEW_COLUMNS).flatMap(([column, kind]) => {
    const stored = comparable(column, kind, raw[`x_${column}`])
    const made = comparable(column, kind, explained[column])
    return String(stored) === String(made) ? [] : [{ column, stored, explained: made }]
  })
}

function behind(rowMs: number, eventsMs: number): ViewExplanation['behind'] {
  if (rowMs === eventsMs) return null
  return rowMs < eventsMs ? 'row' : 'events'
}

/** The table of events does not keep what was thought of a clock; so no event says that it was implausible. */
function comparable(column: string, kind: ColumnKind, value: unknown): unknown {
  if (column === 'flags') return Number(value) & ~FLAGS.clock_implausible
  if (kind === 'ints') return (value as readonly unknown[]).map(Number)
  return kind === 's' || kind === 'w' ? value : Number(value)
}
