/**
 * log → `progress`: heartbeats of many viewers, decoded, folded and upserted by the delivery runtime, one row for each
 * profile and title in a batch. Beside it, what the log and the codec alone take to hand the same events over.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CONSUMER_LIMITS } from '../consumers/limits.ts'
import { openEmbeddedLog } from '../log/embedded/index.ts'
import { createCodec } from '../schemas/index.ts'
import { openEmbeddedState } from '../stores/embedded/index.ts'
import { alternate, type BenchOptions, type Measured } from './bench.ts'
import { runOnCassandra } from './progress-cassandra.ts'
import { deliverBatches, fill, owner, read, START_MS, VIEWERS } from './progress-log.ts'

export async function run(options: BenchOptions): Promise<Measured[]> {
  return [...(await embedded(options)), ...(await runOnCassandra(options))]
}

async function embedded({ quick }: BenchOptions): Promise<Measured[]> {
  const batch = quick ? 500 : CONSUMER_LIMITS.keyedBatchRecordsMax
  const perRound = quick ? 2 : 30
  const rounds = quick ? 1 : 3
  const dir = await mkdtemp(join(tmpdir(), 'playhead-bench-'))
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  const state = await openEmbeddedState({ dir: join(dir, 'state'), clock: () => START_MS })
  const codec = await createCodec({})
  try {
    await fill(log, codec, batch * perRound * rounds)
    const { delivery } = await owner(log, state, codec)
    const perSecond = async (work: () => Promise<void>) => {
      const began = performance.now()
      await work()
      return (batch * perRound * 1_000) / (performance.now() - began)
    }
    let next = 0n
    const decode = async () => {
      for (let n = 0; n < perRound; n++) {
        for (const { value } of await read(log, next, batch))
          if (!codec.decode(value).ok) throw new Error('not an event')
        next += BigInt(batch)
      }
    }
    const project = () => deliverBatches(log, delivery, perRound, batch)
    const result = await alternate(
      rounds,
      () => perSecond(project),
      () => perSecond(decode),
    )
    const name = `log → progress, batches of ${batch}, ${VIEWERS} viewers`
    const note = 'bare: reading and decoding alone'
    return [{ name, ...result, unit: 'events/s', bar: { atLeast: 150_000, of: 'ours' }, note }]
  } finally {
    await Promise.all([log.close(), state.close()])
    await rm(dir, { recursive: true, force: true })
  }
}
