/** Every limit of cli/snapshots. */
export interface SnapshotSizes {
  /** Rows that are asked of ClickHouse at a time, and stand in one file; those of one version stay together. */
  readonly rowsPerFile: number
  readonly statesPerFile: number
  readonly lettersPerFile: number
  /** Rows of one insert. */
  readonly insertRows: number
  readonly upsertRows: number
}

export const SNAPSHOT_SIZES: SnapshotSizes = {
  rowsPerFile: 20_000,
  statesPerFile: 20_000,
  lettersPerFile: 500,
  insertRows: 20_000,
  upsertRows: 2_000,
}

export const SNAPSHOT_LIMITS = {
  /** How often a copy is begun again because its generation moved meanwhile, and the pause before. */
  attemptsMax: 5,
  attemptPauseMs: 300,
  /** Records before a checkpoint whose digest says that another log is the same log. */
  proofPositions: 64n,
  proofBytesMax: 16 * 1024 * 1024,
  manifestBytesMax: 64 * 1024 * 1024,
  /** Snapshots of one folder that are listed. */
  listedMax: 1_000,
} as const
