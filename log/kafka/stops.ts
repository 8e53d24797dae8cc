/** Waiting for a promise or a signal, whichever is first. */

/** One listener for each signal however many wait on it: a role's one signal may stop hundreds of reads. */
export class Stops {
  readonly #waiting = new WeakMap<AbortSignal, Set<() => void>>()

  /** The promise's value, or undefined when a signal goes off first. One that has gone off before does not count. */
  async firstOf<T>(promise: Promise<T>, signals: readonly (AbortSignal | undefined)[]): Promise<T | undefined> {
    let stop: () => void = () => undefined
    const stopped = new Promise<undefined>((resolve) => {
      stop = () => resolve(undefined)
    })
    const rows = signals.flatMap((signal) => (signal === undefined ? [] : [this.#row(signal)]))
    for (const row of rows) row.add(stop)
    // An answer that nobody waits for any more may fail in peace.
    promise.catch(() => undefined)
    try {
      return await Promise.race([promise, stopped])
    } finally {
      for (const row of rows) row.delete(stop)
    }
  }

  #row(signal: AbortSignal): Set<() => void> {
    const known = this.#waiting.get(signal)
    if (known !== undefined) return known
    const row = new Set<() => void>()
    this.#waiting.set(signal, row)
    const wake = () => {
      for (const stop of row) stop()
    }
    signal.addEventListener('abort', wake, { once: true })
    return row
  }
}
