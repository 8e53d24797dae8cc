/**
 * The keeper of the book and the readers' pointers sleep by the real clock. In a simulation their sleep belongs to the
 * process whose code runs: between two things that happen only promises settle, so that is who heard something last.
 */
import { realWorld } from '../../consumers/retry.ts'
import { SimProcess } from './process.ts'

/** They look around so much less often: most of their looks find nothing new, and each costs a seed time. */
const SLOWER = 12

const { sleep: sleepReally } = realWorld
let lent = false

export function lendClock(): void {
  if (lent) return
  lent = true
  realWorld.sleep = (ms, signal) => {
    const process = SimProcess.running
    return process === undefined ? sleepReally(ms, signal) : process.clock().sleep(ms * SLOWER, signal)
  }
}
