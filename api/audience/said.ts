/**
 * What each event says of a view for the live counters: one small number, so that a heartbeat costs no object. The low
 * bits are the state that the player is in from then on (0: the event says nothing of it), the others are facts.
 */
import type { PlayheadEvent } from '../../schemas/index.ts'

/** What names its view: whose, in which session, of which title. */
export type ViewEvent = Extract<
  PlayheadEvent,
  { readonly profileId: string; readonly sessionId: string; readonly titleId: string }
>
type ViewEventType = ViewEvent['type']
type Of<T extends ViewEventType> = Extract<ViewEvent, { type: T }>

export const STARTING = 1
export const PLAYING = 2
export const SEEKING = 3
export const STALLED = 4
export const FAILED = 5
/** Paused, or loading ahead: a view, and nobody who watches. */
export const IDLE = 6
export const ENDED = 7
export const STATE_BITS = 7

/** Playback was asked for. */
export const REQUESTED = 8
/** Something was seen of the title, now or before. */
export const STARTED = 16
/** The first frame itself: the start is not older than this. */
export const FIRST_FRAME = 32
/** It can't go on, and no rule forbade it. */
export const FAILURE = 64
/** Up to here it did not stall. */
export const STALL_BEGINS = 128

/** The event is of no view. */
export const OF_NO_VIEW = -1

/** The view lives, and that is all. */
const THERE = 0

type Says<T extends ViewEventType> = number | ((event: Of<T>) => number)

const GOES_ON = PLAYING | STARTED

const HEARTBEAT: Readonly<Record<Of<'Heartbeat'>['state'], number>> = {
  unknown: THERE,
  starting: STARTING | REQUESTED,
  playing: GOES_ON,
  paused: IDLE,
  seeking: SEEKING,
  stalled: STALLED | STARTED,
  ended: ENDED,
}

/** CMCD's `sta`, by its letter. What a waiting player waits for is not said. */
const CMCD: Readonly<Record<string, number>> = {
  s: STARTING | REQUESTED,
  p: GOES_ON,
  k: SEEKING,
  r: STALLED | STARTED,
  a: IDLE,
  w: THERE,
  e: ENDED,
  f: FAILED | FAILURE,
  q: ENDED,
  d: IDLE,
}

const SAYS: { readonly [T in ViewEventType]: Says<T> } = {
  PlaybackStarted: STARTING | REQUESTED,
  FirstFrame: GOES_ON | FIRST_FRAME,
  Heartbeat: ({ state, played }) => (state === 'unknown' && played.length > 0 ? GOES_ON : HEARTBEAT[state]),
  PlaybackPaused: IDLE,
  PlaybackResumed: GOES_ON,
  SeekStarted: SEEKING,
  // A player that begins in mid-title seeks before its first frame: ready is not yet seen.
  SeekEnded: PLAYING,
  StallStarted: STALLED | STARTED | STALL_BEGINS,
  StallEnded: GOES_ON,
  RenditionChanged: THERE,
  PlaybackFailed: ({ fatal, business }) => (fatal ? FAILED | (business ? 0 : FAILURE) : THERE),
  PlaybackEnded: ({ reason }) => (reason === 'failed' ? FAILED : ENDED),
  CmcdReport: ({ state, event }) => {
    const said = CMCD[state ?? ''] ?? THERE
    return said === CMCD.r && event === 'ps' ? said | STALL_BEGINS : said
  },
  AdBreakStarted: THERE,
  AdBreakEnded: THERE,
  AdBreakFailed: THERE,
  AdStarted: THERE,
  AdEnded: THERE,
  AdFailed: THERE,
}

export function sayingOf(event: PlayheadEvent): number {
  const says = (SAYS as Readonly<Record<string, number | ((event: PlayheadEvent) => number)>>)[event.type]
  if (says === undefined) return OF_NO_VIEW
  return typeof says === 'number' ? says : says(event)
}
