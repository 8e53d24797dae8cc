/** Every limit of producers/, by name, in one place. */
export const PRODUCER_LIMITS = {
  /** An event may claim to be this much later than the moment its own batch was sent, before it is flagged. */
  sameClockSlackMs: 2_000,
  /** The same for a claim that no `sentAt` corrects: device clocks differ from ours. */
  otherClockSlackMs: 5 * 60_000,
  /** Older than this at arrival is flagged: offline downloads expire after 30 days, progress rows live 90. */
  ageMaxMs: 90 * 24 * 3_600_000,
  /**
   * How long a sealer goes on with a profile's key before it asks the vault again, and so how long after a retirement
   * an event may still be sealed with the retired key.
   */
  livingKeyMs: 2_000,
  /** Profiles whose keys a sealer remembers. */
  livingKeysMax: 50_000,
  /** Sealed fields that an opener remembers, so that a player's next heartbeat is not decrypted again. */
  openedMax: 20_000,
  /** Randomness that is asked for at once. */
  randomPoolBytes: 4_096,
  /** As IncidentOpened.avsc has it; a longer subject names its value by a hash. */
  subjectCharsMax: 256,
} as const
