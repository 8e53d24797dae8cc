/** The role `consumers`: opens the engines and hands them to the consumer runtime. */
import { startConsumers } from '../../consumers/index.ts'
import { openAlerts } from '../alerts.ts'
import { openAnalytics, openCodec, openLog, openState, openVault } from '../engines.ts'
import { CLI_LIMITS } from '../limits.ts'
import { liveProjections } from '../projections.ts'
import { forgets, prepareTables } from '../tables.ts'
import type { RoleContext, RoleSpecification, Running } from './role.ts'

export const consumersRole: RoleSpecification = {
  name: 'consumers',
  health: { port: 'consumersHealthPort' },
  start: startConsumersRole,
}

async function startConsumersRole(context: RoleContext): Promise<Running> {
  const { config, keys, logger, metrics, reach, restart } = context
  const codec = await openCodec(config)
  const log = await reach('the event log', () => openLog(config))
  const state = await reach('the state store', () => openState(config))
  const vault = await reach('the vault', () => openVault(config))
  const embedded = config.analytics.engine === 'embedded'
  const admin = embedded ? keys().current().admin : ''
  const analytics = openAnalytics(config, admin)
  await reach('ClickHouse', () => analytics.prepare())
  const live = liveProjections(config)
  const definitions = new Map(live.map(({ projection, definition }) => [projection, definition]))
  const consumers = await startConsumers({
    log,
    state,
    analytics,
    codec,
    vault,
    projections: live.map(({ projection }) => projection),
    metrics,
    logger,
    forgets: (generation) => forgets(generation, config),
    prepare: (generation) =>
      reach('ClickHouse', () => prepareTables(analytics, generation, config, definitions.get(generation.projection))),
  })
  const alerts = await openAlerts(context, { log, state, codec })
  const watch = setInterval(() => {
    if (embedded && keys().current().admin !== admin) restart('the admin key has changed')
  }, CLI_LIMITS.keysReloadMs)
  return {
    facts: { partitions: consumers.status().length },
    complaints: async () => consumers.complaints(),
    status: () => ({ partitions: consumers.status(), alerts: alerts.status() }),
    close: async () => {
      clearInterval(watch)
      await alerts.close()
      await consumers.close()
      await Promise.all([analytics.close(), state.close(), vault.close(), log.close()])
    },
  }
}
