/**
 * Reads one partition from its end while a profile that lives in it has listeners. Looks at keys only; a record is
 * decoded if somebody listens to its profile.
 *
 * States: *starting* (the end is asked for) → *following* → stopped, for good. A log that can't be reached is asked
 * again from where the tail stands, so nothing is skipped; a log that can't be read on ends the listeners.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { LogUnavailable } from '../../log/errors.ts'
import type { EventLog, LogRecord, Position, TopicPartition } from '../../log/log.ts'
import type { EventCodec } from '../../schemas/index.ts'
import type { Channel } from './channel.ts'
import { LIVE_LIMITS } from './limits.ts'

export interface TailPorts {
  readonly log: EventLog
  readonly codec: EventCodec
  readonly failed: (error: unknown) => void
}

export class Tail {
  readonly channels = new Map<string, Channel>()
  readonly place: TopicPartition
  /** Resolves when the tail knows where it begins: what is appended after that is seen. */
  readonly ready: Promise<void>
  readonly #ports: TailPorts
  readonly #stopped = new AbortController()
  readonly #running: Promise<void>

  constructor(place: TopicPartition, ports: TailPorts) {
    this.place = place
    this.#ports = ports
    const end = this.#end()
    this.ready = end.then(() => undefined)
    this.#running = end.then(
      (from) => this.#follow(from),
      () => this.#giveUp(),
    )
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running
  }

  async #end(): Promise<Position> {
    const bounds = await this.#ports.log.bounds(this.place.topic)
    return bounds.find(({ partition }) => partition === this.place.partition)?.end ?? 0n
  }

  async #follow(begin: Position): Promise<void> {
    const { signal } = this.#stopped
    const { log } = this.#ports
    const { readRecordsMax: recordsMax, readBytesMax: bytesMax, readWaitMs: waitMs } = LIVE_LIMITS
    let from = begin
    while (!signal.aborted) {
      try {
        const { records, next } = await log.read({ ...this.place, from, recordsMax, bytesMax, waitMs, signal })
        for (const record of records) this.#look(record)
        from = next
      } catch (error) {
        if (signal.aborted) return
        if (!(error instanceof LogUnavailable)) {
          this.#ports.failed(error)
          return this.#giveUp()
        }
        await sleep(LIVE_LIMITS.retryMs, undefined, { signal }).catch(ignoreAbort)
      }
    }
  }

  #look({ key, value, position }: LogRecord): void {
    const channel = key === null ? undefined : this.channels.get(key)
    if (channel === undefined) return
    const decoded = this.#ports.codec.decode(value)
    // What can't be decoded changes no row either.
    if (decoded.ok) channel.saw(decoded.event, position)
  }

  #giveUp(): void {
    for (const channel of [...this.channels.values()]) channel.end('unavailable')
  }
}

function ignoreAbort(error: Error): void {
  if (error.name !== 'AbortError') throw error
}
