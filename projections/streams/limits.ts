/** Every limit of the streams fold, by name. They are part of its meaning: another value is another fold version. */
export const STREAMS_LIMITS = {
  /** Whatever the plan allows. */
  slotsMax: 64,
  verdictsMax: 32,
  /** UTF-16 units of all ids that the verdicts name; the oldest verdicts go first. */
  verdictsLengthMax: 60_000,
  /** How long an account's row outlives its last slot. */
  keptMs: 3_600_000,
} as const
