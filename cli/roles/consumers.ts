/** The role `consumers`: opens the engines and hands them to the consumer runtime. */
import { startConsumers } from '../../consumers/index.ts'
import { openAnalytics, openCodec, openLog, openState, openVault } from '../engines.ts'
import { CLI_LIMITS } from '../limits.ts'
import { projectionsOf } from '../projections.ts'
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
  const consumers = await startConsumers({
    log,
    state,
    analytics,
    codec,
    vault,
    projections: projectionsOf(config),
    metrics,
    logger,
    prepare: (generation) =>
      reach('ClickHouse', async () => {
        const { name, foldVersion, journal } = generation.projection
        const database = await analytics.prepareGeneration(generation.id, `${name}_v${foldVersion}`)
        // What people query by its plain name; the generation that was started last is shown.
        if (journal !== undefined)
          await analytics.alias(journal.landing.target, `${database}.${journal.landing.target}`)
        return database
      }),
  })
  const watch = setInterval(() => {
    if (embedded && keys().current().admin !== admin) restart('the admin key has changed')
  }, CLI_LIMITS.keysReloadMs)
  return {
    facts: { partitions: consumers.status().length },
    complaints: async () => consumers.complaints(),
    status: () => ({ partitions: consumers.status() }),
    close: async () => {
      clearInterval(watch)
      await consumers.close()
      await Promise.all([analytics.close(), state.close(), vault.close(), log.close()])
    },
  }
}
