/**
 * What the API reads, as it sees it: rows, not tables. cli/ hands the engines in; tests hand in embedded ones. Every
 * reader pins one generation; a read rejects with StoreUnavailable when its store can't be reached.
 */
import type { Position, TopicPartition } from '../log/log.ts'
import type { ProgressRow } from '../projections/progress/row.ts'
import type { StreamsRow } from '../projections/streams/row.ts'
import type { EpisodeRow, TitleRow } from '../projections/titles/row.ts'

export interface ProgressReader {
  get(profileId: string, titleIds: readonly string[]): Promise<readonly (ProgressRow | undefined)[]>
  /** All rows of a profile, in the order of title ids. */
  all(profileId: string): Promise<readonly ProgressRow[]>
}

export interface TitleReader {
  get(titleIds: readonly string[]): Promise<readonly (TitleRow | undefined)[]>
  /** All episodes of a series, in the order of season and episode. */
  episodes(seriesId: string): Promise<readonly EpisodeRow[]>
}

export interface StreamsReader {
  get(accountId: string): Promise<StreamsRow | undefined>
}

/** How far a projection has come. */
export interface Checkpoints {
  /** The next position that it will read; undefined: it has not begun. */
  next(projection: ReadProjection, place: TopicPartition): Promise<Position | undefined>
}

export type ReadProjection = 'progress' | 'titles' | 'episodes' | 'streams' | 'views'

/** ClickHouse, read only and within a budget. Rejects with StoreUnavailable, or with the problem QUERY_TOO_HEAVY. */
export interface AnalyticsReader {
  /** The database of the views generation that is read now: views, view_slices, qoe_minute, qoe_hour, … */
  readonly views: string
  /** Parameters of its fold, where they are not the fold's own. */
  readonly parameters?: Readonly<Record<string, number>>
  /** The database that people query by plain names: events, titles, progress, … */
  readonly shared: string
  /** Parameters are typed in the text (`{from:DateTime64(3)}`) and never spliced into it. */
  query<T>(sql: string, parameters: Readonly<Record<string, unknown>>, budget?: QueryBudget): Promise<readonly T[]>
  /** The same for one answer: it stays with the generation that was read when it began, whatever is promoted meanwhile. */
  pinned?(): AnalyticsReader
}

export function pinnedOf(analytics: AnalyticsReader): AnalyticsReader {
  return analytics.pinned?.() ?? analytics
}

export interface QueryBudget {
  readonly timeoutMs: number
}
