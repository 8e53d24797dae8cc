/** What the routes of replay take and answer. */
import { type Static, type TProperties, Type } from '@sinclair/typebox'
import { API_LIMITS } from '../limits.ts'
import { Id, orNull, Time } from '../validation.ts'
import { REPLAY_ROUTE_LIMITS as L } from './limits.ts'
import { AS_OF_CHARS_MAX } from './past.ts'

const TAGS = ['Replay']
const closed = { additionalProperties: false } as const
const text = orNull(Type.String())
const whole = orNull(Type.Integer())
const Row = Type.Object({}, { additionalProperties: true })

export const query = <T extends TProperties>(names: T) =>
  Type.Object(
    {
      ...names,
      key: Type.Optional(
        Type.String({ maxLength: API_LIMITS.keyCharsMax, description: 'An admin key, for browsers.' }),
      ),
    },
    closed,
  )

/** What every route here says of itself. */
export const described = (summary: string, description: string) => ({
  ...{ summary, description, tags: TAGS },
  security: [{ key: [] }],
})

export const reason = Type.String({ minLength: 1, maxLength: L.reasonCharsMax, description: 'Kept with the event.' })
const because = { reason: Type.Optional(reason) }
export const asOf = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: AS_OF_CHARS_MAX,
    description:
      "A moment of the log's clock (RFC 3339 or milliseconds since 1970), or @N, a position; now without it.",
  }),
)

const projection = Id('As GET /v1/generations names them: progress, views, …')
export const GenerationPath = Type.Object({ id: Id("The generation's id, or the beginning of it that no other has.") })
export const ProjectionPath = Type.Object({ projection })

export const ListQuery = query({
  projection: Type.Optional(projection),
  all: Type.Optional(Type.Boolean({ description: 'Those that were dropped, too.' })),
})
export const Generation = Type.Object({
  id: Type.String(),
  projection: Type.String(),
  state: Type.String({ description: 'read, building, paused, resting, dropped or strange (docs/replay.md).' }),
  foldVersion: Type.Integer(),
  parameters: Type.Record(Type.String(), Type.Number()),
  build: text,
  until: { ...whole, description: 'The moment it ends at; null: it follows the log.' },
  recordsPerSecond: whole,
  askedAt: Type.Integer(),
  by: text,
  reason: text,
  progress: orNull(
    Type.Object({
      done: Type.Integer({ description: 'Records of the log that it has taken, of `total`.' }),
      total: Type.Integer(),
      lag: Type.Integer(),
      complete: Type.Boolean(),
      folded: Type.Integer(),
      duplicates: Type.Integer(),
      parked: Type.Integer(),
      undecryptable: Type.Integer(),
    }),
  ),
})
export const Generations = Type.Object({ generations: Type.Array(Generation) })

export const RebuildBody = Type.Object(
  {
    projection,
    parameters: Type.Optional(
      Type.Record(Type.String({ maxLength: 64 }), Type.Integer({ minimum: 0, maximum: L.parameterMax }), {
        maxProperties: L.parametersMax,
        description: 'Of the fold; what is not said stays as in what is read. Such as { minStallMs: 500 }.',
      }),
    ),
    until: Type.Optional(Time("Build what was known then, by the log's clock. Such a generation is never read.")),
    recordsPerSecond: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: L.recordsPerSecondMax,
        description: 'In each process; as fast as it can without it.',
      }),
    ),
    workers: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: L.buildersMax,
        description: 'Processes that fold, which share the partitions; one without it.',
      }),
    ),
    name: Type.Optional(
      Type.String({
        pattern: `^[A-Za-z0-9_.-]{1,${L.generationNameCharsMax}}$`,
        description:
          'Tells it from other builds of the same kind; the same name asks for the same one. The time without it.',
      }),
    ),
    ...because,
  },
  closed,
)
export type RebuildBody = Static<typeof RebuildBody>

export const Asked = Type.Object({
  id: Type.String({ description: 'Whose tables.' }),
  generation: Type.String({ description: 'Where to look how far it is.' }),
})
export const Moved = Type.Object({ ...Asked.properties, before: Type.String({ description: 'What was read before.' }) })

