/** Every limit of the pages, by name, in one place: a page stays open for days. */
export const WEB_LIMITS = {
  /** Numbers from the tables are asked for this often while the page is seen. */
  pollEveryMs: 10_000,
  /** Windows of a day and more change slowly and cost more. */
  pollSlowlyMs: 60_000,
  requestTimeoutMs: 20_000,
  retryMs: 1_000,
  retryMsMax: 30_000,
  /** A stream that sends every second is broken when it has been silent for so long. */
  silentMs: 12_000,
  /** A stream that beats every 15 s. */
  silentBeatMs: 40_000,
  /** A frame that is older than this is said to be stale. */
  staleMs: 5_000,
  streamCharsMax: 1024 * 1024,
  /** Live points, one a second: half an hour. */
  livePointsMax: 1_800,
  /** Fewer views than this are no window to compare with. */
  comparedViewsMin: 200,
  incidentsShown: 5,
  viewsShown: 25,
  breakdownShown: 12,
  eventsShown: 200,
  feedShown: 60,
  feedEveryMs: 2_000,
  demoHeartbeatMs: 3_000,
  /** What a device that stopped said is told of within this, or the other one does not wait for it. */
  toldWithinMs: 3_000,
  keyCharsMax: 256,
} as const
