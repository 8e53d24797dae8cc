/** Every limit of cli/migrate. */
export const MIGRATE_LIMITS = {
  /** A writer believes for so long that its log takes appends; who closes a log waits longer than that. */
  leaseMs: 2_000,
  /** Beyond the lease: two clocks do not run alike. */
  leaseMarginMs: 500,
  /** Times that a writer looks again before it says that it can't learn whether the log takes appends. */
  looksMax: 5,
  /** Writes are paused for this long at most: then whoever wants to write opens the log again, and the cut is undone. */
  pauseMaxMs: 25_000,
  /** What is left of the pause when the last look is taken: closing the old log and opening the new one take a moment. */
  pauseReserveMs: 3_000,
  /** The new engine's book is waited for before its log is opened. */
  bookWaitMs: 3_000,
  /** Digests of the states are compared in the pause for so long at most. */
  compareMaxMs: 8_000,
  /** The cut begins when no new table is further behind than this, in records; */
  cutLagEnough: 500n,
  /** or than this, and has not come nearer for a while: more comes in than that all the time. */
  cutLagMax: 20_000n,
  nearerMs: 3_000,
  /** In the pause: the old consumers are waited for, so that both sides can be compared. */
  oldConsumersMs: 5_000,
  /** What can't be reached is tried again after this. */
  retryMs: 1_000,
  lookEveryMs: 200,
  readRecordsMax: 2_000,
  readBytesMax: 4 * 1024 * 1024,
  /** Partitions that are copied at a time. */
  partitionsAtOnce: 8,
  /** Records whose second copy is known as one: a send whose answer was lost is sent again. */
  recentRecords: 8_192,
  /** The marks are written down this often. */
  saveEveryMs: 1_000,
  /** Vault keys that are copied at a time. */
  keysAtOnce: 512,
  stateFileBytesMax: 1024 * 1024,
} as const
