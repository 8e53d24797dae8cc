/**
 * What the routes of replay ask for, in plain values: cli/replay does it, for the command line and for these. Each act is an
 * event in the log; the consumers do what follows from it.
 */
import type { ProgressRow } from '../../projections/progress/row.ts'

/** What can't be done, and what can instead: UNKNOWN is a name, NOT_NOW a state of things, INVALID what was asked. */
export class ReplayRefused extends Error {
  readonly code: 'UNKNOWN' | 'NOT_NOW' | 'INVALID'
  /** Of the question, where one is wrong. */
  readonly field: string | undefined
  constructor(code: ReplayRefused['code'], message: string, field?: string) {
    super(message)
    this.name = 'ReplayRefused'
    this.code = code
    this.field = field
  }
}

export type Plain = Readonly<Record<string, unknown>>

/** Who asks, as the event will say. */
export interface Asker {
  readonly by: string
  readonly reason: string | null
}

export interface GenerationShown {
  readonly id: string
  readonly projection: string
  readonly state: string
  readonly foldVersion: number
  readonly parameters: Readonly<Record<string, number>>
  readonly build: string | null
  readonly untilMs: number | null
  readonly recordsPerSecond: number | null
  readonly askedAtMs: number
  readonly by: string | null
  readonly reason: string | null
  /** Null: it is dropped, or this release can't make it. */
  readonly standing: {
    readonly done: bigint
    readonly total: bigint
    readonly lag: bigint
    readonly complete: boolean
    readonly counts: Readonly<Record<'folded' | 'duplicates' | 'parked' | 'undecryptable', bigint>>
  } | null
}

export interface RebuildAsked {
  readonly projection: string
  readonly parameters: Readonly<Record<string, number>>
  readonly name: string
  readonly untilMs?: number
  readonly recordsPerSecond?: number
  /** Processes that fold. */
  readonly workers?: number
}

export interface ComparisonShown {
  readonly first: string
  readonly second: string
  readonly equal: boolean
  /** Null: the projection keeps none. */
  readonly states: Plain | null
  readonly tables: readonly Plain[]
}

/** Of the log's clock, or a position of the key's partition (that event included); nothing: now. */
export interface Moment {
  readonly untilMs?: number
  readonly untilPosition?: bigint
}

export interface HistoryAsked {
  readonly projection: string
  /** By the names of key columns: profile_id, title_id, session_id, account_id. */
  readonly of: Readonly<Record<string, string>>
  readonly moment: Moment
  readonly steps: boolean
}

export interface HistoryState {
  readonly key: Plain
  readonly state: Plain
  /** What stands in ClickHouse for it, by table. */
  readonly rows: Readonly<Record<string, readonly Plain[]>>
}

export interface HistoryStep {
  readonly topic: string
  readonly partition: number
  readonly position: bigint
  readonly timestampMs: number
  readonly fate: string
  readonly detail: string | null
  readonly key: Plain | null
  /** Without what points at a person. */
  readonly event: Plain | null
  readonly changes: readonly Plain[]
}

export interface HistoryFound {
  readonly generation: string
  /** Parameters of its fold, where they are not the fold's own. */
  readonly parameters: Readonly<Record<string, number>> | null
  /** Of the last record that was taken, by the log's clock; null: none. */
  readonly clockMs: number | null
  readonly states: readonly HistoryState[]
  readonly steps: readonly HistoryStep[]
}

export interface LettersWanted {
  readonly projection?: string
  readonly cause?: string
  readonly sinceMs?: number
  readonly untilMs?: number
  /** Those that are settled, too. */
  readonly all: boolean
}

export interface LetterShown {
  /** `views:playback-events/3@1234` */
  readonly letter: string
  readonly projection: string
  readonly generation: string
  readonly status: string
  readonly cause: string
  readonly detail: string
  readonly key: string | null
  readonly receivedAtMs: number
}

export interface LetterGroup {
  readonly projection: string
  readonly cause: string
  readonly letters: number
  readonly first: string
  readonly detail: string
}

export interface LetterWhole extends LetterShown {
  /** Null: its bytes are no event of ours. */
  readonly event: Plain | null
  readonly bytes: number
  readonly hex: string
}

/** One by its name, or all that fit. */
export type LettersChosen = { readonly letter: string } | { readonly wanted: LettersWanted }

export interface LettersActed {
  readonly letters: readonly string[]
  /** Those that could not be, and why. */
  readonly left: readonly { readonly letter: string; readonly problem: string }[]
  /** There are more than one request takes. */
  readonly more: boolean
}

/** Every call may reject with ReplayRefused. */
export interface ReplayPort {
  generations(projection: string | undefined, all: boolean): Promise<readonly GenerationShown[]>
  /** By its id, or the beginning of it that no other has. */
  generation(id: string): Promise<GenerationShown>
  rebuild(asked: RebuildAsked, who: Asker): Promise<{ readonly id: string }>
  /** With the one that is read, without `other`. */
  compare(id: string, other: string | undefined, signal: AbortSignal): Promise<ComparisonShown>
  /** Readers go over when it has passed what they read. */
  promote(id: string, who: Asker): Promise<{ readonly id: string; readonly before: string }>
  /** Resumed at once; promoted, by this process, when it has caught up. */
  rollback(projection: string, who: Asker): Promise<{ readonly id: string; readonly before: string }>
  act(id: string, action: 'pause' | 'resume' | 'drop', who: Asker): Promise<{ readonly id: string }>
  rate(id: string, recordsPerSecond: number, who: Asker): Promise<{ readonly id: string }>
  letters(wanted: LettersWanted, limit: number): Promise<{ readonly letters: readonly LetterShown[]; more: boolean }>
  letterGroups(wanted: LettersWanted): Promise<{ readonly groups: readonly LetterGroup[]; more: boolean }>
  letter(name: string): Promise<LetterWhole>
  /** `mended`: what the one letter should have said. */
  replayLetters(chosen: LettersChosen, mended: Plain | undefined, who: Asker): Promise<LettersActed>
  discardLetters(chosen: LettersChosen, who: Asker): Promise<LettersActed>
  verify(projection: string, samplePercent: number, signal: AbortSignal): Promise<Plain>
  history(asked: HistoryAsked, signal: AbortSignal): Promise<HistoryFound>
  /** The row of one title as it was. */
  progressAt(
    whose: { readonly profileId: string; readonly titleId: string },
    moment: Moment,
    signal: AbortSignal,
  ): Promise<{ readonly row: ProgressRow | undefined; readonly clockMs: number | null }>
}
