/** What a view's drawing shows, from its story: pure, so that what is drawn can be told apart from how. */
import type { StoryEvent, Stretch, ViewStory } from './types.ts'

export interface Band {
  readonly fromMs: number
  readonly toMs: number
  readonly state: string
}

export interface Mark {
  readonly atMs: number
  readonly kind: 'beat' | 'note' | 'stall' | 'fail' | 'seek' | 'rendition'
  readonly event: StoryEvent
}

export interface Drawn {
  readonly fromMs: number
  readonly toMs: number
  readonly bands: readonly Band[]
  readonly marks: readonly Mark[]
  readonly position: readonly (readonly [number, number])[]
  readonly bitrate: readonly (readonly [number, number])[]
  readonly durationMs: number
}

export function drawnOf(view: ViewStory, events: readonly StoryEvent[]): Drawn {
  const stretches = view.explanation?.timeline ?? []
  const own = [...events].sort(
    (a, b) => Date.parse(a.occurredAt) - Date.parse(b.occurredAt) || sequenceOf(a) - sequenceOf(b),
  )
  const times = own.map(({ occurredAt }) => Date.parse(occurredAt))
  const fromMs = Math.min(textTime(view.row.started_at), times[0] ?? Number.POSITIVE_INFINITY)
  const last = stretches.at(-1)
  const toMs = Math.max(last === undefined ? 0 : Date.parse(last.to), times.at(-1) ?? 0, fromMs + 1_000)
  return {
    fromMs,
    toMs,
    bands: stretches.map(bandOf),
    marks: own.map((event, i) => ({ atMs: times[i] ?? fromMs, kind: kindOf(event), event })),
    position: pointsOf(own, times, 'positionMs'),
    bitrate: pointsOf(own, times, 'videoBitrateKbps'),
    durationMs: Number(view.row.title_duration_ms ?? 0),
  }
}

function bandOf({ from, to, state }: Stretch): Band {
  return { fromMs: Date.parse(from), toMs: Date.parse(to), state }
}

function pointsOf(events: readonly StoryEvent[], times: readonly number[], field: string) {
  return events.flatMap(({ fields }, i): (readonly [number, number])[] => {
    const value = fields[field]
    return typeof value === 'number' ? [[times[i] ?? 0, value]] : []
  })
}

const KINDS: Readonly<Record<string, Mark['kind']>> = {
  Heartbeat: 'beat',
  CmcdReport: 'beat',
  StallStarted: 'stall',
  StallEnded: 'stall',
  PlaybackFailed: 'fail',
  AdBreakFailed: 'fail',
  AdFailed: 'fail',
  SeekStarted: 'seek',
  SeekEnded: 'seek',
  RenditionChanged: 'rendition',
}

function kindOf({ type }: StoryEvent): Mark['kind'] {
  return KINDS[type] ?? 'note'
}

function sequenceOf({ fields }: StoryEvent): number {
  return typeof fields.sequence === 'number' ? fields.sequence : 0
}

function textTime(value: unknown): number {
  const ms = Date.parse(String(value))
  return Number.isNaN(ms) ? Number.POSITIVE_INFINITY : ms
}

/** What a state took in all. */
export function totals(bands: readonly Band[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  for (const { state, fromMs, toMs } of bands) sums.set(state, (sums.get(state) ?? 0) + toMs - fromMs)
  return sums
}

/** In one line, for who does not see the drawing. */
export function spokenTimeline(bands: readonly Band[], clock: (ms: number) => string): string {
  const first = bands[0]?.fromMs ?? 0
  return bands
    .slice(0, 60)
    .map(({ state, fromMs, toMs }) => `${state} from ${clock(fromMs - first)} to ${clock(toMs - first)}`)
    .join(', ')
}
