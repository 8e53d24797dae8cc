/**
 * A whole engine on a clock of its own: the API's routes, the log, the states and ClickHouse of one machine, and the
 * consumers' runtime with every projection that a player's reports reach. One for a test file: its start takes seconds.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import { createAdmission } from '../../api/admission.ts'
import { MemoryLimiter } from '../../api/limiter/memory.ts'
import { analyticsReader } from '../../api/readers/analytics.ts'
import { checkpointsOf } from '../../api/readers/checkpoints.ts'
import { progressReader } from '../../api/readers/progress.ts'
import { streamsReader } from '../../api/readers/streams.ts'
import { titleReader } from '../../api/readers/titles.ts'
import { buildApi } from '../../api/server.ts'
import { signJwt } from '../../api/tokens/jwt.ts'
import { playbackKey, secretKey } from '../../api/tokens/keys.ts'
import { PlaybackTokens } from '../../api/tokens/playback.ts'
import { ProfileTokens } from '../../api/tokens/profile.ts'
import { generationOf, stateTableOf } from '../../consumers/generation.ts'
import { type Consumers, startConsumers } from '../../consumers/index.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { createSealer } from '../../producers/personal.ts'
import { cdnRequestsV1 } from '../../projections/cdn-requests/v1.ts'
import { eventsV1 } from '../../projections/events/v1.ts'
import { progressV1 } from '../../projections/progress/v1.ts'
import type { Projection } from '../../projections/projection.ts'
import { streamsV1 } from '../../projections/streams/v1.ts'
import { episodesV1 } from '../../projections/titles/episodes-v1.ts'
import { titlesV1 } from '../../projections/titles/v1.ts'
import { viewsV1 } from '../../projections/views/v1.ts'
import { createCodec, TOPICS } from '../../schemas/index.ts'
import { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import { ClickHouseReader } from '../../stores/clickhouse/reader.ts'
import { openEmbeddedState } from '../../stores/embedded/index.ts'
import { openEmbeddedVault } from '../../stores/vault/embedded.ts'
import { verifier } from '../api/support.ts'
import { type AnalyticsProcess, startAnalyticsProcess } from '../consumers/analytics-process.ts'

const SECRET = 'the secret of a test, 32 characters'
export const KEYS = {
  publishable: 'pub-key-0123456789',
  data: 'data-key-0123456789',
  admin: 'admin-key-0123456789',
} as const

export interface ProtocolEngine {
  readonly app: FastifyInstance
  readonly clock: { ms: number }
  /** What went to a log as an error. */
  readonly failures: object[]
  profileToken(profile: string, claims?: object): string
  /** Rows of a statement, as the reader. */
  query<Row>(sql: string): Promise<readonly Row[]>
  /** Every projection has read the log to its end; of `states`, those without rows, which take no second for a batch. */
  settled(which?: 'all' | 'states'): Promise<void>
  close(): Promise<void>
}

export async function startProtocolEngine(startMs: number): Promise<ProtocolEngine> {
  const clock = { ms: startMs }
  const nowMs = () => clock.ms
  const failures: object[] = []
  const engines = await openEngines(nowMs)
  await engines.log.ensureTopics(Object.keys(TOPICS).map((topic) => ({ topic, partitions: 2 })))
  const incarnation = await engines.log.incarnation()
  const projections = [...WITH_ROWS, ...WITHOUT_ROWS]
  const databases = await prepare(engines, incarnation)
  const consumers: Consumers = await startConsumers({
    ...engines,
    projections,
    prepare: async ({ projection }) => databases.get(projection.name) ?? '',
    logger: { info: () => undefined, warn: () => undefined, error: (fields) => failures.push(fields) },
  })
  const reader = new ClickHouseReader({
    ...engines.analyticsProcess.access,
    username: 'reader',
    password: 'reader-secret',
  })
  const app = await apiOf(engines, incarnation, { nowMs, failures, reader, views: databases.get('views') ?? '' })
  return {
    app,
    clock,
    failures,
    profileToken: (profile, claims = {}) => {
      const iat = Math.floor(clock.ms / 1_000)
      const own = { profile, account: `account of ${profile}`, plan: 'standard', iat, exp: iat + 3_600 }
      return signJwt({ ...own, ...claims }, secretKey(SECRET))
    },
    query: async <Row>(sql: string) => await engines.clickhouse.query<Row>(sql, {}),
    settled: (which = 'all') => settled(engines, incarnation, which === 'all' ? projections : WITHOUT_ROWS, consumers),
    close: async () => {
      await app.close()
      await consumers.close()
      await reader.close()
      await engines.close()
    },
  }
}

