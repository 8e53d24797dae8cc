/** Every limit of api/audience/, by name, in one place. */
export const AUDIENCE_LIMITS = {
  /** Views that are kept at a time; the longest silent leaves for a new one. */
  viewsMax: 100_000,
  /** A view counts for so long after its next report was due. */
  silentMs: 20_000,
  /** How far apart a view's reports are taken to be until it shows, and at most. */
  intervalMs: 10_000,
  intervalMsMax: 30_000,
  /** Nobody waits longer than this for a stall to end. */
  stallMsMax: 5 * 60_000,
  /** Reports that come later than this are of the past: a device that was offline. */
  lateMs: 60_000,
  /** How far the clock of whoever received a report may be ahead of ours; what claims more is taken to be from then. */
  aheadMsMax: 60_000,
  /** What is known of a silent view (where it plays, that it has started) is kept for its return. */
  keepMs: 10 * 60_000,
  /** Starts and failures are counted over this. */
  recentMs: 60_000,
  topValuesMax: 20,
  valueCharsMax: 128,

  /** The log is read back by so much time when the process starts, and by so many records of a partition at most. */
  warmUpMs: 10 * 60_000,
  warmUpRecordsMax: 50_000,
  readRecordsMax: 500,
  readBytesMax: 1024 * 1024,
  readWaitMs: 1_000,
  /** A partition that has not answered for so long makes the numbers stale. */
  staleAfterMs: 5_000,
  retryMs: 250,
  retryMsMax: 5_000,

  /** What is written in a second may take this long to be read. */
  settleMs: 200,
  streamsMax: 1_000,
  /** A client that has not taken what it was sent gets no more; after so many frames that it missed it is cut. */
  missedFramesMax: 15,
  streamMsMax: 12 * 3_600_000,
  closeWaitMs: 1_000,
  sseRetryMs: 2_000,
  retryAfterFullMs: 10_000,

  trendingTitles: 20,
  trendingTitlesMax: 100,
  /** More than are wanted are asked for, since those that were withdrawn are left out. */
  trendingSpare: 20,
  trendingFreshMs: 30_000,
  trendingAnswersMax: 500,
  /** Anybody with a public key may ask for any region: dashboards keep their share of the store. */
  trendingQueriesMax: 2,
  retryAfterBusyMs: 1_000,
  trendingTimeoutMs: 10_000,
  namesWaitMs: 500,

  retentionPointsMax: 1_000,
  /** Titles are at most this long; what was played beyond is put at its end. */
  retentionSecondsMax: 24 * 3_600,
  retentionTimeoutMs: 20_000,
  retentionMarksMax: 5,
} as const
