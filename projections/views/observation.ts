/**
 * What one event says of a view, bounded and flat. An observation has no event id: two events that say the same of the
 * same moment are one observation, and where the order of two matters and their times and sequences are equal, what they
 * say decides. So nothing depends on arrival, and an observation fits in a few bytes.
 *
 * −1 is "not said" in every number that can't be negative.
 */
import type { EventOf, PlayedRange, PlayheadEvent } from '../../schemas/index.ts'
import { keptMs } from '../stamp.ts'
import { VIEW_LIMITS } from './limits.ts'

export type ViewEvent = EventOf<
  | 'PlaybackStarted'
  | 'FirstFrame'
  | 'Heartbeat'
  | 'PlaybackPaused'
  | 'PlaybackResumed'
  | 'SeekStarted'
  | 'SeekEnded'
  | 'StallStarted'
  | 'StallEnded'
  | 'RenditionChanged'
  | 'PlaybackFailed'
  | 'PlaybackEnded'
  | 'AdBreakStarted'
  | 'AdBreakEnded'
  | 'AdBreakFailed'
  | 'AdStarted'
  | 'AdEnded'
  | 'AdFailed'
  | 'CmcdReport'
>

export const KIND = {
  beat: 0,
  request: 1,
  firstFrame: 2,
  paused: 3,
  resumed: 4,
  seekStarted: 5,
  seekEnded: 6,
  stallStarted: 7,
  stallEnded: 8,
  rendition: 9,
  failed: 10,
  ended: 11,
  breakStarted: 12,
  breakEnded: 13,
  breakFailed: 14,
  adStarted: 15,
  adEnded: 16,
  adFailed: 17,
  /** CMCD: the player went over to playing, from whatever it was doing. */
  playing: 18,
  /**
   * CMCD: a request was answered. Its time is the request's; state and bitrates are those of when it was answered, so
   * they count for nothing.
   */
  response: 19,
  /** CMCD: the player has nothing to play. `stalled`: it says why, else it may be waiting for the viewer. */
  waiting: 20,
} as const

/** What a player says it is doing. */
export const SAID = { unknown: 0, starting: 1, playing: 2, paused: 3, seeking: 4, stalled: 5, ended: 6 } as const

export const BIT = {
  fatal: 1,
  business: 2,
  startupPhase: 4,
  playbackPhase: 8,
  overlay: 16,
  implausible: 32,
} as const

export interface Observation {
  readonly at: number
  readonly seq: number
  readonly target: string
  /** Whole seconds from when it happened to when it was received. */
  readonly skewS: number
  readonly kind: number
  readonly said: number
  readonly pos: number
  /** Permille; NO_RATE: not said. */
  readonly rate: number
  readonly video: number
  readonly audio: number
  readonly width: number
  readonly height: number
  readonly playerWidth: number
  readonly playerHeight: number
  /** Stalled so far, by the player's own count. */
  readonly stalledSoFar: number
  readonly live: number
  /** A length that the player measured: startup, seek or stall, by kind. */
  readonly claimMs: number
  /** Code of a failure, reason of an end. */
  readonly text: string
  readonly cdn: string
  readonly bits: number
  /** Values of the event that make no sense and were left out. */
  readonly odd: number
  /** from, to, from, to, … in media time. */
  readonly played: readonly number[]
}

const KINDS: Readonly<Record<ViewEvent['type'], number>> = {
  PlaybackStarted: KIND.request,
  FirstFrame: KIND.firstFrame,
  Heartbeat: KIND.beat,
  PlaybackPaused: KIND.paused,
  PlaybackResumed: KIND.resumed,
  SeekStarted: KIND.seekStarted,
  SeekEnded: KIND.seekEnded,
  StallStarted: KIND.stallStarted,
  StallEnded: KIND.stallEnded,
  RenditionChanged: KIND.rendition,
  PlaybackFailed: KIND.failed,
  PlaybackEnded: KIND.ended,
  AdBreakStarted: KIND.breakStarted,
  AdBreakEnded: KIND.breakEnded,
  AdBreakFailed: KIND.breakFailed,
  AdStarted: KIND.adStarted,
  AdEnded: KIND.adEnded,
  AdFailed: KIND.adFailed,
  CmcdReport: KIND.beat,
}

export const VIEW_EVENTS = Object.keys(KINDS) as readonly ViewEvent['type'][]

