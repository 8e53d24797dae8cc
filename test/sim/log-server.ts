/**
 * The simulated log's truth: topics, records, groups, mirrors.
 *
 * A record is first in the tail, then durable; a crash of the log's machine tears the tail off at any record. Only
 * durable records are acknowledged and readable.
 */
import { LogFull, LogRefused, LogRetention } from '../../log/errors.ts'
import type {
  LogRecord,
  MirroredCheckpoint,
  NewRecord,
  PartitionBounds,
  Placed,
  Position,
  ReadAnswer,
  ReadRequest,
  TopicPartition,
  TopicSpec,
} from '../../log/log.ts'
import { partitionOf } from '../../log/partition.ts'
import { SimGroup } from './group.ts'
import { Weather } from './weather.ts'
import type { SimWorld } from './world.ts'

interface Tail {
  /** What is before was trimmed. */
  start: number
  readonly records: LogRecord[]
  durable: number
  /** Readers that wait for more. */
  readonly waiting: Set<() => void>
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
  /** Readers see what is not durable yet; and power is cut often, right after they saw it. */
  readsBeyondDurable?: boolean
}

export interface LogOptions {
  /** A record is durable within this. */
  readonly syncMsMax?: number
  /** An answer may hold fewer records than there are and were asked for, as any engine's may. */
  readonly shortAnswers?: boolean
}

const CUTS = { afterMs: 4, chance: 0.05 } as const

/** Kafka's rule, as in the real engines. */
const NAME = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/

export class SimLogServer {
  readonly incarnation = 'sim'
  readonly world: SimWorld
  readonly mutations: LogMutations
  readonly weather = new Weather()
  readonly #syncMsMax: number
  readonly #shortAnswers: boolean
  readonly #topics = new Map<string, Tail[]>()
  readonly #groups = new Map<string, SimGroup>()
  readonly #mirrored = new Map<string, Map<string, MirroredCheckpoint>>()

  constructor(world: SimWorld, mutations: LogMutations = {}, { syncMsMax = 5, shortAnswers = false }: LogOptions = {}) {
    this.world = world
    this.mutations = mutations
    this.#syncMsMax = syncMsMax
    this.#shortAnswers = shortAnswers
  }

  /** All of them or none. */
  ensure(specs: readonly TopicSpec[]): TopicSpec[] {
    for (const { topic, partitions } of specs) {
      if (!NAME.test(topic)) throw new LogRefused(`"${topic}" can't be a topic's name`)
      if (!Number.isSafeInteger(partitions) || partitions < 1) {
        throw new LogRefused(`topic ${topic} can't have ${partitions} partitions`)
      }
    }
    return specs.map(({ topic, partitions }) => {
      const tail = (): Tail => ({ start: 0, records: [], durable: 0, waiting: new Set() })
      const tails = this.#topics.get(topic) ?? Array.from({ length: partitions }, tail)
      this.#topics.set(topic, tails)
      return { topic, partitions: tails.length }
    })
  }

  specs(): TopicSpec[] {
    return [...this.#topics].map(([topic, tails]) => ({ topic, partitions: tails.length }))
  }

  tails(topic: string): readonly Tail[] {
    const tails = this.#topics.get(topic)
    if (tails === undefined) throw new LogRefused(`there is no topic "${topic}": create it with ensureTopics`)
    return tails
  }

  #tail({ topic, partition }: TopicPartition): Tail {
    const tail = this.tails(topic)[partition]
    if (tail === undefined) throw new LogRefused(`"${topic}" has no partition ${partition}`)
    return tail
  }

  durable(topic: string): readonly (readonly LogRecord[])[] {
    return this.tails(topic).map((t) => t.records.slice(0, t.durable))
  }

  bounds(topic: string): PartitionBounds[] {
    return this.tails(topic).map((tail, partition) => ({
      topic,
      partition,
      start: BigInt(tail.start),
      end: this.#end(tail),
    }))
  }

  trim(place: TopicPartition, before: Position): Position {
    const tail = this.#tail(place)
    tail.start = Math.max(tail.start, Math.min(Number(before), tail.durable))
    return BigInt(tail.start)
  }

  /** Into the tail now; `acknowledge` once it is durable (never, if the tail is torn off before). */
  append(records: readonly NewRecord[], acknowledge: (placed: readonly Placed[]) => void): void {
    const { chance } = this.world
    for (const { topic } of records) this.tails(topic)
    if (this.weather.full) {
      this.world.count('appends refused by a full disk')
      throw new LogFull('the simulated log has no space left')
    }
    if (this.mutations.acknowledgedNotStored && chance.happens(0.05)) {
      acknowledge(records.map(() => ({ partition: 0, position: 0n })))
      return
    }
    const twice = this.mutations.sequenceRollback === true && chance.happens(0.05)
    const stored = twice && records.length > 1 ? [records[0]!, ...records.slice(0, -1)] : records
    const placed = stored.map((record) => this.#store(record))
    const tails = new Set(placed.map(({ tail }) => tail))
    if (this.mutations.readsBeyondDurable) {
      wake(tails)
      if (chance.happens(CUTS.chance)) this.world.after(CUTS.afterMs, () => this.tear())
    }
    this.world.after(chance.between(1, this.#syncMsMax), () => {
      const stands = placed.every(({ tail, record }) => tail.records[Number(record.position)] === record)
      if (!stands) return
      for (const { tail, record } of placed) tail.durable = Math.max(tail.durable, Number(record.position) + 1)
      acknowledge(placed.map(({ partition, record }) => ({ partition, position: record.position })))
      wake(tails)
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
      wake(tails)
    }
  }

  /** What a reader takes for the end. */
  #end(tail: Tail): Position {
    return BigInt(this.mutations.readsBeyondDurable ? tail.records.length : tail.durable)
  }

  read(request: ReadRequest): ReadAnswer {
    const { from, to, bytesMax, recordsMax } = request
    const tail = this.#tail(request)
    const end = this.#end(tail)
    const { chance } = this.world
    if (from < tail.start) throw new LogRetention(request, from, BigInt(tail.start))
    const records: LogRecord[] = []
    let bytes = 0
    let next: Position = from > 0n ? from : 0n
    if (this.mutations.offByOneSeek && chance.happens(0.02)) next += 1n
    const most = this.#shortAnswers ? Math.min(recordsMax, chance.of([3, 20, 1_000])) : recordsMax
    while (next < end && records.length < most && (to === undefined || next <= to)) {
      const record = tail.records[Number(next)]!
      bytes += record.value.length
      if (bytes > bytesMax && records.length > 0) break
      records.push(record)
      next += 1n
    }
    if (this.mutations.skipUnderSlowBatch && records.length > 0 && next < end && chance.happens(0.1)) next += 1n
    return { records, next, end }
  }

  /** Calls `more` whenever there may be more than `seen`: at once, if there is already; the answer ends that. */
  watch(place: TopicPartition, seen: Position, more: () => void): () => void {
    const tail = this.#tail(place)
    tail.waiting.add(more)
    if (this.#end(tail) > seen) more()
    return () => tail.waiting.delete(more)
  }

  group(name: string): SimGroup {
    const partitionsOf = (topic: string) => this.tails(topic).map((_, partition) => ({ topic, partition }))
    const group = this.#groups.get(name) ?? new SimGroup(this.world, partitionsOf)
    this.#groups.set(name, group)
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

function wake(tails: Iterable<Tail>): void {
  for (const tail of tails) for (const more of [...tail.waiting]) more()
}
