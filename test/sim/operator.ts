/**
 * A simulated operator: asks for generations beside those that are read, stops and resumes them, promotes one once it has
 * passed what is read, goes back, drops what is not wanted any more. By the same code as the command line.
 */
import { hasPassed } from '../../cli/pointers.ts'
import { Operator } from '../../cli/replay/operator.ts'
import type { Generation } from '../../consumers/generation.ts'
import type { StateStore } from '../../stores/state.ts'
import { untilItPasses } from './again.ts'
import { type Engine, portsOf, SETTINGS } from './engine.ts'
import type { SimProcess } from './process.ts'

const WHO = { by: 'sim', reason: null }
const LOOK_EVERY_MS = 700
const LOOKS_MAX = 150

export class SimOperator {
  readonly #engine: Engine
  readonly #process: SimProcess
  readonly #state: StateStore
  #operator: Operator | undefined
  #pending = 0

  constructor(engine: Engine, process: SimProcess) {
    this.#engine = engine
    this.#process = process
    this.#state = portsOf(engine, process).state
  }

  done(): boolean {
    return this.#pending === 0
  }

  start(builds: number): void {
    const { world } = this.#engine
    for (let i = 0; i < builds; i++) {
      this.#pending++
      this.#work(`b${i}`, world.chance.between(500, 12_000)).then(
        () => this.#pending--,
        (error: unknown) => {
          this.#pending--
          this.#engine.misread.push(`the operator failed: ${error}`)
        },
      )
    }
  }

  async #work(name: string, afterMs: number): Promise<void> {
    const { world, cast } = this.#engine
    const { chance } = world
    await this.#sleep(afterMs)
    const candidates = [...cast].filter((one) => one !== 'generations' && one !== 'tally')
    // Most often what readers read.
    const projection = chance.happens(0.5) ? 'progress' : chance.of(candidates)
    const untilMs = chance.happens(0.2) ? world.nowMs - chance.below(10_000) : undefined
    const recordsPerSecond = chance.happens(0.4) ? chance.of([10, 40]) : undefined
    const parameters = projection === 'views' && chance.happens(0.5) ? { minStallMs: 900 } : {}
    const build = { name, ...(untilMs !== undefined && { untilMs }), ...(recordsPerSecond && { recordsPerSecond }) }
    const generation = await this.#do((operator) => operator.rebuild({ projection, parameters, build }, WHO))
    world.count(untilMs === undefined ? 'generations built beside' : 'generations built up to a moment')
    if (chance.happens(0.3)) await this.#stopAWhile(generation)
    if (untilMs !== undefined) {
      await this.#sleep(chance.between(1_000, 15_000))
      if (chance.happens(0.5)) await this.#act(generation.id, 'drop')
      return
    }
    const former = await this.#promoted(generation)
    if (former === undefined || former.id === generation.id) return
    await this.#sleep(chance.between(100, 8_000))
    const next = chance.of(['drop', 'drop', 'back', 'nothing'])
    if (next === 'drop') await this.#drop(former)
    else if (next === 'back') await this.#goBack(former)
  }

  async #stopAWhile({ id }: Generation): Promise<void> {
    const { world } = this.#engine
    await this.#sleep(world.chance.between(100, 3_000))
    await this.#act(id, 'pause')
    world.count('builds paused and resumed')
    await this.#sleep(world.chance.between(500, 8_000))
    await this.#act(id, 'resume')
  }

  /** Answers what was read before; undefined: it never got there. */
  async #promoted(generation: Generation): Promise<Generation | undefined> {
    const { name } = generation.projection
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      await this.#sleep(LOOK_EVERY_MS)
      const { read } = await this.#do((operator) => operator.plan(name))
      const { promotesAtOnce = false } = this.#engine.planted
      if (!promotesAtOnce && !(await this.#again(() => this.#there(generation, read)))) continue
      const shown = (await this.#do((operator) => operator.list())).find(({ id }) => id === generation.id)
      if (shown === undefined) continue
      if (shown.state === 'dropped') return undefined
      await this.#do((operator) => operator.promote(shown, null, WHO))
      this.#engine.world.count('generations promoted')
      return read
    }
    this.#engine.world.count('builds given up')
    return undefined
  }

  async #there({ id }: Generation, read: Generation): Promise<boolean> {
    const { commits } = this.#state
    return (await commits.list(read.id)).length > 0 && (await hasPassed(commits, id, read.id))
  }

  /** As the command does: what is read can't be dropped. */
  async #drop({ id, projection }: Generation): Promise<void> {
    const { read } = await this.#do((operator) => operator.plan(projection.name))
    if (read.id !== id) await this.#act(id, 'drop')
  }

  async #goBack(former: Generation): Promise<void> {
    await this.#act(former.id, 'resume')
    if ((await this.#promoted(former)) !== undefined) this.#engine.world.count('ways back')
  }

  async #act(id: string, action: 'pause' | 'resume' | 'drop'): Promise<void> {
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      const shown = (await this.#do((operator) => operator.list())).find((one) => one.id === id)
      if (shown !== undefined) return await this.#do((operator) => operator.act(shown, action, WHO))
      await this.#sleep(LOOK_EVERY_MS)
    }
  }

  /** By a clock that is right: whose word is newest is decided by it. */
  #do<T>(what: (operator: Operator) => Promise<T>): Promise<T> {
    return this.#again(async () => {
      const { world, codec } = this.#engine
      const { log } = portsOf(this.#engine, this.#process)
      const ports = { settings: SETTINGS, log, state: this.#state, codec, nowMs: () => world.nowMs }
      this.#operator ??= await Operator.open(ports)
      return await what(this.#operator)
    })
  }

  #again<T>(attempt: () => Promise<T>): Promise<T> {
    return untilItPasses(attempt, () => this.#sleep(200))
  }

  #sleep(ms: number): Promise<void> {
    return this.#process.sleep(ms)
  }
}
