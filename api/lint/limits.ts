/** Every limit and threshold of api/lint/, by name. */
export const LINT_LIMITS = {
  /** Events that one finding names; it counts them all. */
  eventsShown: 10,
  /** Twice this between two reports of a playing view is more silence than a viewer's numbers can bear. */
  heartbeatMs: 10_000,
  sparseMs: 30_000,
  /** CMCD players report every 30 s unless told otherwise. */
  sparseCmcdMs: 65_000,
  /** Heartbeats that come closer than this, on average, cost a phone's battery and add nothing. */
  denseMs: 2_000,
  denseBeatsMin: 10,
  /** A position may differ by so much from where playing would have brought it. */
  jumpSlackMs: 3_000,
  jumpSlackPermille: 500,
  /** A player that says it plays and does not move for so long stands. */
  standsMs: 20_000,
  /** How long is watched before positions are taken for seconds. */
  unitsMs: 20_000,
  /** Reports that took longer to arrive are late. */
  lateMs: 60_000,
  /** Older than this, or later than it was received, an event's time can't be right. */
  ageMaxMs: 90 * 24 * 3_600_000,
  /** One in so many may come twice before it is worth a word. */
  duplicatesOneIn: 5,
  duplicatesMin: 5,
  textCharsScanned: 2_048,
} as const
