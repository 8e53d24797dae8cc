/** The simulated engines as a set for the tests of the delivery runtime: calm, and as fast as the machine allows. */
import { createCodec } from '../../schemas/index.ts'
import { type EngineSet, EVENTS_PROJECTION } from '../consumers/engine-set.ts'
import { TALLY } from '../consumers/tally.ts'
import { SimAnalyticsServer, type SimRow, simAnalytics } from './analytics.ts'
import { simLog } from './log.ts'
import { SimLogServer } from './log-server.ts'
import { CALM, SimProcess } from './process.ts'
import { pump } from './pump.ts'
import { simState } from './state.ts'
import { SimStateServer } from './state-server.ts'
import { SimVaultServer, simVault } from './vault.ts'
import { SimWorld } from './world.ts'

export async function simEngines(seed = 1): Promise<EngineSet> {
  const world = new SimWorld(seed)
  const process = new SimProcess('test', world, () => CALM)
  const analytics = new SimAnalyticsServer([...EVENTS_PROJECTION.landings, ...TALLY.landings])
  const pumping = pump(world)
  const rows = (database: string, table: string, topic: string): SimRow[] =>
    analytics.target(`${database}.${table}`).rows.filter((row) => row.topic === topic)
  return {
    name: 'sim',
    log: simLog(new SimLogServer(world), process),
    state: simState(new SimStateServer(), process, Date.now),
    analytics: simAnalytics(analytics, process),
    codec: await createCodec({}),
    vault: simVault(new SimVaultServer(), process),
    prepare: async ({ name, foldVersion }) => `sim_${name}_v${foldVersion}`,
    journal: async (database, topic) => {
      const counts = new Map<bigint, number>()
      for (const { version, sign } of rows(database, 'events', topic)) {
        counts.set(version, (counts.get(version) ?? 0) + sign)
      }
      return counts
    },
    tallies: async (database, topic) => {
      const found = new Map<string, { rows: number; events: number }>()
      for (const { rowKey, sign, cells } of rows(database, 'tally', topic)) {
        const { rows: n, events } = found.get(rowKey) ?? { rows: 0, events: 0 }
        found.set(rowKey, { rows: n + sign, events: events + sign * Number(cells[6]) })
      }
      return found
    },
    close: async () => pumping.stop(),
  }
}
