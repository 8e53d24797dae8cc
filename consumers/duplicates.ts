/**
 * Duplicates in the log come from sends whose answer was lost. An event whose id occurred among the last N positions of
 * its partition is one. That is a property of the log alone, so every consumer, rebuild and replay decides alike; the
 * window is read back when a worker starts. (A copy counts as an occurrence: otherwise a decision would depend on
 * records further back than the window.)
 */
import type { EventLog, Position, TopicPartition } from '../log/log.ts'
import { eventIdWords } from '../schemas/index.ts'
import { CONSUMER_LIMITS } from './limits.ts'

const NONE = -1

/**
 * Occurrences lie in a ring, newest last; a chain for each hash leads from newer to older ones. What is beyond the window
 * is never removed: a chain is left where it gets too old, and the ring writes over it. No id is made into a string.
 */
export class DuplicateWindow {
  readonly #positions: number
  readonly #mask: number
  readonly #words: Uint32Array
  readonly #at: Float64Array
  readonly #older: Float64Array
  readonly #newest: Float64Array
  readonly #id = new Uint32Array(4)
  #count = 0

  constructor(positions: number = CONSUMER_LIMITS.duplicateWindowPositions) {
    // Positions rise, so that a window of N positions holds at most N + 1 occurrences.
    const size = 2 ** Math.ceil(Math.log2(positions + 2))
    this.#positions = positions
    this.#mask = size - 1
    this.#words = new Uint32Array(size * 4)
    this.#at = new Float64Array(size)
    this.#older = new Float64Array(size).fill(NONE)
    this.#newest = new Float64Array(size).fill(NONE)
  }

  /** Says whether this record's id was seen within the window, and remembers it. Positions must rise. */
  seen(value: Buffer, position: bigint): boolean {
    const id = this.#id
    if (!eventIdWords(value, id)) return false
    const bucket = (id[3]! ^ Math.imul(id[1]!, 0x9e3779b1) ^ id[2]!) & this.#mask
    const at = Number(position)
    const before = this.#within(bucket, at)
    const slot = this.#count & this.#mask
    const words = this.#words
    const w = slot * 4
    words[w] = id[0]!
    words[w + 1] = id[1]!
    words[w + 2] = id[2]!
    words[w + 3] = id[3]!
    this.#at[slot] = at
    this.#older[slot] = this.#newest[bucket]!
    this.#newest[bucket] = this.#count++
    return before
  }

  #within(bucket: number, at: number): boolean {
    const words = this.#words
    const id = this.#id
    for (let n = this.#newest[bucket]!; n !== NONE && this.#count - n <= this.#mask; n = this.#older[n & this.#mask]!) {
      const slot = n & this.#mask
      if (at - this.#at[slot]! > this.#positions) return false
      const w = slot * 4
      if (words[w] === id[0] && words[w + 1] === id[1] && words[w + 2] === id[2] && words[w + 3] === id[3]) return true
    }
    return false
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
    for (const { value, position } of answer.records) window.seen(value, position)
    if (answer.next <= next) break
    next = answer.next
  }
  return window
}
