/** OpenAPI 3.1, made from the routes as they are registered. */
import { EVENTS } from '../../schemas/index.ts'
import { PROBLEMS } from '../problems.ts'
import { TAKEN_EVENTS } from './described.ts'
import { eventSchema, type JsonSchema, referredTypes } from './from-avro.ts'

/** What a route may say of itself beside what it checks. */
export interface RouteDocs {
  readonly summary?: string
  readonly description?: string
  readonly tags?: readonly string[]
  /** Any one of these lets in; an empty one: nobody is asked. */
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly params?: unknown
  readonly querystring?: unknown
  readonly body?: unknown
  /** Describes a body that is checked by other means. */
  readonly bodyShown?: unknown
  /** Of the body; JSON without it. */
  readonly bodyType?: string
  readonly response?: unknown
  /** In words, where no schema says it. */
  readonly responses?: Readonly<Record<string, string>>
  /** Of a good answer; JSON without it. */
  readonly mediaType?: string
  /** Errors have Confluent's shape here, not ours. */
  readonly registry?: true
}

export interface DocumentedRoute {
  readonly method: string
  /** As Fastify names it: with `:profileId`. */
  readonly url: string
  readonly docs: RouteDocs
}

export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly tags: readonly string[]
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters: readonly Parameter[]
  readonly requestBody?: { readonly required: boolean; readonly content: Content }
  readonly responses: Readonly<Record<string, unknown>>
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly description?: string
  readonly schema: JsonSchema
}

type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>

export interface OpenApi {
  readonly openapi: '3.1.0'
  readonly info: Readonly<Record<string, unknown>>
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>
}

export function openApi(routes: readonly DocumentedRoute[], version: string): OpenApi {
  const paths: Record<string, Record<string, Operation>> = {}
  for (const route of routes) {
    const path = route.url.replaceAll(/:([A-Za-z]+)/g, '{$1}')
    paths[path] ??= {}
    paths[path][route.method.toLowerCase()] = operationOf(route)
  }
  const found = new Set(routes.flatMap(({ docs }) => tagsOf(docs)))
  const tags = [...new Set([...FIRST_TAGS.filter((tag) => found.has(tag)), ...found])].map((name) => ({ name }))
  const taken = Object.fromEntries(
    TAKEN_EVENTS.map((type) => [type, eventSchema(EVENTS[type as keyof typeof EVENTS].subject)]),
  )
  return {
    openapi: '3.1.0',
    info: {
      title: 'Playhead',
      version,
      description: 'Watch progress, playback and streaming analytics. Every error is a problem document (RFC 9457).',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    tags,
    paths,
    components: {
      securitySchemes: SECURITY,
      responses: { Problem: PROBLEM_RESPONSE, RegistryProblem: REGISTRY_RESPONSE },
      schemas: { Problem: PROBLEM, ...taken, ...referredTypes([taken, paths]) },
    },
  }
}

/** What most come for; the rest follows as it is registered. */
const FIRST_TAGS = ['Progress', 'Playback', 'Profiles', 'Catalogue', 'Events']

function operationOf({ method, url, docs }: DocumentedRoute): Operation {
  const body = docs.body ?? docs.bodyShown
  const security = docs.security ?? [{ profileToken: [] }, { key: [] }]
  return {
    operationId: operationIdOf(method, url),
    summary: docs.summary ?? `${method} ${url}`,
    ...(docs.description !== undefined && { description: docs.description }),
    tags: tagsOf(docs),
    security,
    parameters: [...pathOf(docs, url), ...named(docs.querystring, 'query'), ...headersOf(method, url)],
    ...(body !== undefined && {
      requestBody: {
        required: isRequired(body as JsonSchema),
        content: { [docs.bodyType ?? 'application/json']: { schema: body as JsonSchema } },
      },
    }),
    responses: responsesOf(docs, method, url, body !== undefined, security),
  }
}

/** A body of which nothing is required may be left out. */
function isRequired({ required, properties }: JsonSchema): boolean {
  return properties === undefined || (Array.isArray(required) && required.length > 0)
}

function tagsOf({ tags = ['other'] }: RouteDocs): readonly string[] {
  return tags.map((tag) => tag.charAt(0).toUpperCase() + tag.slice(1))
}

/** `PUT /v1/profiles/:profileId/progress/:titleId` → putProfilesProgressByProfileIdTitleId. */
function operationIdOf(method: string, url: string): string {
  const parts = url.split(/[/.]/).filter((part) => part !== '' && part !== 'v1')
  const words = parts.filter((part) => !part.startsWith(':')).flatMap((part) => part.split('-'))
  const by = parts.filter((part) => part.startsWith(':')).map((part) => part.slice(1))
  const upper = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)
  const path = words.length === 0 ? 'Root' : words.map(upper).join('')
  return `${method.toLowerCase()}${path}${by.length === 0 ? '' : `By${by.map(upper).join('')}`}`
}

