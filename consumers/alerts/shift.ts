/**
 * What is done while this process holds a partition of the engine's events: each rule is judged, each webhook is
 * delivered to, each by a task of its own.
 *
 * States of a task: *taking over* → *working* → *ended*. Whatever fails ends it, and it takes over again after a pause,
 * for as long as the shift lasts; it never rejects.
 */
import { Abandoned, StaleOwner } from '../errors.ts'
import { CONSUMER_LIMITS } from '../limits.ts'
import { mayPass } from '../retry.ts'
import { Deliveries, type DeliveryStatus } from './deliveries.ts'
import { Evaluator } from './evaluator.ts'
import { ALERT_LIMITS } from './limits.ts'
import type { AlertPorts } from './ports.ts'

export class Shift {
  readonly complaints = new Map<string, string>()
  /** Rules are judged by whoever holds the first partition. */
  readonly evaluator: Evaluator | undefined
  readonly #ports: AlertPorts
  readonly #ending = new AbortController()
  readonly #deliveries = new Map<string, Deliveries>()
  readonly #tasks: readonly Promise<void>[]

  constructor(ports: AlertPorts, incarnation: string, partition: number) {
    this.#ports = ports
    const evaluator = partition === 0 ? new Evaluator(ports) : undefined
    this.evaluator = evaluator
    const judging = evaluator === undefined ? [] : [this.#again('rules', () => this.#evaluate(evaluator))]
    const delivering = ports.endpoints.map((endpoint) =>
      this.#again(endpoint.name, () => {
        const deliveries = new Deliveries(endpoint, incarnation, partition, ports, this.#ending.signal)
        this.#deliveries.set(endpoint.name, deliveries)
        return deliveries.run()
      }),
    )
    this.#tasks = [...judging, ...delivering]
  }

  deliveries(): readonly DeliveryStatus[] {
    return [...this.#deliveries.values()].map((deliveries) => deliveries.status())
  }

  stop(): void {
    this.#ending.abort()
  }

  async end(): Promise<void> {
    this.stop()
    await Promise.all(this.#tasks)
  }

  async #evaluate(evaluator: Evaluator): Promise<void> {
    const { world } = this.#ports
    const { signal } = this.#ending
    await evaluator.takeOver()
    while (!signal.aborted) {
      const outcome = await evaluator.round()
      await world.sleep(outcome === 'done' ? ALERT_LIMITS.roundEveryMs : ALERT_LIMITS.putOffMs, signal)
    }
  }

  /** Never rejects: what a task can't do is told, and tried again. */
  async #again(name: string, task: () => Promise<void>): Promise<void> {
    const { world, logger } = this.#ports
    const { signal } = this.#ending
    while (!signal.aborted) {
      this.complaints.delete(name)
      try {
        await task()
      } catch (error) {
        if (error instanceof Abandoned) return
        const why = error instanceof Error ? error.message : String(error)
        this.complaints.set(name, `alerts (${name}): ${why}`)
        if (error instanceof StaleOwner || mayPass(error)) logger.warn({ task: name, error: why }, 'alerts put off')
        else logger.error({ task: name, err: error }, 'alerts failed; tried again')
        await world.sleep(pauseMs(error), signal)
      }
    }
  }
}

function pauseMs(error: unknown): number {
  if (error instanceof StaleOwner) return CONSUMER_LIMITS.stalePauseMs
  return mayPass(error) ? ALERT_LIMITS.putOffMs : ALERT_LIMITS.roundEveryMs
}
