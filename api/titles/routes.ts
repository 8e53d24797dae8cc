/** The catalogue's routes: titles come in one by one or in bulk, and what is known of one is read. */
import { type Static, Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Made } from '../../producers/progress.ts'
import type { Arrival, Claim } from '../../producers/stamp.ts'
import { registerTitle } from '../../producers/titles.ts'
import type { KeyGrant } from '../auth.ts'
import type { ApiContext } from '../context.ts'
import { type Gate, keyGate } from '../gate.ts'
import { API_LIMITS } from '../limits.ts'
import { recordSchema } from '../openapi/from-avro.ts'
import { waitFor } from '../position.ts'
import { Problem } from '../problems.ts'
import { check, type FieldProblem, fieldProblem, Id, orNull } from '../validation.ts'

const TAGS = ['Catalogue']
const SECURITY = [{ key: [] }]
const OURS = ['meta', 'by']

const TitleIdPath = Type.Object({ titleId: Id('The title.') })
type TitleIdPath = Static<typeof TitleIdPath>

const Bulk = Type.Object({ titles: Type.Array(Type.Unknown()) }, { additionalProperties: false })
const BulkShown = Type.Object({
  titles: Type.Array(recordSchema('playhead.ingest.TitleRegistered', OURS), {
    minItems: 1,
    maxItems: API_LIMITS.titlesPerRequestMax,
  }),
})

const Registered = Type.Object({
  success: Type.Literal(true),
  titleId: Type.String(),
  eventId: Type.String(),
  serverTimestamp: Type.Integer(),
  position: Type.String(),
})
const BulkRegistered = Type.Object({
  serverTimestamp: Type.Integer(),
  accepted: Type.Integer(),
  invalid: Type.Integer(),
  position: orNull(Type.String()),
  results: Type.Array(
    Type.Object({
      index: Type.Integer(),
      titleId: orNull(Type.String()),
      status: Type.Union([Type.Literal('accepted'), Type.Literal('invalid')]),
      eventId: Type.Optional(Type.String()),
      field: Type.Optional(Type.String()),
      problem: Type.Optional(Type.String()),
      remedy: Type.Optional(Type.String()),
    }),
  ),
})
const text = orNull(Type.String())
const whole = orNull(Type.Integer())
const words = Type.Array(Type.String())
const byName = Type.Record(Type.String(), Type.String())
const Title = Type.Object({
  titleId: Type.String(),
  kind: Type.String(),
  name: Type.String(),
  description: text,
  durationMs: whole,
  creditsStartMs: whole,
  seriesId: text,
  season: whole,
  episode: whole,
  releaseYear: whole,
  rating: text,
  genres: words,
  regionsAvailable: words,
  regionsBlocked: words,
  images: byName,
  externalIds: byName,
  manifests: byName,
  withdrawn: Type.Boolean(),
  updatedAt: Type.Integer(),
})

export function addTitleRoutes(app: FastifyInstance, context: ApiContext): void {
  const writes = keyGate(context.admission, ['admin'])
  addPut(app, context, writes)
  addBulk(app, context, writes)
  addGet(app, context)
}

function addPut(app: FastifyInstance, parts: ApiContext, gate: Gate<KeyGrant>): void {
  app.put(
    '/v1/titles/:titleId',
    {
      onRequest: gate.onRequest,
      schema: {
        summary: 'Put a title into the catalogue',
        description: 'The record is whole: what is left out is unknown from now on.',
        tags: TAGS,
        security: SECURITY,
        params: TitleIdPath,
        bodyShown: recordSchema('playhead.ingest.TitleRegistered', [...OURS, 'titleId']),
        response: { 200: Registered },
      },
    },
    async (request: FastifyRequest<{ Params: TitleIdPath }>, reply) => {
      const { titleId } = request.params
      const { grant, arrival, key } = asked(parts, gate, request)
      const fields = isObject(request.body) ? { ...request.body, titleId } : request.body
      const made = registerTitle(parts, arrival, claimOf(key), fields, grant.name)
      if (!made.ok) throw fieldProblem(shown(made), 'body')
      const position = await append(parts, reply, [made])
      const { eventId, receivedAt } = made.meta
      return { success: true, titleId, eventId, serverTimestamp: receivedAt, position }
    },
  )
}

