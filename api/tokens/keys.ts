/** The keys that may have signed a token: shared secrets, and the public keys of a JWKS document (RFC 7517). */
import { createPublicKey, createSecretKey, hkdfSync, type JsonWebKey } from 'node:crypto'
import type { Algorithm, TokenKey } from './jwt.ts'
import { TOKEN_LIMITS } from './limits.ts'

export function secretKey(secret: string | Uint8Array): TokenKey {
  const key = typeof secret === 'string' ? createSecretKey(secret, 'utf8') : createSecretKey(secret)
  return { kid: undefined, algorithm: 'HS256', key }
}

/** Playback tokens have a key of their own, so that the customer's secret, too, signs only one kind of token. */
export function playbackKey(secret: string): TokenKey {
  return secretKey(new Uint8Array(hkdfSync('sha256', secret, '', 'playhead playback token 1', 32)))
}

/** The keys of the document that can check signatures here; others (other uses, other algorithms) are left out. */
export function parseJwks(text: string): readonly TokenKey[] {
  const parsed = JSON.parse(text) as { readonly keys?: unknown } | null
  const keys = parsed?.keys
  if (!Array.isArray(keys)) throw new Error('the JWKS document has no list "keys"')
  if (keys.length > TOKEN_LIMITS.jwksKeysMax)
    throw new Error(`the JWKS document has more than ${TOKEN_LIMITS.jwksKeysMax} keys`)
  return keys.flatMap((jwk: unknown) => keyOf(jwk) ?? [])
}

function keyOf(value: unknown): TokenKey | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const jwk = value as JsonWebKey & { readonly use?: unknown; readonly alg?: unknown; readonly kid?: unknown }
  const algorithm = algorithmOf(jwk)
  if (algorithm === undefined || (jwk.use !== undefined && jwk.use !== 'sig')) return undefined
  if (jwk.alg !== undefined && jwk.alg !== algorithm && !(algorithm === 'EdDSA' && jwk.alg === 'Ed25519'))
    return undefined
  const kid = typeof jwk.kid === 'string' && jwk.kid !== '' ? jwk.kid : undefined
  try {
    // Only the public part is taken, should somebody publish more.
    const key = createPublicKey({ key: publicPart(jwk), format: 'jwk' })
    const bits = key.asymmetricKeyDetails?.modulusLength ?? TOKEN_LIMITS.rsaBitsMin
    return bits < TOKEN_LIMITS.rsaBitsMin ? undefined : { kid, algorithm, key }
  } catch {
    // One broken key must not cost the others: its tokens are refused as signed by an unknown key.
    return undefined
  }
}

/** A symmetric key (`oct`) in a document that anybody can read would be no secret. */
function algorithmOf({ kty, crv }: JsonWebKey): Algorithm | undefined {
  if (kty === 'RSA') return 'RS256'
  if (kty === 'OKP' && crv === 'Ed25519') return 'EdDSA'
  return kty === 'EC' && crv === 'P-256' ? 'ES256' : undefined
}

function publicPart({ kty, crv, n, e, x, y }: JsonWebKey): JsonWebKey {
  if (kty === 'RSA') return { kty, n, e } as JsonWebKey
  return (kty === 'EC' ? { kty, crv, x, y } : { kty, crv, x }) as JsonWebKey
}
