/** The routes of a profile over a real log, real tables, a real vault, and consumers that fold for real. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { createAdmission } from '../../api/admission.ts'
import type { ApiContext } from '../../api/context.ts'
import { createIdempotency } from '../../api/idempotency.ts'
import { CLASS_DEFAULTS } from '../../api/limiter/limits.ts'
import { MemoryLimiter } from '../../api/limiter/memory.ts'
import { API_LIMITS } from '../../api/limits.ts'
import { positionsOf } from '../../api/position.ts'
import { asProblem, PROBLEMS, problemDocument } from '../../api/problems.ts'
import { addProfileRoutes } from '../../api/profiles/routes.ts'
import { checkpointsOf } from '../../api/readers/checkpoints.ts'
import { progressReader } from '../../api/readers/progress.ts'
import { streamsReader } from '../../api/readers/streams.ts'
import { playbackKey, secretKey } from '../../api/tokens/keys.ts'
import { PlaybackTokens } from '../../api/tokens/playback.ts'
import { ProfileTokens } from '../../api/tokens/profile.ts'
import { addValidation } from '../../api/validation.ts'
import { generationOf, stateTableOf } from '../../consumers/generation.ts'
import { type Consumers, startConsumers } from '../../consumers/index.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import type { EventLog, Placed } from '../../log/log.ts'
import { mintEventId } from '../../producers/ids.ts'
import { createSealer, type Sealer } from '../../producers/personal.ts'
import { toRecord } from '../../producers/record.ts'
import { progressV1 } from '../../projections/progress/v1.ts'
import type { Projection } from '../../projections/projection.ts'
import { streamsV1 } from '../../projections/streams/v1.ts'
import { createCodec, type EventCodec, type NewEvent, type Personal, TOPICS } from '../../schemas/index.ts'
import type { AnalyticsStore } from '../../stores/analytics.ts'
import { openEmbeddedState } from '../../stores/embedded/index.ts'
import { type EmbeddedVault, openEmbeddedVault } from '../../stores/vault/embedded.ts'
import { bySecret, SECRET } from './callers.ts'
import { verifier } from './support.ts'

const NOW_MS = 1_800_000_000_000
export const ANN = { authorization: `Bearer ${bySecret({ profile: 'ann', account: 'smith' })}` }
export const BOB = { authorization: `Bearer ${bySecret({ profile: 'bob', account: 'smith' })}` }
export const ADMIN = { 'x-playhead-key': 'admin-key-0123456789' }

export interface House {
  readonly app: FastifyInstance
  readonly log: EventLog
  readonly codec: EventCodec
  readonly vault: EmbeddedVault
  readonly sealer: Sealer
  readonly context: ApiContext
  /** Sealed and appended; resolves when the tables have them. */
  write(events: readonly NewEvent[]): Promise<readonly Placed[]>
  settled(): Promise<void>
}

export function random(bytes: Uint8Array): void {
  globalThis.crypto.getRandomValues(bytes)
}

export async function house(t: TestContext): Promise<House> {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-profiles-'))
  const nowMs = () => NOW_MS
  const codec = await createCodec()
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  await log.ensureTopics(Object.entries(TOPICS).map(([topic, { partitions }]) => ({ topic, partitions })))
  const state = await openEmbeddedState({ dir: join(dir, 'state'), clock: nowMs })
  const vault = await openEmbeddedVault({ dir: join(dir, 'vault') })
  const projections = [progressV1(), streamsV1()]
  const consumers = await startConsumers({
    log,
    state,
    vault,
    codec,
    projections,
    analytics: {} as AnalyticsStore,
    prepare: async () => '',
    logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
  })
  const incarnation = await log.incarnation()
  const table = async (projection: Projection) =>
    await state.table(stateTableOf(generationOf(projection, incarnation))!)
  const idOf = (projection: Projection) => generationOf(projection, incarnation).id
  const checkpoints = checkpointsOf(state.commits, {
    progress: idOf(progressV1()),
    streams: idOf(streamsV1()),
    titles: '',
    episodes: '',
  })
  const sealer = createSealer({ vault, random, nowMs: Date.now })
  const context = {
    log,
    codec,
    nowMs,
    mint: () => mintEventId(NOW_MS, random),
    admission: admissionOf(nowMs),
    progress: progressReader(await table(progressV1())),
    streams: streamsReader(await table(streamsV1())),
    checkpoints,
    sealer,
    positions: positionsOf(checkpoints),
    idempotency: createIdempotency(() => NOW_MS),
  } as Partial<ApiContext> as ApiContext
  const app = appOf(context, vault)
  t.after(async () => {
    await app.close()
    await consumers.close()
    await Promise.all([log.close(), state.close(), vault.close()])
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  })
  return {
    app,
    log,
    codec,
    vault,
    sealer,
    context,
    settled: () => settled(consumers, log),
    write: async (events) => {
      const placed = await log.append(await sealedRecords(codec, sealer, events))
      await settled(consumers, log)
      return placed
    },
  }
}

async function sealedRecords(codec: EventCodec, sealer: Sealer, events: readonly NewEvent[]) {
  const whole = events.map((event) => {
    const said = 'personal' in event ? event.personal : undefined
    const personal = said === undefined || said === null ? undefined : personalOf(said as Partial<Personal>)
    return { event, personal, profileId: String('profileId' in event ? event.profileId : '') }
  })
  const wanted = whole.flatMap(({ profileId, personal }) => (personal === undefined ? [] : [{ profileId, personal }]))
  const sealed = [...(await sealer.seal(wanted))]
  return whole.map(({ event, personal }) =>
    toRecord(codec, personal === undefined ? event : ({ ...event, personal: sealed.shift() } as NewEvent)),
  )
}

export function personalOf(said: Partial<Personal>): Personal {
  return { accountId: null, deviceId: null, userAgent: null, address: null, custom: {}, sealed: null, ...said }
}

/** Until the tables have all that the log has. */
async function settled(consumers: Consumers, log: EventLog): Promise<void> {
  for (;;) {
    const ends = (await Promise.all(['playback-events', 'account-events'].map((topic) => log.bounds(topic)))).flat()
    const status = consumers.status()
    const reached = ends.every(({ topic, partition, end }) =>
      status.some(
        (s) => s.topic === topic && s.partition === partition && s.checkpoint !== undefined && s.checkpoint >= end,
      ),
    )
    if (reached) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function admissionOf(nowMs: () => number) {
  return createAdmission({
    keys: verifier,
    profiles: new ProfileTokens({ secrets: [secretKey(SECRET)], mapping: {}, nowMs }),
    playbacks: new PlaybackTokens([playbackKey(SECRET)], nowMs),
    limiter: new MemoryLimiter({ nowMs }),
    limits: { ...CLASS_DEFAULTS, browse: 10_000, progress: 10_000 },
  })
}

function appOf(context: ApiContext, vault: EmbeddedVault): FastifyInstance {
  const app = Fastify({ routerOptions: { maxParamLength: API_LIMITS.urlParamCharsMax } })
  addValidation(app)
  app.setErrorHandler((error, request, reply) => {
    const problem = asProblem(error)
    return reply.code(PROBLEMS[problem.code].status).send(problemDocument(problem, request.id))
  })
  addProfileRoutes(app, context, { vault })
  return app
}
