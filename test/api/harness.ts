/**
 * The whole API for tests: real routes, admission, log, vault and states in a folder that goes away, and the consumers'
 * runtime folding the real projections. The clock is the test's own.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { Registry } from 'prom-client'
import { createAdmission } from '../../api/admission.ts'
import type { LimitClass } from '../../api/context.ts'
import { MemoryLimiter } from '../../api/limiter/memory.ts'
import { checkpointsOf } from '../../api/readers/checkpoints.ts'
import { progressReader } from '../../api/readers/progress.ts'
import { streamsReader } from '../../api/readers/streams.ts'
import { titleReader } from '../../api/readers/titles.ts'
import { buildApi, type ContextParts } from '../../api/server.ts'
import { signJwt } from '../../api/tokens/jwt.ts'
import { playbackKey, secretKey } from '../../api/tokens/keys.ts'
import { PlaybackTokens } from '../../api/tokens/playback.ts'
import { ProfileTokens } from '../../api/tokens/profile.ts'
import { generationOf, stateTableOf } from '../../consumers/generation.ts'
import { type Consumers, startConsumers } from '../../consumers/index.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import type { EventLog } from '../../log/log.ts'
import { createSealer } from '../../producers/personal.ts'
import { progressV1 } from '../../projections/progress/v1.ts'
import type { Projection } from '../../projections/projection.ts'
import { streamsV1 } from '../../projections/streams/v1.ts'
import { episodesV1 } from '../../projections/titles/episodes-v1.ts'
import { titlesV1 } from '../../projections/titles/v1.ts'
import { createCodec, type EventCodec, TOPICS } from '../../schemas/index.ts'
import type { AnalyticsStore } from '../../stores/analytics.ts'
import { openEmbeddedState } from '../../stores/embedded/index.ts'
import type { StateStore } from '../../stores/state.ts'
import { openEmbeddedVault } from '../../stores/vault/embedded.ts'
import { NOW_MS, verifier } from './support.ts'

const SECRET = 'the secret of a test, 32 characters'
const UNLIMITED: Readonly<Record<LimitClass, number>> = { progress: 1e6, start: 1e6, browse: 1e6, events: 1e6 }
export const ADMIN = { 'x-playhead-key': 'admin-key-0123456789' }
export const DATA = { 'x-playhead-key': 'data-key-0123456789' }

export interface Harness {
  readonly app: FastifyInstance
  readonly log: EventLog
  readonly codec: EventCodec
  readonly clock: { ms: number }
  readonly failures: object[]
  /** Headers with the token of a profile. */
  as(profileId: string, more?: object): Record<string, string>
  call(
    method: 'GET' | 'PUT' | 'POST' | 'DELETE',
    url: string,
    headers: Record<string, string>,
    payload?: unknown,
  ): Promise<LightMyRequestResponse>
  /** Folds the log from now on; without it rows stay as they are. */
  fold(): Promise<void>
}

export interface HarnessOptions {
  readonly limits?: Partial<Record<LimitClass, number>>
  readonly folding?: boolean
  readonly trustedProxies?: readonly string[]
  /** Stands between the routes and what they read. */
  readonly wrap?: (parts: ContextParts) => ContextParts
}

export async function startHarness(t: TestContext, options: HarnessOptions = {}): Promise<Harness> {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-harness-'))
  const clock = { ms: NOW_MS }
  const nowMs = () => clock.ms
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  await log.ensureTopics(Object.entries(TOPICS).map(([topic, { partitions }]) => ({ topic, partitions })))
  const state = await openEmbeddedState({ dir: join(dir, 'state'), clock: nowMs })
  const vault = await openEmbeddedVault({ dir: join(dir, 'vault') })
  const codec = await createCodec()
  const random = (bytes: Uint8Array) => globalThis.crypto.getRandomValues(bytes)
  const admission = createAdmission({
    keys: verifier,
    profiles: new ProfileTokens({ secrets: [secretKey(SECRET)], mapping: {}, nowMs }),
    playbacks: new PlaybackTokens([playbackKey(SECRET)], nowMs),
    limiter: new MemoryLimiter({ nowMs }),
    limits: { ...UNLIMITED, ...options.limits },
  })
  const failures: object[] = []
  const parts: ContextParts = {
    admission,
    ...(await readersOf(state, await log.incarnation())),
    sealer: createSealer({ vault, random, nowMs }),
    profiles: { vault },
  }
  const app = await buildApi({
    log,
    codec,
    keys: verifier,
    nowMs,
    random,
    metrics: new Registry(),
    logger: { info: () => undefined, error: (fields) => failures.push(fields) },
    corsOrigins: ['*'],
    ...(options.trustedProxies && { trustedProxies: options.trustedProxies }),
    complaints: async () => [],
    version: '0.0.0',
    servesSchemas: true,
    context: options.wrap?.(parts) ?? parts,
  })
  let consumers: Consumers | undefined
  const fold = async () => {
    consumers ??= await startConsumers({
      log,
      state,
      analytics: NO_ANALYTICS,
      vault,
      codec,
      projections: PROJECTIONS,
      prepare: () => Promise.reject(new Error('no projection here has rows')),
      logger: { info: () => undefined, warn: () => undefined, error: (fields) => failures.push(fields) },
    })
  }
  t.after(async () => {
    await app.close()
    await consumers?.close()
    await Promise.all([log.close(), state.close(), vault.close()])
    rmSync(dir, { recursive: true, force: true })
  })
  if (options.folding !== false) await fold()
  return {
    app,
    log,
    codec,
    clock,
    failures,
    fold,
    as: (profile, more = {}) => {
      const seconds = Math.floor(clock.ms / 1000)
      const claims = {
        profile,
        account: `${profile}-account`,
        plan: 'basic',
        region: 'DE',
        exp: seconds + 3_600,
        ...more,
      }
      return { authorization: `Bearer ${signJwt({ iat: seconds, ...claims }, secretKey(SECRET))}` }
    },
    call: async (method, url, headers, payload) =>
      await app.inject({ method, url, headers, ...(payload !== undefined && { payload: payload as object }) }),
  }
}

const PROGRESS = progressV1()
const TITLES = titlesV1()
const EPISODES = episodesV1()
const STREAMS = streamsV1()
const PROJECTIONS: readonly Projection[] = [PROGRESS, TITLES, EPISODES, STREAMS]

async function readersOf(state: StateStore, incarnation: string) {
  const tableOf = async (projection: Projection) => {
    const spec = stateTableOf(generationOf(projection, incarnation))
    if (spec === undefined) throw new Error(`${projection.name} has no table`)
    return await state.table(spec)
  }
  const idOf = (projection: Projection) => generationOf(projection, incarnation).id
  return {
    progress: progressReader(await tableOf(PROGRESS)),
    titles: titleReader(await tableOf(TITLES), await tableOf(EPISODES)),
    streams: streamsReader(await tableOf(STREAMS)),
    checkpoints: checkpointsOf(state.commits, {
      progress: idOf(PROGRESS),
      titles: idOf(TITLES),
      episodes: idOf(EPISODES),
      streams: idOf(STREAMS),
    }),
  }
}

const NO_ANALYTICS: AnalyticsStore = {
  engine: 'clickhouse',
  own: async () => 'owned',
  insert: async () => 'refused',
  blocks: async () => 0n,
  audit: async () => ({ rows: 0n, sum: 0n }),
  ping: async () => undefined,
  close: async () => undefined,
}
