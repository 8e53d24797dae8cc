/**
 * What one commit will store: batches that are being written to, and the promise that their callers wait for. Knows
 * nothing of LMDB; appender.ts decides when it is stored and how that ended.
 */

import { type LogError, LogUnavailable } from '../errors.ts'
import { LOG_LIMITS } from '../limits.ts'
import type { NewRecord, Placed, Position } from '../log.ts'
import { partitionOf } from '../partition.ts'
import { BatchWriter, recordBytesBound } from './batch.ts'
import type { TopicEntry } from './environment.ts'
import { EMBEDDED_LIMITS } from './limits.ts'
import type { Topics } from './topics.ts'

export interface Batch {
  readonly topicId: number
  readonly partition: number
  readonly writer: BatchWriter
  /** Its first record's position; known when it has been stored. */
  base: Position
}

export class Commit {
  /** In the order in which they were begun, so in order within each partition. */
  readonly batches: Batch[] = []
  readonly durable: Promise<void>
  records = 0
  bytes = 0
  /** The first call counts: without an error the callers are told their positions. */
  settle!: (error?: LogError) => void
  /** By topic, for each partition: which of the batches is written to. */
  readonly #open = new Map<string, number[]>()
  readonly #timer: NodeJS.Timeout

  constructor() {
    this.durable = new Promise((resolve, reject) => {
      this.settle = (error) => {
        clearTimeout(this.#timer)
        if (error === undefined) resolve()
        else reject(error)
      }
    })
    const late = `not durable after ${LOG_LIMITS.appendTimeoutMs} ms (appendTimeoutMs); the records may or may not be stored`
    this.#timer = setTimeout(() => this.settle(new LogUnavailable(late)), LOG_LIMITS.appendTimeoutMs)
  }

  /** Encodes the records into its batches; call the answer when the commit is durable. */
  take(records: readonly NewRecord[], topics: Topics, spare: Buffer[]): () => Placed[] {
    // Two numbers a record, not an object: thousands of them wait through a commit.
    const batchOf = new Uint32Array(records.length)
    const indexOf = new Uint32Array(records.length)
    let topic: string | undefined
    let entry: TopicEntry = { id: 0, partitions: 0 }
    let open: number[] = []
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!
      if (record.topic !== topic) {
        // Neighbours are mostly of one topic.
        topic = record.topic
        entry = topics.get(topic)
        open = this.#openOf(topic)
      }
      const partition = entry.partitions === 1 ? 0 : partitionOf(record.key, entry.partitions)
      const bound = recordBytesBound(record)
      let at = open[partition]
      if (at === undefined || !this.batches[at]!.writer.hasRoom(bound)) {
        const writer = new BatchWriter(spare.pop() ?? Buffer.allocUnsafe(EMBEDDED_LIMITS.batchBytesMin))
        at = this.batches.push({ topicId: entry.id, partition, writer, base: 0n }) - 1
        open[partition] = at
      }
      const { writer } = this.batches[at]!
      batchOf[i] = at
      indexOf[i] = writer.count
      writer.add(record, bound)
      this.bytes += bound
    }
    this.records += records.length
    return () =>
      Array.from(batchOf, (at, i) => {
        const { partition, base } = this.batches[at]!
        return { partition, position: base + BigInt(indexOf[i]!) }
      })
  }

  #openOf(topic: string): number[] {
    const open = this.#open.get(topic) ?? []
    this.#open.set(topic, open)
    return open
  }
}
