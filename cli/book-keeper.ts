/**
 * Keeps what runs in step with the book: the consumers role's own task.
 *
 * Each round: read the book; say for every projection that nobody promoted yet that its usual generation is read; run what
 * the plan runs (but for the builds, where these are run apart: builders.ts); promote what was built for new settings and
 * has caught up; show the tables of what is read under their plain names; drop the tables of what was dropped, once readers
 * can go over to what is read and have had the time. All of it may be done by several processes at once, and again: events
 * have derived ids or say the same again, the rest is idempotent.
 *
 * What can fail: log, store, ClickHouse; the round is tried again, and what runs goes on.
 */
import type { Book } from '../consumers/book.ts'
import type { Generation } from '../consumers/generation.ts'
import { stateTableOf } from '../consumers/generation.ts'
import type { Consumers } from '../consumers/index.ts'
import { realWorld } from '../consumers/retry.ts'
import type { EventLog } from '../log/log.ts'
import { generationPromoted, generationRequested } from '../producers/generations.ts'
import { mintEventId, type RandomBytes } from '../producers/ids.ts'
import type { Arrival } from '../producers/stamp.ts'
import type { GenerationRow } from '../projections/generations/row.ts'
import type { EventCodec } from '../schemas/index.ts'
import type { StateStore } from '../stores/state.ts'
import { buildsOf, generationFrom, type ProjectionPlan, planOf } from './generations.ts'
import { CLI_LIMITS } from './limits.ts'
import { hasPassed } from './pointers.ts'
import type { FoldSettings } from './projections.ts'

export interface BookKeeperPorts {
  readonly settings: FoldSettings
  readonly incarnation: string
  readonly log: EventLog
  readonly state: StateStore
  readonly codec: EventCodec
  readonly consumers: Pick<Consumers, 'run'>
  /** What runs whatever the book says. */
  readonly always: readonly Generation[]
  book(): Promise<Book>
  /** Sees to it that builds run in processes of their own, and answers those that are to run here; without it all are. */
  apart?(builds: readonly Generation[]): Promise<readonly Generation[]>
  /** Makes people's plain names show its tables. */
  show(generation: Generation): Promise<void>
  /** Drops its database. */
  forget(generation: Generation): Promise<void>
  readonly nowMs: () => number
  /** A clock that is never set. */
  readonly steadyMs?: () => number
  readonly random: RandomBytes
  readonly logger: { info(what: object, message: string): void; warn(what: object, message: string): void }
}

export interface BookKeeper {
  /** What the book wants and this release can't run, in words. */
  complaints(): readonly string[]
  close(): Promise<void>
}

/** Resolves when what the book says runs. */
export async function startBookKeeper(ports: BookKeeperPorts): Promise<BookKeeper> {
  const keeper = new Keeper(ports)
  await keeper.round()
  const closing = new AbortController()
  const running = again(() => keeper.round(), ports.logger, closing.signal)
  return {
    complaints: () => keeper.complaints,
    close: async () => {
      closing.abort()
      await running
    },
  }
}

/** Round after round; one that fails is told, and the next may do better. */
export async function again(
  round: () => Promise<void>,
  logger: BookKeeperPorts['logger'],
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await realWorld.sleep(CLI_LIMITS.bookEveryMs, signal)
    if (signal.aborted) return
    try {
      await round()
    } catch (error) {
      logger.warn({ err: error }, 'the book of generations: tried again')
    }
  }
}

class Keeper {
  complaints: readonly string[] = []
  readonly #ports: BookKeeperPorts
  /** By projection: whose tables are shown. */
  readonly #shown = new Map<string, string>()
  readonly #promoted = new Set<string>()
  readonly #dropSeen = new Map<string, number>()

  constructor(ports: BookKeeperPorts) {
    this.#ports = ports
  }

