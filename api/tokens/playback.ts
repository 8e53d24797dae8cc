/** Playback tokens: made here when a playback starts, narrower than the profile's token: one session of one title. */
import type { PlaybackClaims } from '../context.ts'
import { TokenError } from './errors.ts'
import { checkTimes, isSignedBy, parseJwt, signJwt, type TokenKey } from './jwt.ts'
import { TOKEN_LIMITS } from './limits.ts'
import { Remembered } from './remembered.ts'

const TYPE = 'playhead-playback+jwt'
const NAMES = ['account', 'profile', 'title', 'session', 'slot', 'appId', 'environment'] as const

export class PlaybackTokens {
  private readonly keys: readonly TokenKey[]
  private readonly nowMs: () => number
  private readonly remembered = new Remembered<PlaybackClaims>()

  /** The first key signs; all of them check. */
  constructor(keys: readonly [TokenKey, ...TokenKey[]], nowMs: () => number) {
    this.keys = keys
    this.nowMs = nowMs
  }

  mint(claims: Omit<PlaybackClaims, 'expiresAtMs'>): { readonly token: string; readonly expiresAtMs: number } {
    const iat = Math.floor(this.nowMs() / 1000)
    const exp = iat + TOKEN_LIMITS.playbackTtlMs / 1000
    const { device, ...texts } = claims
    const body = { ...texts, ...(device !== undefined && { device }), iat, exp }
    return { token: signJwt(body, this.keys[0]!, TYPE), expiresAtMs: exp * 1000 }
  }

  /** Throws TokenError. Synchronous: a heartbeat waits for nothing here. */
  verify(token: string): PlaybackClaims {
    const known = this.remembered.get(token, this.nowMs(), 0)
    if (known !== undefined) return known
    const parsed = parseJwt(token)
    if (parsed.header.typ !== TYPE || !this.keys.some((key) => isSignedBy(parsed, key))) {
      throw new TokenError('NOT_TRUSTED', 'This is no playback token of this service.')
    }
    const expiresAtMs = checkTimes(parsed.claims, this.nowMs())
    const claims = claimsOf(parsed.claims, expiresAtMs)
    this.remembered.put(token, claims, expiresAtMs, 0)
    return claims
  }
}

/** We signed it, so a claim that is not there is our fault or a stolen key's: refused all the same. */
function claimsOf(claims: Readonly<Record<string, unknown>>, expiresAtMs: number): PlaybackClaims {
  for (const name of NAMES) {
    if (typeof claims[name] !== 'string') throw new TokenError('CLAIM', `The playback token has no claim "${name}".`)
  }
  const texts = claims as unknown as Omit<PlaybackClaims, 'expiresAtMs'>
  const { account, profile, title, session, slot, appId, environment, device } = texts
  return { account, profile, title, session, slot, appId, environment, device, expiresAtMs }
}
