/** A partition's line: the records that wait for it, and the batches that were formed of them. Pure bookkeeping. */
import type { LogError } from '../errors.ts'
import { LOG_LIMITS } from '../limits.ts'
import type { NewRecord, Placed, TopicPartition } from '../log.ts'
import type { ProducerStamp } from './batch-encode.ts'

export interface Append {
  readonly placed: Placed[]
  readonly since: number
  /** Records of it that are not settled yet. */
  left: number
  /** It was rejected; what of it is still in line is not sent. */
  failed: boolean
  /** Why it isn't settled yet. */
  lastError: LogError | undefined
  resolve(placed: readonly Placed[]): void
  reject(error: LogError): void
}

export interface Entry {
  readonly append: Append
  /** Its place in the append's answer. */
  readonly index: number
  readonly record: NewRecord
  readonly bytes: number
}

export interface Batch {
  readonly entries: readonly Entry[]
  readonly bytes: number
  /** What goes out, again and again, until it is settled. Absent before, and when the broker has lost track of us. */
  sent: { readonly stamp: ProducerStamp; readonly bytes: Buffer } | undefined
  failures: number
  /** It failed, and rests before it goes out again. */
  resting: boolean
}

export interface Line extends TopicPartition {
  entries: Entry[]
  /** Formed, in order; only the first is ever under way. */
  batches: Batch[]
  underWay: boolean
  /** Whose sequence `nextSequence` is. */
  producerId: bigint
  nextSequence: number
}

export function newLine({ topic, partition }: TopicPartition): Line {
  return { topic, partition, entries: [], batches: [], underWay: false, producerId: -1n, nextSequence: 0 }
}

export function newBatch(entries: readonly Entry[]): Batch {
  const bytes = entries.reduce((sum, e) => sum + e.bytes, 0)
  return { entries, bytes, sent: undefined, failures: 0, resting: false }
}

/** The next batch of the line, formed if need be; undefined when nothing waits. */
export function nextBatch(line: Line): Batch | undefined {
  if (line.batches.length === 0 && line.entries.length > 0) {
    line.batches.push(newBatch(line.entries.splice(0, fitting(line.entries))))
  }
  return line.batches[0]
}

function fitting(entries: readonly Entry[]): number {
  let bytes = 0
  let count = 0
  for (const entry of entries) {
    bytes += entry.bytes
    if (count > 0 && (bytes > LOG_LIMITS.batchBytesMax || count >= LOG_LIMITS.batchRecordsMax)) break
    count++
  }
  return count
}

/** One batch for each append in it, so that a record which Kafka refuses fails its own append only. */
export function splitByAppend(batch: Batch): Batch[] {
  const groups = new Map<Append, Entry[]>()
  for (const entry of batch.entries) {
    const group = groups.get(entry.append)
    if (group === undefined) groups.set(entry.append, [entry])
    else group.push(entry)
  }
  return [...groups.values()].map(newBatch)
}

/** Takes out what belongs to rejected appends and is not under way; answers what was taken out. */
export function dropFailed(line: Line): Entry[] {
  const dropped = line.entries.filter((e) => e.append.failed)
  if (dropped.length > 0) line.entries = line.entries.filter((e) => !e.append.failed)
  return dropped
}
