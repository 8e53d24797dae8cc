/** Every limit of the Cassandra state store, by name, in one place. */
export const CASSANDRA_LIMITS = {
  connectTimeoutMs: 5_000,
  reconnectMinMs: 100,
  /** A cluster that was away is found again within this. */
  reconnectMaxMs: 2_000,
  /** One request of the driver; also how long an answer that was lost holds a call up. */
  requestTimeoutMs: 12_000,
  schemaTimeoutMs: 30_000,
  /** Another process that began to make a table gets this long before we make it too. */
  schemaWaitMs: 5_000,
  schemaPollMs: 100,
  schemaRoundsMax: 5,
  /** Requests of one call that are under way at once. */
  inFlightMax: 256,
  /** One unlogged batch, always within one partition. */
  batchRowsMax: 100,
  batchBytesMax: 64 * 1024,
  pageRows: 2_000,
  /** A swap whose outcome can't be found out ends after this. */
  swapTimeoutMs: 20_000,
  swapPauseMinMs: 20,
  swapPauseMaxMs: 1_000,
  /** Swaps that ended without an outcome and are remembered, in case the caller makes them again. */
  unresolvedSwapsMax: 1_000,
  /** Replicas of a keyspace that we make ourselves, if there are as many nodes. */
  replicasMax: 3,
  /** Cassandra refuses a longer TTL, and one that ends after January 2038: such rows only expire for readers. */
  ttlMaxSeconds: 20 * 365 * 24 * 3_600,
  ttlEndMs: Date.UTC(2038, 0, 1),
} as const
