/** One event into the progress of its profile and title. Any order and any number of copies end in the same state. */
import type { EventOf, PlayheadEvent, TitleFacts } from '../../schemas/index.ts'
import { newest, type Stamp, stampOf } from '../stamp.ts'
import { sessionIdOf, touch } from './plays.ts'
import { watch } from './ranges.ts'
import type { KnownDuration, KnownFacts, Progress } from './state.ts'

export type Report = EventOf<'Heartbeat' | 'PlaybackEnded' | 'PlaybackPaused' | 'ProgressReported' | 'CmcdReport'>
/** Tell what was played until there, and no place to resume. */
export type Passage = EventOf<'SeekStarted' | 'StallStarted' | 'PlaybackFailed'>
export type ProgressEvent = Report | Passage | EventOf<'PlaybackStarted' | 'MarkedWatched' | 'ProgressCleared'>

/** The events that may change a row. */
export function isProgress(event: PlayheadEvent): event is ProgressEvent {
  switch (event.type) {
    case 'Heartbeat':
    case 'PlaybackEnded':
    case 'PlaybackPaused':
    case 'PlaybackStarted':
    case 'ProgressReported':
    case 'MarkedWatched':
    case 'ProgressCleared':
      return true
    case 'SeekStarted':
    case 'StallStarted':
    case 'PlaybackFailed':
      return event.played.length > 0
    case 'CmcdReport':
      // Most players tell no position in CMCD; what is preloaded is not watched.
      return event.positionMs !== null && event.state !== 'd'
    default:
      return false
  }
}

const NONE = {
  position: undefined,
  duration: undefined,
  facts: undefined,
  mark: undefined,
  clear: undefined,
  watched: [],
  sessions: [],
  firstWatchedMs: undefined,
  lastWatchedMs: undefined,
} as const

/**
 * A row is forgotten when nothing was said for `historyMs`: an event after such a silence begins anew, one from before
 * it comes too late. Decided by the events' times, so that a rebuild does as the store's expiry did.
 */
export function fold(state: Progress | undefined, event: ProgressEvent, historyMs: number): Progress {
  const stamp = stampOf(event.meta)
  const { atMs } = stamp
  if (state === undefined || atMs >= state.newestMs + historyMs) {
    return folded({ ...NONE, oldestMs: atMs, newestMs: atMs }, event, stamp)
  }
  if (atMs <= state.oldestMs - historyMs) return state
  return folded(state, event, stamp)
}

function folded(state: Progress, event: ProgressEvent, stamp: Stamp): Progress {
  switch (event.type) {
    case 'Heartbeat':
    case 'PlaybackEnded':
    case 'ProgressReported':
      return reported(state, event, stamp, event.durationMs ?? event.facts?.durationMs)
    case 'PlaybackPaused':
    case 'CmcdReport':
      return reported(state, event, stamp, event.facts?.durationMs)
    case 'PlaybackStarted':
      return played(state, event, stamp)
    case 'SeekStarted':
    case 'StallStarted':
    case 'PlaybackFailed':
      return { ...played(state, event, stamp), watched: watch(state.watched, event.played) }
    case 'MarkedWatched':
      return marked(state, event, stamp)
    case 'ProgressCleared':
      return { ...state, ...span(state, stamp), clear: newest(state.clear, stamp) }
  }
}

function reported(state: Progress, event: Report, stamp: Stamp, durationMs: number | null | undefined): Progress {
  const { atMs, eventId } = stamp
  const { position, duration, facts, mark, clear, watched, sessions, firstWatchedMs, lastWatchedMs } = state
  const positionMs = Math.max(event.positionMs ?? 0, 0)
  const device = event.personal?.deviceId ?? null
  return {
    oldestMs: Math.min(state.oldestMs, atMs),
    newestMs: Math.max(state.newestMs, atMs),
    position: saysWhere(event) ? newest(position, { atMs, eventId, positionMs, device }) : position,
    duration: durationOf(duration, stamp, durationMs),
    facts: factsOf(facts, stamp, event.facts),
    mark,
    clear,
    watched: event.type === 'CmcdReport' ? watched : watch(watched, event.played),
    sessions: touch(sessions, sessionIdOf(event.sessionId, atMs), atMs),
    firstWatchedMs: firstWatchedMs === undefined ? atMs : Math.min(firstWatchedMs, atMs),
    lastWatchedMs: lastWatchedMs === undefined ? atMs : Math.max(lastWatchedMs, atMs),
  }
}

/**
 * A player that has shown nothing yet often stands at 0, before it seeks to where it should resume; so does one that
 * failed before the first frame. That must not cost the viewer the place.
 */
function saysWhere(event: Report): boolean {
  if (event.type === 'Heartbeat') return event.state !== 'starting'
  if (event.type === 'CmcdReport') return event.state !== 's' && (event.state !== 'f' || event.positionMs !== 0)
  return event.type !== 'PlaybackEnded' || event.reason !== 'failed' || event.played.length > 0
}

/** It was asked for: a play, but no position yet, for what was resumed is not what was reported. */
function played(state: Progress, event: EventOf<'PlaybackStarted'> | Passage, stamp: Stamp): Progress {
  const { atMs } = stamp
  const { firstWatchedMs = atMs, lastWatchedMs = atMs } = state
  return {
    ...state,
    ...span(state, stamp),
    duration: durationOf(state.duration, stamp, event.facts?.durationMs),
    facts: factsOf(state.facts, stamp, event.facts),
    sessions: touch(state.sessions, event.sessionId, atMs),
    firstWatchedMs: Math.min(firstWatchedMs, atMs),
    lastWatchedMs: Math.max(lastWatchedMs, atMs),
  }
}

function marked(state: Progress, event: EventOf<'MarkedWatched'>, stamp: Stamp): Progress {
  return {
    ...state,
    ...span(state, stamp),
    duration: durationOf(state.duration, stamp, event.facts?.durationMs),
    facts: factsOf(state.facts, stamp, event.facts),
    mark: newest(state.mark, { ...stamp, watched: event.watched }),
  }
}

function span({ oldestMs, newestMs }: Progress, { atMs }: Stamp): Pick<Progress, 'oldestMs' | 'newestMs'> {
  return { oldestMs: Math.min(oldestMs, atMs), newestMs: Math.max(newestMs, atMs) }
}

/** A length of 0 is what players say before they know it. */
function durationOf(
  held: KnownDuration | undefined,
  { atMs, eventId }: Stamp,
  durationMs: number | null | undefined,
): KnownDuration | undefined {
  if (durationMs === null || durationMs === undefined || durationMs <= 0) return held
  return newest(held, { atMs, eventId, durationMs })
}

function factsOf(
  held: KnownFacts | undefined,
  { atMs, eventId }: Stamp,
  facts: TitleFacts | null,
): KnownFacts | undefined {
  if (facts === null) return held
  const { seriesId, season, episode, creditsStartMs } = facts
  return newest(held, { atMs, eventId, seriesId, season, episode, creditsStartMs })
}
