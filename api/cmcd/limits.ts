/** Every limit of api/cmcd/, by name, in one place. Those of a record are in producers/cmcd/limits.ts. */
export const COLLECTOR_LIMITS = {
  /** As received, and after gzip is undone. */
  bodyBytesMax: 1024 * 1024,
  inflatedBytesMax: 4 * 1024 * 1024,
  /** Sessions whose clocks a process remembers. */
  clocksMax: 50_000,
  /** A clock that is behind by less is right and its first report was late. */
  clockTrustMs: 15_000,
  /** A batch's newest record may be this much newer than its middle one; a newer one has a broken clock. */
  batchSpanMaxMs: 6 * 3_600_000,
  /** As ClickHouse keeps a time; a later one is no time. */
  tsMaxMs: 10_413_791_999_999,
  /** A step back of a session's clock that its numbers (sn) mend. */
  stepBackMaxMs: 10_000,
  /** Of what the collector's address may say: the player's name and version, the target's name. */
  playerCharsMax: 64,
  targetCharsMax: 32,
  /** User agents whose meaning is remembered. */
  agentsMax: 2_000,
  agentCharsMax: 512,
  /** Kinds of records left out that a process counts, by player. */
  leftOutMax: 500,
  /** Conformance: how far back at most, how many records it looks at, what it answers. */
  conformanceHours: 24,
  conformanceHoursMax: 24 * 31,
  conformanceRecordsMax: 200_000,
  conformancePlayersMax: 200,
  conformanceFaultsMax: 2_000,
  exampleCharsMax: 512,
  conformanceTimeoutMs: 10_000,
} as const
