/** From a cut of the timeline to the cells of its rows, in the order of row.ts. */
import { timeCell } from '../cells.ts'
import { bucketOf } from '../histogram.ts'
import { watchedMs } from '../progress/ranges.ts'
import type { Cell } from '../projection.ts'
import { COUNTERS, type Counters, shown } from './counters.ts'
import type { Cut } from './cut.ts'
import { FACTS, type FactName, type Facts, factOf } from './facts.ts'
import { VIEW_LIMITS, type ViewsParameters } from './limits.ts'
import { AT, type NumberName } from './numbers.ts'
import { DIMENSIONS, FLAGS, SLICE_COLUMNS, type SliceRow, VIEW_COLUMNS, type ViewColumn } from './row.ts'
import * as scores from './score.ts'
import type { Slice } from './slices.ts'
import type { Who } from './who.ts'

export interface Shown {
  readonly who: Who
  readonly cut: Cut
  readonly facts: Facts
  readonly counters: Counters
  readonly truncated: boolean
  readonly parameters: ViewsParameters
}

/** In the order of CODE. What is no state of a player is shown as the one it comes nearest to. */
const STATES = ['starting', 'starting', 'playing', 'paused', 'seeking', 'stalled', 'ended', 'failed'] as const

export function stateOf({ numbers: n }: Cut): string {
  const shown = STATES[n[AT.code]!]
  if (shown !== undefined) return shown
  if (n[AT.over] === 1) return n[AT.failures] === 1 || n[AT.business_failures] === 1 ? 'failed' : 'ended'
  return n[AT.starts] === 1 ? 'playing' : 'starting'
}

type Name = ViewColumn
const VIEW_NAMES = Object.keys(VIEW_COLUMNS) as Name[]
const placeOf = (name: Name): number => VIEW_NAMES.indexOf(name)
const DIMENSION_NAMES = Object.keys(DIMENSIONS) as (keyof typeof DIMENSIONS)[]

/** Columns that are a number of the timeline as it is: their places here and there. */
const PLAIN: readonly (readonly [number, number])[] = VIEW_NAMES.filter((name) => Object.hasOwn(AT, name)).map(
  (name) => [placeOf(name), AT[name as NumberName]] as const,
)
/** Columns that are facts as they are. */
const FACT_PLACES: readonly (readonly [number, number])[] = (
  [
    ...DIMENSION_NAMES.filter((name) => name !== 'title_id' && name !== 'error_code'),
    'device_model',
    'os_version',
    'browser_version',
    'sdk_version',
    'drm',
    'language',
    'season',
    'episode',
    'trigger',
    'title_duration_ms',
    'page_startup_ms',
    'player_startup_ms',
  ] as FactName[]
).map((name) => [placeOf(name), FACTS.indexOf(name)] as const)

/** Columns that are worked out here. */
const COMPUTED = [
  'view_id',
  'profile_id',
  'session_id',
  'title_id',
  'started_at',
  'last_at',
  'last_received_at',
  'error_code',
  'failure_phase',
  'end_reason',
  'state',
  'views',
  'flags',
  'watched_from',
  'watched_to',
  'ended',
  'clean_ends',
  'open',
  'open_unstarted',
  'ended_before_start',
  'startup_bucket',
  'page_startup_ms',
  'player_startup_ms',
  'watched_ms',
  'mux_watch_ms',
  'stalled_views',
  'mux_stalls',
  'mux_stalled_ms',
  'sustained_stalls',
  'unique_media_ms',
  'startup_score_views',
  'startup_score_milli',
  'smoothness_score_milli',
  'quality_score_views',
  'quality_score_milli',
  'success_score_milli',
  'score_views',
  'score_milli',
] as const satisfies readonly Name[]
const P = Object.fromEntries(COMPUTED.map((name) => [name, placeOf(name)])) as Record<(typeof COMPUTED)[number], number>
const COUNTER_PLACES = COUNTERS.map(placeOf)

const BLANK: readonly Cell[] = VIEW_NAMES.map((name) => {
  const kind = VIEW_COLUMNS[name]
  return kind === 's' || kind === 'w' ? '' : kind === 'ints' ? [] : 0
})

export function viewCells(view: Shown): Cell[] {
  const { who, cut, facts, counters } = view
  const { numbers: n, words } = cut
  const cells = BLANK.slice()
  for (const [place, from] of PLAIN) cells[place] = n[from]!
  for (const [place, from] of FACT_PLACES) {
    const value = facts.values[from]
    if (value !== undefined) cells[place] = value
  }
  cells[P.view_id] = who.viewId
  cells[P.profile_id] = who.profileId
  cells[P.session_id] = who.sessionId
  cells[P.title_id] = who.titleId
  cells[P.started_at] = timeCell(cut.startedAt)
  cells[P.last_at] = timeCell(n[AT.last_at]!)
  cells[P.last_received_at] = timeCell(n[AT.last_received_at]!)
  cells[P.error_code] = words.errorCode
  cells[P.failure_phase] = words.failurePhase
  cells[P.end_reason] = words.endReason
  cells[P.state] = stateOf(cut)
  cells[P.views] = 1
  outcome(view, cells)
  durations(view, cells)
  const counts = shown(counters, n[AT.over] === 1)
  for (let i = 0; i < counts.length; i++) cells[COUNTER_PLACES[i]!] = counts[i]!
  cells[P.flags] = flagsOf(view)
  const edges = cut.watched.slice(0, 2 * VIEW_LIMITS.watchedRangesMax)
  cells[P.watched_from] = edges.filter((_, i) => i % 2 === 0)
  cells[P.watched_to] = edges.filter((_, i) => i % 2 === 1)
  return cells
}

