/** Tokens, keys and a small server behind the real admission, for tests of who may do what. */
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { TestContext } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { createAdmission } from '../../api/admission.ts'
import type { Admission, LimitClass } from '../../api/context.ts'
import { CLASS_DEFAULTS } from '../../api/limiter/limits.ts'
import { MemoryLimiter } from '../../api/limiter/memory.ts'
import { asProblem, PROBLEMS, problemDocument } from '../../api/problems.ts'
import { secure } from '../../api/security.ts'
import { type Algorithm, signJwt, type TokenKey } from '../../api/tokens/jwt.ts'
import { playbackKey, secretKey } from '../../api/tokens/keys.ts'
import { PlaybackTokens } from '../../api/tokens/playback.ts'
import { type ProfileTokenOptions, ProfileTokens } from '../../api/tokens/profile.ts'
import { NOW_MS, verifier } from './support.ts'

export const SECRET = 'a secret of the backend, 32 characters'
export const NOW_S = NOW_MS / 1000

export class Clock {
  ms = NOW_MS
  readonly now = (): number => this.ms
}

export function claims(more: object = {}): Record<string, unknown> {
  return { account: 'smith', profile: 'ann', plan: 'basic', region: 'DE', iat: NOW_S, exp: NOW_S + 3600, ...more }
}

export function bySecret(more: object = {}, secret = SECRET): string {
  return signJwt(claims(more), secretKey(secret))
}

/** As a forger would write it: any header, any signature. */
export function forged(header: object, body: object, sign: (signed: string) => Buffer = () => Buffer.alloc(0)): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part(header)}.${part(body)}`
  return `${signed}.${sign(signed).toString('base64url')}`
}

export function hmac(key: string | Buffer): (signed: string) => Buffer {
  return (signed) => createHmac('sha256', key).update(signed).digest()
}

export interface Signer {
  readonly kid: string
  readonly publicKey: KeyObject
  readonly jwk: object
  sign(more?: object): string
}

export function signer(algorithm: Exclude<Algorithm, 'HS256'>, kid: string): Signer {
  const { privateKey, publicKey } = pairOf(algorithm)
  const key: TokenKey = { kid, algorithm, key: privateKey }
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: algorithm }
  return { kid, publicKey, jwk, sign: (more = {}) => signJwt(claims(more), key) }
}

function pairOf(algorithm: Exclude<Algorithm, 'HS256'>) {
  if (algorithm === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 })
  return algorithm === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519')
}

export interface Door {
  readonly app: FastifyInstance
  readonly admission: Admission
  readonly clock: Clock
  readonly limiter: MemoryLimiter
}

export interface DoorOptions extends Partial<ProfileTokenOptions> {
  readonly limits?: Partial<Record<LimitClass, number>>
}

/** One route for each kind of admission; each answers who was let in. */
export function openDoor(t: TestContext, options: DoorOptions = {}): Door {
  const clock = new Clock()
  const nowMs = clock.now
  const limiter = new MemoryLimiter({ nowMs })
  const admission = createAdmission({
    keys: verifier,
    profiles: new ProfileTokens({ secrets: [secretKey(SECRET)], mapping: {}, nowMs, ...options }),
    playbacks: new PlaybackTokens([playbackKey(SECRET)], nowMs),
    limiter,
    limits: { ...CLASS_DEFAULTS, ...options.limits },
  })
  const app = Fastify()
  app.addHook('onSend', (request, reply, payload, done) => {
    secure(request, reply, payload)
    done()
  })
  app.setErrorHandler((error, request, reply) => {
    const problem = asProblem(error)
    if (problem.retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(problem.retryAfterMs / 1000))
    return reply.code(PROBLEMS[problem.code].status).send(problemDocument(problem, request.id))
  })
  addRoutes(app, admission)
  t.after(() => app.close())
  return { app, admission, clock, limiter }
}

function addRoutes(app: FastifyInstance, admission: Admission): void {
  app.get<{ Params: { id: string } }>('/v1/profiles/:id', (request, reply) =>
    admission.profile(request, reply, request.params.id, 'progress'),
  )
  app.put<{ Params: { id: string } }>('/v1/profiles/:id', (request, reply) =>
    admission.profile(request, reply, request.params.id, 'progress'),
  )
  app.post('/v1/start', (request, reply) => admission.anyProfile(request, reply, 'start'))
  app.post<{ Body: { token?: string } }>('/v1/beat', (request, reply) =>
    admission.playback(request, reply, request.body?.token ?? '', 'events'),
  )
  app.post('/v1/events', (request, reply) => admission.key(request, reply, ['publishable', 'admin'], 'events'))
  app.get('/open', async () => ({}))
}
