import assert from 'node:assert/strict'
import type { LightMyRequestResponse } from 'fastify'
import { CMCD_LIMITS } from '../../producers/cmcd/index.ts'
import type { EventOf, EventType } from '../../schemas/index.ts'
import type { Harness } from './harness.ts'

export const RECORDS_MAX = CMCD_LIMITS.recordsPerBodyMax

/** Of ann, in session-1, for title-1. */
export async function playbackToken(h: Harness): Promise<string> {
  const answer = await h.call('POST', '/v1/playback/start', h.as('ann'), { titleId: 'title-1', sessionId: 'session-1' })
  assert.equal(answer.statusCode, 201, answer.body)
  return (answer.json() as { playbackToken: string }).playbackToken
}

export async function post(
  { app }: Pick<Harness, 'app'>,
  url: string,
  payload: string | Buffer,
  headers: Record<string, string> = {},
): Promise<LightMyRequestResponse> {
  const type = { 'content-type': 'application/cmcd' }
  return await app.inject({ method: 'POST', url, headers: { ...type, ...headers }, payload })
}

type Both = Omit<EventOf<'CmcdReport'>, 'type' | 'context'> & Omit<EventOf<'CmcdRequest'>, 'type' | 'context'>

/** Whichever of its fields an event has. */
export interface Seen extends Partial<Pick<Both, 'profileId' | 'sessionId' | 'target' | 'raw' | 'keys'>> {
  readonly type: EventType
  readonly meta: Both['meta']
  readonly titleId?: string | null
  readonly context?: EventOf<'CmcdReport'>['context']
  readonly url?: string | null
  readonly method?: string | null
  readonly status?: number | null
  readonly totalMs?: number | null
  readonly bitrateKbps?: number | null
}

/** In the order of the log, partition after partition; of playback events those of CMCD. */
export async function cmcdEvents(
  { log, codec }: Pick<Harness, 'log' | 'codec'>,
  topic = 'playback-events',
): Promise<readonly Seen[]> {
  const seen: Seen[] = []
  for (const { partition, start } of await log.bounds(topic)) {
    const { records } = await log.read({ topic, partition, from: start, recordsMax: 1_000, bytesMax: 1e7, waitMs: 0 })
    for (const { value } of records) {
      const decoded = codec.decode(value)
      assert.ok(decoded.ok)
      if (topic !== 'playback-events' || decoded.event.type.startsWith('Cmcd')) seen.push(decoded.event as Seen)
    }
  }
  return seen
}
