/**
 * Projection `incidents`, fold version 1: what was found wrong, since when, and whether it is over; one row each. The
 * evaluator reads it to know what is open (consumers/alerts), the API shows it.
 *
 * Of two events that open (or resolve) one incident the earlier counts, so that order does not matter. An incident that
 * was resolved stays resolved: the next breach is another incident. Rows do not expire: an incident's id follows from
 * the one before it.
 */
import type { EventOf, PlayheadEvent } from '../../schemas/index.ts'
import type { Keyed, Projection, StateCell } from '../projection.ts'
import { isNewer, keptMs, type Stamp, stampOf } from '../stamp.ts'
import { INCIDENT_LIMITS } from './limits.ts'
import type { IncidentRow, Resolution } from './row.ts'

/** What one event says, as cells behind its stamp. */
interface Said extends Stamp {
  readonly cells: readonly StateCell[]
}

interface Incident {
  readonly opened: Said | undefined
  readonly resolved: Said | undefined
}

const OPENED = [
  { name: 'subject', type: 'text', comment: 'rule and value; at most one of its incidents is open' },
  { name: 'rule', type: 'text' },
  { name: 'severity', type: 'text', comment: 'info, warning or critical' },
  { name: 'summary', type: 'text' },
  { name: 'observed', type: 'text', comment: 'a decimal number: what was seen when it opened' },
  { name: 'threshold', type: 'text', comment: 'a decimal number: what is allowed' },
  { name: 'dimensions', type: 'text', comment: 'JSON: where' },
  { name: 'since', type: 'timestamp', comment: 'first minute of the breach' },
] as const
const RESOLVED = [
  { name: 'resolved_observed', type: 'text', comment: 'a decimal number: what was seen when it resolved' },
  { name: 'reason', type: 'text' },
  { name: 'resolved_for', type: 'text', comment: 'name of the key or person that asked; null: the rule' },
] as const

const keyed: Keyed<Incident> = {
  shape: {
    name: 'incidents',
    comment: 'What the alert rules found wrong',
    partition: [{ name: 'incident_id', type: 'text' }],
    clustering: [],
    columns: [
      ...OPENED,
      { name: 'opened_at', type: 'timestamp', comment: 'null: it was resolved before it was opened' },
      { name: 'opened_by', type: 'text', comment: 'the event that said so' },
      ...RESOLVED,
      { name: 'resolved_at', type: 'timestamp', comment: 'null: it is open' },
      { name: 'resolved_by', type: 'text', comment: 'the event that said so' },
    ],
  },
  key: (event) => (isIncident(event) ? [event.incidentId] : undefined),
  fold(state, event) {
    const { opened, resolved } = state ?? { opened: undefined, resolved: undefined }
    if (event.type === 'IncidentOpened') return { opened: earliest(opened, openedOf(event)), resolved }
    if (event.type === 'IncidentResolved') return { opened, resolved: earliest(resolved, resolvedOf(event)) }
    throw new TypeError(`${event.type} says nothing of an incident`)
  },
  rows: () => [],
  toColumns: ({ opened, resolved }) => [...cellsOf(opened, OPENED.length), ...cellsOf(resolved, RESOLVED.length)],
  fromColumns: (columns) => ({
    opened: saidFrom(columns.slice(0, OPENED.length + 2)),
    resolved: saidFrom(columns.slice(OPENED.length + 2, OPENED.length + RESOLVED.length + 4)),
  }),
}

function isIncident(event: PlayheadEvent): event is EventOf<'IncidentOpened' | 'IncidentResolved'> {
  return event.type === 'IncidentOpened' || event.type === 'IncidentResolved'
}

function openedOf(event: EventOf<'IncidentOpened'>): Said {
  const { subject, rule, severity, summary, observed, threshold, dimensions, since } = event
  const where = mapText(dimensions)
  const cells = [subject, rule, severity, summary, decimal(observed), decimal(threshold), where]
  return { ...stampOf(event.meta), cells: [...cells, since === null ? null : keptMs(since)] }
}

function resolvedOf(event: EventOf<'IncidentResolved'>): Said {
  return { ...stampOf(event.meta), cells: [decimal(event.observed), event.reason, event.by] }
}

function earliest(held: Said | undefined, next: Said): Said {
  if (held === undefined) return next
  if (next.atMs === held.atMs && next.eventId === held.eventId) {
    return JSON.stringify(next.cells) < JSON.stringify(held.cells) ? next : held
  }
  return isNewer(held, next) ? next : held
}

/** In the order of the names, so that the same map is the same text. */
function mapText(map: Readonly<Record<string, string>>): string {
  const kept: Record<string, string> = {}
  let chars = 2
  for (const name of Object.keys(map).sort()) {
    const value = map[name] as string
    chars += name.length + value.length
    if (chars > INCIDENT_LIMITS.textCharsMax) break
    kept[name] = value
  }
  return JSON.stringify(kept)
}

function decimal(value: number | null): string | null {
  return value === null || !Number.isFinite(value) ? null : String(value)
}

function cellsOf(said: Said | undefined, count: number): readonly StateCell[] {
  if (said === undefined) return Array.from({ length: count + 2 }, () => null)
  return [...said.cells, said.atMs, said.eventId]
}

function saidFrom(cells: readonly StateCell[]): Said | undefined {
  const [atMs, eventId] = cells.slice(-2)
  if (typeof atMs !== 'number') return undefined
  return { atMs, eventId: eventId as string, cells: cells.slice(0, -2) }
}

export function incidentsV1(): Projection {
  return {
    name: 'incidents',
    foldVersion: 1,
    topics: ['engine-events'],
    reads: ['IncidentOpened', 'IncidentResolved'],
    batchMs: 50,
    landings: [],
    keyed: keyed as Keyed<unknown>,
  }
}

/** Undefined: it was resolved, and what opened it is not known yet. */
export function incidentRow(
  cells: readonly StateCell[],
  key: readonly StateCell[],
  version: bigint,
): IncidentRow | undefined {
  const { opened, resolved } = keyed.fromColumns(cells, key)
  if (opened === undefined) return undefined
  const [subject, rule, severity, summary, observed, threshold, dimensions, since] = opened.cells
  return {
    incidentId: key[0] as string,
    subject: subject as string,
    rule: rule as string,
    severity: severity as string,
    summary: summary as string,
    dimensions: JSON.parse(dimensions as string) as { [name: string]: string },
    observed: numberFrom(observed),
    threshold: numberFrom(threshold),
    sinceMs: (since as number | null) ?? opened.atMs,
    openedMs: opened.atMs,
    openedBy: opened.eventId,
    resolved: resolved === undefined ? null : resolutionOf(resolved),
    version,
  }
}

function resolutionOf({ atMs, eventId, cells: [observed, reason, by] }: Said): Resolution {
  return {
    atMs,
    eventId,
    observed: numberFrom(observed),
    reason: reason as string | null,
    by: by as string | null,
  }
}

function numberFrom(text: StateCell | undefined): number | null {
  return typeof text === 'string' ? Number(text) : null
}
