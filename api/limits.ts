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
  /** What a connection without a request gets while the server closes. */
  unusedConnectionMs: 500,
  /** While the server closes, connections that have become idle are looked for this often. */
  idleSweepMs: 100,
  /** A playback token in the path is the longest. */
  urlParamCharsMax: 4_096,
  /** Of a field's path in a problem; a name made up by the caller may be long. */
  fieldPathCharsMax: 300,
  /** The largest moment a Date can hold: everything beyond is a mistake of units. */
  timeMsMax: 8.64e15,
  /** Progress of an offline device in one request, and titles of a catalogue. */
  progressPerRequestMax: 50,
  titlesPerRequestMax: 500,
  continueWatchingItems: 20,
  continueWatchingItemsMax: 100,
  /** Newest titles of a profile that continue-watching looks at, and episodes that it asks the catalogue for at once. */
  continueWatchingRowsMax: 500,
  nextEpisodesAtOnce: 10,
  historyItems: 20,
  historyItemsMax: 100,
  cursorCharsMax: 400,
  /** Read your own writes: how long a read waits, how often it looks, and how many may wait at a time. */
  positionWaitMs: 2_000,
  positionPollMs: 10,
  positionHeaderCharsMax: 2_048,
  positionPlacesMax: 64,
  positionWaitersMax: 10_000,
  /** Idempotency keys that a process remembers with what was sent under them. */
  idempotencyKeysMax: 100_000,
  idempotencyMs: 10 * 60_000,
  /** Facts of a title are asked for again after this; a write waits for them this long, and is stamped without them. */
  factsFreshMs: 10_000,
  factsWaitMs: 250,
  factsTitlesMax: 50_000,
  /** An answer to a write says whether it won, if the row can be had in this time. */
  judgementWaitMs: 250,
  /** Retry-After where the cause says nothing of its own. */
  retryAfterUnavailableMs: 2_000,
  retryAfterFullMs: 60_000,
  /** /readyz asks the log at most this often, and waits this long for its answer. */
  readyCacheMs: 1_000,
  readyTimeoutMs: 2_000,
} as const

/** Circuit breakers, see breaker.ts. */
export const BREAKER_LIMITS = {
  failuresMax: 5,
  windowMs: 60_000,
  halfOpenAfterMs: 30_000,
  /** How long a guarded call may take. */
  callTimeoutMs: 1_500,
  /** A query may wait for its turn, and run; its own limits end it before. */
  analyticsTimeoutMs: 20_000,
  retryAfterMs: 1_000,
  /** Rows that stand in while their store is away: how many, of how large a profile, and how old at most. */
  staleRowsMax: 20_000,
  staleListsMax: 2_000,
  staleListRowsMax: 500,
  staleAgeMaxMs: 600_000,
} as const
