/**
 * One simulated run: an engine of two or three consumer processes over simulated stores, an audience that posts events
 * (and posts some twice), and a stretch of faults chosen by the seed; then calm, until everything is folded; then the
 * invariants. The same seed is the same run, to the last event.
 */
import { type Consumers, startConsumers } from '../../consumers/index.ts'
import { LogUnavailable } from '../../log/errors.ts'
import type { NewRecord } from '../../log/log.ts'
import { eventsV1 } from '../../projections/events/v1.ts'
import { createCodec, type EventCodec } from '../../schemas/index.ts'
import { TALLY } from '../consumers/tally.ts'
import { type AnalyticsMutations, SimAnalyticsServer, simAnalytics } from './analytics.ts'
import { type Audience, audience } from './audience.ts'
import { simLog } from './log.ts'
import { type LogMutations, SimLogServer } from './log-server.ts'
import { CALM, type Faults, SimProcess } from './process.ts'
import { simState } from './state.ts'
import { SimStateServer, type StateMutations } from './state-server.ts'
import { SimVaultServer, simVault } from './vault.ts'
import { SimWorld } from './world.ts'

export interface Mutations {
  readonly log?: LogMutations
  readonly state?: StateMutations
  readonly analytics?: AnalyticsMutations
}

export interface Engine {
  readonly world: SimWorld
  readonly log: SimLogServer
  readonly state: SimStateServer
  readonly analytics: SimAnalyticsServer
  readonly audience: Audience
  readonly codec: EventCodec
  readonly vault: SimVaultServer
}

/** What actually happened: a fault that was armed and never fired proves nothing. */
export interface Exercised {
  crashes: number
  pauses: number
  tears: number
  lateSends: number
  failpoints: number
}

export interface Run {
  readonly engine: Engine
  readonly exercised: Exercised
  /** False: the engine never came to rest although the faults had ended. */
  readonly rested: boolean
}

const FAULTY_MS = 60_000
const CALM_MS = 300_000
const TOPIC = 'playback-events'
const PARTITIONS = 2
const CONSUMERS = 2
/** Short, so that the audience sends again many times in one run. */
const APPEND_TIMEOUT_MS = 1_000

export async function simulate(seed: number, mutations: Mutations = {}): Promise<Run> {
  const world = new SimWorld(seed)
  const codec = await createCodec({})
  const log = new SimLogServer(world, mutations.log, { shortAnswers: true, syncMsMax: world.chance.of([5, 50, 500]) })
  log.ensure([{ topic: TOPIC, partitions: PARTITIONS }])
  const state = new SimStateServer(mutations.state)
  const projections = [eventsV1([TOPIC]), TALLY]
  const analytics = new SimAnalyticsServer(
    projections.flatMap((p) => p.landings),
    mutations.analytics,
  )
  const vault = new SimVaultServer()
  const engine: Engine = { world, log, state, analytics, codec, vault, audience: audience(world, codec) }
  const faults: Faults = {
    lostRequest: world.chance.of([0, 0.01, 0.05]),
    lostAnswer: world.chance.of([0, 0.01, 0.05]),
    lateRequest: world.chance.of([0, 0.005, 0.02]),
    delayMsMax: world.chance.of([2, 20, 200]),
  }
  let now = faults
  const exercised: Exercised = { crashes: 0, pauses: 0, tears: 0, lateSends: 0, failpoints: 0 }
  const hit = world.chance.of([0, 0.005, 0.02])
  const chances = () => (now === CALM ? 0 : hit)
  const hosts = Array.from({ length: CONSUMERS }, (_, i) => {
    return new Host(`consumers-${i}`, engine, () => now, chances, exercised)
  })
  post(engine, new SimProcess('api', world, () => now), exercised)
  trouble(engine, hosts, exercised, world.nowMs + FAULTY_MS)
  for (const host of hosts) host.start()
  await world.run(() => false, FAULTY_MS)
  now = CALM
  for (const host of hosts) host.start()
  const rested = await world.run(() => atRest(engine, hosts), CALM_MS)
  return { engine, exercised, rested }
}

/** One consumer process, which may die and be started again. */
class Host {
  readonly #engine: Engine
  readonly #name: string
  readonly #faults: () => Faults
  readonly #failpointChance: () => number
  readonly #exercised: Exercised
  #starts = 0
  process: SimProcess | undefined
  consumers: Consumers | undefined

  constructor(name: string, engine: Engine, faults: () => Faults, failpointChance: () => number, exercised: Exercised) {
    this.#name = name
    this.#engine = engine
    this.#faults = faults
    this.#failpointChance = failpointChance
    this.#exercised = exercised
  }

