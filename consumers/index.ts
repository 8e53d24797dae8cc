/**
 * The consumers role: for each projection, a group on the log; for each partition the group assigns, a worker.
 *
 * Who owns a partition, and when. The group *assigns* it: `assigned` starts a worker, `revoked` drains it and is awaited
 * before another member may start, `lost` abandons it. Ownership itself is the term in the commit record (delivery.ts):
 * a worker that the group forgot, or that slept past its session, is refused at its next write and changes nothing.
 *
 * What can fail: a worker stalls (red, and what cures it is in its status); a worker stops moving although there is lag
 * and nothing it knows to wait for: the watchdog abandons it and starts another.
 */
import type { Registry } from 'prom-client'
import type { EventLog, GroupListener, Membership, TopicPartition } from '../log/log.ts'
import type { Projection } from '../projections/projection.ts'
import type { EventCodec } from '../schemas/index.ts'
import type { AnalyticsStore } from '../stores/analytics.ts'
import type { StateStore } from '../stores/state.ts'
import type { KeyVault } from '../stores/vault.ts'
import { DeadLetters } from './dead-letters.ts'
import type { DeliveryPorts } from './delivery.ts'
import { startErasures } from './erasures.ts'
import { type AtFailpoint, noFailpoints } from './failpoints.ts'
import { type Generation, generationOf, groupOf, stateTableOf } from './generation.ts'
import { CONSUMER_LIMITS } from './limits.ts'
import { registerConsumerMetrics, registerErasureMetric } from './metrics.ts'
import { mayPass, realWorld, type World } from './retry.ts'
import { PartitionWorker, type WorkerLogger, type WorkerStatus } from './worker.ts'

export interface ConsumersOptions {
  readonly log: EventLog
  readonly state: StateStore
  readonly analytics: AnalyticsStore
  readonly codec: EventCodec
  /** Opens what is sealed, and loses the keys of who was erased. */
  readonly vault: KeyVault
  /** What it begins with: the first generation of each. Without it, nothing runs until `run` says what. */
  readonly projections?: readonly Projection[]
  /** Makes a generation's analytics tables and answers their database; not called for projections without rows. */
  prepare(generation: Generation): Promise<string>
  /** Whether its tables drop rows that grew old; they are not audited then. */
  forgets?(generation: Generation): boolean
  readonly logger: WorkerLogger
  readonly metrics?: Registry
  readonly world?: World
  readonly at?: AtFailpoint
}

export interface Consumers {
  /** False while a partition is stalled, or does not move although there is lag. */
  ready(): boolean
  /** Why not, in words; empty when ready. */
  complaints(): readonly string[]
  status(): readonly WorkerStatus[]
  /**
   * Runs these generations from now on and no others: those that are missing begin, those that are not named drain.
   * `read`: those that readers read (without it, all); an erasure waits for them, and for no build beside them.
   */
  run(generations: readonly Generation[], read?: readonly Generation[]): Promise<void>
  /** Drains every partition and leaves the groups. */
  close(): Promise<void>
}

export async function startConsumers(options: ConsumersOptions): Promise<Consumers> {
  const { log, state, vault, logger, metrics } = options
  const world = options.world ?? realWorld
  const incarnation = await log.incarnation()
  const tenants = new Tenants(options, world, await DeadLetters.open(state))
  if (metrics !== undefined) registerConsumerMetrics(metrics, tenants.statuses)
  await tenants.run((options.projections ?? []).map((projection) => generationOf(projection, incarnation)))
  const erasures = startErasures(tenants.read, { log, state, vault, world, logger })
  if (metrics !== undefined) registerErasureMetric(metrics, erasures.pending)
  const complaints = () => tenants.statuses().flatMap((status) => complaintOf(status, world.nowMs()) ?? [])
  return {
    ready: () => complaints().length === 0,
    complaints,
    status: tenants.statuses,
    run: (generations, read) => tenants.run(generations, read),
    close: async () => {
      await Promise.all([erasures.close(), tenants.close()])
    },
  }
}

/** The generations that this process takes part in. Changes are made one after the other, in the order asked for. */
class Tenants {
  readonly #options: ConsumersOptions
  readonly #world: World
  readonly #deadLetters: DeadLetters
  readonly #byId = new Map<string, Tenant>()
  #changing: Promise<void> = Promise.resolve()
  #read: readonly Generation[] = []
  #closed = false

  constructor(options: ConsumersOptions, world: World, deadLetters: DeadLetters) {
    this.#options = options
    this.#world = world
    this.#deadLetters = deadLetters
  }

