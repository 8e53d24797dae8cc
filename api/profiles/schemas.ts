/** What the routes of a profile take and answer. */
import { Type } from '@sinclair/typebox'
import { API_LIMITS } from '../limits.ts'
import { Id } from '../validation.ts'
import { PROFILE_LIMITS } from './limits.ts'

const Params = Type.Object({ profileId: Id('The profile.') })
const Position = Type.String({ minLength: 1, maxLength: API_LIMITS.positionHeaderCharsMax })
const TAGS = ['Profiles']

export interface ExportRoute {
  Params: { profileId: string }
  Querystring: { cursor?: string; account?: string }
}

export const ExportSchema = {
  summary: 'Everything the engine holds about a profile',
  description:
    'One JSON document, streamed: progress rows, stream slots, and every event of the profile in the log, with what was sealed opened. Bounded in time and size: while "complete" is false, ask again with ?cursor= and the answer\'s "next".',
  tags: TAGS,
  params: Params,
  querystring: Type.Object({
    cursor: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: PROFILE_LIMITS.cursorCharsMax,
        description: '"next" of the former answer.',
      }),
    ),
    account: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: PROFILE_LIMITS.accountCharsMax,
        description: 'With an admin key: the account whose stream slots to look through.',
      }),
    ),
  }),
  response: {
    200: Type.Object(
      {
        profileId: Type.String(),
        exportedAt: Type.String(),
        events: Type.Array(Type.Object({}, { additionalProperties: true })),
        scanned: Type.Array(Type.Object({}, { additionalProperties: true })),
        complete: Type.Boolean(),
        next: Type.Union([Type.String(), Type.Null()]),
      },
      { additionalProperties: true },
    ),
  },
}

export interface EraseRoute {
  Params: { profileId: string }
  Querystring: { reason?: string }
}

export const EraseSchema = {
  summary: 'Forget a profile',
  description:
    'Its rows leave every table, and the key that its personal fields are sealed with in the log is destroyed. The answer says where to ask whether it is done.',
  tags: TAGS,
  params: Params,
  querystring: Type.Object({
    reason: Type.Optional(
      Type.String({ minLength: 1, maxLength: PROFILE_LIMITS.reasonCharsMax, description: 'Kept in the log.' }),
    ),
  }),
  response: {
    202: Type.Object({
      profileId: Type.String(),
      state: Type.Literal('pending'),
      eventId: Type.String(),
      position: Type.String(),
      erasure: Type.String({ description: 'Where to ask how far it is.' }),
    }),
  },
}

export interface ErasureRoute {
  Params: { profileId: string }
  Querystring: { position?: string }
}

export const ErasureSchema = {
  summary: 'How far an erasure is',
  description: 'Waits two seconds at most for the tables.',
  tags: TAGS,
  params: Params,
  querystring: Type.Object({ position: Type.Optional(Position) }),
  response: {
    200: Type.Object({
      profileId: Type.String(),
      state: Type.Union([Type.Literal('pending'), Type.Literal('done')]),
      progressPassed: Type.Boolean(),
      keysToDestroy: Type.Integer(),
    }),
  },
}
