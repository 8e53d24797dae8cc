/**
 * The API with everything behind it that playback needs, on one machine's engines: log, states, vault, and the real
 * consumers folding as events come. Tokens and keys are those of support.ts and callers.ts.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import { createAdmission } from '../../api/admission.ts'
import type { LimitClass } from '../../api/context.ts'
import { CLASS_DEFAULTS } from '../../api/limiter/limits.ts'
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
import { mintEventId } from '../../producers/ids.ts'
import { createSealer } from '../../producers/personal.ts'
import { pooledRandom } from '../../producers/random.ts'
import { progressV1 } from '../../projections/progress/v1.ts'
import type { Projection } from '../../projections/projection.ts'
import { streamsV1 } from '../../projections/streams/v1.ts'
import { episodesV1 } from '../../projections/titles/episodes-v1.ts'
import { titlesV1 } from '../../projections/titles/v1.ts'
import {
  createCodec,
  type EventCodec,
  type Meta,
  type NewEvent,
  type PlayheadEvent,
  TOPICS,
} from '../../schemas/index.ts'
import type { AnalyticsStore } from '../../stores/analytics.ts'
import { openEmbeddedState } from '../../stores/embedded/index.ts'
import type { StateStore, StateTable } from '../../stores/state.ts'
import { openEmbeddedVault } from '../../stores/vault/embedded.ts'
import type { KeyVault } from '../../stores/vault.ts'
import { verifier } from './support.ts'

const SECRET = 'a secret of the backend, 32 characters'
const RANDOM = pooledRandom((bytes) => void globalThis.crypto.getRandomValues(bytes))

export interface PlaybackApi {
  readonly app: FastifyInstance
  readonly log: EventLog
  readonly codec: EventCodec
  readonly registry: Registry
  readonly failures: object[]
  /** What the tests set the clock forward by. */
  readonly clock: { aheadMs: number }
  /** Writes an event as somebody else would. */
  append(event: NewEvent): Promise<void>
  /** Every event of a topic that stands in the log, oldest first in each partition. */
  events(topic: string): Promise<PlayheadEvent[]>
}

export interface PlaybackApiOptions {
  readonly limits?: Partial<Record<LimitClass, number>>
  /** Without consumers nothing is folded. */
  readonly folds?: boolean
  readonly wrap?: (parts: ContextParts) => ContextParts
}

export async function startPlaybackApi(t: TestContext, options: PlaybackApiOptions = {}): Promise<PlaybackApi> {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-playback-'))
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  await log.ensureTopics(Object.keys(TOPICS).map((topic) => ({ topic, partitions: 2 })))
  const state = await openEmbeddedState({ dir: join(dir, 'state'), clock: Date.now })
  const vault = await openEmbeddedVault({ dir: join(dir, 'vault') })
  const codec = await createCodec()
  const clock = { aheadMs: 0 }
  const nowMs = () => Date.now() + clock.aheadMs
  const consumers = options.folds === false ? undefined : await fold({ log, state, vault, codec })
  const parts = await contextParts(log, state, vault, nowMs, options.limits)
  const registry = new Registry()
  const failures: object[] = []
  const app = await buildApi({
    log,
    codec,
    keys: verifier,
    nowMs,
    random: RANDOM,
    metrics: registry,
    logger: { info: () => undefined, error: (fields) => failures.push(fields) },
    corsOrigins: ['*'],
    complaints: async () => [],
    version: '0.0.0',
    servesSchemas: true,
    context: options.wrap?.(parts) ?? parts,
  })
  t.after(async () => {
    await app.close()
    await consumers?.close()
    await Promise.all([log.close(), state.close(), vault.close()])
    rmSync(dir, { recursive: true, force: true })
    assert.deepEqual(failures, [])
  })
  const append = async (event: NewEvent) => {
    const { receivedAt: timestampMs } = event.meta
    const { topic, key } = placeOf(event)
    await log.append([{ topic, key, value: codec.encode(event), timestampMs }])
  }
  return { app, log, codec, registry, failures, clock, append, events: (topic) => eventsOf(log, codec, topic) }
}

const PROJECTIONS = { progress: progressV1(), titles: titlesV1(), episodes: episodesV1(), streams: streamsV1() }

function fold(engines: { log: EventLog; state: StateStore; vault: KeyVault; codec: EventCodec }): Promise<Consumers> {
  return startConsumers({
    ...engines,
    // No projection here has rows in ClickHouse.
    analytics: {} as AnalyticsStore,
    prepare: async () => '',
    projections: Object.values(PROJECTIONS),
    logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
  })
}

async function contextParts(
  log: EventLog,
  state: StateStore,
  vault: KeyVault,
  nowMs: () => number,
  limits: PlaybackApiOptions['limits'],
): Promise<ContextParts> {
  const incarnation = await log.incarnation()
  const idOf = (projection: Projection) => generationOf(projection, incarnation).id
  const table = (projection: Projection): Promise<StateTable> =>
    state.table(stateTableOf(generationOf(projection, incarnation))!)
  const { progress, titles, episodes, streams } = PROJECTIONS
  return {
    admission: createAdmission({
      keys: verifier,
      profiles: new ProfileTokens({ secrets: [secretKey(SECRET)], mapping: {}, nowMs }),
      playbacks: new PlaybackTokens([playbackKey(SECRET)], nowMs),
      limiter: new MemoryLimiter({ nowMs }),
      limits: { ...CLASS_DEFAULTS, ...limits },
    }),
    progress: progressReader(await table(progress)),
    titles: titleReader(await table(titles), await table(episodes)),
    streams: streamsReader(await table(streams)),
    checkpoints: checkpointsOf(state.commits, {
      progress: idOf(progress),
      titles: idOf(titles),
      episodes: idOf(episodes),
      streams: idOf(streams),
    }),
    sealer: createSealer({ vault, random: RANDOM, nowMs }),
  }
}

function placeOf(event: NewEvent): { topic: string; key: string } {
  if ('profileId' in event && event.profileId != null) return { topic: 'playback-events', key: event.profileId }
  throw new Error(`not for this test: ${event.type}`)
}

async function eventsOf(log: EventLog, codec: EventCodec, topic: string): Promise<PlayheadEvent[]> {
  const bounds = await log.bounds(topic)
  const answers = await Promise.all(
    bounds.map(({ partition, start: from }) =>
      log.read({ topic, partition, from, recordsMax: 1000, bytesMax: 1e6, waitMs: 0 }),
    ),
  )
  return answers.flatMap(({ records }) =>
    records.map(({ value }) => {
      const decoded = codec.decode(value)
      assert.ok(decoded.ok)
      return decoded.event
    }),
  )
}

export interface Claims {
  readonly profile?: string
  readonly account?: string
  readonly plan?: string
  readonly ttlS?: number
}

/** A profile's token, as a customer's backend makes it. */
export function profileToken({ profile = 'ann', account = 'smith', plan = 'basic', ttlS = 3600 }: Claims = {}): string {
  const nowS = Math.floor(Date.now() / 1000)
  return signJwt({ account, profile, plan, iat: nowS, exp: nowS + ttlS }, secretKey(SECRET))
}

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}

export function metaAt(atMs: number): Meta {
  return {
    eventId: mintEventId(atMs, RANDOM),
    occurredAt: atMs,
    receivedAt: atMs,
    source: 'simulator',
    appId: 'shop',
    environment: 'staging',
    clock: 'trusted',
    sentAt: null,
  }
}

export async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const deadline = Date.now() + 8_000
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > deadline) assert.fail(`never: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
