/** The limits of the Kafka engine alone; those that both engines share are in ../limits.ts. */
export const KAFKA_LIMITS = {
  /** TCP, TLS and login to one broker. */
  connectTimeoutMs: 5_000,
  /** Any request that isn't meant to wait. A broker that is silent for this long is given up. */
  requestTimeoutMs: 10_000,
  /** Finding a broker that answers, when the log is opened. */
  openTimeoutMs: 5_000,
  /** How long a call other than append looks for a leader or coordinator before it says LogUnavailable. */
  retryTimeoutMs: 10_000,
  retryDelayMinMs: 20,
  retryDelayMaxMs: 1_000,
  /** A topic that was made a moment ago may be unknown to a broker for this long. */
  topicAppearsTimeoutMs: 500,
  /** All partitions of one produce request together. */
  requestBytesMax: 8 * 1024 * 1024,
  /** Headers of one record, names and values; with the largest value and key a batch stays below Kafka's 1 MiB. */
  headerBytesMax: 32_000,
  busyRetryAfterMs: 200,
  /** How often appends are looked through for those that waited too long. */
  expiryCheckMs: 500,
  /** One long poll; a longer wait is several. Also how long a read that was aborted still holds its connection. */
  pollMs: 3_000,
  /** Each waiting read holds a connection to its broker; above this number they take turns, with shorter polls. */
  fetchConnectionsMax: 128,
  crowdedPollMs: 50,
  fetchBytesMax: 16 * 1024 * 1024,
  /** Of fetches whose reads took only a part, all partitions together. */
  leftoverBytesMax: 64 * 1024 * 1024,
  /** How long the coordinator waits for the members to join again. They don't drain first, so this is patience only. */
  rebalanceTimeoutMs: 15_000,
  /** A rebalance seldom comes alone (what is let go in one is given in the next), so members beat faster after one. */
  settleMs: 5_000,
  settlingHeartbeatMs: 200,
} as const
