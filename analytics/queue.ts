/** A bounded wait for one of a few slots: first come, first served; whoever can't wait is told at once. */
import { refuse } from './errors.ts'

export interface Queue {
  /** Runs `work` in a slot. Rejects with code 202 when the queue is full or the wait too long. */
  run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>
  readonly running: number
  readonly waiting: number
}

interface Waiter {
  readonly start: () => void
}

export function createQueue(slots: number, waitingMax: number, waitMs: number): Queue {
  const waiters = new Set<Waiter>()
  let running = 0

  const release = () => {
    running -= 1
    const [first] = waiters
    if (first === undefined) return
    waiters.delete(first)
    first.start()
  }

  const acquire = (signal: AbortSignal): Promise<void> => {
    if (signal.aborted) return Promise.reject(refuse('QUERY_WAS_CANCELLED', 'The client went away'))
    if (running < slots) {
      running += 1
      return Promise.resolve()
    }
    if (waiters.size >= waitingMax) return Promise.reject(tooMany(slots))
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        waiters.delete(waiter)
        act()
      }
      const waiter: Waiter = {
        start: () => {
          running += 1
          settle(resolve)
        },
      }
      const onAbort = () => settle(() => reject(refuse('QUERY_WAS_CANCELLED', 'The client went away')))
      const timer = setTimeout(() => settle(() => reject(tooMany(slots))), waitMs)
      signal.addEventListener('abort', onAbort, { once: true })
      waiters.add(waiter)
    })
  }

  return {
    async run(work, signal) {
      await acquire(signal)
      try {
        return await work()
      } finally {
        release()
      }
    },
    get running() {
      return running
    },
    get waiting() {
      return waiters.size
    },
  }
}

function tooMany(slots: number): Error {
  return refuse('TOO_MANY_SIMULTANEOUS_QUERIES', `Too many simultaneous queries. Maximum: ${slots}`)
}
