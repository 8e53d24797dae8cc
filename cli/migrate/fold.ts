/**
 * Folds the log that is being filled into the new engine's tables, as its consumers will: the generations that are read
 * on the old one, made anew for the new log. Nothing is appended, promoted or shown to people before the cut.
 *
 * Sealed fields are opened with the old vault, which has every key before anything is sealed with it; and keys are not
 * destroyed here: an erasure ends where the keys live.
 */
import { readBook } from '../../consumers/book.ts'
import { type Generation, generationOf } from '../../consumers/generation.ts'
import { startConsumers } from '../../consumers/index.ts'
import type { EventLog } from '../../log/log.ts'
import type { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import type { StateStore } from '../../stores/state.ts'
import type { KeyVault } from '../../stores/vault.ts'
import { openCodec } from '../engines.ts'
import { ownGenerations, planOf } from '../generations.ts'
import { definedGroups } from '../projections.ts'
import { standingOf } from '../replay/standing.ts'
import type { Config } from '../settings.ts'
import { forgets, prepareTables } from '../tables.ts'
import { lookedAt } from './look.ts'

/** A generation that is read on the old engine, and the same of the new log. */
export interface Twin {
  readonly name: string
  readonly old: Generation
  readonly now: Generation
}

export interface FoldPorts {
  readonly config: Config
  readonly log: EventLog
  readonly state: StateStore
  readonly analytics: ClickHouse
  /** Of the old engine. */
  readonly vault: KeyVault
  readonly twins: readonly Twin[]
  warn(message: string): void
}

export interface Folding {
  /** Records to go, of the generation that is furthest behind; of how many. */
  lag(): Promise<{ readonly lag: bigint; readonly total: bigint }>
  /** Why it does not move, in words. */
  complaints(): readonly string[]
  close(): Promise<void>
}

export async function twinsOf(
  config: Config,
  old: { readonly log: EventLog; readonly state: StateStore },
  now: EventLog,
): Promise<readonly Twin[]> {
  const [from, to] = [await old.log.incarnation(), await now.incarnation()]
  const plans = planOf(config, await readBook(old.state, from), from)
  return plans.map(({ name, read }) => ({ name, old: read, now: generationOf(read.projection, to) }))
}

export async function startFold({ config, log, state, analytics, vault, twins, warn }: FoldPorts): Promise<Folding> {
  const incarnation = await log.incarnation()
  await analytics.prepare()
  const generations = [
    ...ownGenerations(incarnation),
    ...twins.map(({ now }) => now),
    ...definedGroups(config, incarnation).map(({ generation }) => generation),
  ]
  const consumers = await startConsumers({
    ...{ log, state, analytics, vault: readOnly(vault), codec: await openCodec(config) },
    logger: { info: () => undefined, warn: (_, message) => warn(message), error: (_, message) => warn(message) },
    forgets: (generation) => forgets(generation, config),
    // Without a name that people see: the new engine shows its tables when it starts.
    prepare: (generation) => prepareTables(analytics, generation, config, undefined),
  })
  await consumers.run(generations)
  return {
    lag: async () => {
      const now = lookedAt(log)
      const standings = await Promise.all(generations.map((one) => standingOf(now, state.commits, one)))
      return standings.reduce((worst, one) => (one.lag > worst.lag ? one : worst))
    },
    complaints: () => consumers.complaints(),
    close: () => consumers.close(),
  }
}

function readOnly(vault: KeyVault): KeyVault {
  const notHere = () => Promise.reject(new StoreUnavailable('keys are left alone until the migration is done'))
  return {
    open: (keyIds) => vault.open(keyIds),
    current: notHere,
    retire: notHere,
    destroy: notHere,
    retired: notHere,
  }
}
