/**
 * One consumers process: the runtime, and the keeper of the book that tells it what to run. It may die anywhere and is
 * started again a while later.
 */

import { startBookKeeper } from '../../cli/book-keeper.ts'
import { openBook } from '../../consumers/book.ts'
import type { Generation } from '../../consumers/generation.ts'
import { startConsumers } from '../../consumers/index.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import { type Engine, INCARNATION, portsOf, randomBy, SETTINGS } from './engine.ts'
import { type Faults, SimProcess } from './process.ts'

export interface HostOptions {
  readonly faults: () => Faults
  /** That something happens at a failpoint. */
  readonly failpointChance: () => number
}

export class Host {
  readonly #engine: Engine
  readonly #name: string
  readonly #options: HostOptions
  #starts = 0
  process: SimProcess | undefined
  /** All that it is to run runs. */
  up = false

  constructor(name: string, engine: Engine, options: HostOptions) {
    this.#name = name
    this.#engine = engine
    this.#options = options
  }

  start(): void {
    if (this.process?.alive) return
    const { world } = this.#engine
    const process = new SimProcess(`${this.#name}.${this.#starts++}`, world, this.#options.faults)
    if (this.process !== undefined) process.skewMs = this.process.skewMs
    this.process = process
    SimProcess.running = process
    this.up = false
    this.#open(process).then(
      () => {
        if (this.process === process && process.alive) this.up = true
      },
      (error: unknown) => {
        world.note(`${process.name}: could not start (${error instanceof Error ? error.message : error})`)
        process.crash()
        world.after(500, () => this.start())
      },
    )
  }

  async #open(process: SimProcess): Promise<void> {
    const { world, codec, planted, always, cast, holders, misread, analytics: server } = this.#engine
    const plain = portsOf(this.#engine, process)
    const ports = planted.ports?.(plain, process, this.#engine) ?? plain
    const { state, analytics, vault } = ports
    const log = holders.watched(ports.log, process, misread)
    const asked = <T>(apply: () => T) => process.call(apply, () => new StoreUnavailable('not answered'), server)
    const logger = {
      info: (_: object, message: string) => world.note(`${process.name}: ${message}`),
      warn: (_: object, message: string) => world.note(`${process.name}: ${message}`),
      error: (_: object, message: string) => world.note(`${process.name}: ERROR ${message}`),
    }
    const prepare = async (generation: Generation) => {
      await asked(() => server.prepare(generation.projection.landings))
      return generation.id
    }
    const world_ = process.clock()
    const at = (name: string) => this.#atFailpoint(process, name)
    const consumers = await startConsumers({
      ...{ log, state, analytics, codec, vault, prepare, logger, at, world: world_ },
    })
    const mine = (generations: readonly Generation[]) =>
      generations.filter(({ projection }) => cast.has(projection.name)).map((one) => this.#folded(one))
    const run = (generations: readonly Generation[], read = generations) => consumers.run(mine(generations), mine(read))
    await startBookKeeper({
      ...{ settings: SETTINGS, incarnation: INCARNATION, log, state, codec, logger, always },
      consumers: { run },
      book: await openBook(state, INCARNATION),
      show: async () => undefined,
      forget: async ({ id }) => {
        await asked(() => server.drop(id))
        world.count('generations dropped')
      },
      nowMs: world_.nowMs,
      steadyMs: () => world.nowMs,
      random: randomBy(world),
    })
  }

  #folded(generation: Generation): Generation {
    const { fold } = this.#engine.planted
    return fold === undefined ? generation : { ...generation, projection: fold(generation.projection, generation) }
  }

  crash(): void {
    this.process?.crash()
    this.up = false
  }

  /** Between two steps, of all places: the process dies, or sleeps past its session and wakes up as a zombie. */
  async #atFailpoint(process: SimProcess, name: string): Promise<void> {
    const { world } = this.#engine
    if (!process.alive || !world.chance.happens(this.#options.failpointChance())) return
    if (world.chance.happens(0.5)) {
      world.count('deaths at a failpoint')
      world.note(`${process.name} dies at ${name}`)
      process.crash()
      world.after(world.chance.between(0, 4_000), () => this.start())
      await new Promise(() => undefined)
    }
    const ms = world.chance.of([300, 12_000, 25_000])
    world.count('sleeps at a failpoint')
    world.note(`${process.name} sleeps ${ms} ms at ${name}`)
    process.pause(ms)
    await process.clock().sleep(0, new AbortController().signal)
  }
}