function pathOf(docs: RouteDocs, url: string): readonly Parameter[] {
  const known = named(docs.params, 'path')
  return [...url.matchAll(/:([A-Za-z]+)/g)].map(([, name = '']) => {
    const found = known.find((parameter) => parameter.name === name)
    return { ...(found ?? { name, in: 'path', schema: { type: 'string' } }), required: true }
  })
}

function named(schema: unknown, place: Parameter['in']): readonly Parameter[] {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    properties?: Readonly<Record<string, JsonSchema>>
    required?: readonly string[]
  }
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...(typeof property.description === 'string' && { description: property.description }),
    schema: property,
  }))
}

/** Every write under /v1 may be sent again under a key; every read may wait for a write. */
function headersOf(method: string, url: string): readonly Parameter[] {
  if (!url.startsWith('/v1/')) return []
  const header = (name: string, description: string): Parameter => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  })
  if (method !== 'GET') return [header('Idempotency-Key', 'The same key with the same request counts once.')]
  return [header('Playhead-Position', 'Of the answer to a write: this read waits for it, 2 seconds at most.')]
}

function responsesOf(docs: RouteDocs, method: string, url: string, hasBody: boolean, security: Operation['security']) {
  const good = Object.entries((docs.response ?? {}) as Readonly<Record<string, JsonSchema>>).map(
    ([status, schema]): [string, unknown] => [
      status,
      answerOf(schema, docs.mediaType, method !== 'GET' && url.startsWith('/v1/')),
    ],
  )
  const inWords = Object.entries(docs.responses ?? {}).map(([status, description]): [string, unknown] => [
    status,
    { description },
  ])
  const all = [...good, ...inWords]
  const wrong = [
    ...(url.startsWith('/v1/') ? [400] : []),
    ...(security.some((one) => Object.keys(one).length === 0) ? [] : [401, 403, 429]),
    ...(hasBody ? [413, 415] : []),
    ...(method !== 'GET' && url.startsWith('/v1/') ? [422] : []),
    ...(url.startsWith('/v1/') ? [503] : []),
    'default',
  ]
  const problem = docs.registry === true ? 'RegistryProblem' : 'Problem'
  return Object.fromEntries([
    ...(all.length === 0 ? [['200', answerOf({}, docs.mediaType, false)] as const] : all),
    ...wrong.map((status) => [String(status), { $ref: `#/components/responses/${problem}` }] as const),
  ])
}

function answerOf(schema: JsonSchema, mediaType = 'application/json', isWrite = false): JsonSchema {
  const description = typeof schema.description === 'string' ? schema.description : 'The answer.'
  const headers = isWrite
    ? { headers: { 'Playhead-Position': { description: 'Where in the log it is.', schema: { type: 'string' } } } }
    : {}
  if (schema.type === 'null') return { description, ...headers }
  return { description, ...headers, content: { [mediaType]: { schema } } }
}

const SECURITY: Readonly<Record<string, JsonSchema>> = {
  key: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Playhead-Key',
    description:
      'A publishable, data or admin key. Also as Authorization: Bearer KEY, or ?key=KEY where no header can be sent.',
  },
  profileToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: "Minted by the customer's own backend: account, profile, plan, region.",
  },
  playbackToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'What playback/start answers; for one session of one title.',
  },
}

const PROBLEM: JsonSchema = {
  type: 'object',
  description: 'RFC 9457.',
  required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What to do about it.' },
    code: { type: 'string', enum: Object.keys(PROBLEMS), description: 'Stable: decide by this.' },
    requestId: { type: 'string' },
    field: { type: 'string', description: 'The field that is wrong, where one is.' },
  },
}

const PROBLEM_RESPONSE: JsonSchema = {
  description: 'A problem document.',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}

const REGISTRY_RESPONSE: JsonSchema = {
  description: "An error in Confluent's shape; its code's first three digits are the status.",
  content: {
    'application/vnd.schemaregistry.v1+json': {
      schema: { type: 'object', properties: { error_code: { type: 'integer' }, message: { type: 'string' } } },
    },
  },
}
