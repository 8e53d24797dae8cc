/** Every limit of the QoE routes, by name. */
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export const QOE_LIMITS = {
  filtersMax: 10,
  filterCharsMax: 400,
  metricsMax: 20,
  metricCharsMax: 64,
  pointsMax: 5_000,
  /** Without `grain`: the finest one that gives no more points than this. */
  pointsWanted: 1_500,
  /** Without `from`. */
  windowMs: DAY_MS,
  windowMaxMs: 1_100 * DAY_MS,
  /** From here on hours are read in place of minutes. */
  hourCubeFromMs: 2 * DAY_MS,
  /** Minutes of single views (several filters at once) can be asked for so far. */
  slicesWindowMaxMs: 2 * DAY_MS,
  secondGrainWindowMaxMs: 10 * MINUTE_MS,
  timeMsMin: 0,
  /** 2100-01-01: what both of ClickHouse's time types hold. */
  timeMsMax: 4_102_444_800_000,
  breakdownRows: 50,
  breakdownRowsMax: 1_000,
  /** Ordered by a percentile, a peak or viewers: those of so many values with the most views are ranked. */
  breakdownRankedMax: 5_000,
  distributionBinsMax: 60,
  viewsPage: 50,
  viewsPageMax: 500,
  /** A search looks through an hour first, then through so many times as much. */
  searchStretchFactor: 8,
  cursorCharsMax: 120,
  /** A view is taken for timed out so long after its last report, unless asked otherwise. */
  viewTimeoutMs: 30 * MINUTE_MS,
  viewTimeoutMsMin: MINUTE_MS,
  viewTimeoutMsMax: 7 * DAY_MS,
  /** One session's story. */
  sessionViewsMax: 50,
  storyEventsMax: 2_000,
  storySlicesMax: 1_500,
  /** What a query may take; one view is found in less. */
  queryTimeoutMs: 8_000,
  lookupTimeoutMs: 4_000,
  namesTimeoutMs: 1_000,
  recordBytesMax: 1_000_000,
} as const

export { DAY_MS, HOUR_MS, MINUTE_MS }
