/** Waiting for a log or a store that can't be reached: the same call again is harmless, its event ids are the same. */
import { setTimeout as sleep } from 'node:timers/promises'
import { LogBusy, LogUnavailable } from '../../log/errors.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import { IMPORT_LIMITS } from './limits.ts'

/** Ends with the last error once patience is over, or at once if the user asked to stop. */
export async function patiently<T>(call: () => Promise<T>, signal: AbortSignal, nowMs: () => number): Promise<T> {
  const giveUpAtMs = nowMs() + IMPORT_LIMITS.patienceMs
  for (
    let pauseMs: number = IMPORT_LIMITS.retryFirstMs;
    ;
    pauseMs = Math.min(pauseMs * 2, IMPORT_LIMITS.retryCeilingMs)
  ) {
    try {
      return await call()
    } catch (error) {
      const passing = error instanceof LogBusy || error instanceof LogUnavailable || error instanceof StoreUnavailable
      if (!passing || signal.aborted || nowMs() >= giveUpAtMs) throw error
      await sleep(error instanceof LogBusy ? error.retryAfterMs : pauseMs)
    }
  }
}
