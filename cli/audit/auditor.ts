/**
 * The tables that are read, held against the log, all the time and slowly: key after key is folded afresh.
 *
 * Who does it: of all processes that run this, the one that the group `playhead.verify` gives the first partition of the
 * engine's events. It goes through the keys of each topic in turn, in an order of its own (walk.ts); a key that differs
 * is told, counted, and looked at again until it does not.
 *
 * States: *waiting* (another process does it, or the live folds are behind) → *looking* ↔ *resting* (so that it takes a
 * small share of the machine, and no more keys an hour than it is allowed).
 *
 * What can't be judged is left out: a log whose oldest records are gone, and keys with very many records. What can fail:
 * log, stores; it goes on when they are back, and nothing else notices.
 */
import type { Registry } from 'prom-client'
import type { Consumers } from '../../consumers/index.ts'
import { mayPass, realWorld, type World } from '../../consumers/retry.ts'
import type { WorkerLogger } from '../../consumers/worker.ts'
import type { GroupListener } from '../../log/log.ts'
import { toJson } from '../json.ts'
import type { ReplayPorts } from '../replay/open.ts'
import { type Mismatch, openVerifier, type Verifier } from '../replay/verify.ts'
import { AUDIT_LIMITS } from './limits.ts'
import { type AuditCounts, registerAuditMetrics } from './metrics.ts'
import { Walk } from './walk.ts'

const ENGINE_EVENTS = 'engine-events'
const HOUR_MS = 3_600_000

export interface AuditorPorts {
  readonly replay: ReplayPorts
  readonly keysPerHour: number
  readonly consumers: Pick<Consumers, 'status'>
  readonly logger: WorkerLogger
  readonly metrics: Registry
  readonly world?: World
}

export interface Auditor {
  status(): AuditStatus
  close(): Promise<void>
}

export interface AuditStatus {
  /** Whether this process does it. */
  readonly holding: boolean
  /** Keys that differed at the last look. */
  readonly differing: number
  /** Why nothing is looked at, in words. */
  readonly waitingFor: string | undefined
}

export async function startAuditor(ports: AuditorPorts): Promise<Auditor> {
  const auditor = await Looking.open(ports)
  const closing = new AbortController()
  const membership = await ports.replay.log.join('playhead.verify', [ENGINE_EVENTS], auditor)
  const running = auditor.run(closing.signal)
  return {
    status: () => auditor.status(),
    close: async () => {
      closing.abort()
      await running
      await membership.leave()
    },
  }
}

/** One topic, and the projections whose states its records make. */
interface Round {
  readonly topic: string
  readonly projections: readonly string[]
  walk: Walk | undefined
  /** Of the walk that is under way, or of the last one: how far the keys were known. */
  begun: { readonly atMs: number; readonly known: string } | undefined
}

interface Differing {
  readonly projection: string
  readonly key: string
  againMs: number
}

class Looking implements GroupListener {
  readonly #ports: AuditorPorts
  readonly #world: World
  readonly #rounds: readonly Round[]
  readonly #counts: AuditCounts
  readonly #lastFullMs = new Map<string, number>()
  readonly #differing = new Map<string, Differing>()
  readonly #verifiers = new Map<string, { readonly verifier: Verifier; readonly atMs: number }>()
  #holding = false
  #waitingFor: string | undefined
  #turn = 0

  static async open(ports: AuditorPorts): Promise<Looking> {
    const byTopic = new Map<string, string[]>()
    for (const { name, read } of await ports.replay.operator.plans()) {
      const [topic] = read.projection.topics
      if (topic === undefined || read.projection.keyed === undefined) continue
      byTopic.set(topic, [...(byTopic.get(topic) ?? []), name])
    }
    return new Looking(ports, byTopic)
  }

