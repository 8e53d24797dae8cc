/** Incidents and the rules that find them: who evaluates is consumers/alerts; here is what it wrote into the log. */
import type { FastifyInstance } from 'fastify'
import { alertTest } from '../../producers/incidents.ts'
import type { Rule } from '../../projections/incidents/rule.ts'
import type { ApiContext } from '../context.ts'
import { keyGate } from '../gate.ts'
import { Problem } from '../problems.ts'
import { fieldProblem, readTime } from '../validation.ts'
import { INCIDENT_ROUTE_LIMITS } from './limits.ts'
import type { IncidentReader } from './reader.ts'
import {
  type ListRoute,
  ListSchema,
  type OneRoute,
  OneSchema,
  RulesSchema,
  shownIncident,
  shownRule,
  TestSchema,
} from './shapes.ts'

const WEEK_MS = 7 * 24 * 3_600_000

export interface IncidentParts
  extends Pick<ApiContext, 'admission' | 'log' | 'codec' | 'mint' | 'nowMs' | 'positions'> {
  readonly incidents: IncidentReader
  /** Those in force, as the evaluator has them. */
  readonly rules: readonly Rule[]
}

export function addIncidentRoutes(app: FastifyInstance, parts: IncidentParts): void {
  const { onRequest } = keyGate(parts.admission, ['data', 'admin'])
  app.get<ListRoute>('/v1/incidents', { onRequest, schema: ListSchema }, async (request) => {
    const { state, rule, from, to, limit = INCIDENT_ROUTE_LIMITS.listedDefault } = request.query
    const asOf = parts.nowMs()
    // What is open is asked for because it is open, however long it has been.
    const fromMs = timeOf('from', from) ?? (state === 'open' ? 0 : asOf - WEEK_MS)
    // The moment itself is part of what was asked: an incident of this millisecond is there.
    const toMs = timeOf('to', to) ?? asOf + 1
    const { rows, more } = await parts.incidents.list({ state, rule, fromMs, toMs, limit })
    return { incidents: rows.map(shownIncident), more, asOf }
  })
  app.get<OneRoute>('/v1/incidents/:incidentId', { onRequest, schema: OneSchema }, async (request) => {
    const row = await parts.incidents.get(request.params.incidentId)
    if (row === undefined) throw new Problem('NOT_FOUND', 'There is no such incident.')
    return shownIncident(row)
  })
  const rules = parts.rules.map(shownRule)
  app.get('/v1/alerts/rules', { onRequest, schema: RulesSchema }, async () => ({ rules }))
  addTest(app, parts)
}

function addTest(app: FastifyInstance, parts: IncidentParts): void {
  const gate = keyGate(parts.admission, ['admin'])
  app.post('/v1/alerts/test', { onRequest: gate.onRequest, schema: TestSchema }, async (request, reply) => {
    const { name, app: appId, environment } = gate.callerOf(request)
    const arrival = { source: 'api', appId, environment, receivedAtMs: parts.nowMs() } as const
    const { record, meta } = alertTest(parts, arrival, name)
    const placed = await parts.log.append([record])
    const position = parts.positions.header(placed.map((place) => ({ topic: record.topic, ...place })))
    return reply.code(202).send({ eventId: meta.eventId, position })
  })
}

function timeOf(field: string, value: string | number | undefined): number | undefined {
  const checked = readTime(field, typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value)
  if (!checked.ok) throw fieldProblem(checked.wrong, 'query')
  return checked.value
}
