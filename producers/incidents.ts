/**
 * Incidents in the log. An incident's id is derived from its subject and from the incident of that subject before it,
 * and its events' ids from it: two evaluators that both find the next incident, or one that does so again after a
 * crash, write the same event twice, and the second falls out, even if late data let them see different minutes.
 */
import type { NewRecord } from '../log/log.ts'
import type { EventCodec, Meta, NewEventOf } from '../schemas/index.ts'
import { deriveEventId } from './ids.ts'
import { PRODUCER_LIMITS } from './limits.ts'
import { toRecord } from './record.ts'
import { type Arrival, stampMeta } from './stamp.ts'

/** Dimension and value that an incident is about, where its rule makes one for each value. */
export interface IncidentPlace {
  readonly dimension: string
  readonly value: string
}

export function incidentSubject(rule: string, place: IncidentPlace | undefined): string {
  if (place === undefined) return `incident:${rule}`
  const plain = `incident:${rule}/${place.dimension}=${place.value}`
  if (plain.length <= PRODUCER_LIMITS.subjectCharsMax) return plain
  return `incident:${rule}/${place.dimension}#${deriveEventId('subject', place.value)}`
}

/** `before`: the subject's last incident; undefined: it is the first. */
export function incidentIdOf(subject: string, before: string | undefined): string {
  return deriveEventId('incident', subject, before ?? '')
}

export interface Opening extends Omit<NewEventOf<'IncidentOpened'>, 'type' | 'meta'> {
  readonly atMs: number
}

export interface Resolving extends Omit<NewEventOf<'IncidentResolved'>, 'type' | 'meta'> {
  readonly atMs: number
}

export function incidentOpened(codec: EventCodec, arrival: Arrival, { atMs, ...opening }: Opening): NewRecord {
  const meta = derivedMeta(arrival, atMs, 'incident-opened', opening.incidentId)
  return toRecord(codec, { type: 'IncidentOpened', meta, ...opening })
}

export function incidentResolved(codec: EventCodec, arrival: Arrival, { atMs, ...resolving }: Resolving): NewRecord {
  const meta = derivedMeta(arrival, atMs, 'incident-resolved', resolving.incidentId)
  return toRecord(codec, { type: 'IncidentResolved', meta, ...resolving })
}

/** What asks every webhook for a test delivery. */
export const ALERT_TEST = { subject: 'alerts', action: 'alerts.test' } as const

export function alertTest(
  ports: { readonly codec: EventCodec; readonly mint: () => string },
  arrival: Arrival,
  by: string,
): { readonly record: NewRecord; readonly meta: Meta } {
  const meta = stampMeta(arrival, {}, ports.mint)
  return { meta, record: toRecord(ports.codec, { type: 'OperatorActed', meta, ...ALERT_TEST, details: {}, by }) }
}

function derivedMeta(arrival: Arrival, occurredAtMs: number, kind: string, incidentId: string): Meta {
  const eventId = deriveEventId(kind, incidentId)
  return stampMeta(arrival, { eventId, occurredAtMs }, () => eventId)
}
