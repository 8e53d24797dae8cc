/**
 * Retries of what may come back: a store, the log or the registry that can't be reached. They go on until it answers or
 * the worker is abandoned; an event is never parked because of them.
 */
import { LogBusy, LogFull, LogUnavailable } from '../log/errors.ts'
import { SchemaRegistryUnavailable } from '../schemas/index.ts'
import { StoreFull, StoreUnavailable } from '../stores/errors.ts'
import { Abandoned } from './errors.ts'
import { CONSUMER_LIMITS } from './limits.ts'

/** Time and chance come in from outside, so that the same code runs under the simulation. */
export interface World {
  nowMs(): number
  /** Resolves early, without an error, when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** 0 ≤ x < 1 */
  random(): number
}

export interface Waiting {
  /** What is being waited for and the last reason given; undefined when nothing is. */
  waitingFor: string | undefined
  retries: number
}

const PASSING = [StoreUnavailable, StoreFull, LogUnavailable, LogBusy, LogFull, SchemaRegistryUnavailable]

export function mayPass(error: unknown): error is Error {
  return PASSING.some((type) => error instanceof type)
}

export async function untilDone<T>(
  what: string,
  attempt: () => Promise<T>,
  world: World,
  signal: AbortSignal,
  waiting: Waiting,
): Promise<T> {
  for (let tries = 0; ; tries++) {
    if (signal.aborted) throw new Abandoned()
    try {
      const answer = await attempt()
      waiting.waitingFor = undefined
      return answer
    } catch (error) {
      if (!mayPass(error)) throw error
      waiting.waitingFor = `${what}: ${error.message}`
      waiting.retries++
      const ceiling = Math.min(CONSUMER_LIMITS.retryMaxMs, CONSUMER_LIMITS.retryBaseMs * 2 ** Math.min(tries, 10))
      await world.sleep(ceiling / 2 + (world.random() * ceiling) / 2, signal)
    }
  }
}

export const realWorld: World = {
  nowMs: Date.now,
  random: Math.random,
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal.addEventListener('abort', done)
    }),
}
