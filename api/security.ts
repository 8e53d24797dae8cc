/** Headers that every answer carries, so that a browser takes it for nothing but data. A route may set its own instead. */
import type { FastifyInstance } from 'fastify'

const EVERYWHERE = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  // Answers are data, the readable docs set their own.
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const

/** What is under /v1 is somebody's: no cache keeps it, no proxy's and no browser's. */
const PERSONAL = { ...EVERYWHERE, 'cache-control': 'no-store' } as const

export function addSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(request.url.startsWith('/v1/') ? PERSONAL : EVERYWHERE)
    done()
  })
}
