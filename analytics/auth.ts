/** Who is asking: ClickHouse's four ways to say it, compared in constant time. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type ClickHouseError, refuse } from './errors.ts'
import type { Role } from './gate.ts'

export interface AnalyticsUser {
  readonly name: string
  /** Also accepted as a bearer token. */
  readonly password: string
  readonly role: Role
}

interface Claim {
  readonly name: string | undefined
  readonly secret: string
}

export type Authenticate = (request: IncomingMessage, query: URLSearchParams) => AnalyticsUser

export function createAuthenticator(users: readonly AnalyticsUser[]): Authenticate {
  const known = users.map((user) => ({ user, digest: digest(user.password) }))
  return (request, query) => {
    const claim = readClaim(request, query)
    if (claim === undefined)
      throw refuse('REQUIRED_PASSWORD', 'Authentication is required: send a user and a password, or a bearer token')
    const secret = digest(claim.secret)
    let found: AnalyticsUser | undefined
    // Every user is compared, so that the time taken tells nothing about which one exists.
    for (const { user, digest: expected } of known) {
      const same = timingSafeEqual(secret, expected)
      if (same && user.password !== '' && (claim.name === undefined || claim.name === user.name)) found ??= user
    }
    if (found === undefined) throw failed(claim.name)
    return found
  }
}

function failed(name: string | undefined): ClickHouseError {
  const who = name === undefined ? 'bearer' : JSON.stringify(name.slice(0, 64))
  return refuse(
    'AUTHENTICATION_FAILED',
    `${who}: Authentication failed: password is incorrect, or there is no user with such name`,
  )
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function readClaim(request: IncomingMessage, query: URLSearchParams): Claim | undefined {
  const header = request.headers.authorization
  const [scheme, value] = split(header ?? '', ' ')
  if (scheme.toLowerCase() === 'bearer') return { name: undefined, secret: value.trim() }
  if (scheme.toLowerCase() === 'basic') {
    const [name, secret] = split(Buffer.from(value.trim(), 'base64').toString('utf8'), ':')
    return { name, secret }
  }
  const key = request.headers['x-clickhouse-key']
  const user = request.headers['x-clickhouse-user']
  if (typeof key === 'string' || typeof user === 'string')
    return { name: String(user ?? 'default'), secret: String(key ?? '') }
  if (query.has('user') || query.has('password'))
    return { name: query.get('user') ?? 'default', secret: query.get('password') ?? '' }
  return undefined
}

function split(text: string, by: string): [string, string] {
  const at = text.indexOf(by)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
