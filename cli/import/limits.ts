/** Every limit of an import, by name, in one place. Memory is a batch, its records and one read of the file. */
export const IMPORT_LIMITS = {
  readBytes: 256 * 1024,
  /** A longer record is a bad one: it is rejected, and reading goes on after its end. */
  recordBytesMax: 128 * 1024,
  /** One append. At most two events come of a row: a batch that is repeated lies within the log's duplicate window. */
  batchRowsMax: 2_000,
  batchBytesMax: 4 * 1024 * 1024,
  /** A CSV header ends within the file's first bytes. */
  headBytes: 128 * 1024,
  columnsMax: 256,
  stateBytesMax: 1024 * 1024,
  /** Default of --max-errors. */
  errorsMax: 1_000,
  /** A rejected row repeats this much of its source. */
  rejectedCharsMax: 2_000,
  /** Bad rows that are also shown at once; all of them are in the file of rejected rows. */
  errorsShownMax: 10,
  /** A log or a store that can't be reached is tried again for this long, then the import ends, resumable. */
  patienceMs: 60_000,
  retryFirstMs: 100,
  retryCeilingMs: 5_000,
  reportEveryMs: 5_000,
  /** Titles whose facts are remembered, and how many are asked for at once. */
  factsTitlesMax: 50_000,
  factsAtOnce: 200,
  /** A time further ahead than this is a wrong unit or column, not a wrong clock. */
  aheadMaxMs: 24 * 3_600_000,
} as const
