/**
 * What a projection is: a pure fold of events into rows. No clock, no randomness, no I/O, no driver is imported below
 * this folder; what a fold needs from elsewhere is stamped on the event or joined at read.
 *
 * Its visible rows are a function of the *set* of its events: any order, duplication or batching of the same records
 * ends in the same rows. consumers/ drives it; stores/ keep what it says.
 *
 * Two kinds, and a projection may be both:
 * - a *journal* says at most one row for each position of the log, whatever became of the record there;
 * - a *keyed* fold keeps a state for each key; the rows a state means are written signed (the old rows with −1, the
 *   new ones with +1) whenever a batch changes them.
 */
import type { EventType, PlayheadEvent } from '../schemas/index.ts'

export type Cell = string | number | bigint | boolean | null | readonly Cell[]

/** What became of a record: a journal shows it, the tally counts it. */
export type Fate = 'folded' | 'duplicate' | 'parked' | 'undecryptable'

/** One position of the log, as a journal sees it. */
export interface Entry {
  readonly topic: string
  readonly partition: number
  readonly position: bigint
  readonly timestampMs: number
  readonly key: string | null
  readonly fate: Fate
  readonly schemaId: number | undefined
  /** Absent when the bytes could not be decoded. */
  readonly event: PlayheadEvent | undefined
}

/** A landing table: rows inserted there flow on through its views, and are refused if their writer was replaced. */
export interface Landing {
  readonly name: string
  /** The table whose rows are audited; it has the columns topic, partition, version, sign and row_key. */
  readonly target: string
  /** The landing table's columns after `term`, in the order of a row's cells; `topic` and `partition` are among them. */
  readonly columns: readonly string[]
}

export interface Journal {
  readonly landing: Landing
  /** Undefined: the table says nothing of this record. */
  row(entry: Entry): readonly Cell[] | undefined
  /** The audited name of a row; its version is its position. */
  rowKey(entry: Entry): string
}

export type StateCell = string | number | bigint | boolean | Uint8Array | null
export interface StateColumn {
  readonly name: string
  readonly type: 'text' | 'int' | 'long' | 'boolean' | 'timestamp' | 'blob'
  readonly comment?: string
}

/** The table of a keyed projection's states. */
export interface StateShape {
  readonly name: string
  readonly comment: string
  readonly partition: readonly StateColumn[]
  readonly clustering: readonly (StateColumn & { readonly order?: 'asc' | 'desc' })[]
  readonly columns: readonly StateColumn[]
}

/** A row that a state means; the runtime adds term, place, sign and version in front of the cells. */
export interface SignedRow {
  readonly landing: Landing
  readonly rowKey: string
  readonly cells: readonly Cell[]
}

export interface Keyed<S> {
  readonly shape: StateShape
  /** Partition then clustering values; undefined: this event says nothing to this projection. */
  key(event: PlayheadEvent): readonly StateCell[] | undefined
  fold(state: S | undefined, event: PlayheadEvent): S
  /**
   * The rows this state means; the same state always means the same rows, in the same order. A row that a fold did not
   * touch should be the same object before and after: it is then known to be unchanged without a look at its cells.
   * Their names are all different.
   * Empty for projections that only upsert.
   */
  rows(state: S): readonly SignedRow[]
  toColumns(state: S): readonly StateCell[]
  fromColumns(columns: readonly StateCell[], key: readonly StateCell[]): S
  /** States that a partition's worker keeps in memory; for large ones, fewer than the runtime's own number. */
  readonly cachedStatesMax?: number
  /**
   * For states that stand behind rows: how long one is kept after it was written last, by the clock of whoever writes.
   * By the events' times a rebuild of old events would lose each state as it is written, and could take no row back.
   */
  readonly keptMs?: number
  /** For states that are read themselves. From the events' times, never from a clock: a rebuild revives nothing. */
  expiresAtMs?(state: S): number | undefined
  /**
   * An event that erases: the partition (of the shape) whose rows go, with all that the log said of it up to here. By
   * position of the log, on purpose: an erasure is the one thing that must not be outlived by what came before it. The
   * event itself is not folded.
   */
  erases?(event: PlayheadEvent): readonly StateCell[] | undefined
  /** The only types of event that `erases` answers to. */
  readonly erasers?: readonly EventType[]
  /**
   * The fold reads `personal`: the runtime opens what is sealed before it folds. An event whose key was destroyed is
   * counted undecryptable and not folded. Without it, events are folded as they are, sealed.
   */
  readonly personal?: true
}

export interface Projection<S = unknown> {
  readonly name: string
  /** Changes whenever the same events would mean other rows; a generation keeps the version it began with. */
  readonly foldVersion: number
  /** Those that differ from the fold version's own: another set means another generation, with tables of its own. */
  readonly parameters?: Readonly<Record<string, number>>
  /** A keyed projection reads one topic: a key's events are then in one partition, in order. */
  readonly topics: readonly string[]
  /**
   * The only types of event that mean anything to it. Records of other types are folded without being decoded: to this
   * projection they are nothing, whatever is in them. Without it every record is decoded.
   */
  readonly reads?: readonly EventType[]
  /** Records of a batch, where the runtime's own number does not suit it. */
  readonly batchRecordsMax?: number
  /** A batch is begun at most this often: long for rows that cost an insert, short for plain upserts. */
  readonly batchMs: number
  /** Every landing table its rows go to; none for projections that only upsert. */
  readonly landings: readonly Landing[]
  readonly journal?: Journal
  readonly keyed?: Keyed<S>
}

/** The parameters that differ from a fold version's own. */
export function parametersBeside(own: object, given: object): Readonly<Record<string, number>> {
  const usual = new Map<string, unknown>(Object.entries(own))
  return Object.fromEntries(Object.entries(given).filter(([name, value]) => usual.get(name) !== value))
}
