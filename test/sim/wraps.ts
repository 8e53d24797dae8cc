/** Ports that break one rule of the delivery protocol, for the bugs of planted.ts. */
import type { EventLog, GroupListener } from '../../log/log.ts'
import type { AnalyticsStore, LandingInsert } from '../../stores/analytics.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import type { CommitKey, StateStore, StateTable, TableSpec } from '../../stores/state.ts'
import { runningOf } from './book.ts'
import type { Engine, Planted, Ports } from './engine.ts'

type Wrap = NonNullable<Planted['ports']>

/** An object behind which some methods are others; the rest go to the object itself. */
function over<T extends object>(port: T, others: Partial<T>): T {
  return new Proxy(port, {
    get(target, name) {
      const other = Reflect.get(others, name)
      if (other !== undefined) return other
      const own: unknown = Reflect.get(target, name)
      return typeof own === 'function' ? own.bind(target) : own
    },
  })
}

const withAnalytics = (ports: Ports, others: (of: AnalyticsStore) => Partial<AnalyticsStore>): Ports => ({
  ...ports,
  analytics: over(ports.analytics, others(ports.analytics)),
})

function withTables(ports: Ports, others: (table: StateTable, spec: TableSpec) => Partial<StateTable>): Ports {
  const { state } = ports
  const table = async (spec: TableSpec) => {
    const own = await state.table(spec)
    return over(own, others(own, spec))
  }
  return { ...ports, state: over(state, { table }) }
}

const withLog = (ports: Ports, others: (log: EventLog) => Partial<EventLog>): Ports => ({
  ...ports,
  log: over(ports.log, others(ports.log)),
})

/** Its rows are on their way when the answer comes; a crash loses them. */
export const insertsLater: Wrap = (ports, process) =>
  withAnalytics(ports, (analytics) => ({
    insert: async (insert) => {
      process.world.after(process.world.chance.between(50, 1_000), () => {
        if (process.alive) analytics.insert(insert).catch(() => undefined)
      })
      return 'inserted'
    },
  }))

export const splitsRetries: Wrap = (ports) => {
  const tried = new Set<string>()
  return withAnalytics(ports, (analytics) => ({
    insert: async (insert) => {
      const again = tried.has(insert.token)
      tried.add(insert.token)
      if (!again || insert.rows < 2) return await analytics.insert(insert)
      const [first, second] = halves(insert)
      const answer = await analytics.insert(first)
      return answer === 'refused' ? answer : await analytics.insert(second)
    },
  }))
}

function halves(insert: LandingInsert): readonly [LandingInsert, LandingInsert] {
  const lines = insert.body.toString().split('\n').slice(0, -1)
  const at = lines.length >> 1
  const part = (name: string, some: readonly string[]): LandingInsert => ({
    ...insert,
    token: `${insert.token}/${name}`,
    body: Buffer.from(`${some.join('\n')}\n`),
    rows: some.length,
  })
  return [part('a', lines.slice(0, at)), part('b', lines.slice(at))]
}

export const clockedVersions: Wrap = (ports, process) =>
  withTables(ports, (table, { name }) => ({
    upsert: (rows) => {
      const version = BigInt(process.clock().nowMs())
      return table.upsert(name === 'dead_letters' ? rows : rows.map((row) => ({ ...row, version })))
    },
  }))

export const lettersLost: Wrap = (ports) =>
  withTables(ports, (_, { name }) => (name === 'dead_letters' ? { upsert: async () => undefined } : {}))

/** What failed is not tried again. */
export const upsertsHalf: Wrap = (ports) =>
  withTables(ports, (table) => ({
    upsert: async (rows) => {
      await table.upsert(rows).catch((error: unknown) => {
        if (!(error instanceof StoreUnavailable)) throw error
      })
    },
  }))

export const erasuresMissBuilds: Wrap = (ports, _process, engine) =>
  withTables(ports, (table, { name }) => ({
    erase: async (partition, version) => {
      if (!isBuild(engine, name)) await table.erase(partition, version)
    },
  }))

/** Which generation is asked for is in a table's name. */
function isBuild(engine: Engine, table: string): boolean {
  return runningOf(engine).some(({ id, build }) => build !== undefined && table.startsWith(id))
}

/** Its first record is a copy of the live generation's. */
export const startsWhereReadIs: Wrap = (ports, _process, engine) => {
  const { state } = ports
  const { commits } = state
  const read = async (key: CommitKey) => {
    const own = await commits.read(key)
    return own ?? liveOf(engine, key)
  }
  const swap: typeof commits.swap = async (key, expected, next) => {
    const real = await commits.read(key)
    return await commits.swap(key, real === undefined ? undefined : expected, next)
  }
  return { ...ports, state: over(state, { commits: over(commits, { read, swap }) }) }
}

function liveOf(engine: Engine, { generation, topic, partition }: CommitKey) {
  const all = runningOf(engine)
  const own = all.find(({ id }) => id === generation)
  const live = own?.build && all.find(({ projection }) => projection.name === own.projection.name)
  return live && engine.state.commit({ generation: live.id, topic, partition })
}

/** A generation's table is named after its projection only. */
export const sharesTables: Wrap = (ports) => {
  const { state } = ports
  const shared = (name: string) => name.replace(/_v1_[0-9a-f]{8}_/, '_v1_00000000_')
  return {
    ...ports,
    state: over(state, {
      table: (spec) => state.table(spec.name.startsWith('generations') ? spec : { ...spec, name: shared(spec.name) }),
      drop: (name) => state.drop(shared(name)),
    }),
  }
}

/** Reads back nothing: only a redo and a worker's own reads see the log. */
export const forgetsWindow: Wrap = (ports, _process, engine) =>
  withLog(ports, (log) => ({
    read: async (request) => {
      const { topic, partition, from, to } = request
      const redone = [...engine.state.commits.values()].some(({ record, ...key }) => {
        const same = key.topic === topic && key.partition === partition
        return same && record.intent !== undefined && record.intent.from <= from && from <= record.intent.to
      })
      if (to === undefined || redone) return await log.read(request)
      return { records: [], next: from, end: from }
    },
  }))

/** The group hears at once that a partition was let go. */
export const drainsNothing: Wrap = (ports) =>
  withLog(ports, (log) => ({
    join: (group, topics, listener) => {
      const hasty: GroupListener = {
        assigned: (partitions) => listener.assigned(partitions),
        lost: (partitions) => listener.lost(partitions),
        revoked: async (partitions) => {
          listener.revoked(partitions).catch(() => undefined)
        },
      }
      return log.join(group, topics, hasty)
    },
  }))

/** Whoever is asked how far something is says: a build has passed everything. */
export function believeBuilds(state: StateStore, engine: Engine): StateStore {
  const { commits } = state
  const list: typeof commits.list = async (generation) => {
    const isBuild = runningOf(engine).some(({ id, build }) => id === generation && build !== undefined)
    const far = await commits.list(generation)
    return isBuild ? far : []
  }
  return over(state, { commits: over(commits, { list }) })
}
