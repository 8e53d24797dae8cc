/** The role `builder`: folds into tables that are built beside those that are read, so that nothing live waits for it. */
import { startBuilding } from '../builders.ts'
import { openFolding } from './folding.ts'
import type { RoleContext, RoleSpecification, Running } from './role.ts'

export const builderRole: RoleSpecification = {
  name: 'builder',
  health: { port: 'builderHealthPort' },
  start: startBuilderRole,
}

async function startBuilderRole(context: RoleContext): Promise<Running> {
  const { config, logger, reach } = context
  const folding = await openFolding(context)
  const { incarnation, state, book, consumers } = folding
  const building = await reach('the engines', () =>
    startBuilding({ settings: config, incarnation, state, book, consumers, logger }),
  )
  return {
    facts: { partitions: consumers.status().length },
    complaints: async () => consumers.complaints(),
    status: () => ({ partitions: consumers.status() }),
    close: async () => {
      await building.close()
      await folding.close()
    },
  }
}
