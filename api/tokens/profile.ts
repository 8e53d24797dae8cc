/** Profile tokens: made by the customer's backend, checked here. */
import { type ClaimMapping, type ProfileClaims, profileClaims } from './claims.ts'
import { TokenError } from './errors.ts'
import type { Jwks } from './jwks.ts'
import { checkTimes, isSignedBy, parseJwt, type TokenKey, type Unverified } from './jwt.ts'
import { Remembered } from './remembered.ts'

export interface ProfileTokenOptions {
  /** Shared secrets; more than one while they are changed. */
  readonly secrets: readonly TokenKey[]
  readonly jwks?: Jwks
  readonly mapping: ClaimMapping
  readonly issuer?: string
  readonly audience?: string
  readonly nowMs: () => number
}

export class ProfileTokens {
  private readonly options: ProfileTokenOptions
  private readonly remembered = new Remembered<ProfileClaims>()

  constructor(options: ProfileTokenOptions) {
    this.options = options
  }

  /** Throws TokenError. A token that was verified before costs a look-up, not a signature. */
  async verify(token: string): Promise<ProfileClaims> {
    const { jwks, mapping, nowMs } = this.options
    const known = this.remembered.get(token, nowMs(), jwks?.revision ?? 0)
    if (known !== undefined) {
      jwks?.refreshIfOld()
      return known
    }
    const parsed = parseJwt(token)
    await this.checkSignature(parsed)
    const expiresAtMs = checkTimes(parsed.claims, nowMs())
    this.checkIssuer(parsed.claims)
    const claims = profileClaims(parsed.claims, mapping)
    this.remembered.put(token, claims, expiresAtMs, jwks?.revision ?? 0)
    return claims
  }

  private async checkSignature(parsed: Unverified): Promise<void> {
    const { alg, kid } = parsed.header
    const { secrets, jwks } = this.options
    if (alg === 'HS256') {
      if (secrets.some((key) => isSignedBy(parsed, key))) return
    } else if (alg !== 'none') {
      const key = await jwks?.find(alg, kid)
      if (key !== undefined && isSignedBy(parsed, key)) return
    }
    throw new TokenError('NOT_TRUSTED', 'The token is not signed by a key that is trusted here.')
  }

  private checkIssuer({ iss, aud }: Readonly<Record<string, unknown>>): void {
    const { issuer, audience } = this.options
    if (issuer !== undefined && iss !== issuer) {
      throw new TokenError('CLAIM', 'The token is of another issuer (the claim "iss").')
    }
    const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
    if (audience !== undefined && !audiences.includes(audience)) {
      throw new TokenError('CLAIM', 'The token is meant for somebody else (the claim "aud").')
    }
  }
}
