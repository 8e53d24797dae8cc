/** What the playback routes take and answer. */
import { type Static, Type } from '@sinclair/typebox'
import { Id, Millis, Time } from '../validation.ts'
import { PLAYBACK_LIMITS } from './limits.ts'

const INT_MAX = 2 ** 31 - 1
const Count = (description: string) => Type.Integer({ minimum: 0, maximum: INT_MAX, description })
const Word = (description: string) => Type.String({ minLength: 1, maxLength: 64, description })

const Token = Type.String({
  minLength: 1,
  maxLength: PLAYBACK_LIMITS.tokenCharsMax,
  description: 'The playback token, where Authorization does not carry it (a beacon has no headers).',
})

const Played = Type.Array(
  Type.Object(
    { fromMs: Millis('First position played.'), toMs: Millis('Position reached.') },
    { additionalProperties: false, description: 'A stretch of media that was played, in media time.' },
  ),
  { maxItems: PLAYBACK_LIMITS.playedRangesMax, description: 'Media played since the last report.' },
)

/** The player's clock at the event and at sending: the difference is trusted, the clock is not. */
const clocks = {
  clientTimestamp: Type.Optional(Time('When it happened, by the clock of the player: ms since 1970, or RFC 3339.')),
  sentAt: Type.Optional(Time('When this was sent, by the same clock.')),
}

export const StartBody = Type.Object(
  {
    titleId: Id('What is to be watched.'),
    sessionId: Type.Optional(Id('The run of the player; minted here if left out. Send the same one when retrying.')),
    deviceId: Type.Optional(Id('The device, as the application names it; shown where the limit is reached.')),
    deviceType: Type.Optional(Word('phone, tablet, desktop, tv, console, …')),
    player: Type.Optional(Word('Such as hls.js.')),
    quality: Type.Optional(Word('Quality that playback begins with, such as 1080p.')),
    positionMs: Type.Optional(Millis('Where playback will begin; the resume position if left out.')),
    trigger: Type.Optional(Word('What asked: user, autoplay, next, resume.')),
    events: Type.Optional(
      Type.Literal('sdk', { description: 'The player sends PlaybackStarted itself, so none is written here.' }),
    ),
  },
  { additionalProperties: false },
)
export type StartBody = Static<typeof StartBody>

export const HeartbeatBody = Type.Object(
  {
    playbackToken: Type.Optional(Token),
    positionMs: Millis('Where in the media.'),
    durationMs: Type.Optional(Millis('Length of the title, as the player knows it.')),
    sequence: Type.Optional(Count('Counts the events of the session from 0; derived from the time if left out.')),
    played: Type.Optional(Played),
    state: Type.Optional(
      Type.Union(
        (['unknown', 'starting', 'playing', 'paused', 'seeking', 'stalled', 'ended'] as const).map((s) =>
          Type.Literal(s),
        ),
        { description: 'What the player is doing.' },
      ),
    ),
    playbackRatePermille: Type.Optional(
      Type.Integer({ minimum: -100_000, maximum: 100_000, description: 'Speed; 1000 is normal.' }),
    ),
    videoBitrateKbps: Type.Optional(Count('Of the video being shown.')),
    audioBitrateKbps: Type.Optional(Count('Of the audio being heard.')),
    width: Type.Optional(Count('Pixels of the rendition.')),
    height: Type.Optional(Count('Pixels of the rendition.')),
    bufferMs: Type.Optional(Count('Media buffered ahead.')),
    droppedFrames: Type.Optional(Count('Frames dropped in this view so far.')),
    throughputKbps: Type.Optional(Count('As the player estimates it.')),
    stallMs: Type.Optional(Count('Stalled in this view so far.')),
    cdn: Type.Optional(Word('The CDN that served it.')),
    ...clocks,
  },
  { additionalProperties: false },
)
export type HeartbeatBody = Static<typeof HeartbeatBody>

export const StopBody = Type.Object(
  {
    playbackToken: Type.Optional(Token),
    positionMs: Millis('Where in the media.'),
    durationMs: Type.Optional(Millis('Length of the title, as the player knows it.')),
    sequence: Type.Optional(Count('Counts the events of the session from 0; derived from the time if left out.')),
    played: Type.Optional(Played),
    reason: Type.Optional(
      Type.Union(
        (['unknown', 'finished', 'quit', 'failed', 'replaced'] as const).map((r) => Type.Literal(r)),
        { description: 'Why it ended.' },
      ),
    ),
    ...clocks,
  },
  { additionalProperties: false },
)
export type StopBody = Static<typeof StopBody>

const Resume = Type.Object({
  completed: Type.Boolean(),
  updatedAt: Type.Integer({ description: 'When the position was reported, in ms since 1970.' }),
})

export const StartAnswer = Type.Object({
  sessionId: Type.String(),
  playbackToken: Type.String({ description: 'For heartbeat, stop and events; good for this view only.' }),
  expiresAt: Type.Integer({ description: 'When the token runs out, in ms since 1970.' }),
  resumePositionMs: Type.Integer(),
  resume: Type.Union([Resume, Type.Null(), Type.Literal('unavailable')], {
    description: 'Null: never watched. "unavailable": the store could not be asked; playback begins at 0.',
  }),
  heartbeatIntervalMs: Type.Integer(),
  eventsUrl: Type.String(),
  heartbeatUrl: Type.String(),
  stopUrl: Type.String(),
  slot: Type.Union([Type.Literal('granted'), Type.Literal('undecided')], {
    description: '"undecided": the limit of streams could not be checked in time; the viewer comes first.',
  }),
})
export type StartAnswer = Static<typeof StartAnswer>
