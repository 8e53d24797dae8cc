/**
 * From a token's claims to what we ask of them. Login tokens that a customer has already name things in their own way:
 * the mapping says which claim is meant. A name that starts with / is a path: `/app_metadata/account`.
 */
import { TokenError } from './errors.ts'
import { TOKEN_LIMITS } from './limits.ts'

export const CLAIM_NAMES = ['profile', 'account', 'plan', 'region', 'app', 'env'] as const
export type ClaimName = (typeof CLAIM_NAMES)[number]
export type ClaimMapping = Readonly<Partial<Record<ClaimName, string>>>

export interface ProfileClaims {
  readonly account: string
  readonly profile: string
  readonly plan: string | undefined
  readonly region: string | undefined
  readonly app: string | undefined
  readonly environment: string | undefined
}

type Claims = Readonly<Record<string, unknown>>

export function profileClaims(claims: Claims, mapping: ClaimMapping): ProfileClaims {
  return {
    profile: required(claims, 'profile', mapping),
    account: required(claims, 'account', mapping),
    plan: optional(claims, 'plan', mapping),
    region: optional(claims, 'region', mapping),
    app: optional(claims, 'app', mapping),
    environment: optional(claims, 'env', mapping),
  }
}

/** The claims that `profileClaims` reads back: for tokens made here. */
export function claimsOf(values: Readonly<Partial<Record<ClaimName, string>>>, mapping: ClaimMapping): Claims {
  const claims: Record<string, unknown> = {}
  for (const name of CLAIM_NAMES) {
    const value = values[name]
    if (value !== undefined) put(claims, pathOf(mapping[name] ?? name), value)
  }
  return claims
}

function required(claims: Claims, name: ClaimName, mapping: ClaimMapping): string {
  const value = optional(claims, name, mapping)
  if (value === undefined)
    throw new TokenError('CLAIM', `The token has no claim "${mapping[name] ?? name}" (the ${name}).`)
  return value
}

function optional(claims: Claims, name: ClaimName, mapping: ClaimMapping): string | undefined {
  const claim = mapping[name] ?? name
  const value = at(claims, pathOf(claim))
  if (value === undefined || value === null) return undefined
  // Accounts are numbers in many databases.
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value
  if (typeof text === 'string' && text.length >= 1 && text.length <= TOKEN_LIMITS.claimCharsMax) return text
  throw new TokenError(
    'CLAIM',
    `The claim "${claim}" of the token must be a text of 1 to ${TOKEN_LIMITS.claimCharsMax} characters.`,
  )
}

function pathOf(claim: string): readonly string[] {
  return claim.startsWith('/') ? claim.slice(1).split('/') : [claim]
}

function at(value: unknown, path: readonly string[]): unknown {
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Claims)[name]
  }
  return value
}

function put(target: Record<string, unknown>, [first = '', ...rest]: readonly string[], value: string): void {
  if (rest.length === 0) target[first] = value
  else {
    const inner = (target[first] ?? {}) as Record<string, unknown>
    target[first] = inner
    put(inner, rest, value)
  }
}
