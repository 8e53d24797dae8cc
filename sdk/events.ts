/** What the SDK sends: the fields of schemas/, without what the service stamps. Types only. */
import type * as schema from '../schemas/generated/types.ts'

type Own = 'type' | 'meta' | 'profileId' | 'sessionId' | 'titleId' | 'sequence' | 'positionMs' | 'facts'
/** What is not known is left out: JSON drops it, the service puts its default. */
type Loose<E> = { [Field in keyof E]?: E[Field] | undefined }
type Fields<E> = Loose<Omit<E, Own | 'context' | 'personal'>>

export interface Said {
  PlaybackStarted: Fields<schema.PlaybackStarted> & { context: PlayerContext }
  FirstFrame: Fields<schema.FirstFrame> & { context: PlayerContext }
  Heartbeat: Fields<schema.Heartbeat>
  PlaybackPaused: Fields<schema.PlaybackPaused>
  PlaybackResumed: Fields<schema.PlaybackResumed>
  SeekStarted: Fields<schema.SeekStarted>
  SeekEnded: Fields<schema.SeekEnded>
  StallStarted: Fields<schema.StallStarted>
  StallEnded: Fields<schema.StallEnded>
  RenditionChanged: Fields<schema.RenditionChanged>
  PlaybackFailed: Fields<schema.PlaybackFailed> & Pick<schema.PlaybackFailed, 'code' | 'fatal'>
  PlaybackEnded: Fields<schema.PlaybackEnded>
  CustomEvent: Fields<schema.CustomEvent> & Pick<schema.CustomEvent, 'name'>
}
export type SaidType = keyof Said

export type EndReason = schema.EndReason
export type PlayedRange = schema.PlayedRange
export type PlayerState = schema.PlayerState
export type PlayerContext = Loose<schema.Context>

/** An event as it waits to be sent. Whose it is, is put to it as it leaves: it may not be known before. */
export interface QueuedEvent {
  readonly type: SaidType
  readonly eventId: string
  readonly occurredAt: number
  readonly sequence: number
  readonly positionMs: number
  readonly context?: PlayerContext
  readonly personal?: { readonly deviceId: string }
  readonly [field: string]: unknown
}