function addBulk(app: FastifyInstance, parts: ApiContext, gate: Gate<KeyGrant>): void {
  app.post(
    '/v1/titles',
    {
      onRequest: gate.onRequest,
      schema: {
        summary: 'Put many titles into the catalogue',
        description: 'At most 500, each with an answer of its own.',
        tags: TAGS,
        security: SECURITY,
        bodyShown: BulkShown,
        response: { 200: BulkRegistered },
      },
    },
    async (request, reply) => {
      const titles = opened(request.body)
      const { grant, arrival, key } = asked(parts, gate, request)
      const all = titles.map((fields, index) =>
        registerTitle(parts, arrival, claimOf(key && `${key}#${index}`), fields, grant.name),
      )
      const good = all.flatMap((made) => (made.ok ? [made] : []))
      const position = good.length === 0 ? null : await append(parts, reply, good)
      const results = all.map((made, index) => {
        const titleId = titleIdOf(titles[index])
        if (!made.ok) return { index, titleId, status: 'invalid', ...shown(made) }
        return { index, titleId, status: 'accepted', eventId: made.meta.eventId }
      })
      const { receivedAtMs: serverTimestamp } = arrival
      return { serverTimestamp, accepted: good.length, invalid: all.length - good.length, position, results }
    },
  )
}

function addGet(app: FastifyInstance, parts: ApiContext): void {
  const { onRequest } = keyGate(parts.admission, ['publishable', 'data', 'admin'], 'browse')
  const schema = {
    summary: 'What the catalogue knows of a title',
    tags: TAGS,
    security: SECURITY,
    params: TitleIdPath,
    response: { 200: Title },
  }
  app.get(
    '/v1/titles/:titleId',
    { onRequest, schema },
    async (request: FastifyRequest<{ Params: TitleIdPath }>, reply) => {
      await waitFor(parts.positions, request, reply, 'titles')
      const [row] = await parts.titles.get([request.params.titleId])
      if (row === undefined) throw new Problem('TITLE_UNKNOWN', 'PUT it there with an admin key.')
      const { version: _version, updatedAtMs: updatedAt, ...facts } = row
      return { ...facts, updatedAt }
    },
  )
}

interface Asked {
  readonly grant: KeyGrant
  readonly arrival: Arrival
  readonly key: string | undefined
}

function asked({ idempotency, nowMs }: ApiContext, gate: Gate<KeyGrant>, request: FastifyRequest): Asked {
  const grant = gate.callerOf(request)
  const { app: appId, environment } = grant
  const key = idempotency.keyOf(request, `${appId}\n${environment}\ntitles`)
  return { grant, key: key?.name, arrival: { source: 'api', appId, environment, receivedAtMs: nowMs() } }
}

async function append({ log, positions }: ApiContext, reply: FastifyReply, made: readonly Made[]): Promise<string> {
  const topic = made[0]?.record.topic ?? ''
  const placed = await log.append(made.map(({ record }) => record))
  const position = positions.header(placed.map((place) => ({ topic, ...place })))
  reply.header('playhead-position', position)
  return position
}

function opened(body: unknown): readonly unknown[] {
  const checked = check(Bulk, body)
  if (!checked.ok) throw fieldProblem(checked.wrong, 'body')
  const { titles } = checked.value
  if (titles.length === 0)
    throw fieldProblem({ field: 'titles', problem: 'is empty', remedy: 'Send one or more.' }, 'body')
  if (titles.length > API_LIMITS.titlesPerRequestMax) {
    throw new Problem('TOO_MANY_ITEMS', `${titles.length} titles; at most ${API_LIMITS.titlesPerRequestMax} at a time.`)
  }
  return titles
}

function claimOf(key: string | undefined): Claim {
  return key === undefined ? {} : { idempotencyKey: key }
}

function shown({ field, problem, remedy }: FieldProblem): FieldProblem {
  return { field, problem, remedy }
}

function titleIdOf(fields: unknown): string | null {
  const titleId = isObject(fields) ? fields.titleId : undefined
  return typeof titleId === 'string' && titleId.length <= 128 ? titleId : null
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
