import { REPLAY_ROUTE_LIMITS } from '../api/replay/limits.ts'

/** Every limit of cli/, by name, in one place. */
export const CLI_LIMITS = {
  /** A role that comes up is asked for readiness this often, and given up on after this long. */
  readyPollMs: 100,
  readyTimeoutMs: 120_000,
  /** Restart back-off: first pause, its ceiling, and how many failures in a row are too many. */
  restartFirstMs: 250,
  restartCeilingMs: 15_000,
  restartsMax: 8,
  /** A role that stayed up this long has earned a clean record. */
  restartForgetMs: 60_000,
  /** Processes of a kind that are started because another role wants them. */
  wantedRolesMax: REPLAY_ROUTE_LIMITS.buildersMax,
  /** How long a role may drain before it is killed. */
  drainTimeoutMs: 30_000,
  /** A supervised role whose supervisor is gone drains for this long, then ends whatever happens. */
  orphanTimeoutMs: 5_000,
  /** npm passes Ctrl-C on to a child that the terminal has told already: two within this time are one. */
  interruptEchoMs: 400,
  /** A role's log line longer than this is cut. */
  logLineCharsMax: 64 * 1024,
  /** Last lines of a role that are shown again when it is given up. */
  lastWordsLinesMax: 20,
  configFileBytesMax: 256 * 1024,
  keysFileBytesMax: 1024 * 1024,
  keysMax: 1_000,
  /** How soon a changed keys file is noticed. */
  keysReloadMs: 1_000,
  /** How soon it is noticed that another generation is to be built or read. */
  bookEveryMs: 250,
  /** How often it is looked how far the builds are. */
  buildLookEveryMs: 2_000,
  /** A build that is so little behind is run by the consumers, until it is as far behind as that: in records. */
  buildNearRecords: 1_000n,
  buildFarRecords: 100_000n,
  /** A build ends at a moment: when that is so long ago, nothing can come that was received before. */
  buildOverAfterMs: 60_000,
  /** Between a generation's drop and that of its tables: every process has let go of it by then. */
  dropGraceMs: 15_000,
  /** A process that has not seen the book for so long reads nothing by it: less than the grace, by what an answer takes. */
  bookLeaseMs: 10_000,
  /** A lock of another host (a shared volume) counts as held while its beat is younger than this. */
  lockBeatMs: 2_000,
  lockLeaseMs: 15_000,
  /** doctor, status and diagnose wait this long for anything remote. */
  probeTimeoutMs: 3_000,
  /** Opening an engine from afar takes longer: brokers are found, sessions made. */
  engineProbeTimeoutMs: 20_000,
  /** doctor: less free space than this is a ✗. */
  diskFreeBytesMin: 2 * 1024 * 1024 * 1024,
  /** doctor: the clock may differ this much from an engine's. */
  clockSkewMaxMs: 2_000,
  logReadRecordsMax: 2_000,
  logReadBytesMax: 4 * 1024 * 1024,
  logTailWaitMs: 1_000,
  /** A token that was made by hand should not outlive its purpose. */
  demoTokenSecondsMax: 30 * 86_400,
  /** Definitions beside the usual ones: each costs as much as they do. */
  definitionsMax: 4,
} as const
