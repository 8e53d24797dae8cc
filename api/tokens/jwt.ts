/**
 * JSON Web Tokens (RFC 7515, 7519), as little of them as is needed and strictly: compact form, one signature. Which
 * algorithm checks a token is decided by the type of the key, never by the token alone: so a public key is no HMAC
 * secret, and "none" fits no key.
 */
import { createHmac, type KeyObject, sign, timingSafeEqual, verify } from 'node:crypto'
import { TokenError } from './errors.ts'
import { TOKEN_LIMITS } from './limits.ts'

export type Algorithm = 'HS256' | 'RS256' | 'ES256' | 'EdDSA'

/** A key knows the one algorithm that it is for. */
export interface TokenKey {
  readonly kid: string | undefined
  readonly algorithm: Algorithm
  readonly key: KeyObject
}

export interface TokenHeader {
  readonly alg: string
  readonly kid: string | undefined
  readonly typ: string | undefined
}

export interface Unverified {
  readonly header: TokenHeader
  readonly claims: Readonly<Record<string, unknown>>
  /** What was signed, and the signature. */
  readonly signed: Buffer
  readonly signature: Buffer
}

/** Throws MALFORMED; trusts nothing yet. */
export function parseJwt(token: string): Unverified {
  if (token.length > TOKEN_LIMITS.tokenCharsMax) {
    throw new TokenError('MALFORMED', `The token is longer than ${TOKEN_LIMITS.tokenCharsMax} characters.`)
  }
  const [head = '', body = '', tail = '', ...more] = token.split('.')
  if (head === '' || body === '' || more.length > 0) throw new TokenError('MALFORMED', 'This is no token (a JWT).')
  const header = jsonObject(head)
  const { alg, kid, typ } = header
  // RFC 7515 §4.1.11: what is critical and not understood must be refused; we understand no extension.
  if ('crit' in header) throw new TokenError('MALFORMED', 'The token needs an extension (crit) that is not known here.')
  if (typeof alg !== 'string' || !optionalText(kid) || !optionalText(typ)) {
    throw new TokenError('MALFORMED', 'The header of the token is malformed.')
  }
  return {
    header: { alg, kid, typ },
    claims: jsonObject(body),
    signed: Buffer.from(`${head}.${body}`, 'latin1'),
    signature: bytesOf(tail),
  }
}

/** EdDSA has two names: RFC 8037's, and the curve's own by RFC 9864. */
export function isNameOf(alg: string, algorithm: Algorithm): boolean {
  return alg === algorithm || (algorithm === 'EdDSA' && alg === 'Ed25519')
}

export function isSignedBy({ header, signed, signature }: Unverified, { algorithm, key }: TokenKey): boolean {
  if (!isNameOf(header.alg, algorithm)) return false
  switch (algorithm) {
    case 'HS256': {
      const wanted = createHmac('sha256', key).update(signed).digest()
      return wanted.length === signature.length && timingSafeEqual(wanted, signature)
    }
    case 'RS256':
      return verify('sha256', signed, key, signature)
    case 'ES256':
      return verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature)
    case 'EdDSA':
      return verify(null, signed, key, signature)
  }
}

/** Signs with any of our key types; the server itself only ever signs with HS256. */
export function signJwt(claims: object, { kid, algorithm, key }: TokenKey, typ = 'JWT'): string {
  const head = encode({ alg: algorithm, typ, ...(kid !== undefined && { kid }) })
  const signed = `${head}.${encode(claims)}`
  return `${signed}.${signatureOf(Buffer.from(signed, 'latin1'), algorithm, key).toString('base64url')}`
}

function signatureOf(signed: Buffer, algorithm: Algorithm, key: KeyObject): Buffer {
  if (algorithm === 'HS256') return createHmac('sha256', key).update(signed).digest()
  if (algorithm === 'ES256') return sign('sha256', signed, { key, dsaEncoding: 'ieee-p1363' })
  return sign(algorithm === 'RS256' ? 'sha256' : null, signed, key)
}

/** Throws EXPIRED, NOT_YET or CLAIM (no exp); answers when the token expires. */
export function checkTimes(claims: Readonly<Record<string, unknown>>, nowMs: number): number {
  const { exp, nbf, iat } = claims
  if (!isSeconds(exp)) throw new TokenError('CLAIM', 'The token must say when it expires: the claim "exp", in seconds.')
  for (const [name, from] of Object.entries({ nbf, iat })) {
    if (from === undefined) continue
    if (!isSeconds(from)) throw new TokenError('CLAIM', `The claim "${name}" of the token must be seconds since 1970.`)
    if (from * 1000 > nowMs + TOKEN_LIMITS.leewayMs) {
      throw new TokenError('NOT_YET', `The token is not valid yet ("${name}" is in the future).`)
    }
  }
  if (exp * 1000 <= nowMs) throw new TokenError('EXPIRED', 'The token has expired: get a new one.')
  return exp * 1000
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value < 1e11
}

function optionalText(value: unknown): value is string | undefined {
  return value === undefined || (typeof value === 'string' && value.length <= TOKEN_LIMITS.claimCharsMax)
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** One text for each signature: what a lenient decoder would skip is refused. */
function bytesOf(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url')
  if (bytes.toString('base64url') !== part) throw new TokenError('MALFORMED', 'The token is not base64url.')
  return bytes
}

function jsonObject(part: string): Record<string, unknown> {
  const text = bytesOf(part).toString('utf8')
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw new TokenError('MALFORMED', 'The token holds no JSON.')
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new TokenError('MALFORMED', 'The token holds no JSON object.')
  }
  return parsed as Record<string, unknown>
}
