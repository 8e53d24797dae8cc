/**
 * A state as columns that people can read in their own tools, back again, and as the row that the API reads.
 *
 * `decided_by` says which events the registers came from: {"position":[at,"event id"],…}. What a row only shows
 * (percent, completed, updated_at, watched_ms, plays) is worked out when it is written, and not read back.
 */

import type { StateCell, StateShape } from '../projection.ts'
import type { Stamp } from '../stamp.ts'
import { DAY_MS } from './limits.ts'
import * as plays from './plays.ts'
import * as ranges from './ranges.ts'
import type { ProgressRow } from './row.ts'
import { isCompleted, type Progress, permyriadOf, settled } from './state.ts'

export const SHAPE: StateShape = {
  name: 'progress',
  comment: 'Where each profile is in each title, what of it was watched, and when',
  partition: [{ name: 'profile_id', type: 'text' }],
  clustering: [{ name: 'title_id', type: 'text' }],
  columns: [
    { name: 'position_ms', type: 'long', comment: 'where to resume; null: never reported, or cleared' },
    { name: 'duration_ms', type: 'long', comment: 'null: nobody knew' },
    { name: 'permyriad', type: 'int', comment: 'position in hundredths of a percent of the duration' },
    { name: 'completed', type: 'boolean' },
    { name: 'device', type: 'text', comment: 'of the newest report' },
    { name: 'updated_at', type: 'timestamp', comment: 'when position or completed were last decided' },
    { name: 'position_until', type: 'timestamp', comment: 'from then on the position counts no more' },
    { name: 'watched_ms', type: 'long', comment: 'media really played, a rewatch counted once' },
    { name: 'watched', type: 'text', comment: 'seconds from-to, such as 0-95,120-300' },
    { name: 'plays', type: 'int', comment: 'starts within 30 s of each other are one' },
    { name: 'first_watched_at', type: 'timestamp' },
    { name: 'last_watched_at', type: 'timestamp' },
    { name: 'series_id', type: 'text' },
    { name: 'season', type: 'int' },
    { name: 'episode', type: 'int' },
    { name: 'credits_start_ms', type: 'long' },
    { name: 'sessions', type: 'text', comment: '[["session",first,last],...] in milliseconds since 1970' },
    { name: 'decided_by', type: 'text', comment: 'which events decided: {"position":[at,"event"],...}' },
  ],
}

export function toColumns(state: Progress, positionDays: number): StateCell[] {
  const now = settled(state)
  const { position, mark, clear } = now
  const { duration, facts, watched, sessions, firstWatchedMs, lastWatchedMs, oldestMs } = state
  const decidedMs = Math.max(position?.atMs ?? -1, mark?.atMs ?? -1, clear?.atMs ?? -1)
  const updatedMs = decidedMs >= 0 ? decidedMs : state.newestMs
  return [
    position === undefined ? null : BigInt(position.positionMs),
    duration === undefined ? null : BigInt(duration.durationMs),
    position === undefined ? null : permyriadOf(position.positionMs, duration?.durationMs),
    isCompleted(now, state),
    position?.device ?? null,
    updatedMs,
    updatedMs + positionDays * DAY_MS,
    BigInt(ranges.watchedMs(watched)),
    ranges.toText(watched),
    plays.playsOf(sessions).length,
    firstWatchedMs ?? null,
    lastWatchedMs ?? null,
    facts?.seriesId ?? null,
    facts?.season ?? null,
    facts?.episode ?? null,
    typeof facts?.creditsStartMs === 'number' ? BigInt(facts.creditsStartMs) : null,
    plays.toText(sessions),
    JSON.stringify({
      position: stamped(position),
      duration: stamped(duration),
      facts: stamped(facts),
      mark: mark && [...stamped(mark)!, mark.watched],
      clear: stamped(clear),
      oldest: oldestMs,
    }),
  ]
}

function stamped(stamp: Stamp | undefined): readonly [number, string] | undefined {
  return stamp && [stamp.atMs, stamp.eventId]
}

interface DecidedBy {
  readonly position?: readonly [number, string]
  readonly duration?: readonly [number, string]
  readonly facts?: readonly [number, string]
  readonly mark?: readonly [number, string, boolean]
  readonly clear?: readonly [number, string]
  readonly oldest: number
}

export function fromColumns(cells: readonly StateCell[]): Progress {
  const by = JSON.parse(cells[17] as string) as DecidedBy
  const at = (stamp: readonly [number, string, ...unknown[]]): Stamp => ({ atMs: stamp[0], eventId: stamp[1] })
  const { position, duration, facts, mark, clear } = by
  const lastWatchedMs = (cells[11] as number | null) ?? undefined
  const device = cells[4] as string | null
  return {
    oldestMs: by.oldest,
    newestMs: Math.max(lastWatchedMs ?? 0, mark?.[0] ?? 0, clear?.[0] ?? 0),
    position: position && { ...at(position), positionMs: Number(cells[0]), device },
    duration: duration && { ...at(duration), durationMs: Number(cells[1]) },
    facts: facts && {
      ...at(facts),
      seriesId: cells[12] as string | null,
      season: cells[13] as number | null,
      episode: cells[14] as number | null,
      creditsStartMs: millisOf(cells[15]),
    },
    mark: mark && { ...at(mark), watched: mark[2] },
    clear: clear && at(clear),
    watched: ranges.fromText(cells[8] as string),
    sessions: plays.fromText(cells[16] as string),
    firstWatchedMs: (cells[10] as number | null) ?? undefined,
    lastWatchedMs,
  }
}

export function toRow(cells: readonly StateCell[], key: readonly StateCell[], version: bigint): ProgressRow {
  return {
    profileId: key[0] as string,
    titleId: key[1] as string,
    positionMs: millisOf(cells[0]) ?? 0,
    durationMs: millisOf(cells[1]),
    permyriad: cells[2] as number | null,
    completed: cells[3] as boolean,
    started: cells[0] !== null,
    device: cells[4] as string | null,
    updatedAtMs: cells[5] as number,
    positionUntilMs: cells[6] as number,
    watchedMs: Number(cells[7]),
    watched: cells[8] as string,
    plays: plays.playsOf(plays.fromText(cells[16] as string)),
    firstWatchedAtMs: (cells[10] as number | null) ?? 0,
    lastWatchedAtMs: (cells[11] as number | null) ?? 0,
    seriesId: cells[12] as string | null,
    season: cells[13] as number | null,
    episode: cells[14] as number | null,
    version,
  }
}

function millisOf(cell: StateCell | undefined): number | null {
  return cell === null || cell === undefined ? null : Number(cell)
}
