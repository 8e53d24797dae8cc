/** What the progress routes share: what they are given, and the one way a write goes. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Histogram } from 'prom-client'
import type { Placed, TopicPartition } from '../../log/log.ts'
import type { Made } from '../../producers/progress.ts'
import type { Arrival } from '../../producers/stamp.ts'
import type { Personal } from '../../schemas/index.ts'
import { orWhenAway } from '../away.ts'
import type { ApiContext, ProfileCaller } from '../context.ts'
import { isStale } from '../guarded.ts'
import { API_LIMITS } from '../limits.ts'
import { fieldProblem, readTime } from '../validation.ts'
import type { Rows } from './judge.ts'

export interface ProgressParts extends ApiContext {
  readonly writeSeconds: Histogram<'kind'>
}

export type WriteKind = 'report' | 'batch' | 'clear' | 'mark'

/** Appends and says where: durable when it resolves. */
export async function append(
  parts: ProgressParts,
  kind: WriteKind,
  reply: FastifyReply,
  made: readonly Made[],
): Promise<string> {
  const stop = parts.writeSeconds.startTimer({ kind })
  const placed = await parts.log.append(made.map(({ record }) => record))
  stop()
  const position = parts.positions.header(placed.map((place, index) => topicOf(made[index], place)))
  reply.header('playhead-position', position)
  return position
}

function topicOf(made: Made | undefined, place: Placed): TopicPartition & Placed {
  if (made === undefined) throw new Error('more places than records')
  return { topic: made.record.topic, ...place }
}

export function arrivalOf(parts: ProgressParts, caller: ProfileCaller, sentAtMs: number | undefined): Arrival {
  return {
    source: 'api',
    appId: caller.appId,
    environment: caller.environment,
    receivedAtMs: parts.nowMs(),
    ...(sentAtMs !== undefined && { sentAtMs }),
  }
}

/** One profile's keys are nobody else's. */
export function scopeOf(caller: ProfileCaller, profileId: string): string {
  return `${caller.appId}\n${caller.environment}\n${profileId}`
}

export function timeOf(field: string, value: string | number | undefined): number | undefined {
  const time = readTime(field, value)
  if (!time.ok) throw fieldProblem(time.wrong, 'body')
  return time.value
}

/** What points at a person is sealed before it is encoded; each different device once, with one look-up of the key. */
export async function sealedFor(
  parts: ProgressParts,
  caller: ProfileCaller,
  profileId: string,
  devices: readonly (string | null | undefined)[],
): Promise<readonly (Personal | null)[]> {
  const accountId = caller.account ?? null
  const different = [...new Set(devices.map((device) => device ?? null))].filter(
    (deviceId) => accountId !== null || deviceId !== null,
  )
  if (different.length === 0) return devices.map(() => null)
  const sealed = await parts.sealer.seal(
    different.map((deviceId) => ({
      profileId,
      personal: { accountId, deviceId, userAgent: null, address: null, custom: {}, sealed: null },
    })),
  )
  return devices.map((device) => sealed[different.indexOf(device ?? null)] ?? null)
}

/** Undefined where the rows can't be had in time: a write never fails because of it. */
export async function rowsNow(
  parts: ProgressParts,
  profileId: string,
  titleIds: readonly string[],
): Promise<Rows | undefined> {
  const unique = [...new Set(titleIds)]
  const rows = await orWhenAway(parts.progress.get(profileId, unique), API_LIMITS.judgementWaitMs, undefined)
  if (rows === undefined || isStale(rows)) return undefined
  return new Map(unique.map((titleId, index) => [titleId, rows[index]]))
}

export type ProfileRequest<Body = unknown, Query = unknown> = FastifyRequest<{
  Params: { profileId: string; titleId: string }
  Body: Body
  Querystring: Query
}>
