/** The audience's routes on a server of their own, behind the real admission, with the clock that the test says. */
import type { TestContext } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { createAdmission } from '../../api/admission.ts'
import { type Audience, type AudienceParts, addAudienceRoutes } from '../../api/audience/routes.ts'
import { MemoryLimiter } from '../../api/limiter/memory.ts'
import { asProblem, PROBLEMS, problemDocument } from '../../api/problems.ts'
import { playbackKey, secretKey } from '../../api/tokens/keys.ts'
import { PlaybackTokens } from '../../api/tokens/playback.ts'
import { ProfileTokens } from '../../api/tokens/profile.ts'
import { addValidation } from '../../api/validation.ts'
import { createCodec, type EventCodec } from '../../schemas/index.ts'
import { SECRET } from './callers.ts'
import { verifier } from './support.ts'

export const DATA = { 'x-playhead-key': 'data-key-0123456789' }
export const PUBLISHABLE = { 'x-playhead-key': 'pub-key-0123456789' }

export interface AudienceServer extends Audience {
  readonly app: FastifyInstance
  readonly codec: EventCodec
  /** What went to the server's log as an error. */
  readonly failures: string[]
}

export type ServerParts = Pick<AudienceParts, 'log'> & Partial<AudienceParts>

export async function startAudience(t: TestContext, parts: ServerParts): Promise<AudienceServer> {
  const { nowMs = Date.now } = parts
  const codec = await createCodec()
  const failures: string[] = []
  const app = Fastify({ forceCloseConnections: 'idle' })
  addValidation(app)
  app.setErrorHandler((error, request, reply) => {
    const problem = asProblem(error)
    if (problem.code === 'INTERNAL') failures.push(String((error as Error).stack))
    return reply.code(PROBLEMS[problem.code].status).send(problemDocument(problem, request.id))
  })
  const admission = createAdmission({
    keys: verifier,
    profiles: new ProfileTokens({ secrets: [secretKey(SECRET)], mapping: {}, nowMs }),
    playbacks: new PlaybackTokens([playbackKey(SECRET)], nowMs),
    limiter: new MemoryLimiter({ nowMs }),
    limits: { progress: 1e6, start: 1e6, browse: 1e6, events: 1e6 },
  })
  const logger = { error: (_: object, message: string) => failures.push(message) }
  const audience = addAudienceRoutes(app, { admission, codec, nowMs, logger, ...parts })
  t.after(() => app.close())
  return { app, codec, failures, ...audience }
}

export async function eventually<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const endMs = performance.now() + 10_000
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > endMs) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