  private constructor(ports: AuditorPorts, byTopic: ReadonlyMap<string, readonly string[]>) {
    this.#ports = ports
    this.#world = ports.world ?? realWorld
    this.#rounds = [...byTopic].map(([topic, projections]) => ({
      ...{ topic, projections, walk: undefined, begun: undefined },
    }))
    const names = [...byTopic.values()].flat()
    const nowMs = () => this.#world.nowMs()
    for (const name of names) this.#lastFullMs.set(name, nowMs())
    const since = () => (this.#holding ? this.#lastFullMs : new Map())
    this.#counts = registerAuditMetrics(ports.metrics, names, since, nowMs)
  }

  assigned(): void {
    this.#holding = true
  }

  async revoked(): Promise<void> {
    this.#holding = false
  }

  lost(): void {
    this.#holding = false
  }

  status(): AuditStatus {
    return { holding: this.#holding, differing: this.#differing.size, waitingFor: this.#waitingFor }
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const begunMs = this.#world.nowMs()
      const pauseMs = await this.#step()
      // No more often than allowed, and resting in proportion to what it took.
      const tookMs = this.#world.nowMs() - begunMs
      await this.#world.sleep(Math.max(pauseMs, tookMs * AUDIT_LIMITS.restTimes), signal)
    }
  }

  /** Answers how long to rest at least. */
  async #step(): Promise<number> {
    this.#waitingFor = this.#mustWait()
    if (this.#waitingFor !== undefined) return AUDIT_LIMITS.lagWaitMs
    try {
      const looked = await this.#look()
      return looked === 0 ? AUDIT_LIMITS.idleMs : (looked * HOUR_MS) / this.#ports.keysPerHour
    } catch (error) {
      if (!mayPass(error)) this.#ports.logger.error({ err: error }, 'verify: could not look; tried again')
      else this.#ports.logger.warn({ error: error.message }, 'verify: put off')
      this.#verifiers.clear()
      return AUDIT_LIMITS.failedMs
    }
  }

  #mustWait(): string | undefined {
    if (!this.#holding) return 'another process looks'
    const lag = this.#ports.consumers.status().reduce((sum, status) => sum + status.lag, 0n)
    return lag > AUDIT_LIMITS.lagMax ? `the live folds: they are ${lag} records behind` : undefined
  }

  /** One key, in every projection that its records make states of; answers how many looks that were. */
  async #look(): Promise<number> {
    const nowMs = this.#world.nowMs()
    const again = [...this.#differing.values()].find(({ againMs }) => againMs <= nowMs)
    if (again !== undefined) {
      await this.#lookAt(again.projection, again.key)
      return 1
    }
    for (let tries = 0; tries < this.#rounds.length; tries++) {
      const round = this.#rounds[this.#turn++ % this.#rounds.length]!
      const looked = await this.#next(round)
      if (looked > 0) return looked
    }
    return 0
  }

  async #next(round: Round): Promise<number> {
    if (round.walk === undefined && !(await this.#begin(round))) return 0
    const { ports } = await this.#verifier(round.projections[0]!)
    const found = await round.walk!.next(ports)
    if (found === undefined) {
      round.walk = undefined
      for (const name of round.projections) this.#lastFullMs.set(name, this.#world.nowMs())
      return 0
    }
    for (const name of round.projections) {
      if (found.records > AUDIT_LIMITS.recordsPerKeyMax) this.#counts.skipped(name)
      else await this.#lookAt(name, found.key)
    }
    return round.projections.length
  }

  /** Anew when the log has moved since, or after a while; not where the oldest records are gone. */
  async #begin(round: Round): Promise<boolean> {
    const bounds = await this.#ports.replay.log.bounds(round.topic)
    if (bounds.some(({ start }) => start > 0n)) return false
    const atMs = this.#world.nowMs()
    const { ports } = await this.#verifier(round.projections[0]!)
    const known = (await Promise.all(bounds.map(({ partition }) => ports.indexed(round.topic, partition)))).join()
    if (round.begun?.known === known && atMs - round.begun.atMs < AUDIT_LIMITS.againMs) return false
    round.begun = { atMs, known }
    round.walk = new Walk(round.topic, `${atMs} ${this.#world.random()}`)
    return true
  }

  async #lookAt(projection: string, key: string): Promise<void> {
    const verifier = await this.#verifier(projection)
    const { mismatches } = await verifier.look(key)
    const name = `${projection} ${key}`
    if (mismatches.length > 0 && !(await this.#isRead(projection, verifier))) {
      this.#verifiers.delete(projection)
      return
    }
    this.#counts.looked(projection)
    this.#differing.delete(name)
    if (mismatches.length === 0) return
    this.#counts.differences(projection, mismatches.length)
    this.#differing.set(name, { projection, key, againMs: this.#world.nowMs() + AUDIT_LIMITS.differsAgainMs })
    const [oldest] = this.#differing.keys()
    if (this.#differing.size > AUDIT_LIMITS.differingKeysMax) this.#differing.delete(oldest!)
    for (const mismatch of mismatches) this.#tell(verifier, mismatch)
  }

  /** Who is read no more may have been dropped while it was looked at. */
  async #isRead(projection: string, { generation }: Verifier): Promise<boolean> {
    return (await this.#ports.replay.operator.plan(projection)).read.id === generation.id
  }

  #tell({ generation }: Verifier, { projection, key, what, columns, events }: Mismatch): void {
    const where = { projection, generation: generation.id, key: JSON.parse(toJson(key)) as object, what }
    this.#ports.logger.error(
      { ...where, columns: columns.map(({ name }) => name), events },
      'verify: a row is not what the log says: rebuild the projection, compare, promote',
    )
  }

  async #verifier(projection: string): Promise<Verifier> {
    const nowMs = this.#world.nowMs()
    const known = this.#verifiers.get(projection)
    if (known !== undefined && nowMs - known.atMs < AUDIT_LIMITS.verifierMs) return known.verifier
    const verifier = await openVerifier(this.#ports.replay, projection)
    if (verifier === undefined) throw new Error(`${projection} keeps no states`)
    this.#verifiers.set(projection, { verifier, atMs: nowMs })
    return verifier
  }
}
