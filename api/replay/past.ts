/**
 * The past, for routes that answer `?asOf=`: which moment is meant, and what was known then, folded again from the log.
 * No live table is read, and nothing is written.
 */
import type { ProgressRow } from '../../projections/progress/row.ts'
import { fieldProblem, timeMsOf } from '../validation.ts'
import { type Bounded, bounded } from './bounded.ts'
import { REPLAY_ROUTE_LIMITS } from './limits.ts'
import type { HistoryAsked, HistoryFound, Moment, ReplayPort } from './ports.ts'

export interface Past {
  /** Throws the problem of a moment that is none, or has not come. */
  moment(text: string): Asked
  history(asked: HistoryAsked): Promise<HistoryFound>
  progress(
    whose: { readonly profileId: string; readonly titleId: string },
    moment: Moment,
  ): Promise<{ readonly row: ProgressRow | undefined; readonly clockMs: number | null }>
}

export interface Asked extends Moment {
  /** As an answer repeats it. */
  readonly asOf: string
}

export const AS_OF_CHARS_MAX = 64
const POSITION = /^@(\d{1,18})$/
const REMEDY =
  'Send an RFC 3339 time with its zone, milliseconds since 1970, or @N for a position of the log (+ is %2B in a URL).'

export function createPast(replay: ReplayPort, nowMs: () => number): Past {
  const { historiesAtOnceMax, historyMs } = REPLAY_ROUTE_LIMITS
  const run: Bounded = bounded(historiesAtOnceMax, historyMs, 'Ask for less: one title, or one session.')
  return {
    moment: (text) => momentOf(text, nowMs()),
    history: (asked) => run((signal) => replay.history(asked, signal)),
    progress: (whose, moment) => run((signal) => replay.progressAt(whose, moment, signal)),
  }
}

export function momentOf(text: string, nowMs: number, field = 'asOf'): Asked {
  const position = POSITION.exec(text)?.[1]
  if (position !== undefined) return { untilPosition: BigInt(position), asOf: text }
  const untilMs = timeMsOf(/^\d{1,16}$/.test(text) ? Number(text) : text)
  if (untilMs === undefined) throw fieldProblem({ field, problem: 'is no moment', remedy: REMEDY }, 'query')
  if (untilMs > nowMs) {
    const remedy = `Send a moment that has passed; here it is ${new Date(nowMs).toISOString()}.`
    throw fieldProblem({ field, problem: 'has not come yet', remedy }, 'query')
  }
  return { untilMs, asOf: new Date(untilMs).toISOString() }
}
