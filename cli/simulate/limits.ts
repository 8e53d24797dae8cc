/** Every limit of cli/simulate/, by name, in one place. */
export const SIMULATE_LIMITS = {
  /** Events of one append, and appends under way at once: events are made while earlier ones get onto the disk. */
  appendEvents: 4_000,
  appendsAtOnce: 6,
  /** Live: what is due is gathered for so long, and goes out in requests of at most so many. */
  tickMs: 250,
  requestEvents: 250,
  /** Requests under way at once; the audience waits for them. */
  requestsAtOnce: 4,
  requestTimeoutMs: 15_000,
  retryFirstMs: 200,
  retryCeilingMs: 5_000,
  /** An API that stays away so long ends the run. */
  patienceMs: 5 * 60_000,
  speedMax: 1_000,
  /** How often the terminal is drawn anew; elsewhere, how often a line is written. */
  drawEveryMs: 200,
  reportEveryMs: 5_000,
  /** --compare waits so long until the engine has read what was sent. */
  settleMs: 5 * 60_000,
  settlePollMs: 250,
  answerBytesMax: 4 * 1024 * 1024,
} as const
