/** Who asks is settled before a body is read: a stranger costs us a header, not a megabyte. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { KeyGrant, KeyKind } from './auth.ts'
import type { Admission, LimitClass, ProfileCaller } from './context.ts'

export interface Gate<Caller> {
  /** A route's onRequest hook. */
  readonly onRequest: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
  callerOf(request: FastifyRequest): Caller
}

/** For routes under /v1/profiles/:profileId. */
export function profileGate(admission: Admission, limit: LimitClass): Gate<ProfileCaller> {
  return gate((request, reply) => {
    const { profileId } = request.params as { readonly profileId: string }
    return admission.profile(request, reply, profileId, limit)
  })
}

export function keyGate(admission: Admission, kinds: readonly KeyKind[], limit?: LimitClass): Gate<KeyGrant> {
  return gate((request, reply) => admission.key(request, reply, kinds, limit))
}

/** Remembers for the route whom `admit` let in. */
export function gate<Caller>(admit: (request: FastifyRequest, reply: FastifyReply) => Promise<Caller>): Gate<Caller> {
  const callers = new WeakMap<FastifyRequest, Caller>()
  return {
    onRequest: async (request, reply) => {
      callers.set(request, await admit(request, reply))
    },
    callerOf: (request) => {
      const caller = callers.get(request)
      if (caller === undefined) throw new Error('a route without its gate')
      return caller
    },
  }
}
