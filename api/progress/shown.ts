/** Rows as the routes show them: pure. */
import type { ProgressRow } from '../../projections/progress/row.ts'
import type { TitleRow } from '../../projections/titles/row.ts'

export interface Place {
  readonly seriesId: string | null
  readonly season: number | null
  readonly episode: number | null
}

/** Whether the row still says where to resume: whether a position ran out is decided when it is read. */
export function counts(row: ProgressRow, nowMs: number): boolean {
  return (row.started || row.completed) && row.positionUntilMs > nowMs
}

/** Where the catalogue has the title now; where it was when it was watched, if the catalogue does not know. */
export function placeOf(row: ProgressRow, title: TitleRow | undefined): Place {
  const { seriesId, season, episode } = title?.seriesId == null ? row : title
  return { seriesId, season, episode }
}

export function labelOf({ season, episode }: Place): string | null {
  return season === null || episode === null ? null : `S${season}:E${episode}`
}

export function resumeOf(row: ProgressRow, place: Place) {
  const { titleId, positionMs, durationMs, permyriad, updatedAtMs } = row
  return {
    titleId,
    positionMs,
    durationMs,
    percent: permyriad === null ? null : permyriad / 100,
    minutesRemaining: minutesLeft(positionMs, durationMs),
    updatedAt: updatedAtMs,
    ...place,
    label: labelOf(place),
  }
}

export function progressOf(row: ProgressRow) {
  const { completed, device, watchedMs, watched, plays } = row
  return {
    profileId: row.profileId,
    ...resumeOf(row, placeOf(row, undefined)),
    ...{ completed, device, watchedMs, watched },
    plays: plays.length,
    firstWatchedAt: plays.length === 0 ? null : row.firstWatchedAtMs,
    lastWatchedAt: plays.length === 0 ? null : row.lastWatchedAtMs,
  }
}

/** Begun minutes: the last half a minute is still a minute. */
export function minutesLeft(positionMs: number, durationMs: number | null): number | null {
  return durationMs === null ? null : Math.ceil(Math.max(0, durationMs - positionMs) / 60_000)
}
