/** From the wish to the first frame: how long it takes, how long somebody waits for it, and whether it fails. */
import type { Failure } from './events.ts'
import { startPatienceMs } from './habits.ts'
import { SIM_LIMITS } from './limits.ts'
import type { Effect } from './options.ts'
import type { Playback } from './playback.ts'
import type { Random } from './random.ts'

/** Round trips before the first media: manifest, licence, initialization. */
const ROUND_TRIPS = 5
/** A cache that has to fetch, a name that resolves slowly. */
const COLD_STARTS = 0.04
const COLD_FACTOR = [2, 12] as const
const [FAILURES, BUSINESS_FAILURES] = [0.006, 0.003]
/** Somebody meant something else, and says so at once. */
const MISCLICKS = 0.012
const MISCLICK_MS = [150, 990] as const

export interface Startup {
  readonly startupMs: number
  readonly patienceMs: number
  /** Instead of the first frame. */
  readonly failure: Failure | undefined
}

export interface StartupParts {
  readonly playback: Playback
  readonly setupMs: number
  readonly effect: Effect
  readonly nowMs: number
}

export function startupOf({ playback, setupMs, effect, nowMs }: StartupParts, random: Random): Startup {
  const tripsMs = ROUND_TRIPS * playback.source.roundTripMs(nowMs)
  const coldness = random.chance(COLD_STARTS) ? random.between(...COLD_FACTOR) : 1
  const setup = random.around(setupMs, 0.3) + random.around(tripsMs, 0.2)
  const naturalMs = Math.min(SIM_LIMITS.waitMaxMs, coldness * (setup + playback.firstMediaInMs()))
  const misclick = random.chance(MISCLICKS)
  return {
    startupMs: Math.max(1, Math.round(naturalMs * (effect.startup ?? 1))),
    patienceMs: misclick ? Math.round(random.between(...MISCLICK_MS)) : startPatienceMs(random),
    failure: failureOf(playback.source.failuresAt(nowMs), effect, random),
  }
}

function failureOf(inFault: number, effect: Effect, random: Random): Failure | undefined {
  const share = random.share()
  if (share < BUSINESS_FAILURES) return { code: 'GEO_BLOCKED', phase: 'startup', business: true }
  const failures = (FAILURES + inFault) * (effect.failures ?? 1)
  if (share >= BUSINESS_FAILURES + failures) return undefined
  return { code: 'MANIFEST_LOAD_ERROR', phase: 'startup', business: false }
}
