/** Every limit of api/replay, by name. */
export const REPLAY_ROUTE_LIMITS = {
  /** Looks into the past at once in one process, and how long one may take. */
  historiesAtOnceMax: 4,
  historyMs: 10_000,
  /** Comparing and verifying read whole tables: one at a time. What takes longer is asked of the command line. */
  comparisonsAtOnceMax: 1,
  comparisonMs: 60_000,
  /** Retry-After when as many run as may. */
  busyRetryAfterMs: 2_000,
  /** Records of one key that are folded for one answer. */
  historyRecordsMax: 200_000,
  /** Of the answer: the newest steps, and rows of a state. */
  historyStepsMax: 1_000,
  historyStatesMax: 1_000,
  generationNameCharsMax: 64,
  parametersMax: 50,
  /** Also the largest value of a parameter. */
  parameterMax: 1e12,
  recordsPerSecondMax: 10_000_000,
  /** As many as the engine starts processes for a build. */
  buildersMax: 8,
  reasonCharsMax: 500,
  letterNameCharsMax: 200,
  lettersListed: 100,
  lettersListedMax: 1_000,
  /** Letters that are grouped; the others are found by saying more of what is wanted. */
  lettersGroupedMax: 20_000,
  /** Letters that one request replays or discards; it says whether there are more. */
  lettersActedMax: 500,
  /** Of a letter's bytes, as hex. */
  letterBytesShown: 4_096,
} as const
