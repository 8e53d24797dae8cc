/**
 * Why a view's row says what it says: its events folded once more, with a note of what each of them did. For one view and
 * for people to read; the fold itself keeps no event ids.
 */

import { CODE } from './cut.ts'
import { VIEWS_PARAMETERS, type ViewsParameters } from './limits.ts'
import { AT, type NumberName } from './numbers.ts'
import { compare, isView, type Observation, observe, type ViewEvent } from './observation.ts'
import { FLAGS, SLICE_COLUMNS, type SliceRow, VIEW_COLUMNS, type ViewRow } from './row.ts'
import { View } from './state.ts'
import { Timeline } from './timeline.ts'

/** An event as a table of JSON gives it back: what was null may be missing. */
export interface LooseEvent {
  readonly type: string
  readonly meta: { readonly eventId: string; readonly occurredAt: number; readonly receivedAt?: number }
  readonly profileId: string
  readonly sessionId: string
  readonly titleId: string
}

export interface Stretch {
  readonly fromMs: number
  readonly toMs: number
  readonly state: string
  /** The event after which it was so. */
  readonly cause: string
}

export interface Explanation {
  readonly row: ViewRow
  readonly slices: readonly SliceRow[]
  readonly timeline: readonly Stretch[]
  /** For each column, the events that made it, by time; of many the first and the last. */
  readonly evidence: Readonly<Record<string, readonly string[]>>
  readonly notes: readonly string[]
}

export const EXPLAIN_LIMITS = { stretchesMax: 10_000, evidencePerColumnMax: 50 } as const

const NAMES = Object.entries(CODE).reduce<string[]>((names, [name, code]) => {
  names[code] = name
  return names
}, [])

/** Columns that follow from others: their evidence is that of those. */
const FOLLOWS: Readonly<Record<string, readonly NumberName[]>> = {
  watched_ms: ['starting_ms', 'playing_ms', 'seeking_ms', 'stalled_ms'],
  mux_watch_ms: ['starting_ms', 'playing_ms', 'seeking_ms', 'stalled_ms'],
  unique_media_ms: ['media_ms'],
  startup_bucket: ['startup_ms'],
  startup_score_milli: ['startup_ms'],
  smoothness_score_milli: ['stalls', 'stalled_ms'],
  success_score_milli: ['starts', 'failures', 'over'],
  ended: ['over'],
  open: ['over'],
  clean_ends: ['clean'],
  ended_before_start: ['over', 'starts'],
  stalled_views: ['stalls'],
}

/** `events`: all of one view, in any order. Those of other kinds are left out. Undefined: none is left. */
export function explainView(
  events: readonly LooseEvent[],
  parameters: ViewsParameters = VIEWS_PARAMETERS,
): Explanation | undefined {
  let view: View | undefined
  const seen: { readonly o: Observation; readonly id: string }[] = []
  for (const loose of events) {
    if (!isView(loose as never)) continue
    const event = whole(loose)
    view = view === undefined ? View.first(event, parameters) : view.with(event)
    seen.push({ o: observe(event), id: loose.meta.eventId })
  }
  if (view === undefined) return undefined
  const [row, ...slices] = view.rows().map(({ cells }, i) => named(i === 0 ? VIEW_COLUMNS : SLICE_COLUMNS, cells))
  seen.sort((a, b) => compare(a.o, b.o) || (a.id < b.id ? -1 : 1))
  const { timeline, evidence, copies } = watch(seen, parameters)
  return {
    row: row as unknown as ViewRow,
    slices: slices as unknown as SliceRow[],
    timeline,
    evidence,
    notes: notesOn(row as unknown as ViewRow, copies),
  }
}

/** What the fold can't do without. */
function whole(loose: LooseEvent): ViewEvent {
  const { meta } = loose
  return { ...loose, meta: { ...meta, receivedAt: meta.receivedAt ?? meta.occurredAt } } as unknown as ViewEvent
}

function watch(seen: readonly { readonly o: Observation; readonly id: string }[], parameters: ViewsParameters) {
  const timeline: Stretch[] = []
  const evidence: Record<string, string[]> = {}
  let cause = seen[0]!.id
  const line = new Timeline(parameters, {
    span(code, fromMs, toMs) {
      const last = timeline[timeline.length - 1]
      const state = NAMES[code]!
      if (last?.state === state && last.toMs === fromMs) timeline[timeline.length - 1] = { ...last, toMs }
      else if (timeline.length < EXPLAIN_LIMITS.stretchesMax) timeline.push({ fromMs, toMs, state, cause })
    },
  })
  let before: Observation | undefined
  let copies = 0
  for (const { o, id } of seen) {
    if (before !== undefined && compare(before, o) === 0) {
      copies++
      continue
    }
    before = o
    const code = line.code()
    const numbers = line.numbers.slice()
    line.advance(o)
    if (line.code() !== code) cause = id
    for (const [name, place] of Object.entries(AT)) {
      if (line.numbers[place] !== numbers[place]) note(evidence, name, id)
    }
  }
  const columns: Record<string, readonly string[]> = {}
  for (const name of Object.keys(VIEW_COLUMNS)) {
    const from = FOLLOWS[name] ?? [name]
    const ids = [...new Set(from.flatMap((source) => evidence[source] ?? []))]
    if (ids.length > 0) columns[name] = ids
  }
  return { timeline, evidence: columns, copies }
}

/** The first half and the newest. */
function note(evidence: Record<string, string[]>, name: string, id: string): void {
  evidence[name] ??= []
  const ids = evidence[name]
  if (ids.length >= EXPLAIN_LIMITS.evidencePerColumnMax) ids.splice(EXPLAIN_LIMITS.evidencePerColumnMax / 2, 1)
  ids.push(id)
}

function named(columns: object, cells: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(Object.keys(columns).map((name, i) => [name, cells[i]]))
}

const NOTES: Readonly<Record<keyof typeof FLAGS, string>> = {
  no_request: 'No request was seen: there is no startup time but the player’s own.',
  no_first_frame: 'No first frame was seen: that it started is proved by what came after.',
  clock_implausible: 'A report’s clock can’t be right; its time is a guess.',
  nonsense: 'Values that make no sense were left out.',
  truncated: 'There were more reports than are kept: the earliest count.',
  several_devices: 'Reports disagree on the device: the session id may have been used twice.',
}

function notesOn(row: ViewRow, copies: number): string[] {
  const notes = (Object.keys(FLAGS) as (keyof typeof FLAGS)[])
    .filter((flag) => (row.flags & FLAGS[flag]) !== 0)
    .map((flag) => NOTES[flag])
  if (copies > 0) notes.push(`Events that only say what another has said: ${copies}.`)
  if (row.duplicate_reports > 0)
    notes.push(`Reports that repeat a sequence number: ${row.duplicate_reports}; the earlier counts.`)
  if (row.lost_reports > 0) notes.push(`Sequence numbers missing in between: ${row.lost_reports}.`)
  if (row.late_reports > 0) notes.push(`Reports that came late: ${row.late_reports}.`)
  if (row.open === 1)
    notes.push('It is not over: what was reported in its last, unfinished minute shows when the minute is over.')
  return notes
}
