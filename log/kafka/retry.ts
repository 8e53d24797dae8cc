/** Waiting and trying again, within bounds. */
import { setTimeout as delay } from 'node:timers/promises'
import { LogUnavailable } from '../errors.ts'
import { KAFKA_LIMITS } from './limits.ts'

/** Doubles with each failure; jittered, so that clients that failed together don't come back together. */
export function backoffMs(failures: number): number {
  const ceiling = Math.min(KAFKA_LIMITS.retryDelayMaxMs, KAFKA_LIMITS.retryDelayMinMs * 2 ** failures)
  return ceiling * (0.5 + Math.random() / 2)
}

/** Why an attempt did not succeed this time; thrown by `attempt` to be asked again. */
export class NotYet extends LogUnavailable {}

/** Nothing will come of trying again: this client was closed. */
export class Closed extends LogUnavailable {
  constructor() {
    super('the log is closed')
  }
}

/** Tries until it works, until another error than LogUnavailable, or until the time is up (then: the last error). */
export async function persist<T>(
  attempt: () => Promise<T>,
  { timeoutMs = KAFKA_LIMITS.retryTimeoutMs as number, given = () => true as boolean } = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (let failures = 0; ; failures++) {
    try {
      return await attempt()
    } catch (error) {
      const waitMs = backoffMs(failures)
      if (
        !(error instanceof LogUnavailable) ||
        error instanceof Closed ||
        !given() ||
        performance.now() + waitMs > deadline
      )
        throw error
      await delay(waitMs)
    }
  }
}
