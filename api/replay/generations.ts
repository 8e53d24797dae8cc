/** Generations: which there are, asked for, compared, promoted, and gone back to. */
import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fieldProblem, readTime } from '../validation.ts'
import { bounded, told } from './bounded.ts'
import { REPLAY_ROUTE_LIMITS } from './limits.ts'
import { bodyOf, type Routes } from './parts.ts'
import type { Asker, GenerationShown } from './ports.ts'
import {
  Asked,
  CompareQuery,
  Comparison,
  described,
  Generation,
  GenerationPath,
  Generations,
  ListQuery,
  Moved,
  ProjectionPath,
  query,
  RateBody,
  ReasonBody,
  ReasonQuery,
  RebuildBody,
  VerifyQuery,
} from './schemas.ts'

type OfGeneration<Query = unknown> = FastifyRequest<{ Params: { id: string }; Querystring: Query }>

export function addGenerationRoutes(app: FastifyInstance, routes: Routes): void {
  addLooks(app, routes)
  addRebuild(app, routes)
  addPointer(app, routes)
  addActs(app, routes)
  addComparisons(app, routes)
}

function addLooks(app: FastifyInstance, { replay, gate: { onRequest } }: Routes): void {
  app.get(
    '/v1/generations',
    {
      onRequest,
      schema: {
        ...described(
          'Generations',
          'Every set of tables that was folded from the log: which is read, how far each is.',
        ),
        querystring: ListQuery,
        response: { 200: Generations },
      },
    },
    async (request: FastifyRequest<{ Querystring: { projection?: string; all?: boolean } }>) => {
      const { projection, all = false } = request.query
      const generations = await told(replay.generations(projection, all))
      return { generations: generations.map(shown) }
    },
  )
  app.get(
    '/v1/generations/:id',
    {
      onRequest,
      schema: {
        ...described('One generation', 'Poll it to follow a build.'),
        params: GenerationPath,
        querystring: query({}),
        response: { 200: Generation },
      },
    },
    async (request: OfGeneration) => shown(await told(replay.generation(request.params.id))),
  )
}

function addRebuild(app: FastifyInstance, routes: Routes): void {
  const { replay, gate, idempotency, nowMs, asker } = routes
  app.post(
    '/v1/generations',
    {
      onRequest: gate.onRequest,
      schema: {
        ...described(
          'Rebuild a projection',
          'Folds the log from its start into new tables beside those that are read; then compare, and promote.',
        ),
        body: RebuildBody,
        response: { 202: Asked },
      },
    },
    async (request: FastifyRequest<{ Body: RebuildBody }>, reply) => {
      const { projection, parameters = {}, until, recordsPerSecond, workers, name, reason } = request.body
      const time = readTime('until', until)
      if (!time.ok) throw fieldProblem(time.wrong, 'body')
      if (time.value !== undefined && time.value > nowMs()) {
        throw fieldProblem(
          { field: 'until', problem: 'has not come yet', remedy: 'Leave it out to follow the log.' },
          'body',
        )
      }
      const key = idempotency.keyOf(request, 'rebuild')
      const asked = {
        ...{ projection, parameters, name: name ?? nameOf(key?.name, nowMs()) },
        ...(time.value !== undefined && { untilMs: time.value }),
        ...(recordsPerSecond !== undefined && { recordsPerSecond }),
        ...(workers !== undefined && { workers }),
      }
      const { id } = await told(replay.rebuild(asked, asker(request, reason)))
      return accepted(reply, id)
    },
  )
}

/** A generation's id follows from its name: the same key asks for the same one. */
function nameOf(idempotencyKey: string | undefined, nowMs: number): string {
  if (idempotencyKey === undefined) return new Date(nowMs).toISOString().replace(/\D/g, '')
  return createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 16)
}

function addPointer(app: FastifyInstance, { replay, gate, idempotency, asker }: Routes): void {
  app.post(
    '/v1/generations/:id/promotion',
    {
      onRequest: gate.onRequest,
      schema: {
        ...described(
          'Make readers read a generation',
          'Each process goes over when the generation has passed what is read now; no request fails or mixes two.',
        ),
        params: GenerationPath,
        bodyShown: ReasonBody,
        response: { 202: Moved },
      },
    },
    async (request: OfGeneration, reply) => {
      const { reason } = bodyOf(ReasonBody, request)
      idempotency.keyOf(request, 'promote')
      const { id, before } = await told(replay.promote(request.params.id, asker(request, reason)))
      return accepted(reply, id, { before })
    },
  )
  app.post(
    '/v1/projections/:projection/rollback',
    {
      onRequest: gate.onRequest,
      schema: {
        ...described(
          'Go back to what was read before',
          'It is resumed, folds what it missed, and is promoted when it has caught up. Should this process end before, nothing has changed: ask again.',
        ),
        params: ProjectionPath,
        bodyShown: ReasonBody,
        response: { 202: Moved },
      },
    },
    async (request: FastifyRequest<{ Params: { projection: string } }>, reply) => {
      const { reason } = bodyOf(ReasonBody, request)
      idempotency.keyOf(request, 'rollback')
      const { id, before } = await told(replay.rollback(request.params.projection, asker(request, reason)))
      return accepted(reply, id, { before })
    },
  )
}

