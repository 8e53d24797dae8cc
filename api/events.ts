/**
 * POST /v1/events: who sends → batch → events → log → 202. The answer goes out after the log has the events on disk, and
 * says of each event what became of it.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { EventLog, NewRecord, Placed } from '../log/log.ts'
import type { Arrival } from '../producers/stamp.ts'
import { keyOf, type NewEvent } from '../schemas/index.ts'
import { type KeyVerifier, requireKey } from './auth.ts'
import type { ApiContext } from './context.ts'
import { looksLikeToken } from './credentials.ts'
import { gate } from './gate.ts'
import type { Idempotency } from './idempotency.ts'
import { checkEvent, type Draft, type IntakePorts, openBatch, type Sender, type Taken, takeEvent } from './intake.ts'
import { contentTypeLabel } from './labels.ts'
import type { ApiMetrics } from './metrics.ts'
import { Renewals } from './playback/renewals.ts'
import { slotRecords } from './playback/slot-records.ts'
import { bearerOf } from './playback/token.ts'
import { Problem } from './problems.ts'

export interface EventsPorts extends IntakePorts {
  readonly log: EventLog
  readonly keys: KeyVerifier
  readonly nowMs: () => number
  readonly metrics: ApiMetrics
  readonly idempotency: Idempotency
  /** Without it there are neither tokens nor limits, and nothing is stamped or sealed. */
  readonly context?: Pick<ApiContext, 'admission' | 'facts' | 'sealer'>
}

interface Caller {
  readonly sender: Sender
  readonly appId: string
  readonly environment: string
}

export function addEventRoutes(app: FastifyInstance, ports: EventsPorts): void {
  const sender = gate((request, reply) => callerOf(ports, request, reply))
  const renewals = new Renewals()
  app.post('/v1/events', { onRequest: sender.onRequest }, async (request, reply) => {
    const caller = sender.callerOf(request)
    const batch = openBatch(request.body)
    const arrival: Arrival = {
      source: 'api',
      appId: caller.appId,
      environment: caller.environment,
      receivedAtMs: ports.nowMs(),
      ...(batch.sentAtMs !== undefined && { sentAtMs: batch.sentAtMs }),
    }
    const batchKey = ports.idempotency.keyOf(request, scopeOf(caller))?.name
    const checked = batch.items.map((item, index) =>
      checkEvent(ports, caller.sender, arrival, item, batchKey === undefined ? undefined : `${batchKey}#${index}`),
    )
    if (ports.context !== undefined) {
      const events = checked.flatMap((c) => (c.ok ? [c.event] : []))
      await Promise.all([stampFacts(ports.context, events), sealPersonal(ports.context, events)])
    }
    const taken = checked.map((c) => (c.ok ? takeEvent(ports.codec, c.event) : c))
    const claims = caller.sender.kind === 'playback' ? caller.sender.claims : undefined
    const said = taken.flatMap((t) => (t.ok ? [t.event] : []))
    const slot = claims === undefined ? [] : slotRecords(ports, renewals, claims, arrival, said)
    const places = await store(ports, taken, slot)
    if (claims !== undefined && slot.length > 0) renewals.done(claims.slot, arrival.receivedAtMs)
    return answer(reply, taken, places)
  })
}

async function callerOf(ports: EventsPorts, request: FastifyRequest, reply: FastifyReply): Promise<Caller> {
  const admission = ports.context?.admission
  const token = tokenOf(request)
  if (admission !== undefined && token !== undefined) {
    const claims = await admission.playback(request, reply, token, 'events')
    return { sender: { kind: 'playback', claims }, appId: claims.appId, environment: claims.environment }
  }
  const grant =
    admission === undefined
      ? requireKey(ports.keys, request, ['publishable', 'admin'])
      : await admission.key(request, reply, ['publishable', 'admin'], 'events')
  const kind = grant.kind === 'admin' ? 'admin' : 'publishable'
  return { sender: { kind }, appId: grant.app, environment: grant.environment }
}

