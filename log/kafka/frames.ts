/** Produce (version 7) and Fetch (version 11) as bytes: the two requests that carry record batches. */
import type { TopicPartition } from '../log.ts'
import type { Aborted } from './batch-decode.ts'
import { Reader, Writer } from './bytes.ts'
import type { Frame } from './client.ts'
import { READ_COMMITTED } from './protocol.ts'

export interface ProducedBatch extends TopicPartition {
  readonly bytes: Buffer
}

export interface ProduceResult extends TopicPartition {
  readonly errorCode: number
  readonly baseOffset: bigint
}

export interface FetchAnswer {
  readonly errorCode: number
  /** The durable end: below the last replica's, and below transactions under way. -1 with an error. */
  readonly end: bigint
  readonly start: bigint
  readonly aborted: readonly Aborted[]
  readonly batches: Buffer
  /** Told by the broker to slow down; the connection heeds it. */
  readonly clientSideThrottleTime: number
}

const ACKS_ALL = -1

export function produceFrame(batches: readonly ProducedBatch[], timeoutMs: number): Frame<readonly ProduceResult[]> {
  const head = new Writer(10 + batches.reduce((sum, b) => sum + 14 + Buffer.byteLength(b.topic), 0) + 4)
  const parts: Buffer[] = []
  head.int16(-1).int16(ACKS_ALL).int32(timeoutMs).int32(batches.length)
  for (const { topic, partition, bytes } of batches) {
    head.text(topic).int32(1).int32(partition).int32(bytes.length)
    parts.push(head.cut(), bytes)
  }
  return { apiKey: 0, apiVersion: 7, apiName: 'Produce', body: Buffer.concat(parts), decode: decodeProduced }
}

function decodeProduced(payload: Buffer): readonly ProduceResult[] {
  const reader = new Reader(payload)
  return reader
    .array(() => {
      const topic = reader.text()
      return reader.array(() => {
        const result = { topic, partition: reader.int32(), errorCode: reader.int16(), baseOffset: reader.int64() }
        reader.skip(16)
        return result
      })
    })
    .flat()
}

export interface FetchAsk extends TopicPartition {
  readonly from: bigint
  readonly bytesMax: number
  readonly waitMs: number
}

export function fetchFrame(ask: FetchAsk): Frame<FetchAnswer> {
  const writer = new Writer(100 + Buffer.byteLength(ask.topic))
  const [replica, minBytes, noSession, noEpoch] = [-1, 1, 0, -1]
  writer.int32(replica).int32(ask.waitMs).int32(minBytes).int32(ask.bytesMax).int8(READ_COMMITTED)
  writer.int32(noSession).int32(noEpoch)
  writer.int32(1).text(ask.topic).int32(1)
  writer.int32(ask.partition).int32(noEpoch).int64(ask.from).int64(-1n).int32(ask.bytesMax)
  // No topics to forget, no rack.
  writer.int32(0).text('')
  return { apiKey: 1, apiVersion: 11, apiName: 'Fetch', body: writer.cut(), decode: decodeFetched }
}

function decodeFetched(payload: Buffer): FetchAnswer {
  const reader = new Reader(payload)
  const clientSideThrottleTime = reader.int32()
  const failed = reader.int16()
  reader.skip(4)
  const [answer] = reader
    .array(() => {
      reader.text()
      return reader.array(() => {
        reader.skip(4)
        const errorCode = reader.int16()
        reader.skip(8)
        const end = reader.int64()
        const start = reader.int64()
        const aborted = reader.array(() => ({ producerId: reader.int64(), firstOffset: reader.int64() }))
        reader.skip(4)
        return { errorCode, end, start, aborted, batches: reader.blob(), clientSideThrottleTime }
      })
    })
    .flat()
  const nothing = { end: -1n, start: -1n, aborted: [], batches: Buffer.alloc(0), clientSideThrottleTime }
  return answer ?? { errorCode: failed === 0 ? -1 : failed, ...nothing }
}
