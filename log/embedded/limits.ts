/** Limits that only the embedded engine has; those of the port are in ../limits.ts. */
export const EMBEDDED_LIMITS = {
  /** A waiter looks again after this long even if no wake-up came (one may be lost when watches run out). */
  wakePollMs: 1_000,
  /** The same where the system gives us no file watch at all. */
  wakePollUnwatchedMs: 25,
  /** Told to a caller that met a full queue. */
  busyRetryMs: 100,
  /** A commit that has so much takes no further appends. Larger ones gain nothing and make callers wait. */
  commitBytesEnough: 4_000_000,
  /** Callers whose records are durable hear of it at the latest after this, though the next commit waits for its turn. */
  tellAfterMs: 3,
  /** Kept for the next batches; a buffer grows to batchBytesMax, or to twice that for one large record. */
  spareBuffersMax: 16,
  /** A batch's buffer starts at this size and doubles. */
  batchBytesMin: 8 * 1024,
  checksumBytesAtOnce: 32 * 1024,
  /** Batches that a reader left half read, kept so that the next page needs no second copy and checksum. */
  openPagesMax: 16,
  /** Names of topics and groups: LMDB's longest key is 1,978 bytes. */
  nameBytesMax: 249,
  partitionsMax: 1_024,
  /** Batches that one transaction removes: appends wait for its lock no longer than for a commit of theirs. */
  trimBatchesPerWrite: 64,
  /** A heartbeat that failed (a full disk) is tried again at the next one; this many in a row are one warning. */
  failedBeatsPerWarning: 10,
} as const
