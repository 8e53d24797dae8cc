/** Events of one view for the tests of its fold: said in seconds from the start, with all that the schemas ask for. */

import type { SignedRow } from '../../projections/projection.ts'
import { SLICE_COLUMNS, type SliceRow, VIEW_COLUMNS, type ViewRow } from '../../projections/views/row.ts'
import type { View } from '../../projections/views/state.ts'
import { viewsV1 } from '../../projections/views/v1.ts'
import type { Context, EventOf, EventType, Meta, PlayheadEvent } from '../../schemas/index.ts'
import { idOf } from '../consumers/events.ts'

/** A whole minute. */
export const START_MS = Date.UTC(2026, 0, 1, 12)

type ViewEventType =
  | Exclude<
      Extract<PlayheadEvent, { readonly sequence: number; readonly context: Context | null }>['type'],
      'CustomEvent'
    >
  | 'CmcdReport'
export type Fields<T extends EventType> = Partial<Omit<EventOf<T>, 'type' | 'meta'>> & {
  readonly meta?: Partial<Meta>
}

const WHO = { profileId: 'ada', sessionId: 's1', titleId: 'dune', context: null, facts: null, personal: null }
const NO_RENDITION = { videoBitrateKbps: null, audioBitrateKbps: null, width: null, height: null }
const BLANK: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  PlaybackStarted: { trigger: null, pageStartupMs: null, playerStartupMs: null },
  FirstFrame: { startupMs: null, ...NO_RENDITION },
  Heartbeat: {
    durationMs: null,
    played: [],
    state: 'unknown',
    playbackRatePermille: 1_000,
    ...NO_RENDITION,
    playerWidth: null,
    playerHeight: null,
    bufferMs: null,
    droppedFrames: null,
    throughputKbps: null,
    liveLatencyMs: null,
    stallMs: null,
    cdn: null,
    delivery: null,
  },
  PlaybackPaused: { played: [], reason: null },
  SeekStarted: { played: [], toMs: null },
  SeekEnded: { seekMs: null },
  StallStarted: { played: [], videoBitrateKbps: null, bufferMs: null, cdn: null },
  StallEnded: { stallMs: null },
  RenditionChanged: {
    renditionId: null,
    ...NO_RENDITION,
    reason: null,
    playerWidth: null,
    playerHeight: null,
    cdn: null,
  },
  PlaybackFailed: { played: [], code: 'E1', fatal: true, phase: 'unknown', business: false, message: null, cdn: null },
  PlaybackEnded: { durationMs: null, played: [], reason: 'quit' },
  AdBreakStarted: { breakId: 'b', placement: 'preroll', ads: null, plannedMs: null },
  AdBreakEnded: { breakId: 'b', placement: 'preroll', playedMs: null },
  AdBreakFailed: { breakId: 'b', placement: 'preroll', code: '303', message: null },
  AdStarted: { breakId: 'b', adId: 'a', durationMs: null, rank: null },
  AdEnded: { breakId: 'b', adId: 'a', playedMs: null, skipped: false, clicked: false },
  AdFailed: { breakId: 'b', adId: 'a', code: '400', message: null },
  CmcdReport: {
    sequence: null,
    positionMs: null,
    target: null,
    version: 2,
    event: 'ps',
    state: null,
    playbackRatePermille: null,
    startupMs: null,
    stallMs: null,
    streamType: 'unknown',
    protocol: null,
    errorCodes: [],
    keys: {},
    cdn: null,
  },
}

/** Tells of a view, event after event; sequences count by themselves. */
export class Story {
  readonly events: PlayheadEvent[] = []
  readonly #startMs: number
  #next = 0

  constructor(startMs = START_MS) {
    this.#startMs = startMs
  }

  /** `atS`: seconds from the start; position as given, else 0. */
  say<T extends ViewEventType>(type: T, atS: number, fields: Fields<T> = {} as Fields<T>): this {
    const id = this.#next++
    const { meta, ...rest } = fields
    const at = this.#startMs + Math.round(atS * 1_000)
    this.events.push({
      type,
      meta: {
        eventId: idOf(id),
        occurredAt: at,
        receivedAt: at + 100,
        source: 'sdk',
        appId: 'app',
        environment: 'test',
        clock: 'trusted',
        sentAt: null,
        ...meta,
      },
      ...WHO,
      sequence: id,
      positionMs: 0,
      ...BLANK[type],
      ...rest,
    } as unknown as PlayheadEvent)
    return this
  }

  /** Heartbeats in a playing view, each telling its position and what was played since the last one. */
  play(fromS: number, toS: number, positionS: number, everyS = 10, fields: Fields<'Heartbeat'> = {}): this {
    for (let s = fromS + everyS; s <= toS; s += everyS) {
      const toMs = (positionS + s - fromS) * 1_000
      const played = [{ fromMs: toMs - everyS * 1_000, toMs }]
      this.say('Heartbeat', s, { positionMs: toMs, state: 'playing', played, ...fields })
    }
    return this
  }
}

const { keyed } = viewsV1()

export function viewOf(events: readonly PlayheadEvent[], projection = keyed): View {
  let view: View | undefined
  for (const event of events) view = projection.fold(view, event)
  if (view === undefined) throw new Error('no events, no view')
  return view
}

export function named(row: SignedRow): Record<string, unknown> {
  const columns = Object.keys(row.landing.name === 'landing_views' ? VIEW_COLUMNS : SLICE_COLUMNS)
  if (columns.length !== row.cells.length) throw new Error(`${row.cells.length} cells for ${columns.length} columns`)
  return Object.fromEntries(columns.map((name, i) => [name, row.cells[i]]))
}

export function rowOf(events: readonly PlayheadEvent[], projection = keyed): ViewRow {
  return named(viewOf(events, projection).rows()[0]!) as unknown as ViewRow
}

export function slicesOf(events: readonly PlayheadEvent[], projection = keyed): SliceRow[] {
  return viewOf(events, projection)
    .rows()
    .slice(1)
    .map((row) => named(row) as unknown as SliceRow)
}
