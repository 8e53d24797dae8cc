/** From when to when, in which steps. What is asked for is rounded outward to whole steps; the answer says to what. */
import { fieldProblem, timeMsOf } from '../validation.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, QOE_LIMITS } from './limits.ts'

export const GRAINS = { second: 1_000, minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS } as const
export type Grain = keyof typeof GRAINS

export interface Window {
  readonly fromMs: number
  /** Exclusive. */
  readonly toMs: number
}

export interface AskedWindow {
  readonly from?: string | number
  readonly to?: string | number
}

export function windowOf(asked: AskedWindow, nowMs: number, stepMs: number = MINUTE_MS): Window {
  const to = timeOf('to', asked.to) ?? nowMs
  const from = timeOf('from', asked.from) ?? to - QOE_LIMITS.windowMs
  if (from >= to) throw invalid('from', 'is not before "to"', 'Send from < to.')
  if (to - from > QOE_LIMITS.windowMaxMs) {
    throw invalid('from', 'is too long before "to"', `Ask for ${QOE_LIMITS.windowMaxMs / DAY_MS} days at most.`)
  }
  return { fromMs: Math.floor(from / stepMs) * stepMs, toMs: Math.ceil(to / stepMs) * stepMs }
}

export function grainOf(asked: Grain | undefined, window: Window): Grain {
  const grain = asked ?? wantedGrain(window)
  const points = Math.ceil((window.toMs - window.fromMs) / GRAINS[grain])
  if (points > QOE_LIMITS.pointsMax) {
    throw invalid('grain', `would give ${points} points`, `Ask for ${QOE_LIMITS.pointsMax} at most: a larger grain.`)
  }
  if (grain === 'second' && window.toMs - window.fromMs > QOE_LIMITS.secondGrainWindowMaxMs) {
    const minutes = QOE_LIMITS.secondGrainWindowMaxMs / MINUTE_MS
    throw invalid('grain', 'is too fine for this window', `Ask for seconds over ${minutes} minutes at most.`)
  }
  return grain
}

function wantedGrain({ fromMs, toMs }: Window): Grain {
  for (const grain of ['minute', 'hour'] as const) {
    if ((toMs - fromMs) / GRAINS[grain] <= QOE_LIMITS.pointsWanted) return grain
  }
  return 'day'
}

/** A moment that is asked about; milliseconds may come as the text that a query holds. */
export function timeOf(field: string, given: string | number | undefined): number | undefined {
  if (given === undefined) return undefined
  const ms = timeMsOf(typeof given === 'string' && /^\d{1,16}$/.test(given) ? Number(given) : given)
  if (ms === undefined) {
    throw invalid(field, 'is no time', 'Send milliseconds since 1970, or an RFC 3339 time with its zone.')
  }
  if (ms < QOE_LIMITS.timeMsMin || ms > QOE_LIMITS.timeMsMax)
    throw invalid(field, 'is out of range', 'Send 1970 to 2100.')
  return ms
}

export function shownWindow({ fromMs, toMs }: Window): { readonly from: string; readonly to: string } {
  return { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() }
}

function invalid(field: string, problem: string, remedy: string): Error {
  return fieldProblem({ field, problem, remedy }, 'query')
}
