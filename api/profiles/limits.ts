/** Every limit of a profile's export and erasure, by name. */
export const PROFILE_LIMITS = {
  /** One answer: past either of them it ends with a cursor to go on from. */
  exportScanMs: 20_000,
  exportBytesMax: 32 * 1024 * 1024,
  readRecordsMax: 2_000,
  readBytesMax: 4 * 1024 * 1024,
  /** Text is handed on in pieces of about this size. */
  pieceCharsMin: 64 * 1024,
  /** Exports read whole partitions: so many at a time in one process. */
  exportsAtOnceMax: 4,
  exportRetryAfterMs: 5_000,
  cursorCharsMax: 2_000,
  reasonCharsMax: 256,
  accountCharsMax: 128,
} as const
