/**
 * Feeds the counters from the end of the log: every partition of the playback events, from some minutes back, and on.
 *
 * States: *starting* (the partitions are asked for) → *warming* (what was there already is read) → *following* → closed,
 * for good. A partition that can't be read is asked again from where it stands, later each time, and makes the numbers
 * stale meanwhile; nothing is skipped. The counters are this process's own: whoever restarts it reads the log anew.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventLog, LogRecord, PartitionBounds, Position } from '../../log/log.ts'
import type { EventCodec } from '../../schemas/index.ts'
import type { AudienceCounters } from './counters.ts'
import { AUDIENCE_LIMITS } from './limits.ts'

const TOPIC = 'playback-events'

export interface TailPorts {
  readonly log: EventLog
  readonly codec: EventCodec
  readonly counters: AudienceCounters
  readonly nowMs: () => number
  readonly logger: { error(fields: object, message: string): void }
}

export interface Freshness {
  /** Place → the last position that was read. */
  readonly readThrough: Readonly<Record<string, string>>
  /** Positions that are in the log and were not read yet, as far as is known. */
  readonly lag: number
  /** The log's own clock: the latest receipt that was read; null: none. */
  readonly asOf: string | null
  /** The numbers miss something: the log is away, or its last minutes are still being read. */
  readonly stale: boolean
  /** Records that can't be decoded. */
  readonly undecodable: number
}

/** A partition as far as it was read. */
interface Place {
  readonly partition: number
  /** Where it ended when the reading began. */
  readonly warmAt: Position
  next: Position
  end: Position
  answeredMs: number
}

export class AudienceTail {
  readonly #ports: TailPorts
  readonly #stopped = new AbortController()
  #running: Promise<unknown> | undefined
  #places: readonly Place[] = []
  #undecodable = 0

  constructor(ports: TailPorts) {
    this.#ports = ports
  }

  start(): void {
    this.#running ??= this.#run()
  }

  freshness(): Freshness {
    const nowMs = this.#ports.nowMs()
    const readThrough: Record<string, string> = {}
    let lag = 0
    let stale = this.#places.length === 0
    for (const { partition, next, end, warmAt, answeredMs } of this.#places) {
      if (next > 0n && answeredMs > 0) readThrough[`${TOPIC}/${partition}`] = `${next - 1n}`
      if (end > next) lag += Number(end - next)
      stale ||= next < warmAt || nowMs - answeredMs > AUDIENCE_LIMITS.staleAfterMs
    }
    const { clockMs } = this.#ports.counters
    return {
      readThrough,
      lag,
      asOf: clockMs === 0 ? null : new Date(clockMs).toISOString(),
      stale,
      undecodable: this.#undecodable,
    }
  }

  async close(): Promise<void> {
    this.#stopped.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const bounds = await this.#insist('its partitions', async () => {
      const found = await this.#ports.log.bounds(TOPIC)
      if (found.length === 0) throw new Error(`the log has no topic ${TOPIC} yet`)
      return found
    })
    if (bounds === undefined) return
    // All of them at once, so that one that was not reached yet makes the numbers stale.
    const places = bounds.map(({ partition, start, end }): Place => {
      return { partition, warmAt: end, next: start, end, answeredMs: Number.NEGATIVE_INFINITY }
    })
    this.#places = places
    await Promise.all(places.map((place, i) => this.#follow(place, bounds[i] as PartitionBounds)))
  }

  async #follow(place: Place, bounds: PartitionBounds): Promise<void> {
    const { signal } = this.#stopped
    const sinceMs = this.#ports.nowMs() - AUDIENCE_LIMITS.warmUpMs
    const from = await this.#insist('where to begin', () => this.#beginning(bounds, sinceMs))
    if (from === undefined) return
    place.next = from
    while (!signal.aborted) {
      const answer = await this.#insist('what is new', () => this.#read(place.partition, place.next))
      if (answer === undefined) return
      for (const record of answer.records) if (record.timestampMs >= sinceMs) this.#take(record)
      place.next = answer.next
      place.end = answer.end
      place.answeredMs = this.#ports.nowMs()
      // Requests come first: a long log is read between them.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Steps back until a record is old enough: a partition is not read through for the sake of its last minutes. */
  async #beginning({ partition, start, end }: PartitionBounds, sinceMs: number): Promise<Position> {
    const { warmUpRecordsMax, readRecordsMax } = AUDIENCE_LIMITS
    for (let back: number = readRecordsMax; ; back = Math.min(back * 4, warmUpRecordsMax)) {
      const from = end - start > BigInt(back) ? end - BigInt(back) : start
      if (from === start || back === warmUpRecordsMax) return from
      const { records } = await this.#read(partition, from, 1)
      const [oldest] = records
      if (oldest === undefined || oldest.timestampMs < sinceMs) return from
    }
  }

  #read(partition: number, from: Position, recordsMax: number = AUDIENCE_LIMITS.readRecordsMax) {
    const { readBytesMax: bytesMax, readWaitMs: waitMs } = AUDIENCE_LIMITS
    const { signal } = this.#stopped
    return this.#ports.log.read({ topic: TOPIC, partition, from, recordsMax, bytesMax, waitMs, signal })
  }

  #take({ value }: LogRecord): void {
    const decoded = this.#ports.codec.decode(value)
    if (!decoded.ok) {
      this.#undecodable += 1
      return
    }
    // One report of the next century would make all others look long gone.
    const receivedAtMs = Math.min(decoded.event.meta.receivedAt, this.#ports.nowMs() + AUDIENCE_LIMITS.aheadMsMax)
    this.#ports.counters.take(decoded.event, receivedAtMs)
  }

  /** Until it answers; undefined: closed meanwhile. Says once that it can't, and not each time. */
  async #insist<T>(what: string, ask: () => Promise<T>): Promise<T | undefined> {
    const { signal } = this.#stopped
    for (let waitMs: number = AUDIENCE_LIMITS.retryMs; !signal.aborted; ) {
      try {
        return await ask()
      } catch (error) {
        if (signal.aborted) return undefined
        if (waitMs === AUDIENCE_LIMITS.retryMs) {
          this.#ports.logger.error({ err: error }, `live counters: the log does not say ${what}; asking on`)
        }
      }
      await sleep(waitMs, undefined, { signal }).catch(ignoreAbort)
      waitMs = Math.min(waitMs * 2, AUDIENCE_LIMITS.retryMsMax)
    }
    return undefined
  }
}

function ignoreAbort(error: Error): void {
  if (error.name !== 'AbortError') throw error
}
