/**
 * What a request shows of its sender, as text: a key, a token, or both. Authorization carries either. Players that can't
 * set headers put a token into the query of a GET (EventSource) or into the subprotocols (WebSocket).
 */
import type { FastifyRequest } from 'fastify'

export interface Credentials {
  readonly key: string | undefined
  readonly token: string | undefined
}

const SUBPROTOCOL = /(?:^|[\s,])playhead\.token\.([\w.-]+)/
const SESSION = /^[\x21-\x7e]{1,128}$/

export function credentialsOf(request: FastifyRequest): Credentials {
  const { headers } = request
  const bearer = /^Bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1]
  const query = request.query as Readonly<Record<string, unknown>>
  const key = text(headers['x-playhead-key']) ?? text(query.key)
  if (bearer !== undefined) return looksLikeToken(bearer) ? { key, token: bearer } : { key: bearer, token: undefined }
  if (request.method !== 'GET') return { key, token: undefined }
  return { key, token: text(query.token) ?? SUBPROTOCOL.exec(headers['sec-websocket-protocol'] ?? '')?.[1] }
}

/** Every JWT begins with `{"`, which is `eyJ` in base64url; no key of ours does. */
export function looksLikeToken(bearer: string): boolean {
  return bearer.startsWith('eyJ') && bearer.split('.', 4).length === 3
}

/** What a player without a token says of its session, for counting: its word, believed for nothing else. */
export function sessionOf(request: FastifyRequest): string | undefined {
  const query = request.query as Readonly<Record<string, unknown>>
  const session = text(request.headers['x-playhead-session']) ?? text(query.session)
  return session !== undefined && SESSION.test(session) ? session : undefined
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
