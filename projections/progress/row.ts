/** A profile's progress in a title, as it is stored and read: one row for each profile and title. */
export interface ProgressRow {
  readonly profileId: string
  readonly titleId: string
  /** Where to resume, by the client's clock (corrected): the newest report. 0 once cleared. */
  readonly positionMs: number
  /** As the newest report that knew it said; null: nobody knew. */
  readonly durationMs: number | null
  /** Position in hundredths of a percent of the duration, 0 to 10000; null without a duration. */
  readonly permyriad: number | null
  /** At 95 %, or at 90 % where the credits are known to have begun, or marked as watched since. */
  readonly completed: boolean
  /** There is a position: reported, and not cleared since. Off for a title that is only marked or only in history. */
  readonly started: boolean
  /** The device of the newest report; null: it did not say. */
  readonly device: string | null
  /** occurredAt of what the position and completed were decided by. */
  readonly updatedAtMs: number
  /** After this moment the position counts no more (the history still does). */
  readonly positionUntilMs: number
  /** Media really played, without counting a rewatch twice; rounded to seconds. */
  readonly watchedMs: number
  /** `0-95,120-300`: seconds from–to, ascending, apart. */
  readonly watched: string
  /** Oldest first; starts within 30 s of the one before are one play. */
  readonly plays: readonly Play[]
  /** 0 for both: never watched, only marked or cleared. */
  readonly firstWatchedAtMs: number
  readonly lastWatchedAtMs: number
  /** The series an episode belongs to, as it was stamped; null otherwise. */
  readonly seriesId: string | null
  readonly season: number | null
  readonly episode: number | null
  /** The log position that the row reflects. */
  readonly version: bigint
}

export interface Play {
  readonly startedAtMs: number
  readonly lastAtMs: number
}
