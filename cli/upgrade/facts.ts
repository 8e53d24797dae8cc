/** What an upgrade is planned from: what stands, as the book, the tables and the log say it. Nothing is written. */
import type { Generation } from '../../consumers/generation.ts'
import type { BookRow, GenerationRow } from '../../projections/generations/row.ts'
import type { EventType } from '../../schemas/index.ts'
import type { ProjectionPlan } from '../generations.ts'

export interface Weight {
  /** ClickHouse, and the state store; null: not known, for there is no such table yet. */
  readonly rowBytes: number | null
  readonly stateBytes: number | null
  /** There are more states than were weighed. */
  readonly atLeast: boolean
}

/** One projection of this release, and what stands of it. */
export interface ProjectionFacts {
  readonly plan: ProjectionPlan
  /** Of the book; undefined: it says nothing of it. */
  readonly row: BookRow | undefined
  /** What was promoted last, as it was asked for; undefined: nothing was. */
  readonly stands: GenerationRow | undefined
  readonly records: bigint
  readonly weight: Weight
  /** Events a second of a build that runs now. */
  readonly measuredRate: number | undefined
}

/** A definition beside the usual ones that has no tables yet. */
export interface DefinitionFacts {
  readonly name: string
  readonly generation: Generation
  readonly records: bigint
  readonly weight: Weight
}

export interface MigrationFacts {
  readonly database: string
  readonly folder: string
  /** Files that have not run there. */
  readonly coming: readonly string[]
  /** Files that ran there and say something else now: the release refuses to start with them. */
  readonly changed: readonly string[]
}

export interface SchemaFacts {
  readonly type: EventType
  /** Ids that events in the log were written with. */
  readonly written: readonly number[]
  /** What this release writes. */
  readonly ours: number
  /** In the log, and not known to this release: it would park such events. */
  readonly unknown: readonly number[]
}

export interface Facts {
  /** False: the book is empty, and nothing stands. */
  readonly begun: boolean
  readonly projections: readonly ProjectionFacts[]
  readonly definitions: readonly DefinitionFacts[]
  /** In the book, and not in this release. */
  readonly leftOver: readonly string[]
  readonly migrations: readonly MigrationFacts[]
  readonly schemas: readonly SchemaFacts[]
  readonly freeBytes: number | undefined
}
