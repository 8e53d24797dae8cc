/** A process that folds every projection twice: as it is read, and as it is built beside that. Its test kills it. */
import { join } from 'node:path'
import { usualProjections } from '../../cli/projections.ts'
import { generationOf } from '../../consumers/generation.ts'
import { startConsumers } from '../../consumers/index.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { createCodec } from '../../schemas/index.ts'
import { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import { openEmbeddedState } from '../../stores/embedded/index.ts'
import { simVault } from '../sim/vault.ts'
import type { Order } from './rebuild-all.test.ts'

const { dir, access, settings, build } = JSON.parse(process.argv[2] ?? '') as Order
const log = await openEmbeddedLog({ dir: join(dir, 'log') })
const state = await openEmbeddedState({ dir: join(dir, 'state'), clock: Date.now })
const analytics = new ClickHouse({ ...access, database: 'playhead' })
const incarnation = await log.incarnation()
const consumers = await startConsumers({
  ...{ log, state, analytics, codec: await createCodec(), vault: simVault() },
  prepare: ({ id, projection: { name, foldVersion } }) => analytics.prepareGeneration(id, `${name}_v${foldVersion}`),
  logger: { info: () => undefined, warn: () => undefined, error: (what, message) => console.error(message, what) },
})
const read = usualProjections(settings).map((projection) => generationOf(projection, incarnation))
const built = read.map(({ projection }) => generationOf(projection, incarnation, { name: build }))
// What is read runs alone until there is something to build from.
await consumers.run(process.argv[3] === 'builds' ? [...read, ...built] : read)
process.send?.('running')
// Without its test it has nothing to do; what is under way in the stores must not keep it.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
