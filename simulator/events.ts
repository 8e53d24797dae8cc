/**
 * What a player's SDK says of a view, as events of the log. Every field is named: the encoder reads each once, and
 * objects of one shape cost it least. Nothing personal: nobody is behind these profiles.
 */
import type { Context, EndReason, Meta, NewEventOf, PlayedRange, PlayerState, TitleFacts } from '../schemas/index.ts'
import { AUDIO_KBPS, type Rung } from './network.ts'

/** What all events of a view have in common, at the moment of one. */
export interface Moment {
  readonly meta: Meta
  readonly profileId: string
  readonly sessionId: string
  readonly titleId: string
  readonly sequence: number
  readonly positionMs: number
}

type Played = readonly PlayedRange[]

export function started(at: Moment, trigger: string, context: Context, facts: TitleFacts) {
  return {
    type: 'PlaybackStarted',
    ...at,
    trigger,
    pageStartupMs: null,
    playerStartupMs: null,
    context,
    facts,
    personal: null,
  } satisfies NewEventOf<'PlaybackStarted'>
}

export function firstFrame(at: Moment, startupMs: number, rung: Rung) {
  return {
    type: 'FirstFrame',
    ...at,
    startupMs,
    ...pictureOf(rung),
    context: null,
    facts: null,
    personal: null,
  } satisfies NewEventOf<'FirstFrame'>
}

export interface BeatSaid {
  readonly durationMs: number
  readonly played: Played
  readonly state: PlayerState
  readonly ratePermille: number
  readonly rung: Rung
  readonly bufferMs: number
  readonly throughputKbps: number
  readonly stallMs: number
  readonly droppedFrames: number
}

export function heartbeat(at: Moment, said: BeatSaid): NewEventOf<'Heartbeat'> {
  return {
    type: 'Heartbeat',
    meta: at.meta,
    profileId: at.profileId,
    sessionId: at.sessionId,
    titleId: at.titleId,
    sequence: at.sequence,
    positionMs: at.positionMs,
    durationMs: said.durationMs,
    played: said.played,
    state: said.state,
    playbackRatePermille: said.ratePermille,
    videoBitrateKbps: said.rung.video,
    audioBitrateKbps: AUDIO_KBPS,
    width: said.rung.width,
    height: said.rung.height,
    playerWidth: null,
    playerHeight: null,
    bufferMs: said.bufferMs,
    droppedFrames: said.droppedFrames,
    throughputKbps: said.throughputKbps,
    liveLatencyMs: null,
    stallMs: said.stallMs,
    cdn: null,
    delivery: null,
    context: null,
    facts: null,
    personal: null,
  }
}

export function paused(at: Moment, played: Played) {
  return {
    type: 'PlaybackPaused',
    ...at,
    played,
    reason: 'user',
    context: null,
    facts: null,
    personal: null,
  } satisfies NewEventOf<'PlaybackPaused'>
}

export function resumed(at: Moment) {
  return {
    type: 'PlaybackResumed',
    ...at,
    context: null,
    facts: null,
    personal: null,
  } satisfies NewEventOf<'PlaybackResumed'>
}

export function seekStarted(at: Moment, toMs: number, played: Played) {
  return {
    type: 'SeekStarted',
    ...at,
    toMs,
    played,
    context: null,
    facts: null,
    personal: null,
  } satisfies NewEventOf<'SeekStarted'>
}

export function seekEnded(at: Moment, seekMs: number) {
  return {
    type: 'SeekEnded',
    ...at,
    seekMs,
    context: null,
    facts: null,
    personal: null,
  } satisfies NewEventOf<'SeekEnded'>
}

export function stallStarted(at: Moment, rung: Rung, played: Played) {
  return {
    type: 'StallStarted',
    ...at,
    played,
    videoBitrateKbps: rung.video,
    bufferMs: 0,
    cdn: null,
    context: null,
    facts: null,
    personal: null,
  } satisfies NewEventOf<'StallStarted'>
}

export function stallEnded(at: Moment, stallMs: number) {
  return {
    type: 'StallEnded',
    ...at,
    stallMs,
    context: null,
    facts: null,
    personal: null,
  } satisfies NewEventOf<'StallEnded'>
}

export function renditionChanged(at: Moment, rung: Rung) {
  return {
    type: 'RenditionChanged',
    ...at,
    renditionId: `${rung.height}p`,
    ...pictureOf(rung),
    videoCodec: null,
    audioCodec: null,
    frameRateMilli: null,
    hdrFormat: null,
    audioLanguage: null,
    textLanguage: null,
    reason: 'abr',
    playerWidth: null,
    playerHeight: null,
    cdn: null,
    context: null,
    facts: null,
    personal: null,
  } satisfies NewEventOf<'RenditionChanged'>
}

export interface Failure {
  readonly code: string
  readonly phase: 'startup' | 'playback'
  readonly business: boolean
}

export function failed(at: Moment, failure: Failure, played: Played) {
  return {
    type: 'PlaybackFailed',
    ...at,
    played,
    ...failure,
    fatal: true,
    message: null,
    cdn: null,
    context: null,
    facts: null,
    personal: null,
  } satisfies NewEventOf<'PlaybackFailed'>
}

export function ended(at: Moment, reason: EndReason, durationMs: number, played: Played) {
  return {
    type: 'PlaybackEnded',
    ...at,
    durationMs,
    played,
    reason,
    context: null,
    facts: null,
    personal: null,
  } satisfies NewEventOf<'PlaybackEnded'>
}

function pictureOf(rung: Rung) {
  return {
    videoBitrateKbps: rung.video,
    audioBitrateKbps: AUDIO_KBPS,
    width: rung.width,
    height: rung.height,
  }
}
