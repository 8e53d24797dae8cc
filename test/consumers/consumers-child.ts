/**
 * The consumers role as a child process of a test, on the engines it is told of, with the test's second tenant. It kills
 * itself (SIGKILL: no handler, no cleanup) when it comes to the given failpoint for the given time.
 */

import { generationOf } from '../../consumers/generation.ts'
import { startConsumers } from '../../consumers/index.ts'
import { simVault } from '../sim/vault.ts'
import { type ChildOrders, openEngines } from './child-engines.ts'
import { clickHouseViews, EVENTS_PROJECTION } from './engine-set.ts'
import { TALLY } from './tally.ts'

const orders = JSON.parse(process.argv[2] ?? '{}') as ChildOrders
const { log, state, clickhouse, codec } = await openEngines(orders)
const views = clickHouseViews(clickhouse, await log.incarnation())
let left = orders.times ?? 1

const consumers = await startConsumers({
  log,
  state,
  analytics: clickhouse,
  codec,
  vault: simVault(),
  projections: [EVENTS_PROJECTION, TALLY],
  prepare: ({ projection }) => views.prepare(projection),
  logger: { info: () => undefined, warn: () => undefined, error: (what, message) => console.error(message, what) },
  at: (name) => {
    if (orders.slowMs !== undefined) return new Promise((resolve) => setTimeout(resolve, orders.slowMs))
    if (name !== orders.dieAt || --left > 0) return undefined
    process.kill(process.pid, 'SIGKILL')
    return new Promise(() => undefined)
  },
})
const generations = [EVENTS_PROJECTION, TALLY].map((p) => generationOf(p, '').id)
process.send?.({ ready: generations })
process.on('message', (message) => {
  if (message === 'status') process.send?.({ status: JSON.parse(JSON.stringify(consumers.status(), bigintsAsText)) })
})
const stop = () => {
  consumers
    .close()
    .then(() => Promise.all([log.close(), state.close(), clickhouse.close()]))
    .then(
      () => process.exit(0),
      () => process.exit(1),
    )
}
process.on('SIGTERM', stop)
process.on('disconnect', stop)

function bigintsAsText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}
