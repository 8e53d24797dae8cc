/** Many seeds, one after the other: what they exercised, and what they found. */
import { violations } from './invariants.ts'
import type { Bug } from './planted.ts'
import { type Run, simulate } from './run.ts'

export interface Found {
  readonly seed: number
  readonly wrong: readonly string[]
}

export interface Outcome {
  readonly first: number
  readonly seeds: number
  /** How often what happened. */
  readonly counts: ReadonlyMap<string, number>
  readonly found: readonly Found[]
}

export interface Seeds {
  readonly first: number
  readonly seeds: number
  readonly bug?: Bug
  /** The control: nothing goes wrong but what players do. */
  readonly undisturbed?: boolean
  /** False: no more of them. */
  went(done: number, found: Found | undefined, run: Run): boolean
}

export async function runSeeds({ first, seeds, bug, undisturbed = false, went }: Seeds): Promise<Outcome> {
  const counts = new Map<string, number>()
  const found: Found[] = []
  let done = 0
  while (done < seeds) {
    const seed = first + done
    const run = await simulate(seed, bug?.planted, undisturbed)
    const wrong = await violations(run)
    for (const [what, times] of run.engine.world.counts) counts.set(what, (counts.get(what) ?? 0) + times)
    if (wrong.length > 0) found.push({ seed, wrong })
    done++
    if (!went(done, wrong.length > 0 ? { seed, wrong } : undefined, run)) break
  }
  return { first, seeds: done, counts, found }
}

/** The first seed from 1 on that finds it; undefined: none of so many does. */
export async function seedThatFinds(bug: Bug, seedsMax: number): Promise<Found | undefined> {
  const { found } = await runSeeds({ first: 1, seeds: seedsMax, bug, went: (_done, one) => one === undefined })
  return found[0]
}

/** What a seed is for is to go wrong: faults that must have happened in a run of some hundred seeds. */
export const MUST_HAPPEN: readonly string[] = [
  'crashes',
  'pauses',
  'deaths at a failpoint',
  'sleeps at a failpoint',
  'power cuts under the log',
  'requests lost',
  'answers lost',
  'requests that arrived seconds after they were given up',
  'a slow engine',
  'a failing engine',
  'a full disk',
  'appends refused by a full disk',
  'clocks that jumped back',
  'clocks that jumped ahead',
  'events sent again on purpose',
  'events an hour late or more',
  'events by a wrong clock',
  'events that a fold refuses',
  'records that are no event',
  'profiles erased',
  'partitions taken back',
  'partitions lost by a process that slept',
  'generations built beside',
  'generations built up to a moment',
  'builds paused and resumed',
  'generations promoted',
  'generations dropped',
  'ways back',
  'readers that went over to another generation',
  'writes read back through the pointer',
]