function addActs(app: FastifyInstance, { replay, gate, idempotency, asker }: Routes): void {
  const { onRequest } = gate
  const act = (path: string, summary: string, description: string, body: typeof ReasonBody | typeof RateBody) => ({
    url: `/v1/generations/:id${path}`,
    options: {
      onRequest,
      schema: { ...described(summary, description), params: GenerationPath, bodyShown: body, response: { 202: Asked } },
    },
  })
  const pause = act('/pause', 'Stop building a generation', 'It stays as it is until it is resumed.', ReasonBody)
  const resumption = act('/resumption', 'Go on building a generation', 'From where it was.', ReasonBody)
  for (const [{ url, options }, word] of [
    [pause, 'pause'],
    [resumption, 'resume'],
  ] as const) {
    app.post(url, options, async (request: OfGeneration, reply) => {
      const { reason } = bodyOf(ReasonBody, request)
      idempotency.keyOf(request, word)
      return accepted(reply, (await told(replay.act(request.params.id, word, asker(request, reason)))).id)
    })
  }
  const rate = act('/rate', 'Bound the rate of a build', 'Events a second, in each process.', RateBody)
  app.post(rate.url, rate.options, async (request: OfGeneration, reply) => {
    const { recordsPerSecond, reason } = bodyOf(RateBody, request)
    idempotency.keyOf(request, 'rate')
    const { id } = await told(replay.rate(request.params.id, recordsPerSecond, asker(request, reason)))
    return accepted(reply, id)
  })
  app.delete(
    '/v1/generations/:id',
    {
      onRequest,
      schema: {
        ...described('Drop a generation', 'Its tables go for good, within a minute. What is read can not be dropped.'),
        params: GenerationPath,
        querystring: ReasonQuery,
        response: { 202: Asked },
      },
    },
    async (request: OfGeneration<{ reason?: string }>, reply) => {
      const who: Asker = asker(request, request.query.reason)
      idempotency.keyOf(request, 'drop')
      return accepted(reply, (await told(replay.act(request.params.id, 'drop', who))).id)
    },
  )
}

function addComparisons(app: FastifyInstance, { replay, gate: { onRequest } }: Routes): void {
  const { comparisonsAtOnceMax, comparisonMs } = REPLAY_ROUTE_LIMITS
  const run = bounded(comparisonsAtOnceMax, comparisonMs, 'The command line has no such limit.')
  app.get(
    '/v1/generations/:id/comparison',
    {
      onRequest,
      schema: {
        ...described(
          'Compare two generations',
          'Rows, digests and the first keys that differ, also while events come in. One at a time; what takes longer than a minute is asked of `playhead generations compare`.',
        ),
        params: GenerationPath,
        querystring: CompareQuery,
        response: { 200: Comparison },
      },
    },
    (request: OfGeneration<{ with?: string }>) =>
      run((signal) => replay.compare(request.params.id, request.query.with, signal)),
  )
  app.get(
    '/v1/projections/:projection/verification',
    {
      onRequest,
      schema: {
        ...described('Hold tables against the log', 'Folds a sample of the keys afresh and names every difference.'),
        params: ProjectionPath,
        querystring: VerifyQuery,
        response: { 200: { type: 'object' } },
      },
    },
    (request: FastifyRequest<{ Params: { projection: string }; Querystring: { sample?: number } }>) =>
      run((signal) => replay.verify(request.params.projection, request.query.sample ?? 1, signal)),
  )
}

function accepted(reply: FastifyReply, id: string, more: object = {}) {
  const generation = `/v1/generations/${encodeURIComponent(id)}`
  return reply
    .code(202)
    .header('location', generation)
    .send({ id, generation, ...more })
}

function shown({ standing, untilMs, askedAtMs, ...generation }: GenerationShown): object {
  const { id, projection, state, foldVersion, parameters, build, recordsPerSecond, by, reason } = generation
  return {
    ...{ id, projection, state, foldVersion, parameters, build, until: untilMs, recordsPerSecond },
    ...{ askedAt: askedAtMs, by, reason },
    progress: standing && {
      ...{ done: Number(standing.done), total: Number(standing.total), lag: Number(standing.lag) },
      complete: standing.complete,
      ...Object.fromEntries(Object.entries(standing.counts).map(([name, count]) => [name, Number(count)])),
    },
  }
}
