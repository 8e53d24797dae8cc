/** What the roles that fold have in common: their engines, and the runtime on them. */
import { openBook } from '../../consumers/book.ts'
import { type Consumers, startConsumers } from '../../consumers/index.ts'
import type { EventLog } from '../../log/log.ts'
import type { EventCodec } from '../../schemas/index.ts'
import type { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import type { StateStore } from '../../stores/state.ts'
import type { KeyVault } from '../../stores/vault.ts'
import { openAnalytics, openCodec, openLog, openState, openVault } from '../engines.ts'
import { CLI_LIMITS } from '../limits.ts'
import { definedGroups } from '../projections.ts'
import { forgets, prepareTables } from '../tables.ts'
import type { RoleContext } from './role.ts'

export interface Folding {
  readonly codec: EventCodec
  readonly log: EventLog
  readonly state: StateStore
  readonly vault: KeyVault
  readonly analytics: ClickHouse
  readonly incarnation: string
  readonly book: Awaited<ReturnType<typeof openBook>>
  /** Runs nothing until it is told what. */
  readonly consumers: Consumers
  close(): Promise<void>
}

export async function openFolding({ config, keys, logger, metrics, reach, restart }: RoleContext): Promise<Folding> {
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
    ...{ log, state, analytics, codec, vault, metrics, logger },
    forgets: (generation) => forgets(generation, config),
    prepare: (generation) =>
      reach('ClickHouse', () => prepareTables(analytics, generation, config, definitions.get(generation.id))),
  })
  const book = await openBook(state, incarnation)
  const watch = setInterval(() => {
    if (embedded && keys().current().admin !== admin) restart('the admin key has changed')
  }, CLI_LIMITS.keysReloadMs)
  return {
    ...{ codec, log, state, vault, analytics, incarnation, book, consumers },
    close: async () => {
      clearInterval(watch)
      await consumers.close()
      await Promise.all([analytics.close(), state.close(), vault.close(), log.close()])
    },
  }
}