/** Beacons set no headers: they bring their token in the query, as they do a key. */
function tokenOf(request: FastifyRequest): string | undefined {
  const bearer = bearerOf(request)
  if (bearer !== undefined && looksLikeToken(bearer)) return bearer
  const { token } = request.query as Readonly<Record<string, unknown>>
  return typeof token === 'string' && token !== '' ? token : undefined
}

/** Keys of one profile are nobody else's; those of a page's key are shared by all who read it. */
function scopeOf({ sender, appId, environment }: Caller): string {
  return sender.kind === 'playback' ? `events ${sender.claims.profile}` : `events of ${appId}/${environment}`
}

/** What the catalogue knows, where the player did not say it: once for all titles of the batch. */
async function stampFacts({ facts }: Pick<ApiContext, 'facts'>, events: readonly Draft[]): Promise<void> {
  const bare = events.filter((event) => event.facts === null && event.titleId != null)
  if (bare.length === 0) return
  const known = await facts.of([...new Set(bare.map(({ titleId }) => titleId as string))])
  for (const event of bare) event.facts = known.get(event.titleId as string) ?? null
}

/** An event of nobody's profile (a CDN's, an experiment's unit) is sealed under its own key. */
async function sealPersonal({ sealer }: Pick<ApiContext, 'sealer'>, events: readonly Draft[]): Promise<void> {
  const open = events.filter(({ personal }) => personal != null)
  if (open.length === 0) return
  const sealed = await sealer.seal(
    open.map((event) => ({ profileId: event.profileId ?? keyOf(event as NewEvent), personal: event.personal! })),
  )
  for (const [i, event] of open.entries()) event.personal = sealed[i]!
}

/** `also`: records behind the events', which no answer names. */
async function store(
  ports: EventsPorts,
  taken: readonly Taken[],
  also: readonly NewRecord[],
): Promise<readonly Placed[]> {
  const records = taken.flatMap((t) => (t.ok ? [t.record] : []))
  for (const t of taken) if (!t.ok) ports.metrics.rejected.inc({ code: t.rejection.code })
  if (records.length === 0) return []
  const stop = ports.metrics.appendSeconds.startTimer()
  const places = await ports.log.append([...records, ...also])
  stop()
  count(ports.metrics, taken)
  return places
}

function count({ accepted, playbackErrors }: ApiMetrics, taken: readonly Taken[]): void {
  const types = new Map<string, number>()
  for (const t of taken) {
    if (!t.ok) continue
    const { type, facts } = t.event
    types.set(type, (types.get(type) ?? 0) + 1)
    const errorType = errorTypeOf(t.event)
    if (errorType === undefined) continue
    playbackErrors.inc({ error_type: errorType, content_type: contentTypeLabel(facts?.contentType) })
  }
  for (const [type, n] of types) accepted.inc({ type }, n)
}

/** Codes are the players' own and without number, so they are no label; what kind of failure it is, is one. */
function errorTypeOf(event: Draft): string | undefined {
  if (event.type === 'AdFailed' || event.type === 'AdBreakFailed') return 'ad'
  if (event.type !== 'PlaybackFailed') return undefined
  const { business, fatal, phase } = event as unknown as { business: boolean; fatal: boolean; phase: string }
  if (business) return 'business'
  return fatal ? phase : 'recovered'
}

function answer(reply: FastifyReply, taken: readonly Taken[], places: readonly Placed[]): FastifyReply {
  const ends = new Map<string, bigint>()
  let next = 0
  const results = taken.map((t, index) => {
    if (!t.ok) return { index, status: 'rejected', ...t.rejection }
    const { partition, position } = places[next++]!
    const { topic } = t.record
    const place = `${topic}/${partition}`
    if (position >= (ends.get(place) ?? 0n)) ends.set(place, position)
    return { index, status: 'accepted', eventId: t.event.meta.eventId, topic, partition, position: `${position}` }
  })
  if (next === 0) {
    throw new Problem('EVENTS_REJECTED', 'Each event of the request was rejected; "results" says why.', {
      members: { results },
    })
  }
  const position = [...ends].map(([place, at]) => `${place}@${at}`).join(',')
  return reply
    .code(202)
    .header('playhead-position', position)
    .send({ accepted: next, rejected: taken.length - next, results })
}
