/**
 * Fills an empty log with records that have their positions already, as an archive does. Nobody else may use the folder
 * meanwhile: it is made beside its place and renamed when it is whole.
 */
import { randomUUID } from 'node:crypto'
import { LogRefused } from '../errors.ts'
import { LOG_LIMITS } from '../limits.ts'
import type { LogRecord, Position, TopicPartition, TopicSpec } from '../log.ts'
import { BatchWriter, recordBytesBound } from './batch.ts'
import { acquire, type Environment, release } from './environment.ts'
import { identify } from './index.ts'
import { batchKey, partitionKey, positionBytes } from './keys.ts'
import { EMBEDDED_LIMITS } from './limits.ts'
import { Topics } from './topics.ts'
import { TRIMMED_FORMAT } from './trim.ts'

export interface Refill {
  /** Where the partition starts; the first of it. */
  begin(place: TopicPartition, start: Position): Promise<void>
  /** In order; `next` is where what follows begins. All of them are stored, or none. */
  put(place: TopicPartition, records: readonly LogRecord[], next: Position): Promise<void>
  close(): Promise<void>
}

interface Stored {
  readonly base: Position
  readonly writer: BatchWriter
}

export async function refillEmbeddedLog(dir: string, specs: readonly TopicSpec[]): Promise<Refill> {
  const environment = await acquire(dir, (message) => process.emitWarning(message, 'PlayheadLog'))
  try {
    await identify(environment, randomUUID)
    const topics = new Topics(environment)
    await topics.ensure(specs)
    return {
      begin: (place, start) => begin(environment, partitionKey(topics.idOf(place), place.partition), place, start),
      put: (place, records, next) => put(environment, topics.idOf(place), place.partition, records, next),
      close: () => release(environment),
    }
  } catch (error) {
    await release(environment)
    throw error
  }
}

async function begin(environment: Environment, key: Buffer, place: TopicPartition, start: Position): Promise<void> {
  const { starts, ends, meta } = environment
  await environment.write('restoring', () => {
    if (ends.getBinary(key) !== undefined) {
      throw new LogRefused(`${place.topic}/${place.partition} in ${environment.path} holds records already`)
    }
    ends.putSync(key, positionBytes(start))
    if (start === 0n) return
    meta.putSync('format', TRIMMED_FORMAT)
    starts.putSync(key, positionBytes(start))
  })
}

async function put(
  environment: Environment,
  topicId: number,
  partition: number,
  records: readonly LogRecord[],
  next: Position,
): Promise<void> {
  const stored = batchesOf(records)
  await environment.write('restoring', () => {
    for (const { base, writer } of stored) {
      environment.batches.putSync(batchKey(topicId, partition, base), writer.seal())
    }
    environment.ends.putSync(partitionKey(topicId, partition), positionBytes(next))
  })
}

function batchesOf(records: readonly LogRecord[]): Stored[] {
  const stored: Stored[] = []
  let before: Position = -1n
  for (const record of records) {
    const bound = recordBytesBound(record)
    const skipped = record.position - before - 1n
    let last = stored.at(-1)
    // A gap that is too wide for a batch begins another.
    const fits = last?.writer.hasRoom(bound) === true && skipped < BigInt(LOG_LIMITS.batchRecordsMax)
    if (last === undefined || !fits) {
      last = { base: record.position, writer: new BatchWriter(Buffer.allocUnsafe(EMBEDDED_LIMITS.batchBytesMin)) }
      stored.push(last)
      last.writer.add(record, bound)
    } else last.writer.add(record, bound, Number(skipped))
    before = record.position
  }
  return stored
}
