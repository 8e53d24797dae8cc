/**
 * The simulated log: `SimLogServer` holds the truth, `simLog(process)` is the port as one process sees it.
 *
 * A record is first in the tail, then durable; a crash of the log's machine tears the tail off at any record. Only
 * durable records are acknowledged and readable. Groups: the server notices a silent member after its session time and
 * gives its partitions away, whatever that member still believes.
 */
import { LogRefused, LogUnavailable } from '../../log/errors.ts'
import type {
  EventLog,
  GroupListener,
  LogRecord,
  MirroredCheckpoint,
  NewRecord,
  Placed,
  Position,
  ReadAnswer,
  ReadRequest,
  TopicPartition,
  TopicSpec,
} from '../../log/log.ts'
import { partitionOf } from '../../log/partition.ts'
import { SimGroup } from './group.ts'
import type { SimProcess } from './process.ts'
import type { SimWorld } from './world.ts'

interface Tail {
  readonly records: LogRecord[]
  durable: number
}

/** Faults of the log itself, planted to see that a check finds them (all off in an honest run). */
export interface LogMutations {
  /** Two sends at once: one is stored twice, the other never, both acknowledged. */
  sequenceRollback?: boolean
  /** Acknowledged and not stored, once in a while. */
  acknowledgedNotStored?: boolean
  /** A read that begins one position late, after a take-over. */
  offByOneSeek?: boolean
  /** The next position to read skips a record when the reader is slow. */
  skipUnderSlowBatch?: boolean
  /** Readers see what is not durable yet. */
  readsBeyondDurable?: boolean
}

export class SimLogServer {
  readonly world: SimWorld
  readonly mutations: LogMutations
  readonly #topics = new Map<string, Tail[]>()
  readonly #waiters = new Set<() => void>()
  readonly #groups = new Map<string, SimGroup>()
  readonly #mirrored = new Map<string, Map<string, MirroredCheckpoint>>()
  readonly syncMsMax: number

  constructor(world: SimWorld, mutations: LogMutations = {}, syncMsMax = world.chance.of([5, 50, 500])) {
    this.world = world
    this.mutations = mutations
    this.syncMsMax = syncMsMax
  }

  ensure({ topic, partitions }: TopicSpec): TopicSpec {
    let tails = this.#topics.get(topic)
    if (tails === undefined) {
      tails = Array.from({ length: partitions }, () => ({ records: [], durable: 0 }))
      this.#topics.set(topic, tails)
    }
    return { topic, partitions: tails.length }
  }

