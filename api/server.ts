/**
 * The HTTP API, thin: decode, ask a producer or a store, encode. Everything it needs comes in as an argument, so that
 * the same server runs in tests and in the simulation. Nothing here is state but metrics.
 */
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type onResponseHookHandler,
} from 'fastify'
import type { Counter, Registry } from 'prom-client'
import type { EventLog } from '../log/log.ts'
import { mintEventId, type RandomBytes } from '../producers/ids.ts'
import type { EventCodec } from '../schemas/index.ts'
import { addAudienceRoutes } from './audience/routes.ts'
import { isLoopback, type KeyVerifier, requireKey } from './auth.ts'
import { readJson } from './body.ts'
import { addCmcdRoutes } from './cmcd/routes.ts'
import type { ApiContext } from './context.ts'
import { addCors } from './cors.ts'
import { addDraining } from './draining.ts'
import { addEventRoutes } from './events.ts'
import { createIdempotency, type Idempotency } from './idempotency.ts'
import { addIncidentRoutes, type IncidentParts } from './incidents/routes.ts'
import { API_LIMITS } from './limits.ts'
import { addLintRoutes } from './lint/routes.ts'
import { addLiveRoutes } from './live/routes.ts'
import { type ApiMetrics, apiMetrics } from './metrics.ts'
import { addOpenApi } from './openapi.ts'
import { addPlaybackRoutes } from './playback/routes.ts'
import type { AnalyticsReader } from './ports.ts'
import { positionsOf } from './position.ts'
import { asProblem, PROBLEMS, Problem, problemDocument } from './problems.ts'
import { addProfileRoutes, type ProfilePorts } from './profiles/routes.ts'
import { addProgressRoutes } from './progress/routes.ts'
import { addQoeRoutes } from './qoe/routes.ts'
import { schemaRegistry } from './registry.ts'
import { createPast } from './replay/past.ts'
import type { ReplayPort } from './replay/ports.ts'
import { addReplayRoutes } from './replay/routes.ts'
import { orLeftOut } from './sealing.ts'
import { secure } from './security.ts'
import { createFacts } from './titles/facts.ts'
import { addTitleRoutes } from './titles/routes.ts'
import { addValidation } from './validation.ts'
import { addWebRoutes, type WebAssets, wantsPage } from './web/routes.ts'