  start(): void {
    if (this.process?.alive) return
    this.consumers = undefined
    const { world, log, state, analytics, codec, vault } = this.#engine
    const process = new SimProcess(`${this.#name}.${this.#starts++}`, world, this.#faults)
    this.process = process
    startConsumers({
      log: simLog(log, process),
      state: simState(state, process, () => world.nowMs),
      analytics: simAnalytics(analytics, process),
      codec,
      vault: simVault(vault, process),
      projections: [eventsV1([TOPIC]), TALLY],
      prepare: async (generation) => generation.id,
      logger: {
        info: (_, message) => world.note(`${process.name}: ${message}`),
        warn: (_, message) => world.note(`${process.name}: ${message}`),
        error: (_, message) => world.note(`${process.name}: ERROR ${message}`),
      },
      world: process.clock(),
      at: (name) => this.#atFailpoint(process, name),
    }).then(
      (consumers) => {
        if (this.process === process) this.consumers = consumers
      },
      (error: unknown) => {
        world.note(`${process.name}: could not start (${error instanceof Error ? error.message : error})`)
        process.crash()
        world.after(500, () => this.start())
      },
    )
  }

  crash(): void {
    this.process?.crash()
    this.consumers = undefined
  }

  /** Between two steps, of all places: the process dies, or sleeps past its session and wakes up as a zombie. */
  async #atFailpoint(process: SimProcess, name: string): Promise<void> {
    const { world } = this.#engine
    if (!process.alive || !world.chance.happens(this.#failpointChance())) return
    this.#exercised.failpoints++
    if (world.chance.happens(0.5)) {
      world.note(`${process.name} dies at ${name}`)
      process.crash()
      world.after(world.chance.between(0, 4_000), () => this.start())
      await new Promise(() => undefined)
    }
    const ms = world.chance.of([300, 12_000, 25_000])
    world.note(`${process.name} sleeps ${ms} ms at ${name}`)
    process.pause(ms)
    await process.clock().sleep(0, new AbortController().signal)
  }
}

/** The audience's events through the log, as a producer does: an unclear send is sent again. */
function post({ world, audience, log }: Engine, api: SimProcess, exercised: Exercised): void {
  const port = simLog(log, api, { appendTimeoutMs: APPEND_TIMEOUT_MS })
  const send = async (records: readonly NewRecord[]): Promise<void> => {
    for (;;) {
      try {
        await port.append(records)
        for (const record of records) audience.acknowledged(record)
        return
      } catch (error) {
        if (!(error instanceof LogUnavailable)) throw error
        exercised.lateSends++
      }
    }
  }
  const next = () => {
    const records = audience.next()
    if (records.length === 0) return
    send(records).catch((error: unknown) => world.note(`producer failed: ${error}`))
    world.after(world.chance.between(20, 800), next)
  }
  next()
}

/** Crashes, pauses past the session time, and power cuts under the log, until the calm begins. */
function trouble({ world, log }: Engine, hosts: readonly Host[], exercised: Exercised, untilMs: number): void {
  const { chance } = world
  const tearWhenUnsynced = (patienceMs: number): void => {
    if (patienceMs === 0) return
    if (log.unsynced() === 0) {
      world.after(1, () => tearWhenUnsynced(patienceMs - 1))
      return
    }
    exercised.tears++
    world.note(`power cut under the log, ${log.unsynced()} records not synced`)
    log.tear()
  }
  const next = () => {
    if (world.nowMs >= untilMs) return
    const host = chance.of(hosts)
    const what = chance.below(10)
    if (what < 6) {
      exercised.crashes++
      world.note(`crash of ${host.process?.name}`)
      host.crash()
      world.after(chance.between(0, 4_000), () => host.start())
    } else if (what < 9) {
      exercised.pauses++
      world.note(`pause of ${host.process?.name}`)
      host.process?.pause(chance.of([500, 12_000, 25_000]))
    } else {
      tearWhenUnsynced(500)
    }
    world.after(chance.between(200, 6_000), next)
  }
  world.after(chance.between(200, 3_000), next)
}

/** Everything acknowledged is in the log and every partition of every tenant has folded up to the end, and is idle. */
function atRest({ audience, log, state }: Engine, hosts: readonly Host[]): boolean {
  if (!audience.done() || hosts.some((host) => host.consumers === undefined)) return false
  const tails = log.tails(TOPIC)
  if (tails.some((t) => t.durable !== t.records.length)) return false
  const records = [...state.commits.values()]
  if (records.length !== 2 * PARTITIONS) return false
  if (hosts.some((host) => host.process?.alive !== true)) return false
  return records.every(({ partition, record }) => {
    return record.intent === undefined && record.checkpoint === BigInt(tails[partition]!.durable)
  })
}