const PROGRESS = progressV1()
const TITLES = titlesV1()
const EPISODES = episodesV1()
const STREAMS = streamsV1()
const VIEWS = viewsV1()
const WITHOUT_ROWS: readonly Projection[] = [PROGRESS, TITLES, EPISODES, STREAMS]
const WITH_ROWS: readonly Projection[] = [eventsV1(['playback-events']), VIEWS, cdnRequestsV1()]

type Engines = Awaited<ReturnType<typeof openEngines>>

/** The state store has the test's clock too: rows of a tape must not be too old for it. */
async function openEngines(nowMs: () => number) {
  const dir = await mkdtemp(join(tmpdir(), 'playhead-protocol-'))
  const analyticsProcess: AnalyticsProcess = await startAnalyticsProcess(join(dir, 'analytics'))
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  const state = await openEmbeddedState({ dir: join(dir, 'state'), clock: nowMs })
  const vault = await openEmbeddedVault({ dir: join(dir, 'vault') })
  const clickhouse = new ClickHouse({ ...analyticsProcess.access, database: 'playhead' })
  await clickhouse.prepare()
  const codec = await createCodec()
  const close = async () => {
    await Promise.all([log.close(), state.close(), vault.close(), clickhouse.close()])
    await analyticsProcess.stop()
    await rm(dir, { recursive: true, force: true })
  }
  return { analyticsProcess, log, state, vault, clickhouse, analytics: clickhouse, codec, close }
}

async function prepare(engines: Engines, incarnation: string): Promise<ReadonlyMap<string, string>> {
  const databases = new Map<string, string>()
  for (const projection of WITH_ROWS) {
    const { id } = generationOf(projection, incarnation)
    const folder = `${projection.name}_v${projection.foldVersion}`
    databases.set(projection.name, await engines.clickhouse.prepareGeneration(id, folder))
  }
  await engines.clickhouse.alias('events', `${databases.get('events')}.events`)
  await engines.clickhouse.alias('cdn_requests', `${databases.get('cdn_requests')}.cdn_requests`)
  return databases
}

interface ApiParts {
  readonly nowMs: () => number
  readonly failures: object[]
  readonly reader: ClickHouseReader
  readonly views: string
}

async function apiOf(engines: Engines, incarnation: string, { nowMs, failures, reader, views }: ApiParts) {
  const { log, state, vault, codec } = engines
  const idOf = (projection: Projection) => generationOf(projection, incarnation).id
  const tableOf = async (projection: Projection) => {
    const spec = stateTableOf(generationOf(projection, incarnation))
    if (spec === undefined) throw new Error(`${projection.name} has no table`)
    return await state.table(spec)
  }
  const random = (bytes: Uint8Array) => globalThis.crypto.getRandomValues(bytes)
  const unlimited = { progress: 1e6, start: 1e6, browse: 1e6, events: 1e6 }
  return await buildApi({
    log,
    codec,
    keys: verifier,
    nowMs,
    random,
    metrics: new Registry(),
    logger: { info: () => undefined, error: (fields) => failures.push(fields) },
    corsOrigins: ['*'],
    complaints: async () => [],
    version: '0.0.0',
    servesSchemas: true,
    context: {
      admission: createAdmission({
        keys: verifier,
        profiles: new ProfileTokens({ secrets: [secretKey(SECRET)], mapping: {}, nowMs }),
        playbacks: new PlaybackTokens([playbackKey(SECRET)], nowMs),
        limiter: new MemoryLimiter({ nowMs }),
        limits: unlimited,
      }),
      progress: progressReader(await tableOf(PROGRESS)),
      titles: titleReader(await tableOf(TITLES), await tableOf(EPISODES)),
      streams: streamsReader(await tableOf(STREAMS)),
      checkpoints: checkpointsOf(state.commits, {
        views: idOf(VIEWS),
        progress: idOf(PROGRESS),
        titles: idOf(TITLES),
        episodes: idOf(EPISODES),
        streams: idOf(STREAMS),
      }),
      sealer: createSealer({ vault, random, nowMs }),
      analytics: analyticsReader(reader, () => ({ views, shared: 'playhead' })),
    },
  })
}

const SETTLES_MS = 20_000

async function settled(
  { log, state }: Engines,
  incarnation: string,
  projections: readonly Projection[],
  consumers: Consumers,
): Promise<void> {
  const deadlineMs = performance.now() + SETTLES_MS
  for (const projection of projections) {
    const generation = generationOf(projection, incarnation).id
    for (const topic of projection.topics) {
      for (const { partition, end } of await log.bounds(topic)) {
        while (((await state.commits.read({ generation, topic, partition }))?.checkpoint ?? 0n) < end) {
          if (performance.now() > deadlineMs) {
            throw new Error(`${generation} never read ${topic}/${partition} to ${end}: ${consumers.complaints()}`)
          }
          await new Promise((resolve) => setTimeout(resolve, 10))
        }
      }
    }
  }
}
