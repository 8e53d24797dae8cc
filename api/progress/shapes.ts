/** What the progress routes take and answer. */
import { type Static, Type } from '@sinclair/typebox'
import { API_LIMITS } from '../limits.ts'
import { asOf } from '../replay/schemas.ts'
import { Id, Millis, orNull, Time } from '../validation.ts'

const UUID = '^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
const closed = { additionalProperties: false } as const

export const ProfilePath = Type.Object({ profileId: Id('Who watches.') })
export const TitlePath = Type.Object({ profileId: Id('Who watches.'), titleId: Id('What is watched.') })

const PlayedRange = Type.Object(
  { fromMs: Millis('First position played.'), toMs: Millis('Position reached; never before fromMs.') },
  closed,
)

const report = {
  positionMs: Millis('Where in the media.'),
  durationMs: Type.Optional(orNull(Millis('Length of the title, as the player knows it.'))),
  clientTimestamp: Type.Optional(
    Time("The device's clock as it was there: milliseconds or RFC 3339. Without it, the moment we receive this."),
  ),
  played: Type.Optional(
    Type.Array(PlayedRange, { maxItems: 1_000, description: 'Media played since the last report, in media time.' }),
  ),
  sessionId: Type.Optional(orNull(Id("The player's run, if there is one."))),
  deviceId: Type.Optional(orNull(Id('The device; kept sealed.'))),
}
const sentAt = Type.Optional(
  Time("The device's clock as it sends this. With it a wrong clock is corrected, however wrong it is."),
)

export const Report = Type.Object({ ...report, sentAt }, closed)
export type Report = Static<typeof Report>

export const BatchItem = Type.Object(
  {
    titleId: Id('What is watched.'),
    ...report,
    eventId: Type.Optional(
      Type.String({ pattern: UUID, description: 'Minted by the writer, so that it may send the item again.' }),
    ),
    idempotencyKey: Type.Optional(
      Type.String({
        pattern: `^[!-~]{1,${API_LIMITS.idempotencyKeyCharsMax - 4}}$`,
        description: 'The other way to be counted once.',
      }),
    ),
  },
  closed,
)
export type BatchItem = Static<typeof BatchItem>

/** The items are checked one by one, so that a bad one is an answer about itself. */
export const Batch = Type.Object({ items: Type.Array(Type.Unknown()), sentAt }, closed)
/** What the document says of it: the items' own shape, and how many. */
export const BatchShown = Type.Object(
  { items: Type.Array(BatchItem, { minItems: 1, maxItems: API_LIMITS.progressPerRequestMax }), sentAt },
  closed,
)

const wait = Type.Optional(
  Type.Boolean({ description: 'Judge by the row after the projection has folded this (2 seconds at most).' }),
)
export const WaitQuery = Type.Object({ wait })

const stored = {
  success: Type.Literal(true),
  serverTimestamp: Type.Integer({ description: 'When we received it, in milliseconds.' }),
  eventId: Type.String(),
  position: Type.String({ description: 'The same as the header Playhead-Position.' }),
}
const wasUpdated = orNull(
  Type.Boolean({
    description: 'False: something newer stands. Null: the rows could not be asked; the write is safe in the log.',
  }),
)
export const Stored = Type.Object(stored)
export const Written = Type.Object({ ...stored, wasUpdated })

export const BatchResult = Type.Object({
  index: Type.Integer(),
  titleId: orNull(Type.String()),
  status: Type.Union([
    Type.Literal('accepted'),
    Type.Literal('stale'),
    Type.Literal('duplicate'),
    Type.Literal('invalid'),
  ]),
  eventId: Type.Optional(Type.String()),
  field: Type.Optional(Type.String()),
  problem: Type.Optional(Type.String()),
  remedy: Type.Optional(Type.String()),
})
export const BatchWritten = Type.Object({
  serverTimestamp: Type.Integer(),
  accepted: Type.Integer(),
  stale: Type.Integer(),
  duplicate: Type.Integer(),
  invalid: Type.Integer(),
  position: orNull(Type.String()),
  judged: Type.Union([Type.Literal('before'), Type.Literal('after'), Type.Literal('unknown')], {
    description: 'By the row before this was folded, by the row after (?wait=true), or by none: the rows are away.',
  }),
  results: Type.Array(BatchResult),
})

const text = orNull(Type.String())
const whole = orNull(Type.Integer())
const resume = {
  titleId: Type.String(),
  positionMs: Type.Integer(),
  durationMs: whole,
  percent: orNull(Type.Number({ minimum: 0, maximum: 100 })),
  minutesRemaining: whole,
  updatedAt: Type.Integer({ description: 'When the viewer was there, in milliseconds.' }),
  seriesId: text,
  season: whole,
  episode: whole,
  label: orNull(Type.String({ description: 'Such as S1:E2.' })),
}

export const Progress = Type.Object({
  profileId: Type.String(),
  ...resume,
  completed: Type.Boolean(),
  device: text,
  watchedMs: Type.Integer({ description: 'Media really played; a rewatch counts once.' }),
  watched: Type.String({ description: 'Seconds from–to, such as 0-95,120-300.' }),
  plays: Type.Integer(),
  firstWatchedAt: whole,
  lastWatchedAt: whole,
  asOf: Type.Optional(Type.String({ description: 'The moment that was asked for.' })),
})
export const ResumeQuery = Type.Object({ asOf })

const images = Type.Record(Type.String(), Type.String())
export const ContinueItem = Type.Object({
  ...resume,
  name: text,
  images,
  next: Type.Boolean({ description: 'The episode after the one that was completed last.' }),
})
export const ContinueWatching = Type.Object({ items: Type.Array(ContinueItem) })
export const ContinueQuery = Type.Object({ limit: limitOf(API_LIMITS.continueWatchingItemsMax) })

export const HistoryItem = Type.Object({
  titleId: Type.String(),
  name: text,
  images,
  seriesId: text,
  season: whole,
  episode: whole,
  label: text,
  startedAt: Type.Integer(),
  lastAt: Type.Integer(),
  completed: Type.Boolean(),
  watchedMs: Type.Integer(),
})
export const History = Type.Object({ items: Type.Array(HistoryItem), next: text })
export const HistoryQuery = Type.Object({
  limit: limitOf(API_LIMITS.historyItemsMax),
  cursor: Type.Optional(
    Type.String({ maxLength: API_LIMITS.cursorCharsMax, description: '`next` of the page before.' }),
  ),
})

export const Watched = Type.Object(
  {
    watched: Type.Optional(Type.Boolean({ description: 'False takes the mark back.' })),
    clientTimestamp: report.clientTimestamp,
    sentAt,
  },
  closed,
)

function limitOf(maximum: number) {
  return Type.Optional(Type.Integer({ minimum: 1, maximum, description: 'How many at most.' }))
}
