/** What the routes of replay share. */
import type { Static, TSchema } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import type { KeyGrant } from '../auth.ts'
import type { Admission } from '../context.ts'
import type { Gate } from '../gate.ts'
import type { Idempotency } from '../idempotency.ts'
import { check, fieldProblem } from '../validation.ts'
import type { Past } from './past.ts'
import type { Asker, ReplayPort } from './ports.ts'

export interface ReplayParts {
  readonly admission: Admission
  readonly idempotency: Idempotency
  readonly nowMs: () => number
  readonly replay: ReplayPort
  readonly past: Past
}

/** What each of the routes' files is given. */
export interface Routes extends ReplayParts {
  readonly gate: Gate<KeyGrant>
  asker(request: FastifyRequest, reason: string | undefined): Asker
}

/** For bodies that may be left out; checked here, because a body that is not sent is none to a route's schema. */
export function bodyOf<T extends TSchema>(schema: T, request: FastifyRequest): Static<T> {
  const checked = check(schema, request.body ?? {})
  if (!checked.ok) throw fieldProblem(checked.wrong, 'body')
  return checked.value
}
