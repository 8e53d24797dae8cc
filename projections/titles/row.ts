/** The catalogue as projections/titles folds it: what was registered last of each title, and a series' episodes in order. */
export interface TitleRow {
  readonly titleId: string
  readonly kind: string
  readonly name: string
  readonly description: string | null
  readonly durationMs: number | null
  readonly creditsStartMs: number | null
  readonly seriesId: string | null
  readonly season: number | null
  readonly episode: number | null
  readonly releaseYear: number | null
  readonly rating: string | null
  readonly genres: readonly string[]
  readonly regionsAvailable: readonly string[]
  readonly regionsBlocked: readonly string[]
  readonly images: Readonly<Record<string, string>>
  readonly externalIds: Readonly<Record<string, string>>
  readonly manifests: Readonly<Record<string, string>>
  readonly updatedAtMs: number
  /** Withdrawn after it was registered last. */
  readonly withdrawn: boolean
  readonly version: bigint
}

/** One title's place in a series. A title that moved leaves its old place behind: its TitleRow says where it is now. */
export interface EpisodeRow {
  readonly seriesId: string
  readonly season: number
  readonly episode: number
  readonly titleId: string
  readonly name: string
}
