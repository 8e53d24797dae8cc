/**
 * A bell between processes: `ring` touches an empty file, every process watches it. Rings may merge, and one may be lost
 * (watches can run out), so waiters also look by themselves now and then. Nothing is decided by the file: a waiter that
 * is woken reads the database.
 *
 * A waiter calls `listen` first, then looks, then waits for `after` what `listen` said: a ring in between is not missed.
 */
import { closeSync, type FSWatcher, futimesSync, openSync, watch } from 'node:fs'
import { EMBEDDED_LIMITS } from './limits.ts'

/** Where troubles go that are no caller's: the role's own log. */
export type Warn = (message: string, error: unknown) => void

export class Wake {
  readonly #path: string
  readonly #file: number
  readonly #warn: Warn
  #rings = 0
  readonly #waiters = new Set<() => void>()
  #watcher: FSWatcher | undefined
  #unwatched = false

  constructor(path: string, warn: Warn) {
    this.#path = path
    this.#warn = warn
    this.#file = openSync(path, 'w')
  }

  /** How many rings were heard. From the first call on, those of other processes are heard too. */
  listen(): number {
    if (this.#watcher === undefined && !this.#unwatched) this.#watch()
    return this.#rings
  }

  /** Wakes the waiters of all processes. */
  ring(): void {
    this.stir()
    try {
      // Not a write: a full disk must not keep us from saying so. The time means nothing.
      const now = new Date()
      futimesSync(this.#file, now, now)
    } catch (error) {
      // What was appended is durable all the same, and the others find it when they look by themselves.
      this.#warn(`${this.#path} can't be touched, other processes will be slow to wake`, error)
    }
  }

  /** Wakes the waiters of this process. */
  stir(): void {
    this.#rings += 1
    for (const wake of [...this.#waiters]) wake()
  }

  /** Resolves on a ring after the first `rings`, after `waitMs` or less, or by the signal, whichever is first. */
  after(rings: number, waitMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#rings !== rings || waitMs <= 0 || signal?.aborted) return Promise.resolve()
    const pollMs = this.#unwatched ? EMBEDDED_LIMITS.wakePollUnwatchedMs : EMBEDDED_LIMITS.wakePollMs
    return new Promise((resolve) => {
      const done = () => {
        this.#waiters.delete(done)
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, Math.min(waitMs, pollMs))
      this.#waiters.add(done)
      signal?.addEventListener('abort', done)
    })
  }

  /** Ends every wait of this process. */
  close(): void {
    this.#watcher?.close()
    this.stir()
    closeSync(this.#file)
  }

  #watch(): void {
    try {
      this.#watcher = watch(this.#path, { persistent: false }, () => this.stir())
      this.#watcher.on('error', (error) => this.#giveUp(error))
    } catch (error) {
      this.#giveUp(error)
    }
  }

  /** No watch to be had (none left, or not on this file system): waiters look more often instead. */
  #giveUp(error: unknown): void {
    this.#warn(`${this.#path} can't be watched, looking every ${EMBEDDED_LIMITS.wakePollUnwatchedMs} ms instead`, error)
    this.#watcher?.close()
    this.#watcher = undefined
    this.#unwatched = true
    this.stir()
  }
}
