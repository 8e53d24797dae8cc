/** Every limit of simulator/, by name, in one place. */
export const SIM_LIMITS = {
  viewersMax: 50_000_000,
  viewsMax: 1_000_000_000,
  daysMax: 400,
  titlesMax: 10_000,
  faultsMax: 16,
  groupsMax: 8,
  /** A group's effect, as a factor. */
  effectMax: 10,
  /** Views of one sitting. */
  sittingViewsMax: 4,
  /** Startup and seek latency that anybody waits for. */
  waitMaxMs: 90_000,
  /** Below the five minutes of unbroken stalling that end a view by CTA-2066: nobody waits that long. */
  stallMaxMs: 200_000,
  pauseMaxMs: 30 * 60_000,
  /** Heartbeats: while something moves or should, and in a pause. */
  beatMs: 10_000,
  pausedBeatMs: 60_000,
  /** Copies of an event that were sent again come this long after the first, at most. */
  copyMaxMs: 20_000,
} as const
