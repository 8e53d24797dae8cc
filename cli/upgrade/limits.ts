/** Every limit of cli/upgrade. */
export const UPGRADE_LIMITS = {
  /** How long a build that runs is watched, to know its rate. */
  sampleMs: 1_500,
  /** States of a table that are weighed; beyond that its size is said to be at least so much. */
  statesWeighedMax: 200_000,
  /** A page of LMDB or of Cassandra is not full, and keys are kept beside the rows: bytes on disk for a byte of a row. */
  stateOverheadPercent: 160,
} as const

/** Events a second on two cores that do nothing else, as docs/benchmarks.md has them; what is not named there is `rest`. */
export const USUAL_RATES: Readonly<Record<string, number>> = {
  progress: 200_000,
  events: 95_000,
  views: 49_000,
  progress_rows: 49_000,
}
export const USUAL_RATE_OF_OTHERS = 150_000
