/** The role `consumers`: opens the engines and hands them to the consumer runtime. */
import { openAlerts } from '../alerts.ts'
import { openAuditor } from '../audit/open.ts'
import { startBookKeeper } from '../book-keeper.ts'
import { WantedBuilders } from '../builders.ts'
import { ownGenerations } from '../generations.ts'
import { definedGroups } from '../projections.ts'
import { showTables } from '../tables.ts'
import { type Folding, openFolding } from './folding.ts'
import type { RoleContext, RoleSpecification, Running } from './role.ts'

export const consumersRole: RoleSpecification = {
  name: 'consumers',
  health: { port: 'consumersHealthPort' },
  start: startConsumersRole,
}

async function startConsumersRole(context: RoleContext): Promise<Running> {
  const { reach } = context
  const folding = await openFolding(context)
  const { consumers } = folding
  const keeper = await reach('the engines', () => keepBook(context, folding))
  const alerts = await openAlerts(context, folding)
  const auditor = await reach('the engines', () => openAuditor(context, folding))
  return {
    facts: { partitions: consumers.status().length },
    complaints: async () => [...consumers.complaints(), ...keeper.complaints()],
    status: () => ({ partitions: consumers.status(), alerts: alerts.status(), verify: auditor?.status() }),
    close: async () => {
      await auditor?.close()
      await alerts.close()
      await keeper.close()
      await folding.close()
    },
  }
}

async function keepBook({ config, logger, want }: RoleContext, folding: Folding) {
  const { incarnation, log, state, codec, consumers, book, analytics } = folding
  const nowMs = Date.now
  const wanted = await WantedBuilders.open({ log, state, nowMs, want: (many) => want('builder', many) })
  return await startBookKeeper({
    ...{ settings: config, incarnation, log, state, codec, consumers, book, logger, nowMs },
    always: [...ownGenerations(incarnation), ...definedGroups(config, incarnation).map(({ generation }) => generation)],
    ...(config.builds === 'apart' && { apart: (builds) => wanted.follow(builds) }),
    random: (bytes) => void globalThis.crypto.getRandomValues(bytes),
    show: (generation) => showTables(analytics, generation),
    forget: (generation) => analytics.dropGeneration(generation.id),
  })
}
