/**
 * A process that folds generations into tables of their own, as `playhead up` starts them for a rebuild: several of it
 * share the partitions. It says `ready`, begins when it is told to, and ends when its parent lets go of it.
 */
import { join } from 'node:path'
import { usualProjections } from '../cli/projections.ts'
import { generationOf } from '../consumers/generation.ts'
import { startConsumers } from '../consumers/index.ts'
import { openEmbeddedLog } from '../log/embedded/index.ts'
import { createCodec } from '../schemas/index.ts'
import { ClickHouse, type ClickHouseOptions } from '../stores/clickhouse/clickhouse.ts'
import { openEmbeddedState } from '../stores/embedded/index.ts'
import { simVault } from '../test/sim/vault.ts'
import { BENCH_SETTINGS } from './replay-log.ts'

export interface Order {
  readonly dir: string
  readonly projections: readonly string[]
  readonly build: string
  readonly access?: Pick<ClickHouseOptions, 'url' | 'username' | 'password'>
}

const order = JSON.parse(process.argv[2] ?? '') as Order
const log = await openEmbeddedLog({ dir: join(order.dir, 'log') })
const state = await openEmbeddedState({ dir: join(order.dir, 'state'), clock: Date.now })
const access = order.access ?? { url: 'http://127.0.0.1:1', username: '', password: '' }
const analytics = new ClickHouse({ ...access, database: 'playhead' })
const incarnation = await log.incarnation()
const generations = usualProjections(BENCH_SETTINGS)
  .filter(({ name }) => order.projections.includes(name))
  .map((projection) => generationOf(projection, incarnation, { name: order.build }))
const consumers = await startConsumers({
  ...{ log, state, analytics, codec: await createCodec({}), vault: simVault() },
  prepare: ({ id, projection: { name, foldVersion } }) => analytics.prepareGeneration(id, `${name}_v${foldVersion}`),
  logger: { info: () => undefined, warn: () => undefined, error: (fields) => console.error(fields) },
})
process.once('message', () => void consumers.run(generations))
process.once('disconnect', () => {
  void consumers
    .close()
    .then(() => Promise.all([log.close(), state.close(), analytics.close()]))
    .then(() => process.exit(0))
})
process.send?.('ready')
