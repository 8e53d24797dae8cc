/** Events for the tests of the folds, and a fold driven as the runtime drives it: in batches, from states or from rows. */
import { stateTableOf } from '../../consumers/generation.ts'
import type { Keyed, Projection, StateCell } from '../../projections/projection.ts'
import type { EventOf, EventType, Meta, PlayheadEvent, TitleFacts } from '../../schemas/index.ts'
import { type Digest, rowHash } from '../../stores/canonical.ts'
import type { StateRow, TableSpec } from '../../stores/state.ts'
import { heartbeat, idOf } from '../consumers/events.ts'

export const START_MS = Date.UTC(2026, 0, 1)
export const SECOND_MS = 1_000
export const DAY_MS = 86_400_000

export function meta(atMs: number, id: number, receivedAtMs = atMs): Meta {
  const { meta: plain } = heartbeat({ profileId: 'p', eventId: idOf(id), positionMs: 0, atMs })
  return { ...plain, receivedAt: receivedAtMs }
}

export const FACTS: TitleFacts = {
  contentType: 'episode',
  durationMs: null,
  creditsStartMs: null,
  seriesId: null,
  season: null,
  episode: null,
}

type Fields<T extends EventType> = Partial<Omit<EventOf<T>, 'type' | 'meta'>>
const WHO = { profileId: 'ada', titleId: 'dune', personal: null }
const BEAT = heartbeat({ profileId: 'ada', eventId: idOf(0), positionMs: 0, atMs: 0 })

export function beat(atMs: number, id: number, fields: Fields<'Heartbeat'> = {}): EventOf<'Heartbeat'> {
  return { ...BEAT, ...WHO, sessionId: 'session-1', meta: meta(atMs, id), ...fields }
}

export function report(atMs: number, id: number, fields: Fields<'ProgressReported'> = {}): EventOf<'ProgressReported'> {
  const rest = { sessionId: null, positionMs: 0, durationMs: null, played: [], facts: null }
  return { type: 'ProgressReported', meta: meta(atMs, id), ...WHO, ...rest, ...fields }
}

export function started(atMs: number, id: number, fields: Fields<'PlaybackStarted'> = {}): EventOf<'PlaybackStarted'> {
  const rest = { sequence: 0, positionMs: 0, trigger: null, pageStartupMs: null, playerStartupMs: null }
  const none = { sessionId: 'session-1', context: null, facts: null }
  return { type: 'PlaybackStarted', meta: meta(atMs, id), ...WHO, ...rest, ...none, ...fields }
}

export function marked(atMs: number, id: number, fields: Fields<'MarkedWatched'> = {}): EventOf<'MarkedWatched'> {
  return { type: 'MarkedWatched', meta: meta(atMs, id), ...WHO, watched: true, facts: null, ...fields }
}

export function cleared(atMs: number, id: number, fields: Fields<'ProgressCleared'> = {}): EventOf<'ProgressCleared'> {
  return { type: 'ProgressCleared', meta: meta(atMs, id), ...WHO, ...fields }
}

export function device(deviceId: string): NonNullable<EventOf<'Heartbeat'>['personal']> {
  return { accountId: null, deviceId, userAgent: null, address: null, custom: {}, sealed: null }
}

export function keyedOf(projection: Projection): Keyed<unknown> {
  if (projection.keyed === undefined) throw new Error(`${projection.name} keeps no states`)
  return projection.keyed
}

export function specOf(projection: Projection): TableSpec {
  const spec = stateTableOf({ id: projection.name, projection, incarnation: 'test' })
  if (spec === undefined) throw new Error(`${projection.name} keeps no states`)
  return spec
}

/** A batch, and whether its states were still in memory or are read back from their rows. */
export interface Batch {
  readonly events: readonly PlayheadEvent[]
  readonly readBack: boolean
}

/** The rows that stand after these batches, by key. */
export function rowsAfter(projection: Projection, batches: readonly Batch[]): Map<string, StateRow> {
  const keyed = keyedOf(projection)
  const rows = new Map<string, StateRow>()
  const states = new Map<string, unknown>()
  for (const { events, readBack } of batches) {
    const touched = new Map<string, readonly StateCell[]>()
    if (readBack) {
      for (const [text, row] of rows) states.set(text, keyed.fromColumns(row.columns.slice(0, -1), row.key))
    }
    for (const event of events) {
      const key = keyed.key(event)
      if (key === undefined) continue
      const text = JSON.stringify(key)
      touched.set(text, key)
      states.set(text, keyed.fold(states.get(text), event))
    }
    for (const [text, key] of touched) rows.set(text, rowOf(keyed, key, states.get(text)))
  }
  return rows
}

function rowOf(keyed: Keyed<unknown>, key: readonly StateCell[], state: unknown): StateRow {
  const expiresAtMs = keyed.expiresAtMs?.(state)
  const columns = [...keyed.toColumns(state), -1n]
  return { key, version: 0n, columns, ...(expiresAtMs !== undefined && { expiresAtMs }) }
}

export function after(projection: Projection, events: readonly PlayheadEvent[]): readonly StateRow[] {
  return [...rowsAfter(projection, [{ events, readBack: false }]).values()]
}

/** As digestOf sums a stored table, version left out. */
export function digestOfRows(projection: Projection, rows: Iterable<StateRow>): Digest {
  const spec = specOf(projection)
  let count = 0n
  let sum = 0n
  for (const row of rows) {
    count += 1n
    sum = BigInt.asUintN(64, sum + rowHash(spec, row, { version: 'without' }))
  }
  return { rows: count, sum }
}

/** Numbers that look random and never change: for golden logs. */
export function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** In another order, the same for the same numbers. */
export function shuffled<T>(items: readonly T[], next: (below: number) => number): T[] {
  const left = [...items]
  for (let i = left.length - 1; i > 0; i--) {
    const j = next(i + 1)
    const swapped = left[i]!
    left[i] = left[j]!
    left[j] = swapped
  }
  return left
}