  readonly statuses = (): readonly WorkerStatus[] => [...this.#byId.values()].flatMap((tenant) => tenant.statuses())

  readonly read = (): readonly Generation[] => this.#read

  run(generations: readonly Generation[], read = generations): Promise<void> {
    this.#read = read
    const change = this.#changing.then(() => this.#change(generations))
    // The next change is made whatever became of this one; its own caller hears of it.
    this.#changing = change.catch(() => undefined)
    return change
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#changing
    await Promise.all([...this.#byId.values()].map((tenant) => tenant.close()))
  }

  async #change(generations: readonly Generation[]): Promise<void> {
    const wanted = new Map(generations.map((generation) => [nameOfRun(generation), generation]))
    const leaving = [...this.#byId.values()].filter(({ generation }) => !wanted.has(nameOfRun(generation)))
    await Promise.all(leaving.map((tenant) => tenant.close()))
    for (const { generation } of leaving) this.#byId.delete(generation.id)
    for (const generation of wanted.values()) {
      if (this.#closed) return
      if (this.#byId.has(generation.id)) continue
      this.#byId.set(generation.id, await this.#open(generation))
    }
    // Also those of a change that failed half-way.
    for (const tenant of [...this.#byId.values()]) if (!this.#closed) await tenant.join()
  }

  async #open(generation: Generation): Promise<Tenant> {
    const { log, state, analytics, codec, vault, logger, prepare, forgets, at } = this.#options
    const table = stateTableOf(generation)
    return new Tenant(generation, logger, {
      ...{ log, analytics, codec, vault, world: this.#world, deadLetters: this.#deadLetters },
      commits: state.commits,
      states: table === undefined ? undefined : await state.table(table),
      at: at ?? noFailpoints,
      database: generation.projection.landings.length === 0 ? '' : await prepare(generation),
      forgets: forgets?.(generation) ?? false,
    })
  }
}

/** A generation that is to run at another rate is run anew. */
function nameOfRun({ id, build }: Generation): string {
  return `${id} ${build?.recordsPerSecond ?? ''}`
}

/** One projection's generation on this process: its membership of the group and its workers. */
class Tenant implements GroupListener {
  readonly generation: Generation
  readonly #logger: WorkerLogger
  readonly #ports: DeliveryPorts
  readonly #workers = new Map<string, PartitionWorker>()
  readonly #closing = new AbortController()
  #membership: Membership | undefined
  #watching: Promise<void> | undefined

  constructor(generation: Generation, logger: WorkerLogger, ports: DeliveryPorts) {
    this.generation = generation
    this.#logger = logger
    this.#ports = ports
  }

  /** Once; if it failed, the next change tries again. */
  async join(): Promise<void> {
    if (this.#membership !== undefined) return
    const { log } = this.#ports
    this.#membership = await log.join(groupOf(this.generation), this.generation.projection.topics, this)
    this.#watching = this.#watch()
  }

  assigned(partitions: readonly TopicPartition[]): void {
    for (const place of partitions) this.#start(place)
  }

  async revoked(partitions: readonly TopicPartition[]): Promise<void> {
    await Promise.all(
      partitions.map(async (place) => {
        const worker = this.#workers.get(nameOf(place))
        await worker?.drain()
        if (this.#workers.get(nameOf(place)) === worker) this.#workers.delete(nameOf(place))
      }),
    )
  }

  lost(partitions: readonly TopicPartition[]): void {
    for (const place of partitions) {
      this.#workers.get(nameOf(place))?.abandon()
      this.#workers.delete(nameOf(place))
    }
  }

  statuses(): readonly WorkerStatus[] {
    return [...this.#workers.values()].map((worker) => worker.status())
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#watching
    await this.#membership?.leave()
    await this.revoked([...this.#workers.values()].map((worker) => worker.place))
  }

  #start(place: TopicPartition): void {
    const worker = new PartitionWorker(this.generation, place, this.#ports, this.#logger)
    this.#workers.set(nameOf(place), worker)
    worker.start()
  }

  async #watch(): Promise<void> {
    const { world } = this.#ports
    while (!this.#closing.signal.aborted) {
      await world.sleep(CONSUMER_LIMITS.watchdogEveryMs, this.#closing.signal)
      for (const worker of [...this.#workers.values()]) this.#restartIfStuck(worker)
      await this.#mirror()
    }
  }

  /** Only what a restart can cure: it knows of nothing to wait for, and yet does not move. */
  #restartIfStuck(worker: PartitionWorker): void {
    const status = worker.status()
    const stuckMs = this.#ports.world.nowMs() - status.lastMovedMs
    const curable = status.lag > 0n && status.stalled === undefined && status.waitingFor === undefined
    if (!curable || stuckMs < CONSUMER_LIMITS.restartAfterMs) return
    this.#logger.warn({ ...worker.place, generation: this.generation.id, stuckMs }, 'not moving: started anew')
    worker.abandon()
    this.#start(worker.place)
  }

  /** For lag tools only: nothing in the engine reads it, so a failure is told and forgotten. */
  async #mirror(): Promise<void> {
    const checkpoints = this.statuses().flatMap(({ topic, partition, record }) =>
      record === undefined ? [] : [{ topic, partition, next: record.checkpoint }],
    )
    if (checkpoints.length === 0) return
    try {
      await this.#ports.log.mirror(groupOf(this.generation), checkpoints)
    } catch (error) {
      if (!mayPass(error)) throw error
      this.#logger.warn({ generation: this.generation.id, error: error.message }, 'checkpoints not mirrored')
    }
  }
}

function complaintOf(status: WorkerStatus, nowMs: number): string | undefined {
  const place = `${status.generation} ${status.topic}/${status.partition}`
  const { stalled, lag, waitingFor } = status
  if (stalled !== undefined) return `${place} is stalled: ${stalled.message}. Remedy: ${stalled.remedy}`
  const stillMs = nowMs - status.lastMovedMs
  if (lag === 0n || stillMs < CONSUMER_LIMITS.stallAfterMs) return undefined
  const why = waitingFor === undefined ? 'for no known reason' : `waiting for ${waitingFor}`
  return `${place} has not moved for ${Math.round(stillMs / 1000)} s with ${lag} records to go, ${why}`
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}
