/**
 * POST /v1/events: key → batch → events → log → 202. The answer goes out after the log has the events on disk, and says
 * of each event what became of it.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { EventLog, Placed } from '../log/log.ts'
import type { Arrival } from '../producers/stamp.ts'
import { type KeyVerifier, requireKey } from './auth.ts'
import { type IntakePorts, isIdempotencyKey, openBatch, type Taken, takeEvent } from './intake.ts'
import { API_LIMITS } from './limits.ts'
import type { ApiMetrics } from './metrics.ts'
import { Problem } from './problems.ts'

export interface EventsPorts extends IntakePorts {
  readonly log: EventLog
  readonly keys: KeyVerifier
  readonly nowMs: () => number
  readonly metrics: ApiMetrics
}

export function addEventRoutes(app: FastifyInstance, ports: EventsPorts): void {
  // The key is checked before the body is read: a stranger costs us a header, not a megabyte.
  const grantOf = (request: FastifyRequest) => requireKey(ports.keys, request, ['publishable', 'admin'])
  const onRequest = async (request: FastifyRequest) => {
    grantOf(request)
  }
  app.post('/v1/events', { onRequest }, async (request, reply) => {
    const grant = grantOf(request)
    const batch = openBatch(request.body)
    const arrival: Arrival = {
      source: 'api',
      appId: grant.app,
      environment: grant.environment,
      receivedAtMs: ports.nowMs(),
      ...(batch.sentAtMs !== undefined && { sentAtMs: batch.sentAtMs }),
    }
    const batchKey = idempotencyKeyOf(request)
    const taken = batch.items.map((item, index) =>
      takeEvent(ports, arrival, item, batchKey === undefined ? undefined : `${batchKey}#${index}`),
    )
    const places = await store(ports, taken)
    return answer(reply, taken, places)
  })
}

function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key']
  if (key === undefined) return undefined
  // '#499' is put behind it: room for that is left.
  if (typeof key === 'string' && key.length <= API_LIMITS.idempotencyKeyCharsMax - 4 && isIdempotencyKey(key))
    return key
  throw new Problem('IDEMPOTENCY_KEY', `Send 1 to ${API_LIMITS.idempotencyKeyCharsMax - 4} printable ASCII characters.`)
}

async function store(ports: EventsPorts, taken: readonly Taken[]): Promise<readonly Placed[]> {
  const records = taken.flatMap((t) => (t.ok ? [t.record] : []))
  for (const t of taken) if (!t.ok) ports.metrics.rejected.inc({ code: t.rejection.code })
  if (records.length === 0) return []
  const stop = ports.metrics.appendSeconds.startTimer()
  const places = await ports.log.append(records)
  stop()
  for (const t of taken) if (t.ok) ports.metrics.accepted.inc({ type: t.type })
  return places
}

function answer(reply: FastifyReply, taken: readonly Taken[], places: readonly Placed[]): FastifyReply {
  const ends = new Map<string, bigint>()
  let next = 0
  const results = taken.map((t, index) => {
    if (!t.ok) return { index, status: 'rejected', ...t.rejection }
    const { partition, position } = places[next++]!
    const place = `${t.record.topic}/${partition}`
    if (position >= (ends.get(place) ?? 0n)) ends.set(place, position)
    return { index, status: 'accepted', eventId: t.eventId, topic: t.record.topic, partition, position: `${position}` }
  })
  if (next === 0) {
    throw new Problem('EVENTS_REJECTED', 'Each event of the request was rejected; "results" says why.', {
      members: { results },
    })
  }
  const position = [...ends].map(([place, at]) => `${place}:${at}`).join(',')
  return reply
    .code(202)
    .header('playhead-position', position)
    .send({ accepted: next, rejected: taken.length - next, results })
}
