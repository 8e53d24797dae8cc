/** Retention on demand: Kafka's DeleteRecords, which moves a partition's start and never its end. */
import { LogError, LogRefused, LogUnavailable } from '../errors.ts'
import type { Position, TopicPartition } from '../log.ts'
import { wordsOf } from './client.ts'
import type { Cluster } from './cluster.ts'
import { KAFKA_LIMITS } from './limits.ts'
import { CODE } from './protocol.ts'
import { NotYet, persist } from './retry.ts'
import { askBounds } from './topics.ts'

export function deleteRecords(cluster: Cluster, place: TopicPartition, before: Position): Promise<Position> {
  const { topic, partition } = place
  return persist(async () => {
    const { start, end } = await askBounds(cluster, place)
    if (before <= start) return start
    const to = before < end ? before : end
    const link = await cluster.link(await cluster.leader(topic, partition), 'admin')
    const { topics } = await link.call('DeleteRecords', {
      topics: [{ topic, partitions: [{ partition, offset: `${to}` }] }],
      timeout: KAFKA_LIMITS.requestTimeoutMs,
    })
    const answer = topics[0]?.partitions[0]
    if (answer === undefined)
      throw new LogUnavailable(`${topic}/${partition}: Kafka answered nothing about its records`)
    const { errorCode, lowWatermark } = answer
    if (errorCode === CODE.none) return BigInt(lowWatermark)
    const words = `${topic}/${partition} can't be trimmed: ${wordsOf(errorCode)}`
    if (errorCode === CODE.topicDenied) throw new LogError('LOG_DENIED', words)
    if (errorCode === CODE.policyViolation) throw new LogRefused(words)
    cluster.forget(topic)
    throw new NotYet(words)
  })
}