export function isView(event: PlayheadEvent): event is ViewEvent {
  return Object.hasOwn(KINDS, event.type)
}

/** Every field that some event has; absent and null are the same, so that events from a table will do. */
interface Said {
  readonly sequence?: number | null
  readonly target?: string | null
  readonly positionMs?: number | null
  readonly toMs?: number | null
  readonly playbackRatePermille?: number | null
  readonly videoBitrateKbps?: number | null
  readonly audioBitrateKbps?: number | null
  readonly width?: number | null
  readonly height?: number | null
  readonly playerWidth?: number | null
  readonly playerHeight?: number | null
  readonly stallMs?: number | null
  readonly startupMs?: number | null
  readonly seekMs?: number | null
  readonly liveLatencyMs?: number | null
  readonly state?: string | null
  readonly event?: string | null
  readonly code?: string
  readonly reason?: string | null
  readonly cdn?: string | null
  readonly fatal?: boolean
  readonly business?: boolean
  readonly phase?: string
  readonly placement?: string
  readonly errorCodes?: readonly string[]
  readonly played?: readonly PlayedRange[]
}

/** Beyond every speed that makes sense. */
export const NO_RATE = 20_000

const NOTHING: readonly number[] = []
/** Values that made no sense in the event at hand: counted while it is read, for speed. */
let odd = 0

function within(value: number | null | undefined, max: number): number {
  if (value === null || value === undefined) return -1
  if (value >= 0 && value <= max) return Math.trunc(value)
  odd++
  return -1
}

export function observe(event: ViewEvent): Observation {
  const { meta } = event
  const e = event as unknown as Said
  odd = 0
  const at = keptMs(Math.trunc(meta.occurredAt))
  const { bitrateMaxKbps, claimMaxMs, pixelsMax, positionMaxMs } = VIEW_LIMITS
  const { kind, said, bits, text, claim } = event.type === 'CmcdReport' ? cmcdSays(e) : says(KINDS[event.type], e)
  const isNow = kind !== KIND.response
  return {
    at,
    seq: sequenceOf(e.sequence, at),
    target: kept(e.target ?? ''),
    skewS: Math.max(0, Math.floor((keptMs(meta.receivedAt) - at) / 1_000)),
    kind,
    said,
    pos: isNow ? within(e.positionMs, positionMaxMs) : -1,
    rate: rateOf(e.playbackRatePermille),
    video: isNow ? within(e.videoBitrateKbps, bitrateMaxKbps) : -1,
    audio: isNow ? within(e.audioBitrateKbps, bitrateMaxKbps) : -1,
    width: within(e.width, pixelsMax),
    height: within(e.height, pixelsMax),
    playerWidth: within(e.playerWidth, pixelsMax),
    playerHeight: within(e.playerHeight, pixelsMax),
    stalledSoFar: event.type === 'Heartbeat' ? within(e.stallMs, VIEW_LIMITS.durationMaxMs) : -1,
    live: liveOf(e.liveLatencyMs),
    claimMs: within(claim, claimMaxMs),
    text: kept(text),
    cdn: kept(e.cdn ?? ''),
    bits: meta.clock === 'implausible' ? bits | BIT.implausible : bits,
    played: e.played === undefined || e.played.length === 0 ? NOTHING : playedOf(e.played),
    odd,
  }
}

interface Saying {
  readonly kind: number
  readonly said: number
  readonly bits: number
  readonly text: string
  readonly claim: number | null | undefined
}

function says(kind: number, e: Said): Saying {
  const plain = { kind, said: SAID.unknown, bits: 0, text: '', claim: undefined }
  switch (kind) {
    case KIND.beat:
      return { ...plain, said: SAID[e.state as keyof typeof SAID] ?? SAID.unknown }
    case KIND.firstFrame:
      return { ...plain, claim: e.startupMs }
    case KIND.seekEnded:
      return { ...plain, claim: e.seekMs }
    case KIND.stallEnded:
      return { ...plain, claim: e.stallMs }
    case KIND.failed:
      return { ...plain, text: e.code ?? '', bits: failureBits(e) }
    case KIND.ended:
      return { ...plain, text: e.reason ?? 'unknown' }
    case KIND.breakStarted:
      return { ...plain, bits: e.placement === 'overlay' ? BIT.overlay : 0 }
    default:
      return plain
  }
}

