/** Where a playback token may travel: in Authorization, or in the body for those that can't set headers. */
import type { FastifyRequest } from 'fastify'

/** Empty if there is none: admission says so in its own words. */
export function tokenOf(request: FastifyRequest, fromBody: string | undefined): string {
  return fromBody ?? bearerOf(request) ?? ''
}

/**
 * A player says the same on its connection again and again: reading it anew, and above all hashing it anew to look it
 * up, costs more than the look-up.
 */
const last = new WeakMap<object, { readonly authorization: string; readonly bearer: string | undefined }>()

export function bearerOf({ headers, raw }: FastifyRequest): string | undefined {
  const { authorization } = headers
  if (authorization === undefined) return undefined
  const said = last.get(raw.socket)
  if (said !== undefined && said.authorization === authorization) return said.bearer
  const bearer = /^Bearer\s+(\S+)\s*$/i.exec(authorization)?.[1]
  last.set(raw.socket, { authorization, bearer })
  return bearer
}
