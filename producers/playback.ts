/**
 * Playback events as the three playback routes make them: for players that bring no SDK. Whose they are comes from a
 * token, never from the body; facts arrive as arguments.
 */
import type { EndReason, Meta, NewEventOf, Personal, PlayedRange, PlayerState, TitleFacts } from '../schemas/index.ts'

/** Who watches what, as the token says. */
export interface View {
  readonly profileId: string
  readonly sessionId: string
  readonly titleId: string
}

export interface StartReport {
  readonly positionMs: number
  readonly trigger: string | null
  readonly deviceType: string | null
  readonly player: string | null
  readonly personal: Personal | null
}

/** What a player says at intervals; what it leaves out stays null. */
export interface HeartbeatReport {
  readonly positionMs: number
  readonly durationMs?: number
  readonly sequence?: number
  readonly played?: readonly PlayedRange[]
  readonly state?: PlayerState
  readonly playbackRatePermille?: number
  readonly videoBitrateKbps?: number
  readonly audioBitrateKbps?: number
  readonly width?: number
  readonly height?: number
  readonly bufferMs?: number
  readonly droppedFrames?: number
  readonly throughputKbps?: number
  readonly stallMs?: number
  readonly cdn?: string
}

export interface StopReport {
  readonly positionMs: number
  readonly durationMs?: number
  readonly sequence?: number
  readonly played?: readonly PlayedRange[]
  readonly reason?: EndReason
}

type Facts = TitleFacts | null

export function playbackStarted(
  view: View,
  meta: Meta,
  report: StartReport,
  facts: Facts,
): NewEventOf<'PlaybackStarted'> {
  const { positionMs, trigger, deviceType, player, personal } = report
  const context = deviceType === null && player === null ? null : { ...NO_CONTEXT, deviceType, player }
  return { type: 'PlaybackStarted', meta, ...view, sequence: 0, positionMs, trigger, context, facts, personal }
}

/** Every field is named: the encoder reads each once, and an object of one shape costs it least. */
export function heartbeat(view: View, meta: Meta, report: HeartbeatReport, facts: Facts): NewEventOf<'Heartbeat'> {
  return {
    type: 'Heartbeat',
    meta,
    profileId: view.profileId,
    sessionId: view.sessionId,
    titleId: view.titleId,
    sequence: report.sequence ?? sequenceAt(meta.occurredAt),
    positionMs: report.positionMs,
    durationMs: report.durationMs ?? null,
    played: report.played ?? NOTHING_PLAYED,
    state: report.state ?? 'unknown',
    playbackRatePermille: report.playbackRatePermille ?? 1000,
    videoBitrateKbps: report.videoBitrateKbps ?? null,
    audioBitrateKbps: report.audioBitrateKbps ?? null,
    width: report.width ?? null,
    height: report.height ?? null,
    playerWidth: null,
    playerHeight: null,
    bufferMs: report.bufferMs ?? null,
    droppedFrames: report.droppedFrames ?? null,
    throughputKbps: report.throughputKbps ?? null,
    liveLatencyMs: null,
    stallMs: report.stallMs ?? null,
    cdn: report.cdn ?? null,
    delivery: null,
    context: null,
    facts,
    // A heartbeat points at nobody but the profile: sealing would cost more than all the rest of it.
    personal: null,
  }
}

export function playbackEnded(view: View, meta: Meta, report: StopReport, facts: Facts): NewEventOf<'PlaybackEnded'> {
  return {
    type: 'PlaybackEnded',
    meta,
    profileId: view.profileId,
    sessionId: view.sessionId,
    titleId: view.titleId,
    sequence: report.sequence ?? sequenceAt(meta.occurredAt),
    positionMs: report.positionMs,
    durationMs: report.durationMs ?? null,
    played: report.played ?? NOTHING_PLAYED,
    reason: report.reason ?? 'unknown',
    context: null,
    facts,
    personal: null,
  }
}

/**
 * For players that don't count: (session, sequence) names an event, so it must differ between the events of a session
 * and be the same in a repeated one. Wraps every 25 days, far beyond a session.
 */
export function sequenceAt(occurredAtMs: number): number {
  return occurredAtMs % 2 ** 31
}

const NOTHING_PLAYED: readonly PlayedRange[] = []
const NO_CONTEXT = { streamType: 'unknown' } as const
