/** Every limit of api/live/, by name, in one place. */
export const LIVE_LIMITS = {
  subscribersMax: 10_000,
  subscribersPerProfileMax: 20,
  /** A profile's changes are sent at most this often, all of its changed titles together. */
  sendEveryMs: 250,
  titlesAtOnceMax: 100,
  /** More titles than this change at once in an import; then the listener is told to read anew. */
  titlesWaitingMax: 500,
  /** Rows that a listener gets when it comes back, the newest first. */
  snapshotRowsMax: 200,
  /** What may wait in a connection that does not read; beyond it the connection is cut. */
  backlogBytesMax: 256 * 1024,
  /** A sign of life, and for a socket the question for one. */
  beatEveryMs: 15_000,
  /** The longest a stream lives, whatever its token says. */
  streamMsMax: 12 * 3_600_000,
  /** What a client gets to take leave in, before its connection is cut. */
  closeWaitMs: 1_000,
  /** What EventSource waits before it comes back. */
  sseRetryMs: 2_000,
  /** Clients have nothing to say here. */
  clientBytesMax: 1_024,
  readRecordsMax: 1_000,
  readBytesMax: 1024 * 1024,
  readWaitMs: 5_000,
  /** Before a log or a store that is away is asked again. */
  retryMs: 1_000,
  retryAfterFullMs: 10_000,
} as const
