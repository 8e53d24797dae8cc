/** What a webhook is told: one event of the engine's log as JSON. A receiver knows by `id` what it was told before. */
import { ALERT_TEST } from '../../producers/incidents.ts'
import type { IncidentRow } from '../../projections/incidents/row.ts'
import type { EventOf, EventType, PlayheadEvent } from '../../schemas/index.ts'

export type Told = EventOf<'IncidentOpened' | 'IncidentResolved' | 'OperatorActed'>

export const TOLD_TYPES: ReadonlySet<EventType> = new Set(['IncidentOpened', 'IncidentResolved', 'OperatorActed'])

/** Whether webhooks are told of it. */
export function isTold(event: PlayheadEvent | undefined): event is Told {
  if (event?.type === 'OperatorActed') return event.action === ALERT_TEST.action && event.subject === ALERT_TEST.subject
  return event?.type === 'IncidentOpened' || event?.type === 'IncidentResolved'
}

/** `row`: the incident as it was opened; an event that resolves does not repeat it. */
export function messageOf(event: Told, row: IncidentRow | undefined): string {
  const { eventId, occurredAt } = event.meta
  const at = new Date(occurredAt).toISOString()
  if (event.type === 'OperatorActed') {
    return JSON.stringify({ id: eventId, type: 'test', at, by: event.by })
  }
  const incident = event.type === 'IncidentOpened' ? opened(event, at) : resolved(event, at, row)
  return JSON.stringify({ id: eventId, type: TYPES[event.type], at, incident })
}

const TYPES = { IncidentOpened: 'incident.opened', IncidentResolved: 'incident.resolved' } as const

function opened(event: EventOf<'IncidentOpened'>, openedAt: string): object {
  const { incidentId: id, rule, severity, summary, dimensions, observed, threshold, since } = event
  const opening = { since: since === null ? null : new Date(since).toISOString(), openedAt }
  return { id, rule, state: 'open', severity, summary, dimensions, observed, threshold, ...opening }
}

function resolved(event: EventOf<'IncidentResolved'>, resolvedAt: string, row: IncidentRow | undefined): object {
  const { incidentId: id, rule, observed, reason } = event
  const known = row && {
    severity: row.severity,
    summary: row.summary,
    dimensions: row.dimensions,
    threshold: row.threshold,
    since: new Date(row.sinceMs).toISOString(),
    openedAt: new Date(row.openedMs).toISOString(),
  }
  return { id, rule, state: 'resolved', ...known, observed, resolvedAt, reason }
}