export interface ApiLogger {
  info(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface ApiOptions {
  readonly log: EventLog
  readonly codec: EventCodec
  readonly keys: KeyVerifier
  readonly nowMs: () => number
  readonly random: RandomBytes
  readonly metrics: Registry
  readonly logger: ApiLogger
  readonly corsOrigins: readonly string[]
  /** Addresses and networks whose X-Forwarded-For is believed; nobody's without it. */
  readonly trustedProxies?: readonly string[]
  /** Why this process should get no traffic, in words; empty when it may. */
  readonly complaints: () => Promise<readonly string[]>
  readonly version: string
  /** Whether the schema ids on the wire are ours. */
  readonly servesSchemas: boolean
  /** Without it the API takes events and has no routes of profiles, titles and playback. */
  readonly context?: ContextParts
  /** Pages and the SDK, as they are built; without it there are none. */
  readonly web?: WebAssets
}

/** What the routes need and this process can't make by itself. */
export interface ContextParts
  extends Pick<ApiContext, 'admission' | 'progress' | 'titles' | 'streams' | 'checkpoints' | 'sealer'> {
  /** Export and erasure; without it there are no such routes. */
  readonly profiles?: ProfilePorts
  readonly streamsByPlan?: Readonly<Record<string, number>>
  /** Numbers of quality of experience; without it there are no such routes. */
  readonly analytics?: AnalyticsReader
  /** Who watches now, from the tail of the log, which this process then follows. */
  readonly live?: boolean
  readonly incidents?: Pick<IncidentParts, 'incidents' | 'rules'>
  /** Generations, dead letters and the past; without it there are no such routes, and nobody can ask `asOf`. */
  readonly replay?: ReplayPort
}

export async function buildApi(options: ApiOptions): Promise<FastifyInstance> {
  const mint = () => mintEventId(options.nowMs(), options.random)
  // Of this process and no other; then a count is as good a name as any, and costs nothing.
  const server = mint()
  let requests = 0
  const app = Fastify({
    // Fastify's own request log would hold the query, and with it ?key=.
    logger: false,
    bodyLimit: API_LIMITS.bodyBytesMax,
    requestTimeout: API_LIMITS.requestTimeoutMs,
    trustProxy: options.trustedProxies?.length ? [...options.trustedProxies] : false,
    keepAliveTimeout: API_LIMITS.keepAliveMs,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: API_LIMITS.urlParamCharsMax },
    genReqId: (raw) => requestIdOf(raw.headers['x-request-id']) ?? `${server}.${++requests}`,
    frameworkErrors: (error, request, reply) => sendProblem(options.logger, error, request, reply),
  })
  const metrics = apiMetrics(options.metrics)
  addParsers(app)
  addValidation(app)
  addCors(app, options.corsOrigins)
  addDraining(app)
  observe(app, metrics)
  app.setErrorHandler((error, request, reply) => sendProblem(options.logger, error, request, reply))
  app.setNotFoundHandler((request, reply) =>
    sendProblem(options.logger, new Problem('NOT_FOUND', `No ${request.method} here.`), request, reply),
  )
  // Before the document of the API, which is of data and not of pages.
  if (options.web !== undefined) addWebRoutes(app, options.web)
  addOpenApi(app, options.version)
  addRoutes(app, options)
  const { context: parts, ...plain } = options
  const idempotency = createIdempotency(options.nowMs)
  const context = parts && contextOf(options, parts, { mint, metrics, idempotency })
  // What a player sent of a person is sealed or refused, and never left out.
  const strict = context && { ...context, sealer: parts.sealer }
  addEventRoutes(app, { ...plain, mint, metrics, idempotency, ...(strict !== undefined && { context: strict }) })
  if (parts !== undefined && context !== undefined) addContextRoutes(app, context, parts, metrics, options.logger)
  // With an external registry the ids on the wire are its own, and it is the one to ask.
  if (options.servesSchemas) await app.register(schemaRegistry)
  return app
}

interface Made {
  readonly mint: () => string
  readonly metrics: ApiMetrics
  readonly idempotency: Idempotency
}

function contextOf(options: ApiOptions, parts: ContextParts, { mint, metrics, idempotency }: Made): ApiContext {
  const { log, codec, nowMs } = options
  const { admission, progress, titles, streams, checkpoints } = parts
  const sealer = orLeftOut(parts.sealer, (count) => metrics.personalLeftOut.inc(count))
  const facts = createFacts(titles, nowMs)
  const positions = positionsOf(checkpoints)
  const readers = { progress, titles, streams, checkpoints }
  const past = parts.replay && createPast(parts.replay, nowMs)
  const own = { log, codec, nowMs, mint, admission, sealer, facts, positions, idempotency }
  return { ...own, ...readers, ...(past && { past }) }
}

function addContextRoutes(
  app: FastifyInstance,
  context: ApiContext,
  parts: ContextParts,
  metrics: ApiMetrics,
  logger: ApiLogger,
): void {
  addProgressRoutes(app, context, { writeSeconds: metrics.progressWriteSeconds })
  addTitleRoutes(app, context)
  addPlaybackRoutes(app, context, { metrics, ...(parts.streamsByPlan && { streamsByPlan: parts.streamsByPlan }) })
  addLiveRoutes(app, context, { logger })
  if (parts.profiles !== undefined) addProfileRoutes(app, context, parts.profiles)
  const { analytics, live = false, incidents, replay } = parts
  if (replay !== undefined && context.past !== undefined)
    addReplayRoutes(app, { ...context, replay, past: context.past })
  addCmcdRoutes(app, context, { metrics, logger, ...(analytics && { analytics }) })
  if (analytics !== undefined) addQoeRoutes(app, { ...context, analytics })
  if (analytics !== undefined) addLintRoutes(app, { ...context, analytics })
  if (analytics !== undefined || live) {
    addAudienceRoutes(app, { ...context, logger, live, ...(analytics && { analytics }) })
  }
  if (incidents !== undefined) addIncidentRoutes(app, { ...context, ...incidents })
}

function addParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    ['application/json', 'text/plain'],
    { parseAs: 'buffer' },
    (request: FastifyRequest, bytes: Buffer, done: (error: Error | null, body?: unknown) => void) =>
      readJson(bytes, request.headers['content-encoding'], done),
  )
}

