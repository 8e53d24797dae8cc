/** The simulated state store's truth: one linearizable map of commit records, and tables of versioned rows. */
import { canonicalRow, isExpired } from '../../stores/canonical.ts'
import { StoreFull, StoreRefused } from '../../stores/errors.ts'
import { addedColumns, specToText } from '../../stores/spec.ts'
import {
  type CommitKey,
  type CommitRecord,
  type ListRequest,
  ownerName,
  type StateRow,
  type Swap,
  type TableSpec,
} from '../../stores/state.ts'
import { byClustering, nameOf } from './keys.ts'
import { Weather } from './weather.ts'

/** Faults of the store itself, planted to see that a check finds them. */
export interface StateMutations {
  /** A swap succeeds whatever the term. */
  swapIgnoresTerm?: boolean
  /** A swap compares the term only, so that a late copy of the owner's own swap succeeds. */
  swapIgnoresRevision?: boolean
  /** A swap whose answer was lost is taken for done. */
  swapAssumed?: boolean
  /** A table that is dropped stays. */
  dropsNothing?: boolean
  /** The last write wins, not the larger version. */
  upsertIgnoresVersion?: boolean
  /** Acknowledged before it is written. */
  upsertNotAwaited?: boolean
}

/** A table that was dropped and made again is another one. */
export interface Stored {
  /** The widest that was asked for. */
  spec: TableSpec
  /** The expired ones too: an older write must not come back in their place. */
  readonly rows: Map<string, StateRow>
  /** By partition: up to which version its rows are gone for good. */
  readonly erased: Map<string, bigint>
}

export class SimStateServer {
  readonly mutations: StateMutations
  readonly commits = new Map<string, CommitKey & { readonly record: CommitRecord }>()
  readonly tables = new Map<string, Stored>()
  readonly weather = new Weather()
  /** What an honest store can't see and a check must: two processes that both were the owner in one term. */
  readonly twoOwners: string[] = []
  readonly #owners = new Map<string, string>()

  constructor(mutations: StateMutations = {}) {
    this.mutations = mutations
  }

  commit(key: CommitKey): CommitRecord | undefined {
    return this.commits.get(ownerName(key))?.record
  }

  swap(key: CommitKey, expected: CommitRecord | undefined, record: CommitRecord, by = ''): Swap {
    this.#mustHaveSpace()
    const found = this.commit(key)
    const same = this.mutations.swapIgnoresRevision
      ? found?.term === expected?.term
      : found?.revision === expected?.revision
    if (!same && !this.mutations.swapIgnoresTerm) return { swapped: false, found }
    const { generation, topic, partition } = key
    this.#owned(`${ownerName(key)} in term ${record.term}`, by)
    this.commits.set(ownerName(key), { generation, topic, partition, record })
    return { swapped: true }
  }

  #owned(what: string, by: string): void {
    const owner = this.#owners.get(what) ?? by
    this.#owners.set(what, owner)
    if (owner !== by) this.twoOwners.push(`${what} was owned by ${owner} and by ${by}`)
  }

  #mustHaveSpace(): void {
    if (this.weather.full) throw new StoreFull('the simulated state store has no space left')
  }

  table(spec: TableSpec): Stored {
    const stored = this.tables.get(spec.name) ?? { spec, rows: new Map(), erased: new Map() }
    if (addedColumns(specToText(stored.spec), spec).length > 0) stored.spec = spec
    this.tables.set(spec.name, stored)
    return stored
  }

  drop(name: string): void {
    if (this.mutations.dropsNothing) return
    this.tables.delete(name)
  }

  upsert(stored: Stored, row: StateRow): void {
    this.#mustBeLive(stored)
    this.#mustHaveSpace()
    const { rows, erased, spec } = stored
    const name = nameOf(row.key)
    const before = rows.get(name)
    const gone = erased.get(nameOf(row.key.slice(0, spec.partition.length)))
    const wins = (gone === undefined || row.version > gone) && (before === undefined || larger(spec, row, before))
    if (wins || this.mutations.upsertIgnoresVersion) rows.set(name, copyOf(row))
  }

  get(stored: Stored, keys: readonly StateRow['key'][], nowMs: number): readonly (StateRow | undefined)[] {
    this.#mustBeLive(stored)
    return keys.map((key) => {
      const row = stored.rows.get(nameOf(key))
      return row === undefined || isExpired(row.expiresAtMs, nowMs) ? undefined : copyOf(row)
    })
  }

  list(stored: Stored, { partition, after, limit }: ListRequest, nowMs: number): readonly StateRow[] {
    const { spec } = stored
    const width = spec.partition.length
    const order = byClustering(spec)
    return this.#unexpired(stored, nowMs)
      .filter(({ key }) => nameOf(key.slice(0, width)) === nameOf(partition))
      .filter(({ key }) => after === undefined || order(key.slice(width), after) > 0)
      .sort((a, b) => order(a.key.slice(width), b.key.slice(width)))
      .slice(0, limit)
      .map(copyOf)
  }

  /** Partition by partition, each in clustering order, as the real engines do. */
  scan(stored: Stored, nowMs: number): readonly StateRow[] {
    const { spec } = stored
    const width = spec.partition.length
    const order = byClustering(spec)
    const partitions = new Map<string, StateRow[]>()
    for (const row of this.#unexpired(stored, nowMs)) {
      const name = nameOf(row.key.slice(0, width))
      partitions.set(name, [...(partitions.get(name) ?? []), row])
    }
    return [...partitions.values()].flatMap((rows) => {
      return rows.sort((a, b) => order(a.key.slice(width), b.key.slice(width))).map(copyOf)
    })
  }

  #unexpired(stored: Stored, nowMs: number): StateRow[] {
    this.#mustBeLive(stored)
    return [...stored.rows.values()].filter((row) => !isExpired(row.expiresAtMs, nowMs))
  }

  erase(stored: Stored, partition: StateRow['key'], version: bigint): void {
    this.#mustBeLive(stored)
    const { rows, erased, spec } = stored
    const wanted = nameOf(partition)
    const before = erased.get(wanted)
    if (before === undefined || before < version) erased.set(wanted, version)
    for (const [name, row] of rows) {
      if (nameOf(row.key.slice(0, spec.partition.length)) === wanted && row.version <= version) rows.delete(name)
    }
  }

  #mustBeLive(stored: Stored): void {
    const { name } = stored.spec
    if (this.tables.get(name) !== stored) throw new StoreRefused(`table ${name} was dropped`)
  }
}

function larger(spec: TableSpec, row: StateRow, before: StateRow): boolean {
  if (row.version !== before.version) return row.version > before.version
  const bytes = (of: StateRow) => canonicalRow(spec, of, { version: 'without' })
  return Buffer.compare(bytes(row), bytes(before)) > 0
}

/** Neither the writer's nor a reader's bytes are the stored ones. */
function copyOf(row: StateRow): StateRow {
  const copy = (values: StateRow['key']) => values.map((v) => (v instanceof Uint8Array ? Buffer.from(v) : v))
  return { ...row, key: copy(row.key), columns: copy(row.columns) }
}
