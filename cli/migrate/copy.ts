/**
 * Copies a log into another, and proves it: what was appended to the target is read from it again, and has to be the source's
 * records in the source's order. The *marks* of a partition say up to where both sides hold the same.
 *
 * A copy that was cut off goes on from its marks: what the target holds beyond them is recognised, so nothing is sent twice
 * but what a lost answer made ambiguous; such a second copy is near its first, and readers drop it by its event id.
 *
 * What can fail: log and target, as ever; and the target may hold what is not of this copy (NotACopy), and never becomes
 * one by itself.
 */
import { createHash } from 'node:crypto'
import type { EventLog, LogRecord, NewRecord, PartitionBounds, Position, TopicPartition } from '../../log/log.ts'
import { partitionOf } from '../../log/partition.ts'
import type { Reframer } from '../reframe.ts'
import { MIGRATE_LIMITS } from './limits.ts'

export class NotACopy extends Error {
  readonly code = 'NOT_A_COPY'
  constructor(message: string) {
    super(message)
    this.name = 'NotACopy'
  }
}

/** Next positions. */
export interface Marks {
  readonly source: Position
  readonly target: Position
}

export interface CopyPorts {
  readonly from: EventLog
  readonly to: EventLog
  readonly frames: Reframer
  readonly signal: AbortSignal
  /** Records that are on both sides now, more than before. */
  copied(records: number): void
}

/** One partition, of the same number on both sides. */
export class PartitionCopy {
  marks: Marks
  readonly place: TopicPartition
  readonly #ports: CopyPorts
  readonly #partitions: number
  /** Digests of the source's records from its mark on, as far as they were read. */
  #expected: { readonly digest: string; readonly next: Position }[] = []
  /** Up to where the source was read. */
  #read: Position
  /** Digests of the last records on both sides, and of those before them. */
  #recent = new Set<string>()
  #before: ReadonlySet<string> = new Set()
  #begun = false

  constructor(place: TopicPartition, partitions: number, marks: Marks, ports: CopyPorts) {
    this.place = place
    this.marks = marks
    this.#partitions = partitions
    this.#ports = ports
    this.#read = marks.source
  }