function observe(app: FastifyInstance, metrics: ApiMetrics): void {
  // Callbacks: each hook is on the way of every request, and a promise would cost more than what it does.
  app.addHook('onSend', (request, reply, payload, done) => {
    reply.header('x-request-id', request.id)
    secure(request, reply, payload)
    done()
  })
  // A hook for each route, which knows its labels: looking them up anew for each answer is not cheap.
  app.addHook('onRoute', (route) => {
    const own = route.onResponse ?? []
    route.onResponse = [counting(metrics, route.url), ...(Array.isArray(own) ? own : [own])]
  })
}

function counting({ requests, requestSeconds }: ApiMetrics, route: string): onResponseHookHandler {
  const seconds = requestSeconds.labels({ route })
  const counts = new Map<string, Map<number, Counter.Internal>>()
  return (request, reply, done) => {
    const { method } = request
    const status = reply.statusCode
    let ofMethod = counts.get(method)
    if (ofMethod === undefined) {
      ofMethod = new Map()
      counts.set(method, ofMethod)
    }
    let count = ofMethod.get(status)
    if (count === undefined) {
      count = requests.labels({ route, method, status: `${status}` })
      ofMethod.set(status, count)
    }
    count.inc()
    seconds.observe(reply.elapsedTime / 1000)
    done()
  }
}

function addRoutes(app: FastifyInstance, options: ApiOptions): void {
  app.get('/', async (request, reply) => {
    if (options.web !== undefined && wantsPage(request)) return reply.redirect('/dashboard/')
    return { name: 'playhead', version: options.version, post: '/v1/events', schemas: '/subjects' }
  })
  app.get('/healthz', async () => ({ status: 'alive' }))
  app.get('/readyz', async (_request, reply) => {
    const complaints = await options.complaints()
    return reply.code(complaints.length === 0 ? 200 : 503).send({ ready: complaints.length === 0, complaints })
  })
  app.get('/metrics', async (request, reply) => {
    if (!isLoopback(request)) requireKey(options.keys, request, ['data', 'admin'])
    return reply.type(options.metrics.contentType).send(await options.metrics.metrics())
  })
}

function sendProblem(
  logger: ApiLogger,
  error: FastifyError | Error | unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const problem = asProblem(error)
  if (problem.code === 'INTERNAL') {
    logger.error({ err: error, requestId: request.id, route: request.routeOptions.url }, 'a request failed')
  }
  if (problem.retryAfterMs !== undefined)
    reply.header('retry-after', Math.max(1, Math.ceil(problem.retryAfterMs / 1000)))
  if (problem.code === 'KEY_MISSING' || problem.code === 'KEY_UNKNOWN') reply.header('www-authenticate', 'Bearer')
  // What is left of a body that was not read would be taken for the next request.
  if (problem.code === 'BODY_TOO_LARGE') reply.header('connection', 'close')
  return reply
    .code(PROBLEMS[problem.code].status)
    .type('application/problem+json')
    .send(problemDocument(problem, request.id))
}

function requestIdOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[\w.:-]{1,64}$/.test(header) ? header : undefined
}
