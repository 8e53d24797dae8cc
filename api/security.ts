/**
 * Headers that tell a browser to take an answer for nothing but data. They go with every answer that has a body (where
 * there is none, there is nothing to mistake); a route may set its own instead.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'

const WITH_A_BODY = Object.entries({
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  // Answers are data, the readable docs set their own.
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
})

export function secure(request: FastifyRequest, reply: FastifyReply, payload: unknown): void {
  // What is under /v1 is somebody's: no cache keeps it, no proxy's and no browser's.
  if (request.url.startsWith('/v1/') && !reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
  if (payload === undefined || payload === null) return
  for (const [name, value] of WITH_A_BODY) if (!reply.hasHeader(name)) reply.header(name, value)
}
