/**
 * POST /v1/playback/start: a stream slot, a place to resume, a token for what follows. The slot and the resume position
 * are asked for at the same time; neither store being away keeps a viewer from starting.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Placed, TopicPartition } from '../../log/log.ts'
import { deriveEventId } from '../../producers/ids.ts'
import { playbackStarted } from '../../producers/playback.ts'
import { toRecord } from '../../producers/record.ts'
import { type Arrival, stampMeta } from '../../producers/stamp.ts'
import type { ProgressRow } from '../../projections/progress/row.ts'
import type { Slot } from '../../projections/streams/row.ts'
import type { Personal } from '../../schemas/index.ts'
import { orWhenAway } from '../away.ts'
import type { ApiContext, ProfileCaller } from '../context.ts'
import { contentTypeLabel, deviceLabel, qualityLabel } from '../labels.ts'
import type { ApiMetrics } from '../metrics.ts'
import { Problem } from '../problems.ts'
import type { StartAnswer, StartBody } from './bodies.ts'
import { PLAYBACK_LIMITS } from './limits.ts'
import { takeSlot } from './slots.ts'

export interface PlaybackPorts extends ApiContext {
  readonly metrics: ApiMetrics
  readonly streamsByPlan: Readonly<Record<string, number>>
}

interface Asked {
  readonly caller: ProfileCaller
  readonly body: StartBody
  readonly accountId: string
  readonly sessionId: string
  readonly key: string | undefined
  readonly arrival: Arrival
  readonly personal: Personal | null
}

export async function startPlayback(
  ports: PlaybackPorts,
  caller: ProfileCaller,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const key = ports.idempotency.keyOf(request, `start ${caller.profile}`)?.name
  const asked = await askedOf(ports, caller, request, key)
  const [resume, verdict, facts] = await Promise.all([
    readResume(ports, caller.profile, asked.body.titleId),
    takeSlot(ports, slotAskedOf(ports, asked)),
    ports.facts.of([asked.body.titleId]),
  ])
  if (verdict.slot === 'refused') throw streamLimit(verdict.holding)
  if (verdict.slot === 'undecided') ports.metrics.slotsUndecided.inc()
  const resumePositionMs = resumeFrom(resume, ports.nowMs())
  const position = asked.body.positionMs ?? resumePositionMs
  const titleFacts = facts.get(asked.body.titleId) ?? null
  const placed = asked.body.events === 'sdk' ? undefined : await appendStarted(ports, asked, position, titleFacts)
  const { body, sessionId, accountId } = asked
  ports.metrics.starts.inc({
    quality: qualityLabel(body.quality),
    content_type: contentTypeLabel(titleFacts?.contentType),
    device: deviceLabel(body.deviceType),
  })
  const minted = ports.admission.mintPlayback({
    account: accountId,
    profile: caller.profile,
    title: body.titleId,
    session: sessionId,
    slot: verdict.slotId,
    device: body.deviceId,
    appId: caller.appId,
    environment: caller.environment,
  })
  const answer: StartAnswer = {
    sessionId,
    playbackToken: minted.token,
    expiresAt: minted.expiresAtMs,
    resumePositionMs,
    resume: resumeAnswer(resume),
    heartbeatIntervalMs: PLAYBACK_LIMITS.heartbeatIntervalMs,
    eventsUrl: '/v1/events',
    heartbeatUrl: '/v1/playback/heartbeat',
    stopUrl: '/v1/playback/stop',
    slot: verdict.slot,
  }
  const started = placed === undefined ? [] : [ports.positions.header([placed])]
  return reply
    .code(201)
    .header('playhead-position', [verdict.position, ...started].join(','))
    .send(answer)
}

async function askedOf(
  ports: PlaybackPorts,
  caller: ProfileCaller,
  request: FastifyRequest,
  key: string | undefined,
): Promise<Asked> {
  const body = request.body as StartBody
  const arrival: Arrival = {
    source: 'api',
    appId: caller.appId,
    environment: caller.environment,
    receivedAtMs: ports.nowMs(),
  }
  const personal: Personal = {
    accountId: caller.account ?? null,
    deviceId: body.deviceId ?? null,
    userAgent: request.headers['user-agent']?.slice(0, PLAYBACK_LIMITS.userAgentCharsMax) ?? null,
    address: null,
    custom: {},
    sealed: null,
  }
  const [sealed] = await ports.sealer.seal([{ profileId: caller.profile, personal }])
  // A repeated request must ask for the same slot, so its session comes from its key.
  const derived = key === undefined ? undefined : deriveEventId('session', key)
  return {
    caller,
    body,
    accountId: caller.account ?? caller.profile,
    sessionId: body.sessionId ?? derived ?? ports.mint(),
    key,
    arrival,
    personal: sealed ?? null,
  }
}

function slotAskedOf(ports: PlaybackPorts, { caller, body, accountId, sessionId, arrival, personal }: Asked) {
  const plans = ports.streamsByPlan
  // A plan that nobody told us of gets the most that any has: a customer's missing claim must not stop their viewers.
  const most = Math.max(...Object.values(plans))
  return {
    accountId,
    profileId: caller.profile,
    sessionId,
    titleId: body.titleId,
    deviceId: body.deviceId,
    streamsMax: caller.plan !== undefined && Object.hasOwn(plans, caller.plan) ? plans[caller.plan]! : most,
    personal,
    meta: () => stampMeta(arrival, {}, ports.mint),
  }
}

async function appendStarted(
  ports: PlaybackPorts,
  { caller, body, sessionId, arrival, personal, key }: Asked,
  positionMs: number,
  facts: Parameters<typeof playbackStarted>[3],
): Promise<TopicPartition & Placed> {
  const view = { profileId: caller.profile, sessionId, titleId: body.titleId }
  const claim = key === undefined ? {} : { idempotencyKey: key }
  const meta = stampMeta(arrival, claim, ports.mint)
  const report = {
    positionMs,
    trigger: body.trigger ?? null,
    deviceType: body.deviceType ?? null,
    player: body.player ?? null,
    personal,
  }
  const record = toRecord(ports.codec, playbackStarted(view, meta, report, facts))
  const [placed] = await ports.log.append([record])
  return { topic: record.topic, ...placed! }
}

type Resume = ProgressRow | undefined | 'unavailable'

async function readResume(ports: PlaybackPorts, profileId: string, titleId: string): Promise<Resume> {
  const rows = await orWhenAway(
    ports.progress.get(profileId, [titleId]),
    PLAYBACK_LIMITS.resumeReadMs,
    'unavailable' as const,
  )
  return rows === 'unavailable' ? rows : rows[0]
}

/** 0 for what was watched to its end, and for a position that has run out. */
function resumeFrom(row: Resume, nowMs: number): number {
  if (row === undefined || row === 'unavailable') return 0
  const counts = row.started && !row.completed && row.positionUntilMs > nowMs
  return counts ? row.positionMs : 0
}

function resumeAnswer(row: Resume): StartAnswer['resume'] {
  if (row === 'unavailable') return row
  return row === undefined ? null : { completed: row.completed, updatedAt: row.updatedAtMs }
}

function streamLimit(holding: readonly Slot[]): Problem {
  const soonestMs = Math.min(...holding.map((slot) => slot.untilMs))
  const detail = `${holding.length} ${holding.length === 1 ? 'device is' : 'devices are'} playing, and the plan allows no more.`
  return new Problem('STREAM_LIMIT', detail, {
    members: {
      devices: holding.map(({ device, titleId, profileId, sinceMs }) => ({
        device,
        titleId,
        profileId,
        since: sinceMs,
      })),
      ...(Number.isFinite(soonestMs) && { freeAt: soonestMs }),
    },
  })
}
