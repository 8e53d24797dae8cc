import { SchemaRegistryRefused, SchemaRegistryUnavailable } from './errors.ts'
import { SCHEMA_LIMITS } from './limits.ts'

/** The little of Confluent's Schema Registry protocol that a codec needs. */
export interface SchemaRegistry {
  /** Registers a version (or finds it) and answers its id there. */
  register(subject: string, schema: string): Promise<number>
  /** The schema of an id; undefined if there is none. */
  schema(id: number): Promise<string | undefined>
}

export interface RegistryOptions {
  readonly registryUrl: string
  readonly fetch?: typeof globalThis.fetch
  readonly auth?: { readonly username: string; readonly password: string } | { readonly bearer: string }
}

const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json'
const SCHEMA_NOT_FOUND = 40403

export function registryClient(options: RegistryOptions): SchemaRegistry {
  const { fetch = globalThis.fetch } = options
  const base = options.registryUrl.replace(/\/+$/, '')
  const headers: Record<string, string> = { accept: CONTENT_TYPE, 'content-type': CONTENT_TYPE }
  const authorization = authorizationOf(options.auth)
  if (authorization) headers.authorization = authorization

  async function call(method: string, path: string, body?: unknown): Promise<{ status: number; json: unknown }> {
    try {
      const answer = await fetch(`${base}${path}`, {
        method,
        headers,
        redirect: 'error',
        signal: AbortSignal.timeout(SCHEMA_LIMITS.registryTimeoutMs),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await answer.text()
      if (text.length > SCHEMA_LIMITS.registryAnswerBytesMax) throw new Error('the answer is too long')
      return { status: answer.status, json: JSON.parse(text) as unknown }
    } catch (error) {
      throw new SchemaRegistryUnavailable(`${method} ${path} at the schema registry: ${reason(error)}`, {
        cause: error,
      })
    }
  }

  return {
    async register(subject, schema) {
      const path = `/subjects/${encodeURIComponent(subject)}/versions`
      const { status, json } = await call('POST', path, { schema, schemaType: 'AVRO' })
      const id = (json as { id?: unknown } | null)?.id
      if (status === 200 && Number.isInteger(id)) return id as number
      const what = `the schema registry answered ${status} to ${subject}: ${messageOf(json)}`
      if (status === 409 || status === 422) throw new SchemaRegistryRefused(what)
      throw new SchemaRegistryUnavailable(what)
    },
    async schema(id) {
      const { status, json } = await call('GET', `/schemas/ids/${id}`)
      const answer = json as { schema?: unknown; schemaType?: unknown; error_code?: unknown } | null
      if (status === 200 && typeof answer?.schema === 'string') {
        return (answer.schemaType ?? 'AVRO') === 'AVRO' ? answer.schema : undefined
      }
      if (status === 404 && answer?.error_code === SCHEMA_NOT_FOUND) return undefined
      throw new SchemaRegistryUnavailable(`the schema registry answered ${status} to id ${id}: ${messageOf(json)}`)
    },
  }
}

function authorizationOf(auth: RegistryOptions['auth']): string | undefined {
  if (!auth) return undefined
  if ('bearer' in auth) return `Bearer ${auth.bearer}`
  return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`
}

function messageOf(json: unknown): string {
  const message = (json as { message?: unknown } | null)?.message
  return typeof message === 'string' ? message.slice(0, 500) : 'no message'
}

function reason(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? `${message} (${cause.message})` : message
}
