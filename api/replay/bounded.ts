/**
 * What reads much is bounded in number and time. A turn is *free* → *taken* → free again when the work has really ended:
 * who is answered after its time leaves its turn taken until the work has heard of it.
 */
import { Problem, type ProblemCode } from '../problems.ts'
import { within } from '../within.ts'
import { REPLAY_ROUTE_LIMITS } from './limits.ts'
import { ReplayRefused } from './ports.ts'

export type Bounded = <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>

const LATE = Symbol('late')

export function bounded(atOnceMax: number, timeoutMs: number, remedy: string): Bounded {
  let running = 0
  return async (work) => {
    if (running >= atOnceMax) {
      const retryAfterMs = REPLAY_ROUTE_LIMITS.busyRetryAfterMs
      throw new Problem('REPLAY_BUSY', `${atOnceMax} of these run here at a time: ask again in a moment.`, {
        retryAfterMs,
      })
    }
    running += 1
    const stop = new AbortController()
    const done = told(work(stop.signal)).finally(() => {
      running -= 1
    })
    const found = await within(timeoutMs, done, LATE)
    if (found !== LATE) return found as Exclude<typeof found, symbol>
    stop.abort()
    throw new Problem('QUERY_TOO_HEAVY', `It takes longer than ${timeoutMs / 1_000} seconds. ${remedy}`, {
      retryAfterMs: REPLAY_ROUTE_LIMITS.busyRetryAfterMs,
    })
  }
}

const CODES: Readonly<Record<Exclude<ReplayRefused['code'], 'INVALID'>, ProblemCode>> = {
  UNKNOWN: 'NAME_UNKNOWN',
  NOT_NOW: 'NOT_NOW',
}

/** Refusals as problems. */
export async function told<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof ReplayRefused)) throw error
    const { code, field, message } = error
    if (code !== 'INVALID') throw new Problem(CODES[code], message)
    throw field === undefined
      ? new Problem('FIELD_INVALID', message)
      : new Problem('FIELD_INVALID', message, { members: { field } })
  }
}
