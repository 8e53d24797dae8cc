/**
 * Duplicates in the log come from sends whose answer was lost. An event whose id occurred among the last N positions of
 * its partition is one. That is a property of the log alone, so every consumer, rebuild and replay decides alike; the
 * window is read back when a worker starts. (A copy counts as an occurrence: otherwise a decision would depend on
 * records further back than the window.)
 */
import type { EventLog, LogRecord, Position, TopicPartition } from '../log/log.ts'
import { eventIdOf } from '../schemas/index.ts'
import { CONSUMER_LIMITS } from './limits.ts'

/** Forgotten occurrences at the queue's front, before it is cut. */
const COMPACT_AFTER = 16_384

export class DuplicateWindow {
  readonly #positions: bigint
  readonly #lastSeen = new Map<string, bigint>()
  /** Every occurrence within the window, oldest first; a queue beside the map, whose front is costly to look for. */
  #ids: string[] = []
  #at: bigint[] = []
  #first = 0

  constructor(positions: number = CONSUMER_LIMITS.duplicateWindowPositions) {
    this.#positions = BigInt(positions)
  }

  /** Says whether this id was seen within the window, and remembers it. Positions must rise. */
  seen(id: string, position: bigint): boolean {
    this.#forget(position)
    const before = this.#lastSeen.has(id)
    this.#lastSeen.set(id, position)
    this.#ids.push(id)
    this.#at.push(position)
    return before
  }

  get size(): number {
    return this.#lastSeen.size
  }

  #forget(position: bigint): void {
    const oldest = position - this.#positions
    for (; this.#first < this.#at.length && this.#at[this.#first]! < oldest; this.#first++) {
      const id = this.#ids[this.#first]!
      if (this.#lastSeen.get(id) === this.#at[this.#first]) this.#lastSeen.delete(id)
    }
    if (this.#first < COMPACT_AFTER) return
    this.#ids = this.#ids.slice(this.#first)
    this.#at = this.#at.slice(this.#first)
    this.#first = 0
  }
}

/** The window as it stands before `from`, read back from the log. */
export async function readBackWindow(
  log: EventLog,
  { topic, partition }: TopicPartition,
  from: Position,
  positions: number = CONSUMER_LIMITS.duplicateWindowPositions,
): Promise<DuplicateWindow> {
  const window = new DuplicateWindow(positions)
  const bounds = (await log.bounds(topic)).find((b) => b.partition === partition)
  const wanted = from - BigInt(positions)
  let next = bounds !== undefined && bounds.start > wanted ? bounds.start : wanted
  if (next < 0n) next = 0n
  while (next < from) {
    const { batchBytesMax: bytesMax, batchRecordsMax: recordsMax } = CONSUMER_LIMITS
    const answer = await log.read({ topic, partition, from: next, to: from - 1n, bytesMax, recordsMax, waitMs: 0 })
    for (const record of answer.records) remember(window, record)
    if (answer.next <= next) break
    next = answer.next
  }
  return window
}

function remember(window: DuplicateWindow, record: LogRecord): void {
  const id = eventIdOf(record.value)
  if (id !== undefined) window.seen(id, record.position)
}
