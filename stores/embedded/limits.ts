/** Every limit of the embedded state store, by name, in one place. */
export const EMBEDDED_LIMITS = {
  /** Rows that wait for a write transaction, all callers of this process together. */
  waitingRowsMax: 100_000,
  /** Rows read before the event loop gets its turn, and rows removed in one commit. */
  chunkRows: 5_000,
  /**
   * How long an expired row and the mark of an erasure stay after they stopped mattering: an older write that comes
   * within this time still loses to them. The same as Cassandra's default `gc_grace_seconds`.
   */
  keptMs: 10 * 24 * 3_600_000,
  sweepEveryMs: 60_000,
  sweepRowsMax: 500,
  commitErrorTimeoutMs: 1_000,
} as const
