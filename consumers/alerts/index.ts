/**
 * Alerts: rules are judged, what they find becomes events, events are delivered to webhooks.
 *
 * Who does it: of all processes that run this, the one that the group `playhead.alerts` gives the partition of the
 * engine's events. It holds a *shift* until the partition is revoked (it finishes what it has in hand) or lost; what it
 * may still write then is refused by its cursors or falls out by its ids.
 */
import type { Registry } from 'prom-client'
import type { EventLog, GroupListener, Membership, TopicPartition } from '../../log/log.ts'
import type { Arrival } from '../../producers/stamp.ts'
import type { Rule } from '../../projections/incidents/rule.ts'
import type { EventCodec } from '../../schemas/index.ts'
import type { StateStore } from '../../stores/state.ts'
import { realWorld, type World } from '../retry.ts'
import type { WorkerLogger } from '../worker.ts'
import type { DeliveryStatus } from './deliveries.ts'
import { endpointsOf, type Webhook } from './endpoints.ts'
import type { EvaluatorStatus } from './evaluator.ts'
import { NO_COUNTS, registerAlertMetrics } from './metrics.ts'
import { type AlertPorts, ENGINE_EVENTS, type Judged } from './ports.ts'
import type { Query } from './roll-ups.ts'
import { Shift } from './shift.ts'

export interface AlertsOptions {
  readonly log: EventLog
  readonly state: StateStore
  readonly codec: EventCodec
  /** ClickHouse, read only; rejects with StoreUnavailable when it is to be asked again. */
  readonly query: Query
  /** What is read now; it follows the pointer. */
  judged(): Judged
  readonly rules: readonly Rule[]
  readonly webhooks: readonly Webhook[]
  readonly logger: WorkerLogger
  readonly metrics?: Registry
  readonly world?: World
  /** What the events say of where they come from. */
  readonly origin?: Pick<Arrival, 'appId' | 'environment'>
}

export interface AlertsStatus extends EvaluatorStatus {
  /** Whether this process does it. */
  readonly holding: boolean
  readonly webhooks: readonly DeliveryStatus[]
  /** What a task waits for, in words. */
  readonly complaints: readonly string[]
}

export interface Alerts {
  status(): AlertsStatus
  close(): Promise<void>
}

/** Throws WebhookInvalid for a webhook that can't be delivered to. */
export async function startAlerts(options: AlertsOptions): Promise<Alerts> {
  const { log, state, codec, query, judged, rules, logger } = options
  const world = options.world ?? realWorld
  const endpoints = endpointsOf(options.webhooks)
  const incarnation = await log.incarnation()
  const status = (): AlertsStatus => listener.status()
  const counts =
    options.metrics === undefined
      ? NO_COUNTS
      : registerAlertMetrics(options.metrics, { rules, endpoints }, status, () => world.nowMs())
  const ports: AlertPorts = {
    ...{ log, state, codec, query, rules, endpoints, world, logger, counts },
    get views() {
      return judged().views
    },
    get requests() {
      return judged().requests
    },
    get generations() {
      return judged().generations
    },
    get incidents() {
      return judged().incidents
    },
    origin: options.origin ?? { appId: 'playhead', environment: 'engine' },
  }
  const listener = new Shifts(ports, incarnation)
  const membership = await log.join('playhead.alerts', [ENGINE_EVENTS], listener)
  return { status, close: () => listener.close(membership) }
}

class Shifts implements GroupListener {
  readonly #ports: AlertPorts
  readonly #incarnation: string
  readonly #shifts = new Map<number, Shift>()

  constructor(ports: AlertPorts, incarnation: string) {
    this.#ports = ports
    this.#incarnation = incarnation
  }

  assigned(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) {
      this.#shifts.set(partition, new Shift(this.#ports, this.#incarnation, partition))
    }
  }

  async revoked(partitions: readonly TopicPartition[]): Promise<void> {
    await Promise.all(this.#drop(partitions).map((shift) => shift.end()))
  }

  lost(partitions: readonly TopicPartition[]): void {
    for (const shift of this.#drop(partitions)) shift.stop()
  }

  status(): AlertsStatus {
    const shifts = [...this.#shifts.values()]
    const evaluator = shifts.map((shift) => shift.evaluator).find((one) => one !== undefined)
    return {
      ...(evaluator?.status() ?? { judgedThroughMs: {}, open: [], failing: {} }),
      holding: shifts.length > 0,
      webhooks: shifts.flatMap((shift) => shift.deliveries()),
      complaints: shifts.flatMap((shift) => [...shift.complaints.values()]),
    }
  }

  async close(membership: Membership): Promise<void> {
    await membership.leave()
    await Promise.all([...this.#shifts.values()].map((shift) => shift.end()))
    this.#shifts.clear()
  }

  #drop(partitions: readonly TopicPartition[]): readonly Shift[] {
    return partitions.flatMap(({ partition }) => {
      const shift = this.#shifts.get(partition)
      this.#shifts.delete(partition)
      return shift ?? []
    })
  }
}