function leftBeforeStart({ cut, parameters }: Shown): boolean {
  const { numbers: n, startedAt } = cut
  if (n[AT.over] === 0 || n[AT.starts] === 1 || n[AT.failures] === 1 || n[AT.business_failures] === 1) return false
  return n[AT.last_at]! - startedAt >= parameters.ebvsMinMs
}

function outcome(view: Shown, cells: Cell[]): void {
  const n = view.cut.numbers
  const over = n[AT.over]!
  cells[P.ended] = over
  cells[P.clean_ends] = n[AT.clean]!
  cells[P.open] = 1 - over
  cells[P.open_unstarted] = (1 - over) * (1 - n[AT.starts]!)
  cells[P.ended_before_start] = leftBeforeStart(view) ? 1 : 0
  if (n[AT.startups] === 1) cells[P.startup_bucket] = bucketOf(n[AT.startup_ms]!)
  else {
    // Parts of a startup that can't be told: divided by `startups` they would mean nothing.
    cells[P.page_startup_ms] = 0
    cells[P.player_startup_ms] = 0
  }
}

function durations(view: Shown, cells: Cell[]): void {
  const n = view.cut.numbers
  const watched = n[AT.starting_ms]! + n[AT.playing_ms]! + n[AT.seeking_ms]! + n[AT.stalled_ms]!
  cells[P.watched_ms] = watched
  cells[P.mux_watch_ms] = watched
  cells[P.stalled_views] = n[AT.stalls]! > 0 ? 1 : 0
  // A stall that goes on counts as it is by now.
  const now = n[AT.this_stall_ms]!
  const { minStallMs, sustainedStallMs } = view.parameters
  if (now > 0 && now >= minStallMs) {
    cells[P.mux_stalls] = n[AT.mux_stalls]! + 1
    cells[P.mux_stalled_ms] = n[AT.mux_stalled_ms]! + now
    if (now >= sustainedStallMs) cells[P.sustained_stalls] = n[AT.sustained_stalls]! + 1
  }
  cells[P.unique_media_ms] = Math.min(n[AT.media_ms]!, watchedMs(view.cut.watched))
  scored(view, watched, cells)
}

function scored(view: Shown, watched: number, cells: Cell[]): void {
  const n = view.cut.numbers
  const early = leftBeforeStart(view)
  const failed = n[AT.failures] === 1
  // A view that has not begun, or was refused by a rule, has no score yet.
  if (n[AT.starts] === 0 && !early && !failed) return
  const parts: number[] = []
  if (n[AT.startups] === 1) {
    const startup = scores.startupScore(n[AT.startup_ms]!)
    cells[P.startup_score_views] = 1
    cells[P.startup_score_milli] = startup
    parts.push(startup)
  }
  const smoothness = scores.smoothnessScore(n[AT.stalls]!, n[AT.stalled_ms]!, watched)
  cells[P.smoothness_score_milli] = smoothness
  parts.push(smoothness)
  if (n[AT.scale_ms]! > 0) {
    const quality = scores.qualityScore(n[AT.upscale_max_permille]!, n[AT.upscale_permille_ms]!, n[AT.scale_ms]!)
    cells[P.quality_score_views] = 1
    cells[P.quality_score_milli] = quality
    parts.push(quality)
  }
  const { played, leftBeforeStart: left, failed: none } = scores.SUCCESS_SCORE
  const success = failed ? none : early ? left : played
  cells[P.success_score_milli] = success
  cells[P.score_views] = 1
  cells[P.score_milli] = scores.score(success, parts)
}

function flagsOf({ cut, facts, truncated }: Shown): number {
  const n = cut.numbers
  let flags = 0
  if (n[AT.requests] === 0) flags |= FLAGS.no_request
  if (n[AT.starts] === 1 && n[AT.first_frame] === 0) flags |= FLAGS.no_first_frame
  if (n[AT.implausible] === 1) flags |= FLAGS.clock_implausible
  if (n[AT.nonsense]! > 0) flags |= FLAGS.nonsense
  if (truncated) flags |= FLAGS.truncated
  if (facts.severalDevices) flags |= FLAGS.several_devices
  return flags
}

const SLICE_NAMES = Object.keys(SLICE_COLUMNS) as (keyof SliceRow)[]
const CDN = SLICE_NAMES.indexOf('cdn')
const MINUTE = SLICE_NAMES.indexOf('minute')
const SUMS = SLICE_NAMES.indexOf('slices')

/** What all minutes of a view have in common: the cells before the sums. */
export function sliceHead({ who, cut, facts }: Shown): readonly Cell[] {
  return SLICE_NAMES.slice(0, SUMS).map((name) => {
    if (name === 'view_id') return who.viewId
    if (name === 'profile_id') return who.profileId
    if (name === 'title_id') return who.titleId
    if (name === 'minute') return 0
    if (name === 'started_at') return timeCell(cut.startedAt)
    if (name === 'error_code') return cut.words.errorCode
    return factOf(facts, name as FactName) ?? (SLICE_COLUMNS[name] === 'u' ? 0 : '')
  })
}

export function sliceCells(head: readonly Cell[], slice: Slice): Cell[] {
  const cells = head.slice()
  cells[MINUTE] = timeCell(slice.minute)
  if (slice.cdn !== '') cells[CDN] = slice.cdn
  cells.push(
    1,
    slice.starting,
    slice.playing,
    slice.paused,
    slice.seeking,
    slice.stalled,
    slice.stalls,
    slice.ad,
    slice.media,
    slice.bits,
    slice.bitsMedia,
    slice.position,
    slice.played.filter((_, i) => i % 2 === 0),
    slice.played.filter((_, i) => i % 2 === 1),
  )
  return cells
}
