/**
 * Removing a partition's oldest records. The start moves first, in one transaction; from then on nobody reads below it.
 * The batches that are wholly below go after that, few at a time, so that appends are not kept waiting; what a killed
 * process left of them goes with the next trim. LMDB writes new records into the room that becomes free.
 *
 * A program that knows nothing of starts would pass over what was removed as if it had never been: so the folder's
 * format changes with the first trim, and such a program refuses it.
 */
import type { Position, TopicPartition } from '../log.ts'
import type { Environment } from './environment.ts'
import { batchKey, partitionKey, positionBytes } from './keys.ts'
import { EMBEDDED_LIMITS } from './limits.ts'
import type { Topics } from './topics.ts'

export const FORMAT = '1'
export const TRIMMED_FORMAT = '1-trimmed'

export async function trim(
  environment: Environment,
  topics: Topics,
  place: TopicPartition,
  before: Position,
): Promise<Position> {
  const topicId = topics.idOf(place)
  const key = partitionKey(topicId, place.partition)
  const { starts, ends, meta } = environment
  const start = await environment.write('trimming', () => {
    const end = ends.getBinary(key)?.readBigUInt64BE() ?? 0n
    const now = starts.getBinary(key)?.readBigUInt64BE() ?? 0n
    const wanted = before < end ? before : end
    if (wanted <= now) return now
    meta.putSync('format', TRIMMED_FORMAT)
    starts.putSync(key, positionBytes(wanted))
    return wanted
  })
  let removed: number
  do removed = await removeSome(environment, topicId, place.partition, start)
  while (removed === EMBEDDED_LIMITS.trimBatchesPerWrite)
  return start
}

async function removeSome(
  environment: Environment,
  topicId: number,
  partition: number,
  start: Position,
): Promise<number> {
  const { batches, ends } = environment
  return environment.write('trimming', () => {
    const end = ends.getBinary(partitionKey(topicId, partition))?.readBigUInt64BE() ?? 0n
    const first = batchKey(topicId, partition, 0n)
    // The batch that holds the start is read on; if nothing is left, it is none.
    let until = batchKey(topicId, partition, start)
    if (start < end) {
      const holding = { start: until, end: first, inclusiveEnd: true, reverse: true, limit: 1 }
      for (const key of batches.getKeys(holding)) until = Buffer.from(key)
    }
    const limit = EMBEDDED_LIMITS.trimBatchesPerWrite
    const keys = [...batches.getKeys({ start: first, end: until, limit })].map((key) => Buffer.from(key))
    for (const key of keys) batches.removeSync(key)
    return keys.length
  })
}
