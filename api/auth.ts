/** Which key asks, checked by the verifier that was handed in. Tokens and limits: admission.ts. */
import type { FastifyRequest } from 'fastify'
import { credentialsOf } from './credentials.ts'
import { API_LIMITS } from './limits.ts'
import { Problem } from './problems.ts'

export type KeyKind = 'publishable' | 'data' | 'admin'

export interface KeyGrant {
  readonly name: string
  readonly kind: KeyKind
  readonly app: string
  readonly environment: string
}

export interface KeyVerifier {
  verify(presented: string): KeyGrant | undefined
}

/** Throws KEY_MISSING, KEY_UNKNOWN or KEY_NOT_ALLOWED. */
export function requireKey(keys: KeyVerifier, request: FastifyRequest, kinds: readonly KeyKind[]): KeyGrant {
  const { key } = credentialsOf(request)
  if (key === undefined) {
    throw new Problem('KEY_MISSING', 'Send a key as Authorization: Bearer KEY, as X-Playhead-Key: KEY or as ?key=KEY.')
  }
  const grant = knownKey(keys, key)
  if (!kinds.includes(grant.kind)) {
    throw new Problem('KEY_NOT_ALLOWED', `This is a ${grant.kind} key; wanted: ${kinds.join(' or ')}.`)
  }
  return grant
}

/** Throws KEY_UNKNOWN. */
export function knownKey(keys: KeyVerifier, key: string): KeyGrant {
  const grant = key.length <= API_LIMITS.keyCharsMax ? keys.verify(key) : undefined
  if (grant === undefined) throw new Problem('KEY_UNKNOWN', 'No key like this is valid here; it may have been revoked.')
  return grant
}

/** From this machine itself. A proxy on this machine speaks for others, so what it forwards doesn't count. */
export function isLoopback(request: FastifyRequest): boolean {
  const { headers, socket } = request
  if (headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined) return false
  const address = socket.remoteAddress ?? ''
  return address === '::1' || /^(::ffff:)?127\./.test(address)
}
