/** The role `consumers`: opens the engines and hands them to the consumer runtime. */
import { openBook } from '../../consumers/book.ts'
import { startConsumers } from '../../consumers/index.ts'
import { openAlerts } from '../alerts.ts'
import { startBookKeeper } from '../book-keeper.ts'
import { openAnalytics, openCodec, openLog, openState, openVault } from '../engines.ts'
import { ownGenerations } from '../generations.ts'
import { CLI_LIMITS } from '../limits.ts'
import { definedGroups } from '../projections.ts'
import { forgets, prepareTables, showTables } from '../tables.ts'
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
  const incarnation = await log.incarnation()
  const defined = definedGroups(config, incarnation)
  const definitions = new Map(defined.map(({ generation, definition }) => [generation.id, definition]))
  const consumers = await startConsumers({
    log,
    state,
    analytics,
    codec,
    vault,
    metrics,
    logger,
    forgets: (generation) => forgets(generation, config),
    prepare: (generation) =>
      reach('ClickHouse', () => prepareTables(analytics, generation, config, definitions.get(generation.id))),
  })
  const book = await openBook(state, incarnation)
  const keeper = await reach('the engines', () =>
    startBookKeeper({
      ...{ settings: config, incarnation, log, state, codec, consumers, book, logger, nowMs: Date.now },
      always: [...ownGenerations(incarnation), ...defined.map(({ generation }) => generation)],
      random: (bytes) => void globalThis.crypto.getRandomValues(bytes),
      show: (generation) => showTables(analytics, generation),
      forget: (generation) => analytics.dropGeneration(generation.id),
    }),
  )
  const alerts = await openAlerts(context, { log, state, codec })
  const watch = setInterval(() => {
    if (embedded && keys().current().admin !== admin) restart('the admin key has changed')
  }, CLI_LIMITS.keysReloadMs)
  return {
    facts: { partitions: consumers.status().length },
    complaints: async () => [...consumers.complaints(), ...keeper.complaints()],
    status: () => ({ partitions: consumers.status(), alerts: alerts.status() }),
    close: async () => {
      clearInterval(watch)
      await alerts.close()
      await keeper.close()
      await consumers.close()
      await Promise.all([analytics.close(), state.close(), vault.close(), log.close()])
    },
  }
}
