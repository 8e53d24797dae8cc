/**
 * The event log: what the rest of the engine may ask of it, whichever engine keeps it.
 *
 * States of one record: *accepted* (the caller's promise is pending; it may be lost) → *durable* (the promise has
 * resolved; it is never lost and never moves). There is no third state: a reader sees durable records only.
 *
 * Who owns what: a record's position is given by the log and by nobody else. A group only *assigns* partitions; what a
 * consumer has done is kept in its own commit record (stores/), and the group's checkpoints are a mirror for lag tools.
 *
 * What can fail: an append whose answer was lost is ambiguous. The engines send the same events again, so a record may
 * be stored twice; readers drop the second by its event id (consumers/duplicates.ts). Nothing is ever stored and not
 * acknowledged *and* skipped by a reader.
 */

/** A record's place in its partition. Positions rise; they need not be contiguous (Kafka has gaps). */
export type Position = bigint & { readonly __position?: never }

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface TopicSpec {
  readonly topic: string
  readonly partitions: number
}

export interface NewRecord {
  readonly topic: string
  /** Decides the partition (murmur2, see partition.ts): all records of a key are in one partition, in order. */
  readonly key: string
  readonly value: Uint8Array
  readonly timestampMs: number
  readonly headers?: Readonly<Record<string, string>>
}

export interface Placed {
  readonly partition: number
  readonly position: Position
}

export interface LogRecord {
  readonly position: Position
  readonly timestampMs: number
  /** Null only for records that others wrote without a key. */
  readonly key: string | null
  readonly value: Buffer
  readonly headers: Readonly<Record<string, string>>
}

export interface ReadRequest extends TopicPartition {
  /** First position wanted; records before it are never answered. */
  readonly from: Position
  /** Last position wanted (inclusive); without it, up to the durable end. */
  readonly to?: Position
  /** At least one record is answered even if it is larger than this. */
  readonly bytesMax: number
  readonly recordsMax: number
  /** How long to wait for a first record before answering none. 0 answers at once. */
  readonly waitMs: number
  /** Ends the wait: the read answers at once with what there is, perhaps none; it does not reject. */
  readonly signal?: AbortSignal
}

export interface ReadAnswer {
  readonly records: readonly LogRecord[]
  /** Where to read on: past the last record answered, and past gaps that hold none. */
  readonly next: Position
  /** The durable end (the position the next record will get) as the engine knew it when it answered. */
  readonly end: Position
}

export interface PartitionBounds extends TopicPartition {
  /** Position of the oldest record that is kept. */
  readonly start: Position
  /** Position that the next record will get. */
  readonly end: Position
}

/** How a member of a group is told what it owns. Calls for one partition never overlap. */
export interface GroupListener {
  /** These partitions are ours from now on. Called after every earlier owner that is alive has let go of them. */
  assigned(partitions: readonly TopicPartition[]): void
  /** Stop work on these; they go to another member when the promise resolves (or when the engine's patience ends). */
  revoked(partitions: readonly TopicPartition[]): Promise<void>
  /** Membership broke (a paused process, a lost coordinator): another may own these already. Nothing is awaited. */
  lost(partitions: readonly TopicPartition[]): void
}

export interface Membership {
  readonly memberId: string
  assigned(): readonly TopicPartition[]
  /** Drains through `revoked`, then leaves. */
  leave(): Promise<void>
}

export interface MirroredCheckpoint extends TopicPartition {
  /** Next position to read. */
  readonly next: Position
}

export interface PartitionLag extends TopicPartition {
  readonly next: Position
  readonly end: Position
  readonly lag: bigint
}

export interface EventLog {
  readonly engine: 'embedded' | 'kafka' | 'sim'
  /** Changes when the log is another log: a copy, a restore, a new cluster. Positions compare within one incarnation. */
  incarnation(): Promise<string>
  /** Creates what is missing. A topic that exists keeps its partition count, and the answer says which it is. */
  ensureTopics(specs: readonly TopicSpec[]): Promise<readonly TopicSpec[]>
  topics(): Promise<readonly TopicSpec[]>
  /**
   * Durable when it resolves, in the order given within each key. Rejects with LogBusy (nothing was taken, come back
   * later) or LogUnavailable (ambiguous: the records may or may not be there).
   */
  append(records: readonly NewRecord[]): Promise<readonly Placed[]>
  read(request: ReadRequest): Promise<ReadAnswer>
  bounds(topic: string): Promise<readonly PartitionBounds[]>
  /**
   * Removes the records before `before` for good, and answers where the partition starts now: never before where it
   * started, never behind its end. A read below the start is refused with LogRetention.
   */
  trim(place: TopicPartition, before: Position): Promise<Position>
  join(group: string, topics: readonly string[], listener: GroupListener): Promise<Membership>
  /** Best effort, for lag tools; nothing in the engine decides by it. */
  mirror(group: string, checkpoints: readonly MirroredCheckpoint[]): Promise<void>
  mirrored(group: string): Promise<readonly MirroredCheckpoint[]>
  /** Waits for appends under way, leaves groups, releases the engine. */
  close(): Promise<void>
}

/** A group's distance to the durable end, per partition, from its mirrored checkpoints. */
export async function lagOf(log: EventLog, group: string): Promise<readonly PartitionLag[]> {
  const mirrored = await log.mirrored(group)
  const ends = new Map<string, Position>()
  for (const topic of new Set(mirrored.map((m) => m.topic))) {
    for (const b of await log.bounds(topic)) ends.set(`${b.topic}/${b.partition}`, b.end)
  }
  return mirrored.map(({ topic, partition, next }) => {
    const end = ends.get(`${topic}/${partition}`) ?? next
    return { topic, partition, next, end, lag: end > next ? end - next : 0n }
  })
}
