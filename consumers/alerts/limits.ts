/** Every limit of the alerts, by name, in one place. */
export const ALERT_LIMITS = {
  roundEveryMs: 15_000,
  /** The incidents' table is behind the log, or nothing can be reached: how soon to look again. */
  putOffMs: 1_000,
  /** Between a minute's end and its judgement: reports that come later than this correct the tables, not the alerts. */
  settleMs: 60_000,
  /** What was missed while nobody evaluated is judged afterwards, up to this far back; a day's minutes. */
  catchUpMinutes: 1_440,
  /** Judged in one go. */
  minutesPerRoundMax: 180,
  /** Records of the engine's log that a webhook reads at once. */
  readRecordsMax: 200,
  readBytesMax: 4 * 1024 * 1024,
  readWaitMs: 1_000,
  webhooksMax: 20,
  urlCharsMax: 2_048,
  secretCharsMin: 16,
  /** From the connection to the answer's status line. */
  deliveryTimeoutMs: 10_000,
  deliveryRetryBaseMs: 1_000,
  deliveryRetryMaxMs: 300_000,
  /** An endpoint that can't be reached or fails: an event is tried for a day, and at least once. */
  deliveryGiveUpAfterMs: 24 * 3_600_000,
  /** An endpoint that answers and refuses (4xx, a redirect): it won't like the next try much better. */
  deliveryRefusalsMax: 8,
} as const
