/** The simulated state store: one linearizable map; an upsert's rows arrive one by one, so a crash leaves half of them. */
import { StoreRefused, StoreUnavailable } from '../../stores/errors.ts'
import type {
  CommitKey,
  CommitRecord,
  CommitStore,
  ListRequest,
  StateRow,
  StateStore,
  StateTable,
  Swap,
  TableSpec,
} from '../../stores/state.ts'
import type { SimProcess } from './process.ts'

/** Faults of the store itself, planted to see that a check finds them. */
export interface StateMutations {
  /** A swap succeeds whatever the term. */
  swapIgnoresTerm?: boolean
  /** A swap compares the term only, so that a late copy of the owner's own swap succeeds. */
  swapIgnoresRevision?: boolean
  /** The last write wins, not the larger version. */
  upsertIgnoresVersion?: boolean
  /** Acknowledged before it is written. */
  upsertNotAwaited?: boolean
}

interface Stored {
  readonly spec: TableSpec
  readonly rows: Map<string, StateRow>
}

export class SimStateServer {
  readonly mutations: StateMutations
  readonly commits = new Map<string, CommitKey & { readonly record: CommitRecord }>()
  readonly tables = new Map<string, Stored>()

  constructor(mutations: StateMutations = {}) {
    this.mutations = mutations
  }

  swap(key: CommitKey, expected: CommitRecord | undefined, record: CommitRecord): Swap {
    const found = this.commits.get(commitName(key))?.record
    const same = this.mutations.swapIgnoresRevision
      ? found?.term === expected?.term
      : found?.revision === expected?.revision
    if (!same && !this.mutations.swapIgnoresTerm) return { swapped: false, found }
    this.commits.set(commitName(key), { ...key, record })
    return { swapped: true }
  }

  table(spec: TableSpec): Stored {
    let stored = this.tables.get(spec.name)
    if (stored === undefined) {
      stored = { spec, rows: new Map() }
      this.tables.set(spec.name, stored)
    }
    const known = stored.spec.columns.map((c) => `${c.name} ${c.type}`).join()
    if (
      !spec.columns
        .map((c) => `${c.name} ${c.type}`)
        .join()
        .startsWith(known)
    ) {
      throw new StoreRefused(`table "${spec.name}" exists with other columns`)
    }
    return stored
  }

  upsert({ rows }: Stored, row: StateRow): void {
    const name = rowName(row.key)
    const before = rows.get(name)
    const wins =
      before === undefined ||
      row.version > before.version ||
      (row.version === before.version && canonical(row) > canonical(before))
    if (wins || this.mutations.upsertIgnoresVersion) rows.set(name, row)
  }
}

export function simState(server: SimStateServer, process: SimProcess): StateStore {
  const lost = () => new StoreUnavailable('the simulated state store did not answer')
  const call = <T>(apply: () => T) => process.call(apply, lost)
  return {
    engine: 'sim',
    commits: simCommits(server, process, call),
    table: async (spec) => simTable(server, await call(() => server.table(spec)), process, call),
    drop: (name) => call(() => void server.tables.delete(name)),
    ping: () => call(() => undefined),
    close: async () => undefined,
  }
}

type Call = <T>(apply: () => T) => Promise<T>

function simCommits(server: SimStateServer, process: SimProcess, call: Call): CommitStore {
  return {
    read: (key) => call(() => server.commits.get(commitName(key))?.record),
    swap: (key, expected, next) => clearedUp(server, process, call, key, expected, next),
    list: (generation) => call(() => [...server.commits.values()].filter((c) => c.generation === generation)),
  }
}

/** A lost answer is read back before it is reported, as the real engines do. */
async function clearedUp(
  server: SimStateServer,
  process: SimProcess,
  call: Call,
  key: CommitKey,
  expected: CommitRecord | undefined,
  next: CommitRecord,
): Promise<Swap> {
  for (let tries = 0; tries < 20; tries++) {
    try {
      return await call(() => server.swap(key, expected, next))
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error
      process.world.note(`${process.name}: swap unclear, read back`)
    }
    try {
      const found = await call(() => server.commits.get(commitName(key))?.record)
      if (found === next) return { swapped: true }
      if (found?.revision !== expected?.revision) return { swapped: false, found }
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error
    }
  }
  throw new StoreUnavailable('the simulated state store does not answer')
}

function simTable(server: SimStateServer, stored: Stored, process: SimProcess, call: Call): StateTable {
  const { rows, spec } = stored
  const partitionName = (key: StateRow['key']) => rowName(key.slice(0, spec.partition.length))
  return {
    spec,
    upsert: async (wanted) => {
      if (server.mutations.upsertNotAwaited) {
        for (const row of wanted)
          process.world.after(process.world.chance.between(0, 50), () => server.upsert(stored, row))
        return
      }
      await Promise.all(wanted.map((row) => call(() => server.upsert(stored, row))))
    },
    get: (keys) => call(() => keys.map((key) => rows.get(rowName(key)))),
    list: (request) => call(() => listed(stored, request)),
    scan: async function* () {
      yield* await call(() => [...rows.values()])
    },
    erase: (partition, version) =>
      call(() => {
        for (const [name, row] of rows) {
          if (partitionName(row.key) === rowName(partition) && row.version <= version) rows.delete(name)
        }
      }),
  }
}

function listed({ rows, spec }: Stored, { partition, after, limit }: ListRequest): readonly StateRow[] {
  const width = spec.partition.length
  const order = (a: readonly unknown[], b: readonly unknown[]): number => {
    for (const [i, column] of spec.clustering.entries()) {
      const [x, y] = [a[i] as string | bigint, b[i] as string | bigint]
      if (x !== y) return (x < y ? -1 : 1) * (column.order === 'desc' ? -1 : 1)
    }
    return 0
  }
  return [...rows.values()]
    .filter((row) => rowName(row.key.slice(0, width)) === rowName(partition))
    .filter((row) => after === undefined || order(row.key.slice(width), after) > 0)
    .sort((a, b) => order(a.key.slice(width), b.key.slice(width)))
    .slice(0, limit)
}

export function rowName(key: StateRow['key']): string {
  return key.map(String).join('\u0000')
}

export function commitName({ generation, topic, partition }: CommitKey): string {
  return `${generation}/${topic}/${partition}`
}

function canonical(row: StateRow): string {
  return row.columns.map((c) => (c instanceof Uint8Array ? Buffer.from(c).toString('hex') : String(c))).join('\u0000')
}
