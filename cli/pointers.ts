/**
 * Which generation of each projection this process reads, and how it goes over to another one.
 *
 * States of a projection: *steady* (one generation is read) → *going over* (the book says another: its checkpoints are
 * awaited) → steady. It goes over when the other has passed, in every partition, what the one before it has passed: so
 * nothing that was read once is unread afterwards. Meanwhile "how far" is the lesser of both, so that who waits for its
 * own write has it in either. A table of the one before stays readable: an answer that began with it ends with it.
 *
 * What can fail: the store; the book is looked at again a moment later, and what is read stays what it is: up to the lease,
 * which ends before tables of a dropped generation do (book-keeper.ts). A process that slept for longer, or could not see
 * the book for so long, reads nothing until it has looked.
 */

import { type Book, openBook } from '../consumers/book.ts'
import { type Generation, stateTableOf } from '../consumers/generation.ts'
import { realWorld } from '../consumers/retry.ts'
import type { TopicPartition } from '../log/log.ts'
import { StoreUnavailable } from '../stores/errors.ts'
import type { CommitStore, StateStore, StateTable } from '../stores/state.ts'
import { planOf } from './generations.ts'
import { CLI_LIMITS } from './limits.ts'
import type { FoldSettings } from './projections.ts'

/** A generation with its states, opened. */
export interface Pinned {
  readonly generation: Generation
  readonly table: StateTable | undefined
}

export interface Pointers {
  /** What is read now. Whoever reads more than once for one answer asks once. */
  read(projection: string): Pinned
  /** The next position of the generation that is read, and of the one it goes over to if that is less. */
  next(projection: string, place: TopicPartition): Promise<bigint | undefined>
  /** Looks at the book again and again, until closed. */
  follow(told: PointerEvents): void
  close(): Promise<void>
}

export interface PointerEvents {
  wentOver(projection: string, from: string, to: string): void
  failed(error: unknown): void
}

/** `steadyMs`: a clock that is never set. */
export async function openPointers(
  settings: FoldSettings,
  state: StateStore,
  incarnation: string,
  steadyMs: () => number = () => performance.now(),
): Promise<Pointers> {
  const book = await openBook(state, incarnation)
  const following = new Following(settings, state, incarnation, book, steadyMs)
  await following.begin()
  return following
}

class Following implements Pointers {
  readonly #settings: FoldSettings
  readonly #state: StateStore
  readonly #incarnation: string
  readonly #book: () => Promise<Book>
  readonly #read = new Map<string, Pinned>()
  readonly #coming = new Map<string, Pinned>()
  readonly #steadyMs: () => number
  readonly #closing = new AbortController()
  #running: Promise<void> | undefined
  /** When the last look that succeeded began; for who does not follow nothing runs out. */
  #lookedMs = Number.POSITIVE_INFINITY

  constructor(
    settings: FoldSettings,
    state: StateStore,
    incarnation: string,
    book: () => Promise<Book>,
    steadyMs: () => number,
  ) {
    this.#settings = settings
    this.#state = state
    this.#incarnation = incarnation
    this.#book = book
    this.#steadyMs = steadyMs
  }

  async begin(): Promise<void> {
    for (const { name, read } of planOf(this.#settings, await this.#book(), this.#incarnation)) {
      this.#read.set(name, await this.#open(read))
    }
  }

  read(projection: string): Pinned {
    if (this.#steadyMs() - this.#lookedMs > CLI_LIMITS.bookLeaseMs) {
      throw new StoreUnavailable('which generation is to be read has not been looked at for too long')
    }
    return this.#held(projection)
  }

  #held(projection: string): Pinned {
    const pinned = this.#read.get(projection)
    if (pinned === undefined) throw new Error(`this release runs no projection ${projection}`)
    return pinned
  }

  async next(projection: string, place: TopicPartition): Promise<bigint | undefined> {
    const coming = this.#coming.get(projection)
    const ids = [this.read(projection), ...(coming === undefined ? [] : [coming])].map(
      ({ generation }) => generation.id,
    )
    const { commits } = this.#state
    const records = await Promise.all(
      ids.map((generation) => commits.read({ generation, topic: place.topic, partition: place.partition })),
    )
    const checkpoints = records.map((record) => record?.checkpoint)
    return checkpoints.includes(undefined) ? undefined : (checkpoints as bigint[]).sort((a, b) => (a < b ? -1 : 1))[0]
  }

  follow(told: PointerEvents): void {
    if (this.#running !== undefined) return
    this.#lookedMs = this.#steadyMs()
    this.#running = this.#follow(told)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
  }

  async #follow(told: PointerEvents): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      try {
        await this.#look(told)
      } catch (error) {
        told.failed(error)
      }
      await realWorld.sleep(CLI_LIMITS.bookEveryMs, signal)
    }
  }

  async #look(told: PointerEvents): Promise<void> {
    const beganMs = this.#steadyMs()
    for (const { name, read } of planOf(this.#settings, await this.#book(), this.#incarnation)) {
      const now = this.#held(name)
      if (read.id === now.generation.id) {
        this.#coming.delete(name)
        continue
      }
      const known = this.#coming.get(name)
      const coming = known?.generation.id === read.id ? known : await this.#open(read)
      // From here on nobody is told of more than both have passed.
      this.#coming.set(name, coming)
      if (!(await hasPassed(this.#state.commits, coming.generation.id, now.generation.id))) continue
      this.#read.set(name, coming)
      this.#coming.delete(name)
      told.wentOver(name, now.generation.id, coming.generation.id)
    }
    this.#lookedMs = beganMs
  }

  async #open(generation: Generation): Promise<Pinned> {
    const spec = stateTableOf(generation)
    return { generation, table: spec && (await this.#state.table(spec)) }
  }
}

/** Whether `id` has passed all that `other` has. */
export async function hasPassed(commits: CommitStore, id: string, other: string): Promise<boolean> {
  const theirs = await commits.list(other)
  const ours = new Map(
    (await commits.list(id)).map(({ topic, partition, record }) => [`${topic}/${partition}`, record.checkpoint]),
  )
  return theirs.every(({ topic, partition, record }) => (ours.get(`${topic}/${partition}`) ?? 0n) >= record.checkpoint)
}
