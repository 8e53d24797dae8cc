/**
 * The read side of Confluent's Schema Registry, so that others' Avro deserialisers, Kafka Connect and consoles read
 * our topics with the URL of this API and nothing else. What is served never changes while the process runs: the
 * versions in schemas/released. Writing is refused; schemas come with a release.
 */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { RELEASED, type ReleasedSchema } from '../schemas/index.ts'

const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json'
const COMPATIBILITY = 'FULL_TRANSITIVE'

/** Confluent's codes: clients decide by them, and the status is their first three digits. */
const SUBJECT_NOT_FOUND = 40401
const VERSION_NOT_FOUND = 40402
const SCHEMA_NOT_FOUND = 40403
const INVALID_SCHEMA = 42201
const INVALID_VERSION = 42202
const READ_ONLY = 42205

class RegistryError extends Error {
  readonly errorCode: number
  constructor(errorCode: number, message: string) {
    super(message)
    this.errorCode = errorCode
  }
}

export interface RegistryPluginOptions {
  /** For tests; everything ever released without it. */
  readonly released?: readonly ReleasedSchema[]
}

/** A Fastify plugin. */
export function schemaRegistry(app: FastifyInstance, options: RegistryPluginOptions, done: () => void): void {
  const catalogue = new Catalogue(options.released ?? RELEASED)

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  app.addHook('onSend', async (_request, reply) => {
    if (!reply.raw.headersSent) reply.header('content-type', CONTENT_TYPE)
  })
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    if (error instanceof RegistryError) return refuse(reply, error.errorCode, error.message)
    const status = error.statusCode !== undefined && error.statusCode < 500 ? error.statusCode : 500
    if (status === 500) request.log.error({ error }, 'the schema registry failed')
    return refuse(reply, status, status === 500 ? 'Internal Server Error' : error.message)
  })

  subjectRoutes(app, catalogue)
  schemaRoutes(app, catalogue)
  app.get('/config', async () => ({ compatibilityLevel: COMPATIBILITY }))
  app.get<SubjectParams>('/config/:subject', async ({ params }) => {
    catalogue.versions(params.subject)
    return { compatibilityLevel: COMPATIBILITY }
  })
  app.get('/mode', async () => ({ mode: 'READONLY' }))
  app.get<SubjectParams>('/mode/:subject', async ({ params }) => {
    catalogue.versions(params.subject)
    return { mode: 'READONLY' }
  })
  done()
}

interface SubjectParams {
  Params: { subject: string }
}
interface VersionParams {
  Params: { subject: string; version: string }
}
interface IdParams {
  Params: { id: string }
}

function subjectRoutes(app: FastifyInstance, catalogue: Catalogue): void {
  app.get<{ Querystring: { subjectPrefix?: string } }>('/subjects', async ({ query }) =>
    catalogue.subjects().filter((subject) => subject.startsWith(String(query.subjectPrefix ?? ''))),
  )
  app.get<SubjectParams>('/subjects/:subject/versions', async ({ params }) =>
    catalogue.versions(params.subject).map(({ version }) => version),
  )
  app.get<VersionParams>('/subjects/:subject/versions/:version', async ({ params }) =>
    asVersion(catalogue.version(params.subject, params.version)),
  )
  app.get<VersionParams>('/subjects/:subject/versions/:version/schema', async ({ params }, reply) =>
    reply.send(catalogue.version(params.subject, params.version).schema),
  )
  // A serialiser that may not register asks whether its schema is known.
  app.post<SubjectParams>('/subjects/:subject', async ({ params, body }) =>
    asVersion(catalogue.find(params.subject, body)),
  )
  app.post<SubjectParams>('/subjects/:subject/versions', async ({ params }) => {
    throw new RegistryError(READ_ONLY, `Subject ${params.subject} is in read-only mode: schemas come with a release`)
  })
}

function schemaRoutes(app: FastifyInstance, catalogue: Catalogue): void {
  app.get('/schemas/types', async () => ['AVRO'])
  app.get<IdParams>('/schemas/ids/:id', async ({ params }) => ({ schema: catalogue.byId(params.id).schema }))
  app.get<IdParams>('/schemas/ids/:id/schema', async ({ params }, reply) =>
    reply.send(catalogue.byId(params.id).schema),
  )
  app.get<IdParams>('/schemas/ids/:id/subjects', async ({ params }) => [catalogue.byId(params.id).subject])
  app.get<IdParams>('/schemas/ids/:id/versions', async ({ params }) => {
    const { subject, version } = catalogue.byId(params.id)
    return [{ subject, version }]
  })
}

class Catalogue {
  private readonly released: readonly ReleasedSchema[]

  constructor(released: readonly ReleasedSchema[]) {
    this.released = released
  }

  subjects(): string[] {
    return [...new Set(this.released.map(({ subject }) => subject))].sort()
  }

  versions(subject: string): ReleasedSchema[] {
    const versions = this.released.filter((schema) => schema.subject === subject)
    if (versions.length === 0) throw new RegistryError(SUBJECT_NOT_FOUND, `Subject '${subject}' not found.`)
    return versions
  }

  version(subject: string, wanted: string): ReleasedSchema {
    const versions = this.versions(subject)
    if (wanted === 'latest' || wanted === '-1') return versions.at(-1) as ReleasedSchema
    const number = /^\d{1,10}$/.test(wanted) ? Number(wanted) : 0
    if (number < 1 || number > 2 ** 31 - 1) {
      const allowed = 'Allowed values are between [1, 2^31-1] and the string "latest"'
      throw new RegistryError(
        INVALID_VERSION,
        `The specified version '${wanted}' is not a valid version id. ${allowed}`,
      )
    }
    const found = versions.find(({ version }) => version === number)
    if (!found) throw new RegistryError(VERSION_NOT_FOUND, `Version ${number} not found.`)
    return found
  }

  byId(id: string): ReleasedSchema {
    const found = this.released.find((schema) => String(schema.id) === id)
    if (!found) throw new RegistryError(SCHEMA_NOT_FOUND, `Schema ${id} not found`)
    return found
  }

  find(subject: string, body: unknown): ReleasedSchema {
    const versions = this.versions(subject)
    const wanted = sameForm(schemaIn(body))
    const found = versions.find(({ schema }) => sameForm(schema) === wanted)
    if (!found) throw new RegistryError(SCHEMA_NOT_FOUND, 'Schema not found')
    return found
  }
}

function asVersion({ subject, version, id, schema }: ReleasedSchema): object {
  return { subject, version, id, schemaType: 'AVRO', schema }
}

function schemaIn(body: unknown): string {
  const schema = (parse(body) as { schema?: unknown } | null)?.schema
  if (typeof schema !== 'string')
    throw new RegistryError(INVALID_SCHEMA, 'Invalid schema: the body must be {"schema": "…"}')
  return schema
}

/** The text of a schema without its comments and white space. */
function sameForm(schema: string): string {
  return JSON.stringify(parse(schema), (key, value: unknown) => (key === 'doc' ? undefined : value))
}

function parse(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch (error) {
    throw new RegistryError(INVALID_SCHEMA, `Invalid schema: ${(error as Error).message}`)
  }
}

function refuse(reply: FastifyReply, errorCode: number, message: string): FastifyReply {
  const status = errorCode > 999 ? Math.floor(errorCode / 100) : errorCode
  return reply.code(status).send({ error_code: errorCode, message })
}
