/**
 * Records that make no event, counted by this process since its start: of a newer version, not to be read, too long, or
 * of no session. Bounded by kind and player; what does not fit is counted as of `others`.
 */
import { COLLECTOR_LIMITS } from './limits.ts'

export type LeftOut = 'version' | 'empty' | 'length' | 'session'

export interface LeftOutCount {
  readonly player: string
  readonly reason: LeftOut
  readonly version: number
  readonly count: number
  readonly lastSeenMs: number
  readonly example: string
}

interface Scope {
  readonly appId: string
  readonly environment: string
}

export class Tally {
  private readonly counts = new Map<string, { -readonly [K in keyof LeftOutCount]: LeftOutCount[K] } & Scope>()

  /** True for the first of its kind: that one is worth a line in the log. */
  add({ appId, environment }: Scope, left: Omit<LeftOutCount, 'count'>): boolean {
    const full = this.counts.size >= COLLECTOR_LIMITS.leftOutMax
    const keyOf = (player: string, version: number) =>
      JSON.stringify([appId, environment, player, left.reason, version])
    let key = keyOf(left.player, left.version)
    const others = full && !this.counts.has(key)
    if (others) key = keyOf('others', 0)
    const held = this.counts.get(key)
    if (held === undefined) {
      const example = left.example.slice(0, COLLECTOR_LIMITS.exampleCharsMax)
      const named = others ? { ...left, player: 'others', version: 0 } : left
      // Even these are few: as many as there are apps and reasons.
      if (!others || this.counts.size < 2 * COLLECTOR_LIMITS.leftOutMax) {
        this.counts.set(key, { appId, environment, ...named, example, count: 1 })
      }
      return !others
    }
    held.count++
    held.lastSeenMs = left.lastSeenMs
    return false
  }

  of({ appId, environment }: Scope): readonly LeftOutCount[] {
    const found = [...this.counts.values()].filter((c) => c.appId === appId && c.environment === environment)
    return found
      .sort((a, b) => b.count - a.count)
      .map(({ player, reason, version, count, lastSeenMs, example }) => {
        return { player, reason, version, count, lastSeenMs, example }
      })
  }
}
