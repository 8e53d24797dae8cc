/** CORS for pages that post events. Keys travel in headers, never in cookies, so credentials are never allowed. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-allow-headers':
    'authorization, content-type, content-encoding, idempotency-key, x-playhead-key, x-request-id',
  'access-control-max-age': '86400',
} as const

export function addCors(app: FastifyInstance, origins: readonly string[]): void {
  app.addHook('onRequest', async (request, reply) => {
    allowOrigin(request, reply, origins)
    const asks = request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
    if (asks) return reply.headers(PREFLIGHT).code(204).send()
  })
}

function allowOrigin(request: FastifyRequest, reply: FastifyReply, origins: readonly string[]): void {
  const origin = request.headers.origin
  const all = origins.includes('*')
  if (!all) reply.header('vary', 'origin')
  if (origin === undefined || !(all || origins.includes(origin))) return
  reply.header('access-control-allow-origin', all ? '*' : origin)
  reply.header('access-control-expose-headers', 'playhead-position, retry-after, x-request-id')
}
