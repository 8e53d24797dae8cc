/**
 * Who wins where the last write counts: the later client time, then the larger event id. Two copies of one event may
 * still differ in what was stamped on them; then the larger text wins, so that arrival never decides.
 */
import type { Meta } from '../schemas/index.ts'

export interface Stamp {
  readonly atMs: number
  readonly eventId: string
}

/** From 1970 to November 2286: what every store can keep and ClickHouse can read. A hostile time counts as the edge. */
export const LATEST_MS = 9_999_999_999_999

export function keptMs(ms: number): number {
  return Math.min(Math.max(ms, 0), LATEST_MS)
}

export function stampOf({ occurredAt, eventId }: Meta): Stamp {
  return { atMs: keptMs(occurredAt), eventId }
}

export function isNewer(a: Stamp, b: Stamp | undefined): boolean {
  if (b === undefined) return true
  if (a.atMs !== b.atMs) return a.atMs > b.atMs
  return a.eventId > b.eventId
}

/** The one that counts of two writes of one kind. */
export function newest<T extends Stamp>(held: T | undefined, next: T): T {
  if (held === undefined) return next
  if (next.atMs !== held.atMs) return next.atMs > held.atMs ? next : held
  if (next.eventId !== held.eventId) return next.eventId > held.eventId ? next : held
  return textOf(next) > textOf(held) ? next : held
}

/** Some hold whole numbers beyond JSON's own. */
function textOf(stamp: Stamp): string {
  return JSON.stringify(stamp, (_name, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
}
