/**
 * The state store: commit records and versioned tables, whichever engine keeps them.
 *
 * A row's *version* is the log position it reflects. An upsert wins over the row that is there only if its version is
 * larger (on equal versions, the larger canonical bytes), so a zombie's or a replayed write never wins, and writing
 * the same row twice changes nothing. Every column is written every time. Removal is a value, not a delete.
 *
 * A *commit record* says how far one generation has gone in one partition. It changes only by compare-and-set: whoever
 * raised the term last is the owner, and everybody else's swaps are refused, as is a late copy of the owner's own.
 *
 * What can fail: any call may reject with StoreUnavailable; the caller retries it. An answer that was lost is cleared
 * up inside the engine (a swap is read back) before it is reported.
 */

/** JS types: text string · int number (32 bit) · long bigint · boolean boolean · timestamp number (ms) · blob Buffer. */
export type ColumnType = 'text' | 'int' | 'long' | 'boolean' | 'timestamp' | 'blob'
export type ColumnValue = string | number | bigint | boolean | Uint8Array | null

export interface Column {
  readonly name: string
  readonly type: ColumnType
  /** Shown to people who read the table with other tools. */
  readonly comment?: string
}

export interface TableSpec {
  /** Lower case, digits and underscores, at most 48 characters. */
  readonly name: string
  /** Rows that live together, are listed together and are erased together. Never null. */
  readonly partition: readonly Column[]
  /** Order within the partition. Never null. */
  readonly clustering: readonly (Column & { readonly order?: 'asc' | 'desc' })[]
  readonly columns: readonly Column[]
  readonly comment: string
}

export interface StateRow {
  /** Partition columns, then clustering columns. */
  readonly key: readonly ColumnValue[]
  readonly version: bigint
  readonly columns: readonly ColumnValue[]
  /** From an event's time, never from a clock: a rebuild revives nothing. */
  readonly expiresAtMs?: number
}

export interface ListRequest {
  readonly partition: readonly ColumnValue[]
  /** Exclusive: clustering values to go on after. */
  readonly after?: readonly ColumnValue[]
  readonly limit: number
}

export interface StateTable {
  readonly spec: TableSpec
  /** Durable when it resolves. At most STORE_LIMITS.upsertRowsMax rows. */
  upsert(rows: readonly StateRow[]): Promise<void>
  /** Answers in the order asked; a row that is absent or expired is undefined. */
  get(keys: readonly (readonly ColumnValue[])[]): Promise<readonly (StateRow | undefined)[]>
  /** One partition's rows in clustering order. */
  list(request: ListRequest): Promise<readonly StateRow[]>
  /** Every row, in any order; for audits and digests. */
  scan(): AsyncIterable<StateRow>
  /** Removes a partition's rows of `version` or older, for good (erasure of a person's data). */
  erase(partition: readonly ColumnValue[], version: bigint): Promise<void>
}

export interface CommitKey {
  readonly generation: string
  readonly topic: string
  readonly partition: number
}

/** How the owner of a partition is named in tokens, guards and logs. */
export function ownerName({ generation, topic, partition }: CommitKey): string {
  return `${generation}/${topic}/${partition}`
}

/** What happened to every position below the checkpoint: read = folded + duplicates + parked + undecryptable. */
export interface Tally {
  readonly read: bigint
  readonly folded: bigint
  readonly duplicates: bigint
  readonly parked: bigint
  readonly undecryptable: bigint
}

/** A batch that was begun. A redo obeys `from`, `to` and `parked` exactly. */
export interface Intent {
  readonly from: bigint
  readonly to: bigint
  readonly parked: readonly bigint[]
  /** The audit sum once this batch is done. A redo can't recompute it: half of the states may be written already. */
  readonly audit: bigint
  /** The analytics store's block counter as last known when the intent was set: says if a token may be forgotten. */
  readonly blocks: bigint
}

export interface CommitRecord {
  /** Raised by each take-over: who owns the partition. */
  readonly term: bigint
  /** Raised by each swap. A swap that was given up as lost and arrives late finds another revision and changes nothing. */
  readonly revision: bigint
  /** Next position to read. */
  readonly checkpoint: bigint
  readonly intent?: Intent
  readonly tally: Tally
  /** Σ hash(key, version) of the rows that stand, modulo 2^64. */
  readonly audit: bigint
}

export type Swap = { readonly swapped: true } | { readonly swapped: false; readonly found: CommitRecord | undefined }

export interface CommitStore {
  /** Linearizable. */
  read(key: CommitKey): Promise<CommitRecord | undefined>
  /**
   * Writes `next` if the stored record has the revision of `expected` (undefined: if there is no record). `next` has the
   * revision that follows. Durable when it resolves.
   */
  swap(key: CommitKey, expected: CommitRecord | undefined, next: CommitRecord): Promise<Swap>
  list(generation: string): Promise<readonly (CommitKey & { readonly record: CommitRecord })[]>
}

export interface StateStore {
  readonly engine: 'embedded' | 'cassandra' | 'sim'
  readonly commits: CommitStore
  /** Creates the table if it is missing; refuses a spec that differs from the stored one in more than added columns. */
  table(spec: TableSpec): Promise<StateTable>
  /** Drops a table of a generation that is no longer wanted. */
  drop(name: string): Promise<void>
  ping(): Promise<void>
  close(): Promise<void>
}
