/** Which day a record belongs to, by the log's clock; pure. */
const DAY_MS = 86_400_000

export function dayStartMs(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS
}

/** `2026-11-21`, in UTC. Times that no calendar has are of day 0. */
export function dayOf(ms: number): string {
  const date = new Date(dayStartMs(ms))
  return Number.isNaN(date.getTime()) ? '1970-01-01' : date.toISOString().replace(/T.*$/, '')
}

/**
 * The log's clock: the greatest time of a record so far. One from the future does not move it, for all that comes behind
 * it would be of that day.
 */
export function clockAfter(clockMs: number, timestampMs: number, nowMs: number): number {
  return timestampMs > clockMs && timestampMs <= nowMs ? timestampMs : clockMs
}
