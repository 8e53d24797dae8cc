/**
 * What a red stall needs: batches that were begun and whose deduplication token ClickHouse may have forgotten. Each is
 * taken over, its rows are looked for, and they are inserted only if they are not there. A healthy partition is left
 * alone. The consumers may run meanwhile: their stalled worker sees the repaired record and goes on.
 */
import type { CommitKey } from '../stores/state.ts'
import { DeadLetters } from './dead-letters.ts'
import { Delivery } from './delivery.ts'
import { Stalled } from './errors.ts'
import { noFailpoints } from './failpoints.ts'
import { type Generation, stateTableOf } from './generation.ts'
import type { ConsumersOptions } from './index.ts'
import type { World } from './retry.ts'

export interface Repaired {
  readonly key: CommitKey
  readonly batch: { readonly from: bigint; readonly to: bigint }
  /** Undefined: done. */
  readonly failed?: { readonly message: string; readonly remedy: string }
}

export type RepairOptions = Pick<ConsumersOptions, 'log' | 'state' | 'analytics' | 'codec' | 'vault' | 'prepare'> & {
  readonly generations: readonly Generation[]
  readonly world: World
}

/** Only partitions that a worker left begun for `stuckMs` are touched; a running batch is not ours to disturb. */
export async function repair(options: RepairOptions, stuckMs = 5_000): Promise<readonly Repaired[]> {
  const { state, world } = options
  const deadLetters = await DeadLetters.open(state)
  const outcomes: Repaired[] = []
  for (const generation of options.generations) {
    const { projection } = generation
    const stuck = await begunFor(options, generation.id, stuckMs)
    if (stuck.length === 0) continue
    const table = stateTableOf(generation)
    const ports = {
      ...options,
      commits: state.commits,
      states: table === undefined ? undefined : await state.table(table),
      deadLetters,
      at: noFailpoints,
      database: projection.landings.length === 0 ? '' : await options.prepare(generation),
      world,
    }
    for (const { key, batch } of stuck) {
      const delivery = new Delivery(generation, key, ports, new AbortController().signal)
      try {
        await delivery.takeOver()
        await delivery.redo('look-for-rows')
        outcomes.push({ key, batch })
      } catch (error) {
        if (!(error instanceof Stalled)) throw error
        outcomes.push({ key, batch, failed: { message: error.message, remedy: error.remedy } })
      }
    }
  }
  return outcomes
}

/** Begun now and begun a while later, at the same revision. */
async function begunFor({ state, world }: RepairOptions, generation: string, stuckMs: number) {
  const begun = (await state.commits.list(generation)).filter(({ record }) => record.intent !== undefined)
  if (begun.length === 0) return []
  await world.sleep(stuckMs, new AbortController().signal)
  const now = await state.commits.list(generation)
  return begun.flatMap(({ record: { intent, revision }, ...key }) => {
    const same = now.find((c) => c.topic === key.topic && c.partition === key.partition)
    return same?.record.revision === revision && intent !== undefined
      ? [{ key, batch: { from: intent.from, to: intent.to } }]
      : []
  })
}
