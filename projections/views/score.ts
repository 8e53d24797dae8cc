/**
 * The score of a view, in thousandths of a point (0 to 100,000): success × mean(startup, smoothness, quality), of those
 * that can be told. Exponentials and roots are rounded to whole thousandths here, before anything is summed; they are
 * functions of whole numbers, so every replay on one release of the engine says the same.
 */
const FULL = 100_000

/** 800 ÷ (8 + seconds), at most 100. */
export function startupScore(startupMs: number): number {
  return Math.min(FULL, Math.round((800 * 1_000 * 1_000) / (8_000 + startupMs)))
}

/** The mean of 100 ÷ √(1 + (stalls ÷ 2)²) and 100 · e^(−10 · stalled share of watched). */
export function smoothnessScore(stalls: number, stalledMs: number, watchedMs: number): number {
  const byCount = FULL / Math.sqrt(1 + (stalls / 2) ** 2)
  const byTime = FULL * Math.exp(-10 * (watchedMs > 0 ? stalledMs / watchedMs : 0))
  return Math.round((byCount + byTime) / 2)
}

/** 100 · e^(−0.33 · (0.15 · largest + 0.85 · mean upscaling)), as ratios. */
export function qualityScore(maxPermille: number, permilleMs: number, ms: number): number {
  return Math.round(FULL * Math.exp(-0.33 * (0.15 * (maxPermille / 1_000) + 0.85 * (permilleMs / ms / 1_000))))
}

export const SUCCESS_SCORE = { played: FULL, leftBeforeStart: FULL / 2, failed: 0 } as const

export function score(success: number, parts: readonly number[]): number {
  if (parts.length === 0) return success
  const mean = parts.reduce((sum, part) => sum + part, 0) / parts.length
  return Math.round((success * mean) / FULL)
}