export const ReasonBody = Type.Object(because, closed)
export const ReasonQuery = query(because)
export const RateBody = Type.Object(
  { recordsPerSecond: Type.Integer({ minimum: 1, maximum: L.recordsPerSecondMax }), ...because },
  closed,
)

export const CompareQuery = query({ with: Type.Optional(Id('Another generation; what is read without it.')) })
export const Comparison = Type.Object({
  first: Type.String(),
  second: Type.String(),
  equal: Type.Boolean(),
  states: orNull(Row),
  tables: Type.Array(Row),
})

export const VerifyQuery = query({
  sample: Type.Optional(
    Type.Number({ minimum: 0.01, maximum: 100, description: 'Percent of the keys; 1 without it.' }),
  ),
})

const causes = ['frame', 'unknown-schema', 'body', 'fold'] as const
const wanted = {
  projection: Type.Optional(projection),
  cause: Type.Optional(Type.Union(causes.map((cause) => Type.Literal(cause)))),
  since: Type.Optional(Time('Of records received since then.')),
  until: Type.Optional(Time('Of records received until then.')),
}
export const LettersQuery = query({
  ...wanted,
  all: Type.Optional(Type.Boolean({ description: 'Those that were replayed or discarded, too.' })),
  grouped: Type.Optional(Type.Boolean({ description: 'By projection and cause, the most first.' })),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: L.lettersListedMax, description: `${L.lettersListed} without it.` }),
  ),
})
export type LettersQuery = Static<typeof LettersQuery>

const letter = Type.String({
  maxLength: L.letterNameCharsMax,
  description: 'Such as views:playback-events/3@1234, as they are listed.',
})
const Letter = Type.Object({
  ...{ letter, projection: Type.String(), generation: Type.String(), status: Type.String() },
  ...{ cause: Type.String(), detail: Type.String(), key: text, receivedAt: Type.Integer() },
})
const Group = Type.Object({
  ...{ projection: Type.String(), cause: Type.String(), letters: Type.Integer() },
  ...{ first: letter, detail: Type.String() },
})
export const Letters = Type.Object({
  letters: Type.Optional(Type.Array(Letter)),
  groups: Type.Optional(Type.Array(Group)),
  more: Type.Boolean({ description: 'There are more: say more of what is wanted.' }),
})
export const LetterPath = Type.Object({
  projection,
  place: Type.String({
    maxLength: L.letterNameCharsMax,
    description: 'What follows the colon of its name, encoded: playback-events%2F3@1234.',
  }),
})
export const LetterWhole = Type.Object({
  ...Letter.properties,
  event: orNull(Row),
  bytes: Type.Integer(),
  hex: Type.String({ description: `Of the first ${L.letterBytesShown} bytes.` }),
})

const chosen = {
  letter: Type.Optional(letter),
  all: Type.Optional(Type.Literal(true, { description: 'All that fit what else is said.' })),
  ...wanted,
}
export const ReplayBody = Type.Object(
  {
    ...chosen,
    event: Type.Optional(
      Type.Object({}, { additionalProperties: true, description: 'What the one letter should have said.' }),
    ),
    ...because,
  },
  closed,
)
export type ReplayBody = Static<typeof ReplayBody>
export const DiscardBody = Type.Object({ ...chosen, reason }, closed)
export const LettersActed = Type.Object({
  letters: Type.Array(letter),
  left: Type.Array(Type.Object({ letter, problem: Type.String() })),
  more: Type.Boolean({ description: 'One request takes so many: send it again.' }),
})

export const HistoryQuery = query({
  profileId: Type.Optional(Id('Of this profile.')),
  titleId: Type.Optional(Id('Of this title.')),
  sessionId: Type.Optional(Id('Of this session.')),
  accountId: Type.Optional(Id('Of this account.')),
  asOf,
  steps: Type.Optional(Type.Boolean({ description: 'Also the events that made it, with what each changed.' })),
})
export type HistoryQuery = Static<typeof HistoryQuery>
export const History = Type.Object({
  projection: Type.String(),
  generation: Type.String(),
  asOf: { ...text, description: 'As it was asked; null: now.' },
  states: Type.Array(Type.Object({ key: Row, state: Row, rows: Type.Record(Type.String(), Type.Array(Row)) })),
  steps: Type.Optional(Type.Array(Row)),
  more: Type.Object({ states: Type.Boolean(), steps: Type.Boolean() }),
})
