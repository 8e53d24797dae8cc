/**
 * The analytics store: ClickHouse, reached over its HTTP interface on one machine and on a cluster alike.
 *
 * Who may write: the owner of a (generation, topic, partition), as told by `own`. Rows go into landing tables of the
 * Null engine; the views behind them refuse a block whose term is below the owner's. An insert is one block with a
 * deduplication token; the same token is dropped everywhere it went before, so the caller repeats an insert (the same
 * bytes) until it is acknowledged.
 *
 * What can fail: StoreUnavailable (repeat it). 'refused' is an answer: somebody else owns the partition now.
 */
import type { CommitKey } from './state.ts'

export interface LandingInsert {
  /** Landing table, with its database: `playhead_events_v1.landing_events`. */
  readonly table: string
  readonly owner: CommitKey
  readonly term: bigint
  /** `generation/topic/partition/from-to` */
  readonly token: string
  readonly columns: readonly string[]
  /** TabSeparated text, one line for each row, built once and never changed between retries. */
  readonly body: Buffer
  readonly rows: number
}

/** Audit of one generation's partition, from the rows that stand: count and Σ sign·hash(key, version) modulo 2^64. */
export interface AuditSum {
  readonly rows: bigint
  readonly sum: bigint
}

export interface AnalyticsStore {
  readonly engine: 'clickhouse' | 'sim'
  /** Raises the owner's term and waits until every later insert sees it. A lower term than the stored one is refused. */
  own(owner: CommitKey, term: bigint): Promise<'owned' | 'refused'>
  insert(insert: LandingInsert): Promise<'inserted' | 'refused'>
  /** Blocks that went into `table` since it was made: how far the token window has moved. */
  blocks(table: string): Promise<bigint>
  /** Rows of `table` with `from` ≤ version ≤ `to` for this owner. */
  audit(table: string, owner: CommitKey, from: bigint, to: bigint): Promise<AuditSum>
  ping(): Promise<void>
  close(): Promise<void>
}
