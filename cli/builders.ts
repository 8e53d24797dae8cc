/**
 * Builds in processes of their own: how many of these there should be, and who runs what.
 *
 * States of a build: *far* (the builders run it) → *near* (it has all but caught up: the consumers run it) → read. So it is
 * not handed over at the moment of a promotion, when readers wait for it. It is far again when it has fallen behind, as
 * one is that is gone back to. The consumers say which it is, in a small table; the builders read it there. A build that
 * ends at a moment is *over* when it has come to it, and nobody runs it.
 *
 * A builder runs every far build, and the group of each shares its partitions out among the builders, as among consumers:
 * so nothing says which builder has what, and one that dies is made up for by the others or by its successor, from where
 * the commit records are. Handing over is a change of members of the same group: no partition has two owners.
 */
import type { Book } from '../consumers/book.ts'
import type { Generation } from '../consumers/generation.ts'
import type { Consumers } from '../consumers/index.ts'
import type { EventLog } from '../log/log.ts'
import type { StateStore, StateTable, TableSpec } from '../stores/state.ts'
import { again, type BookKeeperPorts } from './book-keeper.ts'
import { buildsOf, planOf } from './generations.ts'
import { CLI_LIMITS } from './limits.ts'
import type { FoldSettings } from './projections.ts'
import { standingOf } from './replay/standing.ts'

/** What is known of a build beside the book; without a row one process builds it, and it is far. */
const BUILDS: TableSpec = {
  name: 'builds_beside',
  comment: 'Where a generation that is not read yet is built',
  partition: [{ name: 'generation', type: 'text' }],
  clustering: [],
  columns: [
    { name: 'workers', type: 'int', comment: 'processes that were asked for' },
    { name: 'near', type: 'boolean', comment: 'it has caught up: the consumers run it' },
  ],
}

interface Place {
  readonly workers: number
  readonly near: boolean
}

class Places {
  readonly #table: StateTable

  private constructor(table: StateTable) {
    this.#table = table
  }

  static async open(state: StateStore): Promise<Places> {
    return new Places(await state.table(BUILDS))
  }

  async read(ids: readonly string[]): Promise<readonly Place[]> {
    if (ids.length === 0) return []
    const rows = await this.#table.get(ids.map((id) => [id]))
    return rows.map((row) => ({ workers: Math.max(1, Number(row?.columns[0] ?? 1)), near: row?.columns[1] === true }))
  }

  async change(id: string, to: Partial<Place>): Promise<void> {
    const [row] = await this.#table.get([[id]])
    const [was] = await this.read([id])
    const { workers, near } = { ...was!, ...to }
    await this.#table.upsert([{ key: [id], version: (row?.version ?? 0n) + 1n, columns: [workers, near] }])
  }
}

export async function askWorkers(state: StateStore, generation: string, workers: number): Promise<void> {
  await (await Places.open(state)).change(generation, { workers })
}

export interface WantedPorts {
  readonly log: EventLog
  readonly state: StateStore
  readonly nowMs: () => number
  /** So many processes are to build. */
  want(many: number): void
}

/** The consumers' side: which builds they run themselves, and how many builders there should be for the others. */
export class WantedBuilders {
  readonly #ports: WantedPorts
  readonly #places: Places
  readonly #over = new Set<string>()
  readonly #looked = new Set<string>()
  #lookedMs = 0
  #wanted: number | undefined

  private constructor(ports: WantedPorts, places: Places) {
    this.#ports = ports
    this.#places = places
  }

  static async open(ports: WantedPorts): Promise<WantedBuilders> {
    return new WantedBuilders(ports, await Places.open(ports.state))
  }

  /** Says how many builders there should be, when that has changed; answers what is to run here. */
  async follow(builds: readonly Generation[]): Promise<readonly Generation[]> {
    await this.#look(builds)
    const open = builds.filter(({ id }) => !this.#over.has(id))
    const places = await this.#places.read(open.map(({ id }) => id))
    const far = places.filter(({ near }) => !near)
    const many = Math.min(CLI_LIMITS.wantedRolesMax, Math.max(0, ...far.map(({ workers }) => workers)))
    if (many !== this.#wanted) this.#ports.want(many)
    this.#wanted = many
    return open.filter((_, i) => places[i]!.near)
  }

  /** At once if one is new, else now and then. */
  async #look(builds: readonly Generation[]): Promise<void> {
    const nowMs = this.#ports.nowMs()
    const isNew = builds.some(({ id }) => !this.#looked.has(id))
    if (!isNew && nowMs - this.#lookedMs < CLI_LIMITS.buildLookEveryMs) return
    this.#lookedMs = nowMs
    const places = await this.#places.read(builds.map(({ id }) => id))
    for (const [i, generation] of builds.entries()) await this.#lookAt(generation, places[i]!)
    this.#looked.clear()
    for (const { id } of builds) this.#looked.add(id)
  }

  async #lookAt(generation: Generation, { near }: Place): Promise<void> {
    const { log, state, nowMs } = this.#ports
    const { id, build } = generation
    if (this.#over.has(id)) return
    const { lag, complete } = await standingOf(log, state.commits, generation)
    if (build?.untilMs !== undefined) {
      if (complete && nowMs() - build.untilMs >= CLI_LIMITS.buildOverAfterMs) this.#over.add(id)
      return
    }
    const is = near ? lag <= CLI_LIMITS.buildFarRecords : lag <= CLI_LIMITS.buildNearRecords
    if (is !== near) await this.#places.change(id, { near: is })
  }
}

export interface BuilderPorts {
  readonly settings: FoldSettings
  readonly state: StateStore
  readonly incarnation: string
  readonly consumers: Pick<Consumers, 'run'>
  readonly logger: BookKeeperPorts['logger']
  book(): Promise<Book>
}

/** A builder's side: runs the builds of the book that are far. */
export async function startBuilding(ports: BuilderPorts): Promise<{ close(): Promise<void> }> {
  const { settings, incarnation, state, consumers, logger, book } = ports
  const places = await Places.open(state)
  const round = async () => {
    const builds = buildsOf(planOf(settings, await book(), incarnation))
    const found = await places.read(builds.map(({ id }) => id))
    await consumers.run(
      builds.filter((_, i) => !found[i]!.near),
      [],
    )
  }
  await round()
  const closing = new AbortController()
  const running = again(round, logger, closing.signal)
  return {
    close: async () => {
      closing.abort()
      await running
    },
  }
}
