/** What is known of a projection's generations, as projections/generations folds it. */

export type GenerationStatus = 'building' | 'paused' | 'dropped'

export interface GenerationRow {
  readonly id: string
  readonly foldVersion: number
  readonly parameters: Readonly<Record<string, number>>
  readonly build: string | null
  readonly untilMs: number | null
  readonly recordsPerSecond: number | null
  readonly status: GenerationStatus
  /** When an operator last said that it is to run; null: never, or it was stopped since. */
  readonly resumedAtMs: number | null
  readonly askedAtMs: number
  readonly by: string | null
  readonly reason: string | null
}

export interface PromotionRow {
  readonly id: string
  readonly atMs: number
  readonly eventId: string
  readonly digest: string | null
  readonly by: string | null
  readonly reason: string | null
}

export interface BookRow {
  readonly projection: string
  /** Newest last. */
  readonly generations: readonly GenerationRow[]
  /** Newest last: the last one says which generation readers read. */
  readonly promotions: readonly PromotionRow[]
}

/** What an operator does to one generation: the actions of OperatorActed, with the generation in `details`. */
export const GENERATION_ACTIONS = {
  pause: 'generation.pause',
  resume: 'generation.resume',
  drop: 'generation.drop',
  rate: 'generation.rate',
} as const
