/** Every limit of the progress fold, by name. They are part of its meaning: another value is another fold version. */
export const PROGRESS_LIMITS = {
  /** Of a row, the smallest by session id: an id never changes, so the limit does not depend on arrival. */
  sessionsMax: 500,
  /** Starts at most this far apart are one play. */
  playGapMs: 30_000,
  /** A day: ranges beyond count as its end. Every other second of it still fits a row (stores' valueBytesMax). */
  watchedSecondsMax: 86_400,
  completedPermyriad: 9_500,
  /** Where the credits are known and have begun. */
  completedInCreditsPermyriad: 9_000,
} as const

export const DAY_MS = 86_400_000
