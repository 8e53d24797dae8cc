/** Every limit of consumers/, by name, in one place. */
export const CONSUMER_LIMITS = {
  batchRecordsMax: 20_000,
  /**
   * The same for a keyed projection. It holds a whole batch of decoded events, and the next one beside it, in every
   * partition; and it has no insert into ClickHouse whose cost larger batches would spread.
   */
  keyedBatchRecordsMax: 10_000,
  batchBytesMax: 8 * 1024 * 1024,
  /** How long a read waits for a first record before the worker looks around (stop, watchdog). */
  readWaitMs: 1_000,
  /** More parked events in one batch than this is a bug of ours, not poison: the partition stalls. */
  parkedPerBatchMax: 100,
  /** An id seen among this many positions before is a duplicate. Part of every projection's meaning: never change it in place. */
  duplicateWindowPositions: 8_192,
  /** States kept in memory per partition, all written and acknowledged by this term. */
  cachedStatesMax: 50_000,
  /** States of an erased partition that are listed at a time, to take their rows back. */
  erasedPageRows: 1_000,
  /** How often the erasures are looked through for keys that may go now. */
  erasuresEveryMs: 5_000,
  /**
   * Between meeting an erasure and marking what must be folded before its key goes: longer than a sealer may still use
   * the retired key (PRODUCER_LIMITS.livingKeyMs) and its append may be under way.
   */
  erasureGraceMs: 30_000,
  /** Erasures under way that are known at once; more wait for their turn. */
  erasuresPendingMax: 10_000,
  /** Erasures known to be done without asking the store. */
  erasuresRememberedMax: 100_000,
  /** A value kept with a dead letter; the rest is in the log. */
  deadLetterBytesMax: 64 * 1024,
  retryBaseMs: 50,
  retryMaxMs: 5_000,
  /** Position not moving while there is lag for this long: red. */
  stallAfterMs: 30_000,
  /** Red for this long and nothing known to wait for: the worker is started anew. */
  restartAfterMs: 60_000,
  watchdogEveryMs: 1_000,
  auditEveryMs: 60_000,
  /** How often a build that is complete says that it lives. */
  completeLookMs: 5_000,
  /** Between two audits, so many times as long as the first took: a hundredth of ClickHouse at most. */
  auditPauses: 100,
  /** How long a revoked partition may take to finish its batch before it is abandoned (the next owner redoes it). */
  drainMs: 10_000,
  /** Replaced, yet the group says the partition is ours: how long to wait for news before taking it over again. */
  stalePauseMs: 3_000,
  /** Blocks of margin before a deduplication token counts as forgotten. */
  tokenMarginBlocks: 1_000n,
  blocksRefreshMs: 10_000,
} as const
