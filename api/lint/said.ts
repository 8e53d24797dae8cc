/** One view as the rules see it: its events by the time at which they happened, and its row. */
import { VIEW_EVENTS } from '../../projections/views/observation.ts'

/** An event of the table: `fields` is everything that has no place of its own. What was null may be missing. */
export interface Said {
  readonly id: string
  readonly type: string
  readonly atMs: number
  readonly receivedAtMs: number
  readonly fate: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface LintView {
  readonly profileId: string
  readonly sessionId: string
  readonly titleId: string
  /** As the story of the session says it: playing, ended, timed_out, … */
  readonly state: string
  readonly open: boolean
  /** It was seen to play. */
  readonly started: boolean
  readonly nonsense: number
  /** Of the row, by name. */
  readonly flags: readonly string[]
  /** What counts: no copies, and nothing that could not be read. */
  readonly events: readonly Said[]
  readonly copies: readonly Said[]
  /** Events of the player's own kind, and CMCD reports. */
  readonly own: readonly Said[]
  readonly cmcd: readonly Said[]
}

export function number(event: Said, name: string): number | undefined {
  const value = event.fields[name]
  return typeof value === 'number' ? value : undefined
}

export function text(event: Said, name: string): string | undefined {
  const value = event.fields[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function record(event: Said, name: string): Readonly<Record<string, unknown>> | undefined {
  const value = event.fields[name]
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
}

/** Numbers that were made from the time, by the route of heartbeats, count nothing. */
export function sequenceOf(event: Said): number | undefined {
  const sequence = number(event, 'sequence')
  return sequence === event.atMs % 2 ** 31 ? undefined : sequence
}

export function isOwn({ type }: Said): boolean {
  return type !== 'CmcdReport' && OWN.has(type)
}

const OWN: ReadonlySet<string> = new Set(VIEW_EVENTS)

/** Two events and what the player did between them. */
export interface Stretch {
  readonly from: Said
  readonly to: Said
  readonly state: 'playing' | 'other'
}

const PLAYS: Readonly<Record<string, Stretch['state']>> = {
  FirstFrame: 'playing',
  PlaybackResumed: 'playing',
  StallEnded: 'playing',
  PlaybackPaused: 'other',
  SeekStarted: 'other',
  StallStarted: 'other',
  PlaybackStarted: 'other',
  PlaybackFailed: 'other',
  PlaybackEnded: 'other',
  AdBreakStarted: 'other',
  AdStarted: 'other',
}
const CMCD_PLAYS = 'p'

/** After a seek the player does what it did before it. */
export function stretches(events: readonly Said[]): readonly Stretch[] {
  let state: Stretch['state'] = 'other'
  let beforeSeek: Stretch['state'] = 'other'
  return events.slice(0, -1).map((from, i) => {
    if (from.type === 'SeekStarted') beforeSeek = state
    state = from.type === 'SeekEnded' ? beforeSeek : (stateSaid(from) ?? state)
    return { from, to: events[i + 1]!, state }
  })
}

/** Of a response (CMCD's rr) the time is when it was asked for, and the rest of when it was there: it tells of no moment. */
export function tellsOfAMoment(event: Said): boolean {
  return text(event, 'event') !== 'rr'
}

function stateSaid(event: Said): Stretch['state'] | undefined {
  if (!tellsOfAMoment(event)) return undefined
  if (event.type !== 'Heartbeat' && event.type !== 'CmcdReport') return PLAYS[event.type]
  const said = text(event, 'state')
  if (said === undefined || said === 'unknown') return undefined
  return said === 'playing' || said === CMCD_PLAYS ? 'playing' : 'other'
}
