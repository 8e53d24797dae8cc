/**
 * One webhook's deliveries, in the order of the log. The log is their queue: what is kept is only the position that
 * comes next, so nothing is lost over a restart, and a dead endpoint holds up nobody but itself.
 *
 * An event is *next* → *sent* (signed, any number of times) → *taken* (a 2xx), or given up (refused so many times; a day
 * old and the endpoint does not answer), which is told. The cursor moves after that: a crash in between sends it again,
 * and the receiver knows its id. A webhook that is new begins at the end of the log.
 *
 * What can fail: log, state store, endpoint; each is tried again. Somebody else took over: the cursor refuses.
 */
import type { LogRecord, Position } from '../../log/log.ts'
import type { IncidentRow } from '../../projections/incidents/row.ts'
import { incidentRow } from '../../projections/incidents/v1.ts'
import { type Decision, decide } from '../decide.ts'
import { type DuplicateWindow, readBackWindow } from '../duplicates.ts'
import { untilDone, type Waiting } from '../retry.ts'
import { Cursor } from './cursor.ts'
import type { Endpoint } from './endpoints.ts'
import { ALERT_LIMITS } from './limits.ts'
import { isTold, messageOf, TOLD_TYPES, type Told } from './message.ts'
import { type AlertPorts, ENGINE_EVENTS } from './ports.ts'
import { type Answer, send } from './send.ts'
import { SIGNATURE_HEADER, signatureOf } from './signature.ts'

type DeliveryPorts = Pick<AlertPorts, 'log' | 'state' | 'codec' | 'world' | 'logger' | 'incidents' | 'counts'>

export interface DeliveryStatus {
  readonly endpoint: string
  readonly next: bigint | undefined
  /** Since when an event waits; undefined: none does. */
  readonly waitingSinceMs: number | undefined
  /** What the endpoint said last, if it did not take it. */
  readonly failing: string | undefined
}

export class Deliveries {
  readonly #endpoint: Endpoint
  readonly #incarnation: string
  readonly #partition: number
  readonly #ports: DeliveryPorts
  readonly #signal: AbortSignal
  readonly #waiting: Waiting = { waitingFor: undefined, retries: 0 }
  #cursor: Cursor | undefined
  #waitingSinceMs: number | undefined
  #failing: string | undefined

  constructor(endpoint: Endpoint, incarnation: string, partition: number, ports: DeliveryPorts, signal: AbortSignal) {
    this.#endpoint = endpoint
    this.#incarnation = incarnation
    this.#partition = partition
    this.#ports = ports
    this.#signal = signal
  }

  status(): DeliveryStatus {
    return {
      endpoint: this.#endpoint.name,
      next: this.#cursor?.at,
      waitingSinceMs: this.#waitingSinceMs,
      failing: this.#failing,
    }
  }

  /** Until it is told to stop, or somebody else takes over (StaleOwner). */
  async run(): Promise<void> {
    const { log, state } = this.#ports
    const place = { topic: ENGINE_EVENTS, partition: this.#partition }
    // Positions mean something within one incarnation of the log only.
    const generation = `webhooks_v1_${this.#endpoint.hash}_${this.#incarnation.slice(0, 8)}`
    const key = { generation, ...place }
    this.#cursor = await Cursor.takeOver(state.commits, key, () => this.#end())
    const window = await readBackWindow(log, place, this.#cursor.at as Position)
    while (!this.#signal.aborted) {
      const from = this.#cursor.at as Position
      const { readRecordsMax: recordsMax, readBytesMax: bytesMax, readWaitMs: waitMs } = ALERT_LIMITS
      const answer = await log.read({ ...place, from, recordsMax, bytesMax, waitMs, signal: this.#signal })
      for (const decision of await this.#decided(answer.records, window)) {
        const { event, fate, position } = decision
        if (fate !== 'folded' || !isTold(event)) continue
        await this.#deliver(event)
        if (this.#signal.aborted) return
        await this.#cursor.move(position + 1n)
      }
      if (answer.next > this.#cursor.at) await this.#cursor.move(answer.next)
    }
  }

  async #end(): Promise<bigint> {
    const bounds = await this.#ports.log.bounds(ENGINE_EVENTS)
    return bounds.find(({ partition }) => partition === this.#partition)?.end ?? 0n
  }

  #decided(records: readonly LogRecord[], window: DuplicateWindow): Promise<readonly Decision[]> {
    const { codec, world } = this.#ports
    const learn = (id: number) =>
      untilDone('schema registry', () => codec.learn(id), world, this.#signal, this.#waiting)
    const place = { topic: ENGINE_EVENTS, partition: this.#partition }
    return decide(records, place, { codec, window, reads: TOLD_TYPES, obey: undefined, learn })
  }

  async #deliver(event: Told): Promise<void> {
    const { world, counts, logger } = this.#ports
    const body = messageOf(event, event.type === 'IncidentResolved' ? await this.#row(event.incidentId) : undefined)
    const { eventId, receivedAt } = event.meta
    this.#waitingSinceMs = receivedAt
    let refusals = 0
    for (let tries = 0; !this.#signal.aborted; tries++) {
      const answer = await this.#send(eventId, body)
      if (this.#signal.aborted) return
      this.#failing = answer.kind === 'delivered' ? undefined : answer.why
      if (answer.kind === 'delivered') {
        counts.delivery(this.#endpoint.name, 'delivered')
        break
      }
      if (answer.kind === 'refused') refusals++
      const tooOld = world.nowMs() - receivedAt > ALERT_LIMITS.deliveryGiveUpAfterMs
      const told = { endpoint: this.#endpoint.name, event: eventId, why: answer.why, tries: tries + 1 }
      if (refusals >= ALERT_LIMITS.deliveryRefusalsMax || tooOld) {
        counts.delivery(this.#endpoint.name, 'given-up')
        logger.error(told, 'a webhook did not take an event, which is given up')
        break
      }
      counts.delivery(this.#endpoint.name, 'failed')
      if (tries === 0) logger.warn(told, 'a webhook did not take an event; it is sent again')
      await world.sleep(this.#pauseMs(tries), this.#signal)
    }
    this.#waitingSinceMs = undefined
  }

  #send(eventId: string, body: string): Promise<Answer> {
    const { url, secret } = this.#endpoint
    const signature = signatureOf(secret, this.#ports.world.nowMs(), body)
    const headers = { [SIGNATURE_HEADER]: signature, 'playhead-event-id': eventId }
    return send(url, headers, body, this.#signal)
  }

  #pauseMs(tries: number): number {
    const { deliveryRetryBaseMs, deliveryRetryMaxMs } = ALERT_LIMITS
    const ceiling = Math.min(deliveryRetryMaxMs, deliveryRetryBaseMs * 2 ** Math.min(tries, 20))
    return ceiling / 2 + (this.#ports.world.random() * ceiling) / 2
  }

  async #row(incidentId: string): Promise<IncidentRow | undefined> {
    const { incidents, world } = this.#ports
    const get = () => incidents.table.get([[incidentId]])
    const [row] = await untilDone('incidents', get, world, this.#signal, this.#waiting)
    return row && incidentRow(row.columns, row.key, row.version)
  }
}
