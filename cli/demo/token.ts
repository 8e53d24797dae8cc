/** The token of the demo's one real viewer: you. Made as a customer's backend would make it. */
import { claimsOf } from '../../api/tokens/claims.ts'
import { signJwt } from '../../api/tokens/jwt.ts'
import { secretKey } from '../../api/tokens/keys.ts'
import { tokenSecrets } from '../admission.ts'
import type { Config } from '../settings.ts'
import { DEMO_LIMITS } from './limits.ts'

/** Undefined: tokens are somebody else's to make here, and the player page goes without. */
export function demoToken(config: Config, profile: string, nowMs: number): string | undefined {
  const [secret] = tokenSecrets(config).profile
  if (secret === undefined) return undefined
  const iat = Math.floor(nowMs / 1_000)
  const claims = {
    ...claimsOf({ profile, account: profile, plan: 'premium' }, config.tokenClaims),
    ...(config.tokenIssuer !== undefined && { iss: config.tokenIssuer }),
    ...(config.tokenAudience !== undefined && { aud: config.tokenAudience }),
    iat,
    exp: iat + DEMO_LIMITS.tokenSeconds,
  }
  return signJwt(claims, secretKey(secret))
}
