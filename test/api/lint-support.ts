/** A session as the lint reads it, made from events without an engine: what the tables would hold of them. */
import { type Lint, lint } from '../../api/lint/lint.ts'
import { viewOf } from '../../api/lint/read.ts'
import type { LintView } from '../../api/lint/said.ts'
import type { StoredEvent } from '../../api/qoe/session.ts'
import type { PlayheadEvent } from '../../schemas/index.ts'
import { rowOf, Story } from '../projections/views-events.ts'

const KEY = { profileId: 'ada', sessionId: 's1', titleId: 'dune' }
export interface Told {
  readonly events: readonly PlayheadEvent[]
  readonly copies?: readonly PlayheadEvent[]
  /** Whether its last report is older than a view may be silent. */
  readonly timedOut?: boolean
}

export function viewOfEvents({ events, copies = [], timedOut = false }: Told): LintView {
  const row = Object.fromEntries(
    Object.entries(rowOf(events.filter(isViewEvent))).map(([name, value]) => [`x_${name}`, value]),
  )
  const { profileId, sessionId, titleId } = { ...KEY, ...(events[0] as Partial<typeof KEY>) }
  const stored = [
    ...events.map((event) => storedOf(event, 'folded')),
    ...copies.map((event) => storedOf(event, 'duplicate')),
  ]
  return viewOf({ profileId, titleId }, sessionId, row, stored, timedOut ? Number.MAX_SAFE_INTEGER : 0)
}

export function lintOf(...told: readonly Told[]): Lint {
  return lint(told.map(viewOfEvents))
}

function isViewEvent({ type }: PlayheadEvent): boolean {
  return type !== 'ProgressReported'
}

/** As projections/events writes them: what was null is left out. */
function storedOf(event: PlayheadEvent, fate: string): StoredEvent {
  const { type, meta, profileId, titleId, ...rest } = event as unknown as Record<string, unknown> & {
    meta: PlayheadEvent['meta']
  }
  const { sessionId: _, personal: __, ...fields } = rest
  return {
    topic: 'playback-events',
    partition: 0,
    position: '0',
    fate,
    type: String(type),
    eventId: meta.eventId,
    occurredAtMs: meta.occurredAt,
    receivedAtMs: meta.receivedAt,
    source: meta.source,
    appId: meta.appId,
    environment: meta.environment,
    profileId: String(profileId),
    titleId: String(titleId),
    fields: Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)),
  }
}

const CONTEXT = {
  player: 'hls.js',
  playerVersion: '1.7.0',
  appVersion: '3.1',
  deviceType: 'desktop',
  os: 'Linux',
  cdn: 'own',
  protocol: 'hls',
  streamType: 'vod',
} as never

/** With nothing to be said against it. */
export function sound(): Story {
  const picture = { videoBitrateKbps: 3_000, width: 1_280, height: 720 }
  return new Story()
    .say('PlaybackStarted', 0, { context: CONTEXT })
    .say('FirstFrame', 2, picture)
    .say('Heartbeat', 12, beat(10, 0))
    .say('SeekStarted', 14, { positionMs: 12_000, played: [{ fromMs: 10_000, toMs: 12_000 }], toMs: 60_000 })
    .say('SeekEnded', 15, { positionMs: 60_000 })
    .say('Heartbeat', 25, beat(70, 60))
    .say('StallStarted', 30, { positionMs: 75_000 })
    .say('StallEnded', 32, { positionMs: 75_000 })
    .say('Heartbeat', 42, beat(85, 75))
    .say('PlaybackPaused', 44, { positionMs: 87_000 })
    .say('PlaybackResumed', 144, { positionMs: 87_000 })
    .say('Heartbeat', 154, beat(97, 87))
    .say('PlaybackEnded', 160, { positionMs: 103_000, durationMs: 3_600_000 })
}

export function beat(positionS: number, fromS: number) {
  return {
    positionMs: positionS * 1_000,
    durationMs: 3_600_000,
    state: 'playing' as const,
    played: [{ fromMs: fromS * 1_000, toMs: positionS * 1_000 }],
    playerWidth: 1_280,
    playerHeight: 720,
  }
}

/** The same with some of its events changed. */
export function changed(change: (event: Record<string, unknown>, i: number) => object | undefined): Told {
  return {
    events: sound().events.flatMap((event, i) => {
      const other = change(event as unknown as Record<string, unknown>, i)
      return other === undefined ? [] : [{ ...event, ...other } as PlayheadEvent]
    }),
  }
}

export function without(...types: readonly string[]): Told {
  return changed((event) => (types.includes(String(event.type)) ? undefined : {}))
}
