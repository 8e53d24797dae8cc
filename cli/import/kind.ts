/** What differs between importing progress, titles, views and lines of CDNs' logs; all else is run.ts. */
import type { Sealer } from '../../api/context.ts'
import type { EventLog, NewRecord } from '../../log/log.ts'
import type { ImportSource } from '../../producers/import.ts'
import type { EventCodec, TitleFacts } from '../../schemas/index.ts'
import type { SourceRecord } from './records.ts'
import type { Fields } from './rows.ts'
import type { TimeRules } from './values.ts'

export interface ImportPorts {
  readonly log: EventLog
  readonly codec: EventCodec
  readonly sealer: Sealer
  /** What the catalogue says of titles, to stamp on their progress; empty where nothing is known. */
  readonly factsOf: (titleIds: readonly string[]) => Promise<ReadonlyMap<string, TitleFacts>>
}

export interface ImportRun extends ImportSource {
  /** The same until the file is imported to its end. */
  readonly runId: string
}

export type KindName = 'progress' | 'titles' | 'views' | 'cmcd-log'

/** `P` is what it writes with. */
export interface ImportKind<T, P = ImportPorts> {
  readonly name: KindName
  /** Our names; one that ends in a dot takes every name that begins so. */
  readonly fields: readonly string[]
  /** Of each list, a CSV header must have one. */
  readonly needed: readonly (readonly string[])[]
  /** Throws RowRejected. */
  row(fields: Fields, rules: TimeRules, record: SourceRecord): T
  /** Called again for the same rows of the same run, it gives records with the same event ids. A row may give none. */
  records(ports: P, run: ImportRun, rows: readonly T[]): Promise<readonly NewRecord[]>
}
