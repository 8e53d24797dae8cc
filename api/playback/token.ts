/** Where a playback token may travel: in Authorization, or in the body for those that can't set headers. */
import type { FastifyRequest } from 'fastify'

/** Empty if there is none: admission says so in its own words. */
export function tokenOf(request: FastifyRequest, fromBody: string | undefined): string {
  return fromBody ?? bearerOf(request) ?? ''
}

export function bearerOf(request: FastifyRequest): string | undefined {
  const { authorization } = request.headers
  return authorization === undefined ? undefined : /^Bearer\s+(\S+)\s*$/i.exec(authorization)?.[1]
}
