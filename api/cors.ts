/** CORS for pages that post events. Keys travel in headers, never in cookies, so credentials are never allowed. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
  'access-control-allow-headers':
    'authorization, cmcd-object, cmcd-request, cmcd-session, cmcd-status, content-type, content-encoding, idempotency-key, last-event-id, playhead-position, x-playhead-key, x-playhead-session, x-request-id',
  'access-control-max-age': '86400',
} as const

const EXPOSED = [
  'playhead-position',
  'playhead-position-passed',
  'playhead-stale',
  'retry-after',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'x-request-id',
].join(', ')

export function addCors(app: FastifyInstance, origins: readonly string[]): void {
  app.addHook('onRequest', (request, reply, done) => {
    allowOrigin(request, reply, origins)
    const asks = request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
    if (asks) reply.headers(PREFLIGHT).code(204).send()
    else done()
  })
}

function allowOrigin(request: FastifyRequest, reply: FastifyReply, origins: readonly string[]): void {
  const origin = request.headers.origin
  const all = origins.includes('*')
  if (!all) reply.header('vary', 'origin')
  if (origin === undefined || !(all || origins.includes(origin))) return
  reply.header('access-control-allow-origin', all ? '*' : origin)
  reply.header('access-control-expose-headers', EXPOSED)
}
