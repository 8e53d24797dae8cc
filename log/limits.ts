/** Every limit of log/, by name, in one place. */
export const LOG_LIMITS = {
  /** A record's value; the API refuses earlier. */
  recordBytesMax: 1_000_000,
  /** Kept below LMDB's longest key with room for what we put around it. */
  keyBytesMax: 512,
  /** Records waiting to become durable, all callers together; above it appends are refused with LogBusy. */
  queuedRecordsMax: 100_000,
  queuedBytesMax: 64 * 1024 * 1024,
  /** One batch as stored: embedded value, Kafka produce request. */
  batchRecordsMax: 5_000,
  batchBytesMax: 900_000,
  /** How long an append may stay ambiguous before it rejects. */
  appendTimeoutMs: 30_000,
  /** A member that has not been heard of for this long is gone. */
  sessionTimeoutMs: 10_000,
  heartbeatMs: 1_000,
  /** How long a rebalance waits for a member to drain. */
  drainTimeoutMs: 15_000,
} as const
