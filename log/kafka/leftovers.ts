/**
 * What a fetch brought and its read did not take: records are few in a read and many in a fetch, and the rest is what the
 * next read asks for. Kept by where it begins; the oldest goes when there is too much.
 *
 * Where transactions were rolled back nothing is kept: what counts there is only known from the answer's beginning.
 */
import { partitionName } from '../assignment.ts'
import type { Position, TopicPartition } from '../log.ts'
import type { FetchAnswer } from './frames.ts'
import { KAFKA_LIMITS } from './limits.ts'

interface Left {
  readonly answer: FetchAnswer
  /** Of the whole answer: a part of its bytes holds all of them. */
  readonly bytes: number
}

export class Leftovers {
  readonly #kept = new Map<string, Left>()
  #bytes = 0

  take(place: TopicPartition, from: Position): Left | undefined {
    const name = nameOf(place, from)
    const left = this.#kept.get(name)
    if (left !== undefined) this.#drop(name, left)
    return left
  }

  /** `rest`: the bytes in which `next` lies, and what follows. */
  keep(place: TopicPartition, next: Position, answer: FetchAnswer, rest: Buffer, bytes: number): void {
    if (answer.aborted.length > 0) return
    const name = nameOf(place, next)
    const before = this.#kept.get(name)
    if (before !== undefined) this.#drop(name, before)
    this.#kept.set(name, { answer: { ...answer, batches: rest }, bytes })
    this.#bytes += bytes
    for (const [oldest, left] of this.#kept) {
      if (this.#bytes <= KAFKA_LIMITS.leftoverBytesMax) return
      this.#drop(oldest, left)
    }
  }

  #drop(name: string, { bytes }: Left): void {
    this.#kept.delete(name)
    this.#bytes -= bytes
  }
}

function nameOf(place: TopicPartition, from: Position): string {
  return `${partitionName(place)}@${from}`
}
