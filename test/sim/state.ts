/**
 * The simulated state store as one process sees it: the port over `SimStateServer`. An upsert's rows arrive one by one,
 * so a crash leaves half of them. Once closed, it refuses everything.
 */
import { StoreRefused, StoreUnavailable } from '../../stores/errors.ts'
import { checkSpec, checkTableName } from '../../stores/spec.ts'
import type {
  CommitKey,
  CommitRecord,
  CommitStore,
  StateRow,
  StateStore,
  StateTable,
  Swap,
} from '../../stores/state.ts'
import {
  checkAfter,
  checkKey,
  checkListLimit,
  checkPartition,
  checkRevision,
  checkRow,
  checkUpsertSize,
} from '../../stores/values.ts'
import type { SimProcess } from './process.ts'
import type { SimStateServer, Stored } from './state-server.ts'

const SWAP_TRIES_MAX = 20

/** One process at one store: how it asks, and which rows it takes for expired. */
interface Client {
  readonly server: SimStateServer
  readonly process: SimProcess
  readonly clock: () => number
  call<T>(apply: () => T): Promise<T>
}

export function simState(server: SimStateServer, process: SimProcess, clock: () => number): StateStore {
  let closed = false
  const lost = () => new StoreUnavailable('the simulated state store did not answer')
  const client: Client = {
    server,
    process,
    clock,
    async call(apply) {
      if (closed) throw new StoreRefused('this state store has been closed')
      return process.call(apply, lost, { weather: server.weather })
    },
  }
  return {
    engine: 'sim',
    commits: simCommits(client),
    async table(spec) {
      checkSpec(spec)
      const stored = await client.call(() => server.table(spec))
      return simTable(client, stored, spec)
    },
    async drop(name) {
      checkTableName(name)
      await client.call(() => server.drop(name))
    },
    ping: () => client.call(() => undefined),
    async close() {
      closed = true
    },
  }
}

function simCommits(client: Client): CommitStore {
  const { server, call } = client
  return {
    read: (key) => call(() => server.commit(key)),
    async swap(key, expected, next) {
      checkRevision(expected, next)
      return clearedUp(client, key, expected, next)
    },
    list: (generation) => call(() => [...server.commits.values()].filter((c) => c.generation === generation)),
  }
}

/** A lost answer is read back before it is reported, as the real engines do. */
async function clearedUp(
  { server, process, call }: Client,
  key: CommitKey,
  expected: CommitRecord | undefined,
  next: CommitRecord,
): Promise<Swap> {
  for (let tries = 0; tries < SWAP_TRIES_MAX; tries++) {
    try {
      return await call(() => server.swap(key, expected, next, process.name))
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error
      if (server.mutations.swapAssumed) return { swapped: true }
      process.world.note(`${process.name}: swap unclear, read back`)
    }
    try {
      const found = await call(() => server.commit(key))
      if (found === next) return { swapped: true }
      if (found?.revision !== expected?.revision) return { swapped: false, found }
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error
    }
  }
  throw new StoreUnavailable('the simulated state store does not answer')
}

function simTable({ server, process, clock, call }: Client, stored: Stored, spec: StateTable['spec']): StateTable {
  /** As this handle knows the table: others may have added columns since, or rows from before may lack ours. */
  const known = (row: StateRow): StateRow => ({ ...row, columns: spec.columns.map((_, i) => row.columns[i] ?? null) })
  return {
    spec,
    async upsert(rows) {
      checkUpsertSize(rows.length)
      for (const row of rows) checkRow(spec, row)
      if (server.mutations.upsertNotAwaited) {
        const { world } = process
        for (const row of rows) world.after(world.chance.between(0, 50), () => server.upsert(stored, row))
        return
      }
      await Promise.all(rows.map((row) => call(() => server.upsert(stored, row))))
    },
    async get(keys) {
      for (const key of keys) checkKey(spec, key)
      const rows = await call(() => server.get(stored, keys, clock()))
      return rows.map((row) => row && known(row))
    },
    async list(request) {
      checkListLimit(request.limit)
      checkPartition(spec, request.partition)
      if (request.after !== undefined) checkAfter(spec, request.after)
      return (await call(() => server.list(stored, request, clock()))).map(known)
    },
    async *scan() {
      yield* (await call(() => server.scan(stored, clock()))).map(known)
    },
    async erase(partition, version) {
      checkPartition(spec, partition)
      await call(() => server.erase(stored, partition, version))
    },
  }
}
