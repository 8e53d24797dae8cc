/** An API on a log of its own, for tests: real routes, real codec, real embedded log in a folder that goes away. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import type { KeyGrant, KeyVerifier } from '../../api/auth.ts'
import { buildApi } from '../../api/server.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import type { EventLog } from '../../log/log.ts'
import { createCodec, type EventCodec, TOPICS } from '../../schemas/index.ts'

export const NOW_MS = 1_800_000_000_000
export const KEYS: Readonly<Record<string, KeyGrant>> = {
  'pub-key-0123456789': { name: 'web', kind: 'publishable', app: 'shop', environment: 'staging' },
  'data-key-0123456789': { name: 'grafana', kind: 'data', app: 'shop', environment: 'staging' },
  'admin-key-0123456789': { name: 'ops', kind: 'admin', app: 'shop', environment: 'staging' },
}
export const PUBLISHABLE = { authorization: 'Bearer pub-key-0123456789' }
export const verifier: KeyVerifier = { verify: (presented) => KEYS[presented] }

export interface TestApi {
  readonly app: FastifyInstance
  readonly log: EventLog
  readonly codec: EventCodec
  /** What went to the server's log as an error. */
  readonly failures: object[]
}

/** `wrap` may stand between the API and its log, to make it fail. */
export async function startApi(t: TestContext, wrap: (log: EventLog) => EventLog = (log) => log): Promise<TestApi> {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-api-'))
  const log = await openEmbeddedLog({ dir })
  await log.ensureTopics(Object.entries(TOPICS).map(([topic, { partitions }]) => ({ topic, partitions })))
  const codec = await createCodec()
  const failures: object[] = []
  let minted = 0
  const app = await buildApi({
    log: wrap(log),
    codec,
    keys: verifier,
    nowMs: () => NOW_MS,
    random: (bytes) => bytes.fill(++minted % 256),
    metrics: new Registry(),
    logger: { info: () => undefined, error: (fields) => failures.push(fields) },
    corsOrigins: ['*'],
    complaints: async () => [],
    version: '0.0.0',
    servesSchemas: true,
  })
  t.after(async () => {
    await app.close()
    await log.close()
    rmSync(dir, { recursive: true, force: true })
  })
  return { app, log, codec, failures }
}

export function heartbeat(more: object = {}): Record<string, unknown> {
  return { type: 'Heartbeat', profileId: 'ann', sessionId: 's1', titleId: 't1', sequence: 0, positionMs: 0, ...more }
}

export interface EventsAnswer {
  readonly accepted: number
  readonly rejected: number
  readonly results: readonly {
    readonly index: number
    readonly status: string
    readonly eventId?: string
    readonly topic?: string
    readonly partition?: number
    readonly position?: string
    readonly code?: string
    readonly field?: string
    readonly problem?: string
    readonly remedy?: string
  }[]
}
