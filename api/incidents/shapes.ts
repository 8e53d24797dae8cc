/** What the incidents' routes take and answer. */
import { Type } from '@sinclair/typebox'
import type { IncidentRow } from '../../projections/incidents/row.ts'
import type { Rule } from '../../projections/incidents/rule.ts'
import { Id, orNull, Time } from '../validation.ts'
import { INCIDENT_ROUTE_LIMITS } from './limits.ts'

const TAGS = ['Alerts']
const SECURITY = [{ key: [] }]
const number = orNull(Type.Number())

const Incident = Type.Object({
  incidentId: Type.String(),
  rule: Type.String(),
  state: Type.Union([Type.Literal('open'), Type.Literal('resolved')]),
  severity: Type.String(),
  summary: Type.String(),
  dimensions: Type.Record(Type.String(), Type.String(), { description: 'Where.' }),
  observed: { ...number, description: 'When it opened, in the unit of the metric.' },
  threshold: number,
  since: Type.Integer({ description: 'First minute of the breach.' }),
  openedAt: Type.Integer({ description: 'When it had lasted long enough.' }),
  resolvedAt: orNull(Type.Integer()),
  resolvedObserved: number,
  reason: { ...orNull(Type.String()), description: 'Why it was resolved.' },
})

export interface ListRoute {
  Querystring: {
    state?: 'open' | 'resolved'
    rule?: string
    from?: string | number
    to?: string | number
    limit?: number
  }
}

const { listedMax, listedDefault } = INCIDENT_ROUTE_LIMITS

export const ListSchema = {
  summary: 'Incidents, newest first',
  description: 'Those that were open at some moment between "from" and "to": what alert rules found wrong.',
  tags: TAGS,
  security: SECURITY,
  querystring: Type.Object({
    state: Type.Optional(Type.Union([Type.Literal('open'), Type.Literal('resolved')])),
    rule: Type.Optional(Id('Of this rule only.')),
    from: Type.Optional(
      Time('Milliseconds since 1970 or RFC 3339; a week ago without it, and any time with state=open.'),
    ),
    to: Type.Optional(Time('Milliseconds since 1970 or RFC 3339; now without it.')),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: listedMax, description: `${listedDefault} without it.` })),
  }),
  response: {
    200: Type.Object({
      incidents: Type.Array(Incident),
      more: Type.Boolean({ description: 'There are more than "limit".' }),
      asOf: Type.Integer(),
    }),
  },
}

export interface OneRoute {
  Params: { incidentId: string }
}

export const OneSchema = {
  summary: 'One incident',
  tags: TAGS,
  security: SECURITY,
  params: Type.Object({ incidentId: Id('The incident.') }),
  response: { 200: Incident },
}

export const RulesSchema = {
  summary: 'The alert rules in force',
  description: 'The shipped ones, and those of the operator (docs/alerts.md).',
  tags: TAGS,
  security: SECURITY,
  response: { 200: Type.Object({ rules: Type.Array(Type.Object({}, { additionalProperties: true })) }) },
}

export const TestSchema = {
  summary: 'Send a test delivery to every webhook',
  description: 'Through the log, as incidents go: a delivery of type "test" arrives within seconds.',
  tags: TAGS,
  security: SECURITY,
  response: { 202: Type.Object({ eventId: Type.String(), position: Type.String() }) },
}

export function shownIncident(row: IncidentRow): object {
  const { incidentId, rule, severity, summary, dimensions, observed, threshold, resolved } = row
  return {
    ...{ incidentId, rule, state: resolved === null ? 'open' : 'resolved' },
    ...{ severity, summary, dimensions, observed, threshold },
    since: row.sinceMs,
    openedAt: row.openedMs,
    resolvedAt: resolved?.atMs ?? null,
    resolvedObserved: resolved?.observed ?? null,
    reason: resolved?.reason ?? null,
  }
}

/** As it is written in a file of rules, with what was left out there. */
export function shownRule({ beforeMinutes, threshold, ...rule }: Rule): object {
  const { by, ...rest } = rule
  const limit = beforeMinutes === null ? { threshold } : { ratioToBefore: { ratio: threshold, minutes: beforeMinutes } }
  return { ...rest, ...(by !== null && { by }), ...limit }
}
