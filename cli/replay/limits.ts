/** Every limit of cli/replay. */
export const REPLAY_LIMITS = {
  /** How often a build's standing is looked at while somebody watches. */
  lookEveryMs: 250,
  /** How long the consumers may take to fold what an operator asked for. */
  bookWaitMs: 10_000,
  /** A build that nobody moves for so long is told: nobody runs it. */
  stillMs: 15_000,
  /** A build may be promoted when it is no further than this behind, in records: readers go over once it has passed. */
  promoteLagMax: 100_000n,
  /** The way back, asked through the API, is promoted when it is no further than this behind, and given up after so long. */
  rollbackLagMax: 1_000n,
  rollbackMs: 6 * 3_600_000,
  /** Records that are nearer to each other than this are read together. */
  togetherPositions: 64n,
  readRecordsMax: 2_000,
  readBytesMax: 4 * 1024 * 1024,
  /** Times that a key which differs is looked at again while its partition moves. */
  verifyTimes: 20,
  /** Events that are named behind a difference. */
  eventsNamed: 10,
  /** Records of a history that are folded before anybody else has a turn. */
  foldedAtATime: 64,
  lettersPage: 500,
  hexBytesMax: 1_024,
  /** Differing keys that are named. */
  differencesMax: 20,
  /** Rows that are looked up at a time in a comparison. */
  comparePageRows: 1_000,
  /** Rows that still differ are looked at again so often, this long after one another: one may be further than the other. */
  settleTimes: 40,
  settlePauseMs: 250,
} as const
