/**
 * The last step of an erasure: the key goes, once nobody needs it (docs/adr/0006).
 *
 * States of an erasure: *asked* (the profile's key is retired, the event appended) → *met* (projection `erasures` has its
 * row) → after a grace, in which a sealer may still use the retired key, *marked*: the ends of all logs that somebody
 * folds with personal fields, and of those that an erasure is in → *passed* (every generation's checkpoint is at its
 * mark) → *done* (the retired keys are destroyed, and that is written down).
 *
 * What is waited for is what is read. A build beside it may be slow, or stopped for a week, and an erasure does not wait
 * for that: events of before it count for nothing in a build, opened or not. When another generation is promoted it is
 * waited for from then on, and if it is one of `erasures` itself, its rows say what was erased.
 *
 * Marks are in memory: a restart waits for its grace and marks anew, later. *Done* is kept in a table, by generation and
 * version of the erasure's row, so that a key retired for a *later* erasure, whose event is not in the log yet, is not
 * taken for one of this. Several processes may do all this at once: destroying a key twice is destroying it.
 *
 * What can fail: log, store and vault; it is tried again at the next round.
 */
import type { EventLog } from '../log/log.ts'
import type { StateStore, StateTable, TableSpec } from '../stores/state.ts'
import type { KeyVault } from '../stores/vault.ts'
import { type Generation, stateTableOf } from './generation.ts'
import { CONSUMER_LIMITS } from './limits.ts'
import { mayPass, type World } from './retry.ts'
import type { WorkerLogger } from './worker.ts'

export interface ErasurePorts {
  readonly log: EventLog
  readonly state: StateStore
  readonly vault: KeyVault
  readonly world: World
  readonly logger: WorkerLogger
}

export interface Erasures {
  /** Met and not done. */
  pending(): number
  close(): Promise<void>
}

/** What a generation must have folded: `topic/partition` → position. */
type Mark = ReadonlyMap<string, bigint>

interface Pending {
  readonly metMs: number
  mark: Mark | undefined
}

const DONE: TableSpec = {
  name: 'erasures_done',
  comment: 'Erasures whose keys are destroyed',
  partition: [
    { name: 'generation', type: 'text', comment: 'of the projection erasures' },
    { name: 'profile_id', type: 'text' },
  ],
  clustering: [],
  columns: [{ name: 'erasure', type: 'long', comment: "version of the erasure's row" }],
}

/** `generations`: those that are read, now; one of them may say what was erased, and then it is seen to. */
export function startErasures(generations: () => readonly Generation[], ports: ErasurePorts): Erasures {
  let round: Round | undefined
  const closing = new AbortController()
  const next = async () => {
    const own = generations().find(({ projection }) => projection.name === 'erasures')
    const spec = own && stateTableOf(own)
    if (own === undefined || spec === undefined) return
    if (round?.own.id !== own.id) {
      const { state } = ports
      round = new Round(own, generations, await state.table(spec), await state.table(DONE), ports)
    }
    await round.go()
  }
  const running = run(next, ports, closing.signal)
  return {
    pending: () => round?.pending ?? 0,
    close: async () => {
      closing.abort()
      await running
    },
  }
}

async function run(next: () => Promise<void>, { world, logger }: ErasurePorts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await next()
    } catch (error) {
      if (!mayPass(error)) throw error
      logger.warn({ error: error.message }, 'erasures put off')
    }
    await world.sleep(CONSUMER_LIMITS.erasuresEveryMs, signal)
  }
}

class Round {
  readonly own: Generation
  readonly #read: () => readonly Generation[]
  /** Those of this round that may need a key. */
  #generations: readonly Generation[] = []
  readonly #erased: StateTable
  readonly #doneTable: StateTable
  readonly #ports: ErasurePorts
  /** By profile: the version of the erasure that is done. */
  readonly #done = new Map<string, bigint>()
  readonly #pending = new Map<string, Pending>()
  /** Read once in a round, when first asked for. */
  #ends: Promise<Mark> | undefined
  #checkpoints: Promise<readonly Mark[]> | undefined

