/** What people do while they watch, and how long they put up with what they did not come for. */
import type { Title } from './catalogue.ts'
import { SIM_LIMITS } from './limits.ts'
import type { Random } from './random.ts'

const MINUTE_MS = 60_000
/** Of playing, on average between two. */
const PAUSE_EVERY_MS = 24 * MINUTE_MS
const SEEK_EVERY_MS = 11 * MINUTE_MS
export const ACT_EVERY_MS = 1 / (1 / PAUSE_EVERY_MS + 1 / SEEK_EVERY_MS)

/** Who watches on to the end, by kind; the rest drop off, most of them early. */
const FINISH: Readonly<Record<Title['kind'], number>> = { movie: 0.45, episode: 0.68, clip: 0.6 }
const EARLY = 0.45
const EARLY_MS = 4 * MINUTE_MS

const FAST = 0.04
const FAST_PERMILLE = [1_250, 1_500, 2_000]

/** Playing time that somebody means to spend on it; Infinity: to the end. */
export function budgetOf(title: Title, random: Random, factor: number): number {
  if (random.chance(FINISH[title.kind] * Math.min(1, factor))) return Number.POSITIVE_INFINITY
  const early = random.chance(EARLY)
  const ms = early
    ? random.exponential(Math.min(EARLY_MS, title.durationMs / 6))
    : random.between(0.05, 0.95) * title.durationMs
  return Math.max(1_000, Math.round(ms * factor))
}

export function rateOf(random: Random): number {
  return random.chance(FAST) ? FAST_PERMILLE[random.below(FAST_PERMILLE.length)]! : 1_000
}

export function beginsAt(title: Title, random: Random): { positionMs: number; trigger: string } {
  if (title.kind === 'clip' || !random.chance(0.22)) return { positionMs: 0, trigger: 'user' }
  return { positionMs: Math.floor(random.between(0.05, 0.8) * title.durationMs), trigger: 'resume' }
}

export function isPause(random: Random): boolean {
  return random.chance(ACT_EVERY_MS / PAUSE_EVERY_MS)
}

export function pauseMs(random: Random): number {
  return Math.round(Math.min(random.around(40_000, 1.2), SIM_LIMITS.pauseMaxMs))
}

/** Mostly forward; not so near to the end that nothing is left. */
export function seekTarget(positionMs: number, durationMs: number, random: Random): number {
  const stepMs = random.around(45_000, 1) * (random.chance(0.72) ? 1 : -1)
  return Math.floor(Math.max(0, Math.min(positionMs + stepMs, durationMs - 5_000)))
}

/** Before the first frame. */
export function startPatienceMs(random: Random): number {
  return Math.round(Math.min(SIM_LIMITS.waitMaxMs, 400 + random.around(11_000, 0.8)))
}

export function stallPatienceMs(random: Random): number {
  return Math.round(Math.min(SIM_LIMITS.stallMaxMs, 4_000 + random.exponential(40_000)))
}

/** Views that a sitting will have. */
export function sittingSize(random: Random): number {
  const share = random.share()
  if (share < 0.68) return 1
  if (share < 0.85) return 2
  return share < 0.95 ? 3 : SIM_LIMITS.sittingViewsMax
}

/** What `sittingSize` comes to. */
export const SITTING_SIZE_MEAN = 0.68 + 2 * 0.17 + 3 * 0.1 + 0.05 * SIM_LIMITS.sittingViewsMax