  specs(): TopicSpec[] {
    return [...this.#topics].map(([topic, tails]) => ({ topic, partitions: tails.length }))
  }

  tails(topic: string): readonly Tail[] {
    const tails = this.#topics.get(topic)
    if (tails === undefined) throw new LogRefused(`there is no topic "${topic}": create it with ensureTopics`)
    return tails
  }

  durable(topic: string): readonly (readonly LogRecord[])[] {
    return this.tails(topic).map((t) => t.records.slice(0, t.durable))
  }

  /** Into the tail now; `acknowledge` once it is durable (never, if the tail is torn off before). */
  append(records: readonly NewRecord[], acknowledge: (placed: readonly Placed[]) => void): void {
    const { chance } = this.world
    if (this.mutations.acknowledgedNotStored && chance.happens(0.05)) {
      acknowledge(records.map(() => ({ partition: 0, position: 0n })))
      return
    }
    const twice = this.mutations.sequenceRollback === true && chance.happens(0.05)
    const stored = twice && records.length > 1 ? [records[0]!, ...records.slice(0, -1)] : records
    const placed = stored.map((record) => this.#store(record))
    this.world.after(chance.between(1, this.syncMsMax), () => {
      const stands = placed.every(({ tail, record }) => tail.records[Number(record.position)] === record)
      if (!stands) return
      for (const { tail, record } of placed) tail.durable = Math.max(tail.durable, Number(record.position) + 1)
      acknowledge(placed.map(({ partition, record }) => ({ partition, position: record.position })))
      this.#wake()
    })
  }

  #store({ topic, key, value, timestampMs, headers = {} }: NewRecord) {
    const tails = this.tails(topic)
    const partition = partitionOf(key, tails.length)
    const tail = tails[partition]!
    const position = BigInt(tail.records.length) as Position
    const record: LogRecord = { position, timestampMs, key, value: Buffer.from(value), headers }
    tail.records.push(record)
    return { tail, partition, record }
  }

  unsynced(): number {
    const tails = [...this.#topics.values()].flat()
    return tails.reduce((n, t) => n + t.records.length - t.durable, 0)
  }

  /** The machine under the log loses power: what was not synced is gone, from any record on. */
  tear(): void {
    for (const tails of this.#topics.values()) {
      for (const tail of tails) {
        const keep = this.world.chance.between(tail.durable, tail.records.length)
        tail.records.length = keep
        tail.durable = keep
      }
    }
    this.#wake()
  }

  read({ topic, partition, from, to, bytesMax, recordsMax }: ReadRequest): ReadAnswer {
    const tail = this.tails(topic)[partition]
    if (tail === undefined) throw new LogRefused(`"${topic}" has no partition ${partition}`)
    const endIndex = this.mutations.readsBeyondDurable ? tail.records.length : tail.durable
    const end = BigInt(endIndex) as Position
    const records: LogRecord[] = []
    let bytes = 0
    let next = from
    if (this.mutations.offByOneSeek && this.world.chance.happens(0.02)) next += 1n
    // An answer may hold fewer than asked for, as with any engine.
    const most = Math.min(recordsMax, this.world.chance.of([3, 20, 1_000]))
    while (next < end && records.length < most && (to === undefined || next <= to)) {
      const record = tail.records[Number(next)]!
      bytes += record.value.length
      if (bytes > bytesMax && records.length > 0) break
      records.push(record)
      next += 1n
    }
    if (this.mutations.skipUnderSlowBatch && records.length > 0 && next < end && this.world.chance.happens(0.1))
      next += 1n
    return { records, next, end }
  }

  onDurable(wake: () => void): () => void {
    this.#waiters.add(wake)
    return () => this.#waiters.delete(wake)
  }

  #wake(): void {
    for (const wake of [...this.#waiters]) wake()
  }

  group(name: string, topics: readonly string[]): SimGroup {
    let group = this.#groups.get(name)
    if (group === undefined) {
      const places = topics.flatMap((topic) => this.tails(topic).map((_, partition) => ({ topic, partition })))
      group = new SimGroup(this.world, places)
      this.#groups.set(name, group)
    }
    return group
  }

  mirror(group: string, checkpoints: readonly MirroredCheckpoint[]): void {
    const known = this.#mirrored.get(group) ?? new Map<string, MirroredCheckpoint>()
    for (const c of checkpoints) known.set(`${c.topic}/${c.partition}`, c)
    this.#mirrored.set(group, known)
  }

  mirrored(group: string): MirroredCheckpoint[] {
    return [...(this.#mirrored.get(group)?.values() ?? [])]
  }
}

/** The port, as one process sees it. */
export function simLog(server: SimLogServer, process: SimProcess): EventLog {
  const lost = () => new LogUnavailable('the simulated log did not answer')
  const call = <T>(apply: () => T) => process.call(apply, lost)
  const leaving = new Set<() => Promise<void>>()
  return {
    engine: 'sim',
    incarnation: async () => 'sim',
    ensureTopics: (specs) => call(() => specs.map((spec) => server.ensure(spec))),
    topics: () => call(() => server.specs()),
    append: (records) => append(server, process, records, lost),
    read: (request) => read(server, process, request, lost),
    bounds: (topic) =>
      call(() => server.tails(topic).map((t, partition) => ({ topic, partition, start: 0n, end: BigInt(t.durable) }))),
    join: async (name, topics, listener: GroupListener) => {
      const member = await call(() => server.group(name, topics).join(process, listener))
      leaving.add(member.leave)
      return member
    },
    mirror: (group, checkpoints) => call(() => server.mirror(group, checkpoints)),
    mirrored: (group) => call(() => server.mirrored(group)),
    close: async () => {
      for (const leave of leaving) await leave()
    },
  }
}

function append(
  server: SimLogServer,
  process: SimProcess,
  records: readonly NewRecord[],
  lost: () => Error,
): Promise<readonly Placed[]> {
  return new Promise((resolve, reject) => {
    process
      .call(() => {
        for (const { topic } of records) server.tails(topic)
        server.append(records, (placed) => process.tell(() => resolve(placed)))
        server.world.after(1_000, () => process.tell(() => reject(lost())))
      }, lost)
      .catch(reject)
  })
}

async function read(
  server: SimLogServer,
  process: SimProcess,
  request: ReadRequest,
  lost: () => Error,
): Promise<ReadAnswer> {
  const attempt = () => process.call(() => server.read(request), lost)
  const first = await attempt()
  if (first.records.length > 0 || request.waitMs === 0 || request.signal?.aborted === true) return first
  await new Promise<void>((resolve) => {
    const stop = server.onDurable(() => process.tell(done))
    const done = () => {
      stop()
      request.signal?.removeEventListener('abort', done)
      resolve()
    }
    request.signal?.addEventListener('abort', done)
    server.world.after(request.waitMs, () => process.tell(done))
  })
  return attempt()
}

export function placeName({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}