  /** Resolves when the target holds everything of the source below `end`, or the signal says stop. */
  async bring(end: Position): Promise<void> {
    try {
      if (!this.#begun) await this.#recognise(end)
      this.#begun = true
      while (this.marks.source < end && !this.#ports.signal.aborted) await this.#more(end)
    } catch (error) {
      // What was sent is not known: the next call finds out.
      this.#begun = false
      throw error
    }
  }

  async #more(end: Position): Promise<void> {
    const records = await this.#take(end)
    if (records.length === 0) return
    const placed = await this.#ports.to.append(records)
    // In the order given, and all in one partition.
    const last = placed.at(-1)?.position ?? -1n
    await this.#prove(last + 1n, end)
    if (this.#expected.length === 0) return
    throw new Error(`${placeName(this.place)} of the new log does not hold what it has acknowledged`)
  }

  /** What an earlier call has sent, and did not come to prove. */
  async #recognise(end: Position): Promise<void> {
    this.#forget()
    const here = (bounds: readonly PartitionBounds[]) =>
      bounds.find(({ partition }) => partition === this.place.partition)
    const start = here(await this.#ports.from.bounds(this.place.topic))?.start ?? 0n
    const before = this.marks.source - BigInt(MIGRATE_LIMITS.recentRecords)
    for (let at = before < start ? start : before; at < this.marks.source; ) {
      const { records, next } = await this.#readFrom(this.#ports.from, at, this.marks.source)
      for (const record of records) this.#remember(digestOf(this.#copyOf(record)))
      at = next
    }
    await this.#prove(here(await this.#ports.to.bounds(this.place.topic))?.end ?? 0n, end)
    // What the target does not hold yet is read again, to be sent.
    this.#forget()
  }

  #forget(): void {
    this.#expected = []
    this.#read = this.marks.source
  }

  /** The source's next records, which are expected on the other side from now on. Empty where there was a gap. */
  async #take(end: Position): Promise<readonly NewRecord[]> {
    const { records, next } = await this.#readFrom(this.#ports.from, this.#read, end)
    const copies = records.map((record) => this.#copyOf(record))
    for (const [i, copy] of copies.entries()) {
      this.#expected.push({ digest: digestOf(copy), next: records[i]!.position + 1n })
    }
    this.#read = next
    if (this.#expected.length === 0) this.marks = { ...this.marks, source: next }
    return copies
  }

  /** Reads the target up to `until` and moves the marks over what is the same. */
  async #prove(until: Position, end: Position): Promise<void> {
    while (this.marks.target < until) {
      const { records, next } = await this.#readFrom(this.#ports.to, this.marks.target, until)
      let proved = 0
      for (const record of records) if (await this.#match(record, end)) proved += 1
      this.marks = { ...this.marks, target: next }
      this.#ports.copied(proved)
    }
  }

  async #match(record: LogRecord, end: Position): Promise<boolean> {
    while (this.#expected.length === 0 && this.#read < end) await this.#take(end)
    const digest = digestOf({ ...record, topic: this.place.topic, key: record.key ?? '' })
    const [first] = this.#expected
    if (first?.digest === digest) {
      this.#expected.shift()
      this.marks = { source: this.#expected.length === 0 ? this.#read : first.next, target: record.position + 1n }
      this.#remember(digest)
      return true
    }
    if (this.#recent.has(digest) || this.#before.has(digest)) return false
    const { topic, partition } = this.place
    throw new NotACopy(
      `${topic}/${partition}@${record.position} of the new log is no copy of what the old one has there: somebody else wrote it. Give an empty log to migrate to.`,
    )
  }

  #remember(digest: string): void {
    this.#recent.add(digest)
    if (this.#recent.size < MIGRATE_LIMITS.recentRecords) return
    this.#before = this.#recent
    this.#recent = new Set()
  }

  #copyOf({ key, value, timestampMs, headers, position }: LogRecord): NewRecord {
    const { topic, partition } = this.place
    if (key === null || partitionOf(key, this.#partitions) !== partition) {
      throw new NotACopy(
        `${topic}/${partition}@${position} was written by another program, and not to the partition of its key: no copy would have it in the same place. \`playhead log copy\` takes such a log elsewhere, without the engine's help.`,
      )
    }
    return { topic, key, value: this.#ports.frames.reframe(value), timestampMs, headers }
  }

  async #readFrom(log: EventLog, from: Position, end: Position) {
    const { recordsMax, bytesMax } = {
      recordsMax: MIGRATE_LIMITS.readRecordsMax,
      bytesMax: MIGRATE_LIMITS.readBytesMax,
    }
    const answer = await log.read({ ...this.place, from, to: end - 1n, recordsMax, bytesMax, waitMs: 0 })
    if (answer.next > from) return answer
    throw new Error(`${this.place.topic}/${this.place.partition} can't be read beyond ${from} of ${end}`)
  }
}

/** All partitions, some at a time. */
export async function bringAll(
  copies: readonly PartitionCopy[],
  ends: ReadonlyMap<string, Position>,
  signal: AbortSignal,
): Promise<void> {
  const waiting = [...copies]
  const lane = async () => {
    for (let one = waiting.shift(); one !== undefined && !signal.aborted; one = waiting.shift()) {
      await one.bring(ends.get(placeName(one.place)) ?? 0n)
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: MIGRATE_LIMITS.partitionsAtOnce }, lane))
  for (const outcome of lanes) if (outcome.status === 'rejected') throw outcome.reason
}

export function placeName({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}

export async function boundsOfTopics(log: EventLog, topics: readonly string[]): Promise<readonly PartitionBounds[]> {
  return (await Promise.all(topics.map((topic) => log.bounds(topic)))).flat()
}

function digestOf({ key, value, timestampMs, headers = {} }: NewRecord): string {
  const hash = createHash('sha1')
  const said = Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1))
  hash.update(JSON.stringify([key, timestampMs, said])).update(value)
  return hash.digest('base64')
}
