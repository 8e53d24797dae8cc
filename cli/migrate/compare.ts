/**
 * Whether both engines made the same of the same log: what became of the events, and the states' digests. Asked while
 * nothing is written, and for a limited time: the logs are proved to be the same before (copy.ts).
 */
import { stateTableOf } from '../../consumers/generation.ts'
import type { EventLog } from '../../log/log.ts'
import type { StateStore } from '../../stores/state.ts'
import { compareStates } from '../replay/compare.ts'
import { type Standing, standingOf } from '../replay/standing.ts'
import type { Twin } from './fold.ts'

export interface Side {
  readonly log: EventLog
  readonly state: StateStore
}

export interface Compared {
  readonly name: string
  /** Undefined: it was not compared, and `why` says why not. */
  readonly equal: boolean | undefined
  readonly rows: bigint
  readonly digest: string | undefined
  readonly why?: string
}

export async function compareTwins(
  old: Side,
  now: Side,
  twins: readonly Twin[],
  signal: AbortSignal,
): Promise<readonly Compared[]> {
  const found: Compared[] = []
  for (const twin of twins) {
    try {
      found.push(await compareTwin(old, now, twin, signal))
    } catch (error) {
      if (!signal.aborted) throw error
      found.push({ name: twin.name, equal: undefined, rows: 0n, digest: undefined, why: 'there was no time left' })
    }
  }
  return found
}

async function compareTwin(old: Side, now: Side, twin: Twin, signal: AbortSignal): Promise<Compared> {
  signal.throwIfAborted()
  const { name } = twin
  const [before, after] = await Promise.all([
    standingOf(old.log, old.state.commits, twin.old),
    standingOf(now.log, now.state.commits, twin.now),
  ])
  const none = { name, rows: 0n, digest: undefined }
  if (!before.complete) return { ...none, equal: undefined, why: "the old engine's consumers are behind" }
  // A record whose sending was unclear may be in the new log twice: there it is a duplicate.
  // What was folded once and erased since can't be opened any more.
  const taken = ({ folded, undecryptable }: Standing['counts']) => folded + undecryptable
  for (const [what, a, b] of [
    ['folded', taken(before.counts), taken(after.counts)],
    ['parked', before.counts.parked, after.counts.parked],
  ] as const) {
    if (a !== b) return { ...none, equal: false, why: `${what}: ${a} events on the old engine, ${b} on the new one` }
  }
  const [ours, theirs] = [stateTableOf(twin.old), stateTableOf(twin.now)]
  if (ours === undefined || theirs === undefined) return { ...none, rows: after.counts.folded, equal: true }
  const tables = [await old.state.table(ours), await now.state.table(theirs)] as const
  const ports = {
    // Versions are positions in two logs: they can't be held against each other, and nothing moves.
    passed: async () => () => undefined,
    atEnd: async () => true,
    looked: () => undefined,
    signal,
  }
  const { equal, rows, digests, differences } = await compareStates(twin.old, tables, ports)
  if (equal) return { name, equal, rows: rows[0], digest: digests[0] }
  const keys = differences.map(({ key, what, columns }) => `${key} (${what} ${columns.join(', ')})`.trim())
  return { ...none, equal, why: `rows differ: ${keys.slice(0, 3).join('; ')}` }
}