  constructor(
    own: Generation,
    generations: () => readonly Generation[],
    erased: StateTable,
    doneTable: StateTable,
    ports: ErasurePorts,
  ) {
    this.own = own
    this.#read = generations
    this.#erased = erased
    this.#doneTable = doneTable
    this.#ports = ports
  }

  get pending(): number {
    return this.#pending.size
  }

  async go(): Promise<void> {
    this.#ends = undefined
    this.#checkpoints = undefined
    const topics = new Set(this.own.projection.topics)
    // A fold that reads no personal fields and no log with erasures in it never needs a key.
    this.#generations = this.#read().filter(({ projection }) => {
      return projection.keyed?.personal === true || projection.topics.some((topic) => topics.has(topic))
    })
    for await (const { key, version } of this.#erased.scan()) {
      const profileId = String(key[0])
      if ((await this.#doneVersion(profileId)) < version) await this.#step(profileId, version)
    }
  }

  async #step(profileId: string, version: bigint): Promise<void> {
    const { world, vault, logger } = this.#ports
    const name = `${profileId}\u0000${version}`
    const pending = this.#pending.get(name) ?? { metMs: world.nowMs(), mark: undefined }
    if (this.#pending.size < CONSUMER_LIMITS.erasuresPendingMax) this.#pending.set(name, pending)
    if (pending.mark === undefined) {
      if (world.nowMs() - pending.metMs < CONSUMER_LIMITS.erasureGraceMs) return
      this.#ends ??= this.#readEnds()
      pending.mark = await this.#ends
    }
    if (!(await this.#passed(pending.mark))) return
    const keyIds = await vault.retired(profileId)
    if (keyIds.length > 0) await vault.destroy(keyIds)
    await this.#doneTable.upsert([{ key: [this.own.id, profileId], version, columns: [version] }])
    this.#remember(profileId, version)
    this.#pending.delete(name)
    logger.info({ keys: keyIds.length }, 'an erasure is done: its keys are destroyed')
  }

  async #doneVersion(profileId: string): Promise<bigint> {
    const known = this.#done.get(profileId)
    if (known !== undefined) return known
    const [row] = await this.#doneTable.get([[this.own.id, profileId]])
    if (row === undefined) return -1n
    this.#remember(profileId, row.version)
    return row.version
  }

  #remember(profileId: string, version: bigint): void {
    this.#done.set(profileId, version)
    const [oldest] = this.#done.keys()
    if (this.#done.size > CONSUMER_LIMITS.erasuresRememberedMax) this.#done.delete(oldest!)
  }

  async #readEnds(): Promise<Mark> {
    const topics = new Set(this.#generations.flatMap(({ projection }) => projection.topics))
    const mark = new Map<string, bigint>()
    for (const topic of topics) {
      for (const { partition, end } of await this.#ports.log.bounds(topic)) mark.set(`${topic}/${partition}`, end)
    }
    return mark
  }

  /** A partition without a commit record was never folded: there it is enough that there was nothing to fold. */
  async #passed(mark: Mark): Promise<boolean> {
    this.#checkpoints ??= this.#readCheckpoints()
    const checkpoints = await this.#checkpoints
    return this.#generations.every(({ projection }, i) =>
      [...mark].every(([place, end]) => {
        const topic = place.slice(0, place.lastIndexOf('/'))
        return !projection.topics.includes(topic) || (checkpoints[i]!.get(place) ?? 0n) >= end
      }),
    )
  }

  #readCheckpoints(): Promise<readonly Mark[]> {
    return Promise.all(
      this.#generations.map(async ({ id }) => {
        const records = await this.#ports.state.commits.list(id)
        return new Map(records.map(({ topic, partition, record }) => [`${topic}/${partition}`, record.checkpoint]))
      }),
    )
  }
}
