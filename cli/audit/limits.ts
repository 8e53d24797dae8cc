/** Every limit of cli/audit. */
export const AUDIT_LIMITS = {
  /** While the live folds of this process are further behind than this, in records, the audit waits. */
  lagMax: 10_000n,
  lagWaitMs: 5_000,
  /** After a look it rests so many times as long as the look took: it is idle most of the time, whatever it is asked for. */
  restTimes: 3,
  /** Keys that are asked for at a time. */
  pageKeys: 500,
  /** A key with more records than this would hold up the live folds: it is left to `playhead verify`. */
  recordsPerKeyMax: 20_000,
  /** Once all keys of a log that stands still were looked at, they are looked at again after this. */
  againMs: 3_600_000,
  /** How often it is looked whether the log has moved since. */
  idleMs: 1_000,
  /** A key that differs is looked at again until it does not: this often, so many keys, the oldest are let go. */
  differsAgainMs: 600_000,
  differingKeysMax: 100,
  /** What is read may change: it is asked for again after this. */
  verifierMs: 10_000,
  /** Something can't be reached. */
  failedMs: 5_000,
} as const
