/**
 * Whether an event costs the same however many came before: ten million heartbeats are appended and projected, a million
 * at a time, and the last millions are compared with the first.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CONSUMER_LIMITS } from '../consumers/limits.ts'
import { openEmbeddedLog } from '../log/embedded/index.ts'
import { createCodec } from '../schemas/index.ts'
import { openEmbeddedState } from '../stores/embedded/index.ts'
import { type BenchOptions, type Measured, median } from './bench.ts'
import { deliverBatches, fill, owner, START_MS } from './progress-log.ts'

const STEPS = 10

export async function run({ quick }: BenchOptions): Promise<Measured[]> {
  const step = quick ? 2_000 : 1_000_000
  const batch = quick ? 500 : CONSUMER_LIMITS.keyedBatchRecordsMax
  const dir = await mkdtemp(join(tmpdir(), 'playhead-bench-'))
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  const state = await openEmbeddedState({ dir: join(dir, 'state'), clock: () => START_MS })
  const codec = await createCodec({})
  try {
    const appends: number[] = []
    const folds: number[] = []
    await fill(log, codec, step)
    const { delivery } = await owner(log, state, codec)
    for (let n = 0; n < STEPS; n++) {
      if (n > 0) appends.push(await microsEach(step, () => fill(log, codec, step, n * step)))
      folds.push(await microsEach(step, () => deliverBatches(log, delivery, step / batch, batch)))
    }
    return [measured('append', step, appends), measured('project', step, folds.slice(1))]
  } finally {
    await Promise.all([log.close(), state.close()])
    await rm(dir, { recursive: true, force: true })
  }
}

async function microsEach(count: number, work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return ((performance.now() - began) * 1_000) / count
}

/** The first of them already warm: thirds, so that one slow moment of the machine is not taken for a trend. */
function measured(what: string, step: number, costs: readonly number[]): Measured {
  const third = Math.floor(costs.length / 3)
  const [first, last] = [median(costs.slice(0, third)), median(costs.slice(-third))]
  return {
    name: `${what} an event, the last of ${(STEPS * step).toLocaleString('en')} against the first`,
    ours: last / first,
    unit: '×',
    bar: { atMost: 1.2, of: 'ours' },
    note: `${costs.map((cost) => cost.toFixed(1)).join(' ')} µs`,
  }
}
