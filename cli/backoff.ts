/** When a role that ended is started again, and when that is pointless. Pure: times come in. */
import { CLI_LIMITS } from './limits.ts'

/** Ended because of something that a restart can't cure: a setting, a port in use, a folder held by another. */
export const EXIT_INCURABLE = 78

export interface Ending {
  readonly code: number | null
  readonly upMs: number
}

export type Verdict =
  | { readonly restart: true; readonly pauseMs: number; readonly failures: number }
  | { readonly restart: false; readonly why: string }

/** `failures` counts endings in a row before this one; a role that stayed up long enough starts a new count. */
export function afterEnding(ending: Ending, failures: number): Verdict {
  if (ending.code === EXIT_INCURABLE) return { restart: false, why: 'a restart would not help' }
  const inARow = ending.upMs >= CLI_LIMITS.restartForgetMs ? 1 : failures + 1
  if (inARow > CLI_LIMITS.restartsMax) {
    return { restart: false, why: `it ended ${inARow} times in a row` }
  }
  const pauseMs = Math.min(CLI_LIMITS.restartCeilingMs, CLI_LIMITS.restartFirstMs * 2 ** (inARow - 1))
  return { restart: true, pauseMs, failures: inARow }
}