function failureBits({ fatal, business, phase }: Said): number {
  let bits = 0
  if (fatal === true) bits |= BIT.fatal
  if (business === true) bits |= BIT.business
  if (phase === 'startup') bits |= BIT.startupPhase
  if (phase === 'playback') bits |= BIT.playbackPhase
  return bits
}

function cmcdSays(e: Said): Saying {
  const kind = cmcdKind(e.state, e.event, e.errorCodes)
  const said = kind === KIND.response ? SAID.unknown : (CMCD_SAID[e.state ?? ''] ?? SAID.unknown)
  const plain = { kind, said, bits: 0, text: '', claim: e.startupMs }
  if (kind === KIND.ended) return { ...plain, text: e.state === 'q' ? 'quit' : 'finished' }
  if (kind !== KIND.failed) return plain
  return { ...plain, text: e.errorCodes?.[0] ?? '', bits: e.state === 'f' ? BIT.fatal : 0 }
}

/** Bounded, and never half a character: it must come back from its bytes as it went in. */
export function kept(text: string): string {
  const { textCharsMax } = VIEW_LIMITS
  if (text.length <= textCharsMax) return text
  const half = (text.charCodeAt(textCharsMax - 1) & 0xfc00) === 0xd800
  return text.slice(0, half ? textCharsMax - 1 : textCharsMax)
}

/** A sequence that was made from the time (players that don't count) says nothing of what was lost. */
function sequenceOf(sequence: number | null | undefined, at: number): number {
  if (sequence === null || sequence === undefined || sequence < 0) return -1
  return sequence === at % 2 ** 31 ? -1 : sequence
}

function rateOf(rate: number | null | undefined): number {
  if (rate === null || rate === undefined) return NO_RATE
  if (Math.abs(rate) <= VIEW_LIMITS.ratePermilleMax) return Math.trunc(rate)
  odd++
  return NO_RATE
}

/** Far behind the edge is watching a recording: left out, and no mistake. Ahead of it can't be. */
function liveOf(latencyMs: number | null | undefined): number {
  if (typeof latencyMs === 'number' && latencyMs > VIEW_LIMITS.liveLatencyMaxMs) return -1
  return within(latencyMs, VIEW_LIMITS.liveLatencyMaxMs)
}

function playedOf(ranges: readonly PlayedRange[]): readonly number[] {
  const flat: number[] = []
  for (const { fromMs, toMs } of ranges) {
    if (toMs === fromMs) continue
    const fits = flat.length < 2 * VIEW_LIMITS.playedRangesMax
    if (fromMs >= 0 && toMs > fromMs && toMs <= VIEW_LIMITS.positionMaxMs && fits) {
      flat.push(Math.trunc(fromMs), Math.trunc(toMs))
    } else odd++
  }
  return flat
}

const CMCD_SAID: Readonly<Record<string, number>> = {
  s: SAID.starting,
  p: SAID.playing,
  k: SAID.seeking,
  r: SAID.stalled,
  a: SAID.paused,
  e: SAID.ended,
}

/** A play-state event is the change itself; any other report only repeats the state it finds. */
function cmcdKind(
  state: string | null | undefined,
  event: string | null | undefined,
  codes: readonly string[] | undefined,
): number {
  if (event === 'rr') return KIND.response
  if (state === 'f') return KIND.failed
  if (state === 'q' || state === 'e') return KIND.ended
  if (event === 'e' && codes !== undefined && codes.length > 0) return KIND.failed
  if (state === 's') return KIND.request
  if (state === 'r' || state === 'w') return KIND.waiting
  if (event !== 'ps') return KIND.beat
  if (state === 'p') return KIND.playing
  return state === 'a' ? KIND.paused : KIND.beat
}

/** Which counts first. 0: they say the same of the same moment, and are one. */
export function compare(a: Observation, b: Observation): number {
  return a.at - b.at || a.seq - b.seq || compareText(contentOf(a), contentOf(b))
}

function contentOf(o: Observation): string {
  const numbers = `${o.kind},${o.said},${o.pos},${o.rate},${o.video},${o.audio},${o.width},${o.height},${o.playerWidth}`
  const more = `${o.playerHeight},${o.stalledSoFar},${o.live},${o.claimMs},${o.bits},${o.odd},${o.skewS},${o.played}`
  return JSON.stringify([numbers, more, o.target, o.text, o.cdn])
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
