/**
 * Who may do what, and how often. A profile's own token opens its own routes, an admin key opens all, a playback token
 * only its own session. What is counted: the account; where there is none, the session; an address only together with
 * its key, because thousands of viewers share one behind a carrier's NAT. Nothing here is state but counts and tokens
 * that were verified before.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type KeyGrant, type KeyKind, type KeyVerifier, knownKey, requireKey } from './auth.ts'
import type { Admission, LimitClass, PlaybackCaller, PlaybackClaims, ProfileCaller } from './context.ts'
import { credentialsOf, sessionOf } from './credentials.ts'
import type { Limiter } from './limiter/limiter.ts'
import type { Verdict } from './limiter/window.ts'
import { BREAKER_LIMITS } from './limits.ts'
import { Problem } from './problems.ts'
import type { ProfileClaims } from './tokens/claims.ts'
import { TokenError } from './tokens/errors.ts'
import type { PlaybackTokens } from './tokens/playback.ts'
import type { ProfileTokens } from './tokens/profile.ts'

export interface AdmissionOptions {
  readonly keys: KeyVerifier
  readonly profiles: ProfileTokens
  readonly playbacks: PlaybackTokens
  readonly limiter: Limiter
  /** Requests in a minute. */
  readonly limits: Readonly<Record<LimitClass, number>>
}

const DEFAULT_SCOPE = { app: 'default', environment: 'production' } as const

export function createAdmission(options: AdmissionOptions): Admission {
  return new Doorkeeper(options)
}

class Doorkeeper implements Admission {
  private readonly options: AdmissionOptions

  constructor(options: AdmissionOptions) {
    this.options = options
  }

  async profile(request: FastifyRequest, reply: FastifyReply, profileId: string, limit: LimitClass) {
    const { key, token } = credentialsOf(request)
    const grant = key === undefined ? undefined : knownKey(this.options.keys, key)
    if (token === undefined && grant?.kind === 'admin') return adminFor(grant, profileId)
    const caller = await this.tokenCaller(reply, token, grant)
    await this.count(reply, limit, accountSubject(caller))
    if (caller.profile === profileId) return caller
    throw new Problem('PROFILE_NOT_YOURS', "This token opens its own profile's routes only.")
  }

  async anyProfile(request: FastifyRequest, reply: FastifyReply, limit: LimitClass) {
    const { key, token } = credentialsOf(request)
    const grant = key === undefined ? undefined : knownKey(this.options.keys, key)
    if (token === undefined && grant?.kind === 'admin') {
      throw new Problem('KEY_NOT_ALLOWED', "An admin key is nobody's profile: send a profile's token.")
    }
    const caller = await this.tokenCaller(reply, token, grant)
    await this.count(reply, limit, accountSubject(caller))
    return caller
  }

  async playback(_request: FastifyRequest, reply: FastifyReply, token: string, limit: LimitClass) {
    if (token === '') throw tokenMissing(reply, 'the playback token that /v1/playback/start answered')
    let caller: PlaybackCaller
    try {
      caller = this.options.playbacks.verify(token)
    } catch (error) {
      throw tokenProblem(reply, error)
    }
    const counted = this.count(reply, limit, playbackSubject(caller, limit))
    // Limits in memory answer at once: a heartbeat waits for nothing then.
    if (counted !== undefined) await counted
    return caller
  }

  async key(request: FastifyRequest, reply: FastifyReply, kinds: readonly KeyKind[], limit?: LimitClass) {
    const grant = requireKey(this.options.keys, request, kinds)
    if (limit !== undefined && grant.kind !== 'admin') await this.count(reply, limit, keySubject(request, grant))
    return grant
  }

  mintPlayback(claims: Omit<PlaybackClaims, 'expiresAtMs'>) {
    return this.options.playbacks.mint(claims)
  }

  private async tokenCaller(
    reply: FastifyReply,
    token: string | undefined,
    grant: KeyGrant | undefined,
  ): Promise<ProfileCaller & { readonly account: string }> {
    if (token === undefined) {
      if (grant !== undefined && grant.kind !== 'publishable') {
        throw new Problem('KEY_NOT_ALLOWED', `This is a ${grant.kind} key; wanted: a profile's token, or an admin key.`)
      }
      throw tokenMissing(reply, "the profile's token")
    }
    try {
      return callerOf(await this.options.profiles.verify(token), grant)
    } catch (error) {
      throw tokenProblem(reply, error)
    }
  }

  private count(reply: FastifyReply, limitClass: LimitClass, subject: string): undefined | Promise<void> {
    const limit = this.options.limits[limitClass]
    const verdict = this.options.limiter.take(limitClass, subject, limit)
    if (!(verdict instanceof Promise)) {
      judge(reply, limitClass, limit, verdict)
      return undefined
    }
    return verdict.then((late) => judge(reply, limitClass, limit, late))
  }
}

function judge(reply: FastifyReply, limitClass: LimitClass, limit: number, verdict: Verdict): void {
  reply.header('x-ratelimit-limit', limit)
  reply.header('x-ratelimit-remaining', verdict.remaining)
  reply.header('x-ratelimit-reset', Math.ceil(verdict.resetMs / 1000))
  if (verdict.allowed) return
  throw new Problem('RATE_LIMITED', `At most ${limit} requests of the class "${limitClass}" in a minute.`, {
    retryAfterMs: verdict.retryAfterMs,
  })
}

function callerOf(claims: ProfileClaims, grant: KeyGrant | undefined): ProfileCaller & { readonly account: string } {
  const { account, profile, plan, region } = claims
  return {
    account,
    profile,
    plan,
    region,
    appId: grant?.app ?? claims.app ?? DEFAULT_SCOPE.app,
    environment: grant?.environment ?? claims.environment ?? DEFAULT_SCOPE.environment,
    by: `profile ${profile}`,
  }
}

function adminFor({ name, app, environment }: KeyGrant, profile: string): ProfileCaller {
  const nothing = { account: undefined, plan: undefined, region: undefined }
  return { ...nothing, profile, appId: app, environment, by: `key ${name}` }
}

/** Accounts of two apps are two, even by one name. */
function accountSubject({ appId, account }: { readonly appId: string; readonly account: string }): string {
  return `account/${appId}/${account}`
}

function playbackSubject(caller: PlaybackCaller, limit: LimitClass): string {
  return limit === 'events' ? `session/${caller.appId}/${caller.session}` : accountSubject(caller)
}

function keySubject(request: FastifyRequest, { name }: KeyGrant): string {
  const session = sessionOf(request)
  if (session !== undefined) return `key/${name}/${session}`
  return `key/${name}/${request.ip}/${String(request.headers['user-agent']).slice(0, 200)}`
}

function tokenMissing(reply: FastifyReply, what: string): Problem {
  reply.header('www-authenticate', 'Bearer')
  return new Problem('TOKEN_MISSING', `Send ${what} as Authorization: Bearer TOKEN.`)
}

function tokenProblem(reply: FastifyReply, error: unknown): unknown {
  if (!(error instanceof TokenError)) return error
  if (error.fault === 'KEYS_AWAY') {
    return new Problem('TOKEN_KEYS_UNAVAILABLE', error.message, { retryAfterMs: BREAKER_LIMITS.retryAfterMs })
  }
  reply.header('www-authenticate', 'Bearer error="invalid_token"')
  return new Problem(error.fault === 'EXPIRED' ? 'TOKEN_EXPIRED' : 'TOKEN_INVALID', error.message)
}
