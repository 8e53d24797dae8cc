/** Every limit of producers/, by name, in one place. */
export const PRODUCER_LIMITS = {
  /** An event may claim to be this much later than the moment its own batch was sent, before it is flagged. */
  sameClockSlackMs: 2_000,
  /** The same for a claim that no `sentAt` corrects: device clocks differ from ours. */
  otherClockSlackMs: 5 * 60_000,
  /** Older than this at arrival is flagged: offline downloads expire after 30 days, progress rows live 90. */
  ageMaxMs: 90 * 24 * 3_600_000,
} as const
