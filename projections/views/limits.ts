/** Every limit and parameter of the fold of views, by name. They are part of its meaning: another value of a limit is another fold version. */
export interface ViewsParameters {
  /** Mux: a shorter stall is not one. */
  readonly minStallMs: number
  /** Mux: a stall of at least this length is sustained. */
  readonly sustainedStallMs: number
  /** Seeks at most this far apart are one; a stall this soon after a seek is the seek's. */
  readonly seekJoinMs: number
  /** An unbroken stall of this length ends the view. */
  readonly stallEndsMs: number
  /** An exit before start that comes sooner is not one. */
  readonly ebvsMinMs: number
  /** A report that took longer than this to arrive is late. */
  readonly lateReportMs: number
  /** A state lives this long after it was written last; a report that comes later begins it anew. */
  readonly stateDays: number
}

export const VIEWS_PARAMETERS: ViewsParameters = {
  minStallMs: 250,
  sustainedStallMs: 1_000,
  seekJoinMs: 2_000,
  stallEndsMs: 300_000,
  ebvsMinMs: 1_000,
  lateReportMs: 60_000,
  stateDays: 30,
}

export const VIEW_LIMITS = {
  /** Of a view's observations the smallest by (time, sequence, content) are kept. */
  observationsMax: 100_000,
  /** Of their bytes as well: below the stores' valueBytesMax. */
  observationBytesMax: 850_000,
  /** Minutes that a view has a row for: a day and some. */
  slicesMax: 1_500,
  /** A gap between two reports that is longer than this is silence. */
  silenceMs: 300_000,
  /** Of a silence, so much counts to what was going on before it, unless positions prove more. */
  creditMs: 60_000,
  /** Positions prove at most a day. */
  provenMs: 86_400_000,
  /** Media may run ahead of the clock by half, and by 2 s, before it makes no sense. */
  progressPermille: 1_500,
  progressSlackMs: 2_000,
  /** Live players count from 1970. */
  positionMaxMs: 4e12,
  durationMaxMs: 30 * 86_400_000,
  bitrateMaxKbps: 500_000,
  pixelsMax: 16_384,
  ratePermilleMax: 16_000,
  /** What a player may claim as the length of a startup, a seek or a stall. */
  claimMaxMs: 3_600_000,
  /** Farther behind the live edge is not watching live any more. */
  liveLatencyMaxMs: 300_000,
  playedRangesMax: 64,
  /** Stretches of seconds in a view's row: of more, those of the least positions. */
  watchedRangesMax: 1_000,
  textCharsMax: 128,
  /** Targets of one player whose sequences are told apart. */
  targetsMax: 8,
  /** A lower sequence within this time of a higher one means that the clock stepped back. */
  clockStepMs: 60_000,
  countersMax: 2 ** 50,
} as const

export const MINUTE_MS = 60_000
export const DAY_MS = 86_400_000

/** Those that differ from the fold version's own. */
export function changed(parameters: ViewsParameters): Readonly<Record<string, number>> | undefined {
  const own: Record<string, number> = {}
  for (const name of Object.keys(VIEWS_PARAMETERS) as (keyof ViewsParameters)[]) {
    if (!Number.isSafeInteger(parameters[name]) || parameters[name] < 0) {
      throw new RangeError(`${name} must be a whole number`)
    }
    if (parameters[name] !== VIEWS_PARAMETERS[name]) own[name] = parameters[name]
  }
  return Object.keys(own).length === 0 ? undefined : own
}