  async round(): Promise<void> {
    const { settings, incarnation, always, consumers, apart } = this.#ports
    const book = await this.#ports.book()
    const plans = planOf(settings, book, incarnation)
    for (const plan of plans) if (plan.begins && !this.#promoted.has(plan.usual.id)) await this.#begin(plan)
    const read = [...always, ...plans.map((plan) => plan.read)]
    const builds = buildsOf(plans)
    await consumers.run([...read, ...(apart === undefined ? builds : await apart(builds))], read)
    for (const plan of plans) await this.#follow(plan)
    this.complaints = plans.flatMap(({ name, strange }) =>
      strange.map((id) => `${name}: this release can't run ${id}; drop it, or start the release that made it`),
    )
    for (const [name, { generations }] of book) {
      const { read } = plans.find((plan) => plan.name === name) ?? {}
      for (const row of generations) if (row.status === 'dropped') await this.#drop(name, row, read)
    }
  }

  /** What is read already, said in the book. */
  async #begin({ name, usual }: ProjectionPlan): Promise<void> {
    const { log, nowMs } = this.#ports
    const who = { by: null, reason: 'the first of its projection' }
    const asked = this.#asked(usual)
    const promotion = { projection: name, generationId: usual.id, previousGenerationId: null, digest: null }
    await log.append([
      generationRequested(this.#events, this.#arrival(nowMs()), asked, who),
      generationPromoted(this.#events, this.#arrival(nowMs()), promotion, who, true),
    ])
    this.#promoted.add(usual.id)
  }

  async #follow({ name, read, promotes }: ProjectionPlan): Promise<void> {
    const { log, state, nowMs, show, logger } = this.#ports
    if (this.#shown.get(name) !== read.id) {
      if (read.projection.landings.length > 0) await show(read)
      this.#shown.set(name, read.id)
    }
    if (promotes === undefined || this.#promoted.has(promotes.id)) return
    if (!(await hasPassed(state.commits, promotes.id, read.id))) return
    const promotion = { projection: name, generationId: promotes.id, previousGenerationId: read.id, digest: null }
    const who = { by: null, reason: 'it was built for other settings and has caught up' }
    await log.append([
      generationRequested(this.#events, this.#arrival(nowMs()), this.#asked(promotes), who),
      generationPromoted(this.#events, this.#arrival(nowMs()), promotion, who, true),
    ])
    this.#promoted.add(promotes.id)
    logger.info({ projection: name, from: read.id, to: promotes.id }, 'promoted: built for other settings')
  }

  async #drop(name: string, row: GenerationRow, read: Generation | undefined): Promise<void> {
    const { settings, incarnation, state, forget, logger, steadyMs = () => performance.now() } = this.#ports
    const seenMs = this.#dropSeen.get(row.id)
    if (seenMs === Number.POSITIVE_INFINITY) return
    if (seenMs === undefined) {
      const passed = read === undefined || (await hasPassed(state.commits, read.id, row.id))
      if (passed) this.#dropSeen.set(row.id, steadyMs())
      return
    }
    if (steadyMs() - seenMs < CLI_LIMITS.dropGraceMs) return
    const generation = generationFrom(name, row, settings, incarnation)
    if (generation !== undefined) {
      const table = stateTableOf(generation)
      if (table !== undefined) await state.drop(table.name)
      if (generation.projection.landings.length > 0) await forget(generation)
      logger.info({ generation: row.id }, 'its tables are dropped')
    }
    this.#dropSeen.set(row.id, Number.POSITIVE_INFINITY)
  }

  #asked({ id, projection: { name, foldVersion, parameters = {} } }: Generation) {
    const own = { projection: name, generationId: id, foldVersion, parameters }
    return { ...own, build: null, untilMs: null, recordsPerSecond: null }
  }

  get #events() {
    const { codec, nowMs, random } = this.#ports
    return { codec, mint: () => mintEventId(nowMs(), random) }
  }

  #arrival(receivedAtMs: number): Arrival {
    return { source: 'engine', appId: 'playhead', environment: 'engine', receivedAtMs }
  }
}
