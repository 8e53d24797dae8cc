/** Simulates seed after seed until its parent ends it. The simulation has a clock of its own: the parent has the real one. */
import { simulate } from '../test/sim/run.ts'

const [first = '1', step = '1'] = process.argv.slice(2)
for (let seed = Number(first); process.connected; seed += Number(step)) {
  await simulate(seed)
  process.send?.(seed)
}
process.exit(0)
