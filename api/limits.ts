/** Every limit of api/, by name, in one place. */
export const API_LIMITS = {
  /** As received, and after gzip is undone: a small body that grows large is cut off at the second. */
  bodyBytesMax: 1024 * 1024,
  inflatedBytesMax: 4 * 1024 * 1024,
  eventsPerRequestMax: 500,
  /** One event as stored; well below the log's own limit. */
  eventBytesMax: 64 * 1024,
  idempotencyKeyCharsMax: 200,
  keyCharsMax: 256,
  /** How long a client may take to send a request, and how long a connection may idle. */
  requestTimeoutMs: 30_000,
  keepAliveMs: 65_000,
  urlParamCharsMax: 300,
  /** Retry-After where the cause says nothing of its own. */
  retryAfterUnavailableMs: 2_000,
  retryAfterFullMs: 60_000,
  /** /readyz asks the log at most this often, and waits this long for its answer. */
  readyCacheMs: 1_000,
  readyTimeoutMs: 2_000,
} as const
