/** Every failpoint and every pair of them, on one set of engines. */
import { test } from 'node:test'
import { FAILPOINTS, type Failpoint } from '../../consumers/failpoints.ts'
import { assertExactlyOnce, newScene, own } from './deaths.ts'
import { type EngineSet, EVENTS_PROJECTION } from './engine-set.ts'
import { TALLY } from './tally.ts'

/** Only a redo passes it, so a first owner can't die there. */
const ONLY_IN_REDO: readonly Failpoint[] = ['redo.begun']
/** Neither tenant writes two landing tables, nor are two partitions erased at once (erasure-suite.ts). */
const NOT_REACHED: readonly Failpoint[] = ['rows.half-inserted', 'states.half-erased']

const REACHED = FAILPOINTS.filter((name) => !NOT_REACHED.includes(name))

export function deathsSuite(engines: () => EngineSet): void {
  for (const projection of [EVENTS_PROJECTION, TALLY]) {
    for (const first of REACHED.filter((name) => !ONLY_IN_REDO.includes(name))) {
      test(`${projection.name}: an owner dies at ${first}, the next at each failpoint, and nothing is lost or doubled`, async () => {
        for (const second of [undefined, ...REACHED]) await twoDeaths(engines(), projection, first, second)
      })
    }
  }
}

/** The second death may not happen: where no batch was begun there is no redo to die in. */
async function twoDeaths(
  engines: EngineSet,
  projection: typeof TALLY,
  first: Failpoint,
  second: Failpoint | undefined,
): Promise<void> {
  const scene = await newScene(engines, projection)
  const end = await own(scene, first)
  if (end !== 'died') throw new Error(`not exercised: the owner never came to ${first}`)
  if (second !== undefined) {
    const again = await own(scene, second)
    if (again !== 'died' && second !== 'redo.begun') throw new Error(`not exercised: ${second} after ${first}`)
  }
  await own(scene)
  await assertExactlyOnce(scene)
}
