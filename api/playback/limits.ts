/** Every limit of api/playback/, by name, in one place. */
export const PLAYBACK_LIMITS = {
  /** How often a player is told to report. */
  heartbeatIntervalMs: 10_000,
  /** A slot that nobody renews is free after so long, on the log's clock: four heartbeats may be lost. */
  slotTtlMs: 45_000,
  /** A heartbeat renews its slot at most this often in one process; three renewals fit into a slot's life. */
  renewEveryMs: 15_000,
  /** Slots whose last renewal is remembered; a forgotten one is renewed once too often, and nothing else. */
  renewalsKeptMax: 100_000,
  /** How long a start waits for the verdict on its slot, and for the reads around it. */
  verdictWaitMs: 2_000,
  streamsReadMs: 300,
  resumeReadMs: 500,
  /** Questions in one start: a second where the first turned out to be an old one. */
  roundsMax: 2,
  /** Slots of one session that are told apart; the fold remembers as many verdicts. */
  attemptsMax: 32,
  playedRangesMax: 1_000,
  tokenCharsMax: 4_096,
  userAgentCharsMax: 512,
} as const

/** Streams at once, by the plan in the profile's token. */
export const STREAMS_BY_PLAN: Readonly<Record<string, number>> = { basic: 1, standard: 2, premium: 4 }
