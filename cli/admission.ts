/** Puts together, from the settings, who may do what and how often: for the role `api` and for `playhead token`. */
import type { Registry } from 'prom-client'
import { createAdmission } from '../api/admission.ts'
import type { KeyVerifier } from '../api/auth.ts'
import type { Breakers } from '../api/breaker.ts'
import type { Admission } from '../api/context.ts'
import type { Limiter } from '../api/limiter/limiter.ts'
import { MemoryLimiter } from '../api/limiter/memory.ts'
import { openRedisWindows } from '../api/limiter/redis.ts'
import { SharedLimiter } from '../api/limiter/shared.ts'
import { Jwks } from '../api/tokens/jwks.ts'
import { jwksLoader } from '../api/tokens/jwks-load.ts'
import { playbackKey, secretKey } from '../api/tokens/keys.ts'
import { PlaybackTokens } from '../api/tokens/playback.ts'
import { ProfileTokens } from '../api/tokens/profile.ts'
import type { Config } from './settings.ts'
import { ensureTokenSecret, tokenSecretPath } from './token-secret.ts'

export interface AdmissionPorts {
  readonly config: Config
  readonly keys: KeyVerifier
  readonly breakers: Breakers
  readonly metrics: Registry
  readonly nowMs: () => number
  readonly warn: (message: string) => void
}

export interface OpenAdmission {
  readonly admission: Admission
  close(): Promise<void>
}

export async function openAdmission(ports: AdmissionPorts): Promise<OpenAdmission> {
  const { config, keys, nowMs, warn } = ports
  const secrets = tokenSecrets(config)
  const profiles = new ProfileTokens({
    secrets: secrets.profile.map(secretKey),
    ...(config.tokenJwks !== undefined && {
      jwks: new Jwks({ load: jwksLoader(config.tokenJwks), nowMs, warn }),
    }),
    mapping: config.tokenClaims,
    ...(config.tokenIssuer !== undefined && { issuer: config.tokenIssuer }),
    ...(config.tokenAudience !== undefined && { audience: config.tokenAudience }),
    nowMs,
  })
  const [first, ...more] = secrets.playback
  const playbacks = new PlaybackTokens([playbackKey(first), ...more.map(playbackKey)], nowMs)
  if (secrets.local && config.log.engine !== 'embedded') {
    warn(
      'Tokens are checked with a secret of this machine alone: configure one, see docs/tokens.md, for several machines.',
    )
  }
  const limiter = await openLimiter(ports)
  return {
    admission: createAdmission({ keys, profiles, playbacks, limiter, limits: config.limitClasses }),
    close: () => limiter.close(),
  }
}

export interface TokenSecrets {
  /** Empty: profile tokens are signed by the JWKS' owner alone. The first signs. */
  readonly profile: readonly string[]
  readonly playback: readonly [string, ...string[]]
  /** The secret was made here, because none is configured. */
  readonly local: boolean
}

export function tokenSecrets(config: Config): TokenSecrets {
  const old = config.tokenSecretOld === undefined ? [] : [config.tokenSecretOld]
  const needsLocal = config.tokenSecret === undefined && !(config.tokenJwks && config.playbackSecret)
  const local = needsLocal ? ensureTokenSecret(tokenSecretPath(config.data), random) : ''
  const own = config.tokenSecret ?? local
  // With a JWKS alone nobody but its owner makes profile tokens: a secret that lies here must open nothing.
  const shared = config.tokenSecret === undefined && config.tokenJwks !== undefined ? [] : [own, ...old]
  const playback = config.playbackSecret ?? own
  return { profile: shared, playback: [playback, ...(playback === own ? old : [])], local: needsLocal }
}

const random = (bytes: Uint8Array): void => {
  globalThis.crypto.getRandomValues(bytes)
}

async function openLimiter({ config, breakers, metrics, nowMs, warn }: AdmissionPorts): Promise<Limiter> {
  const own = new MemoryLimiter({ nowMs })
  if (config.limits.engine === 'memory') return own
  const windows = await openRedisWindows({ url: config.limits.url })
  return new SharedLimiter({ windows, own, breakers, metrics, nowMs, warn })
}
