/**
 * POST /v1/playback/heartbeat and /stop. A heartbeat is the hottest path there is: one check of the token, one event,
 * one append (with a renewal of the stream slot every 15 s), and 204 once the log has it.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { NewRecord } from '../../log/log.ts'
import { heartbeat, playbackEnded, type View } from '../../producers/playback.ts'
import { toRecord } from '../../producers/record.ts'
import { type Arrival, type Claim, stampMeta } from '../../producers/stamp.ts'
import { slotReleased, slotRenewed } from '../../producers/streams.ts'
import type { TitleFacts } from '../../schemas/index.ts'
import type { PlaybackCaller } from '../context.ts'
import { fieldProblem, readTime } from '../validation.ts'
import type { HeartbeatBody, StopBody } from './bodies.ts'
import { PLAYBACK_LIMITS } from './limits.ts'
import type { Renewals } from './renewals.ts'
import type { PlaybackPorts } from './start.ts'
import { tokenOf } from './token.ts'

export async function takeHeartbeat(
  ports: PlaybackPorts,
  renewals: Renewals,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const body = request.body as HeartbeatBody
  const caller = await callerOf(ports, request, reply, body.playbackToken)
  const key = ports.idempotency.keyOf(request, `heartbeat ${caller.profile}`)?.name
  const atHand = ports.facts.atHand(caller.title)
  const facts = atHand === undefined ? await factsOf(ports, caller.title) : atHand
  const arrival = arrivalOf(ports, caller, body)
  const meta = stampMeta(arrival, claimOf(body, key), ports.mint)
  const records = [toRecord(ports.codec, heartbeat(viewOf(caller), meta, body, facts))]
  const due = renewals.due(caller.slot, arrival.receivedAtMs)
  if (due) {
    const own = stampMeta(arrival, {}, ports.mint)
    records.push(toRecord(ports.codec, slotRenewed(own, caller.account, caller.slot, PLAYBACK_LIMITS.slotTtlMs)))
  }
  const answer = await store(ports, reply, records)
  if (due) renewals.done(caller.slot, arrival.receivedAtMs)
  return answer
}

export async function takeStop(
  ports: PlaybackPorts,
  renewals: Renewals,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const body = request.body as StopBody
  const caller = await callerOf(ports, request, reply, body.playbackToken)
  const key = ports.idempotency.keyOf(request, `stop ${caller.profile}`)?.name
  const facts = await factsOf(ports, caller.title)
  const arrival = arrivalOf(ports, caller, body)
  const ended = playbackEnded(viewOf(caller), stampMeta(arrival, claimOf(body, key), ports.mint), body, facts)
  const released = slotReleased(stampMeta(arrival, {}, ports.mint), caller.account, caller.slot, 'stopped')
  const answer = await store(ports, reply, [toRecord(ports.codec, ended), toRecord(ports.codec, released)])
  renewals.forget(caller.slot)
  return answer
}

function callerOf(
  { admission }: PlaybackPorts,
  request: FastifyRequest,
  reply: FastifyReply,
  token: string | undefined,
): Promise<PlaybackCaller> {
  return admission.playback(request, reply, tokenOf(request, token), 'events')
}

/** Facts that can't be had in time are left out by their source: the next heartbeat brings them. */
async function factsOf(ports: PlaybackPorts, titleId: string): Promise<TitleFacts | null> {
  return (await ports.facts.of([titleId])).get(titleId) ?? null
}

function viewOf({ profile, session, title }: PlaybackCaller): View {
  return { profileId: profile, sessionId: session, titleId: title }
}

function arrivalOf(ports: PlaybackPorts, caller: PlaybackCaller, body: { sentAt?: string | number }): Arrival {
  const sentAtMs = timeOf('sentAt', body.sentAt)
  return {
    source: 'api',
    appId: caller.appId,
    environment: caller.environment,
    receivedAtMs: ports.nowMs(),
    ...(sentAtMs !== undefined && { sentAtMs }),
  }
}

function claimOf(body: { clientTimestamp?: string | number }, key: string | undefined): Claim {
  const occurredAtMs = timeOf('clientTimestamp', body.clientTimestamp)
  return {
    ...(occurredAtMs !== undefined && { occurredAtMs }),
    ...(key !== undefined && { idempotencyKey: key }),
  }
}

function timeOf(field: string, value: string | number | undefined): number | undefined {
  const time = readTime(field, value)
  if (!time.ok) throw fieldProblem(time.wrong, 'body')
  return time.value
}

async function store(
  { log, positions }: PlaybackPorts,
  reply: FastifyReply,
  records: readonly NewRecord[],
): Promise<FastifyReply> {
  const places = await log.append(records)
  const placed = places.map((place, i) => ({ topic: records[i]!.topic, ...place }))
  return reply.code(204).header('playhead-position', positions.header(placed)).send()
}
