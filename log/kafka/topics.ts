/** Topics: making them, listing them, and where their partitions begin and end. */
import { LogError, LogRefused, LogUnavailable } from '../errors.ts'
import type { PartitionBounds, Position, TopicPartition, TopicSpec } from '../log.ts'
import { wordsOf } from './client.ts'
import type { Cluster } from './cluster.ts'
import { KAFKA_LIMITS } from './limits.ts'
import { CODE, READ_COMMITTED } from './protocol.ts'
import { NotYet, persist } from './retry.ts'

const EARLIEST = -2
const LATEST = -1

export async function listTopics(cluster: Cluster): Promise<readonly TopicSpec[]> {
  const { topicMetadata } = await persist(() => cluster.metadata([]))
  return topicMetadata
    .filter((t) => t.topicErrorCode === CODE.none && !t.isInternal)
    .map((t) => ({ topic: t.topic, partitions: t.partitionMetadata.length }))
}

export async function makeTopics(
  cluster: Cluster,
  specs: readonly TopicSpec[],
  replicationFactor: number,
): Promise<readonly TopicSpec[]> {
  for (const { topic, partitions } of specs) {
    if (!/^[a-zA-Z0-9._-]{1,249}$/.test(topic) || /^\.{1,2}$/.test(topic)) {
      throw new LogRefused(`"${topic}" can't be a topic's name: letters, digits, ".", "_" and "-" only, 249 at most`)
    }
    if (!Number.isSafeInteger(partitions) || partitions < 1) {
      throw new LogRefused(`topic ${topic} can't have ${partitions} partitions`)
    }
  }
  const there = new Set((await listTopics(cluster)).map((t) => t.topic))
  const missing = specs.filter((s) => !there.has(s.topic))
  if (missing.length > 0) await persist(() => createTopics(cluster, missing, replicationFactor))
  return persist(() => Promise.all(specs.map(({ topic }) => led(cluster, topic))))
}

const CONFIGURATION = [
  // The log is the truth: nothing in it goes away by itself. (Kafka's default is seven days of the records' own times.)
  { name: 'cleanup.policy', value: 'delete' },
  { name: 'retention.ms', value: '-1' },
  { name: 'retention.bytes', value: '-1' },
  // The broker unpacks what other programs compress, so that every client of ours can read it.
  { name: 'compression.type', value: 'uncompressed' },
] as const

async function createTopics(cluster: Cluster, specs: readonly TopicSpec[], replicationFactor: number): Promise<void> {
  const link = await cluster.anyLink('admin')
  const { topicErrors } = await link.call('CreateTopics', {
    topics: specs.map(({ topic, partitions }) => ({
      topic,
      numPartitions: partitions,
      replicationFactor,
      configEntries: CONFIGURATION,
    })),
    validateOnly: false,
    timeout: KAFKA_LIMITS.requestTimeoutMs,
  })
  for (const { topic, errorCode, errorMessage } of topicErrors) {
    if (errorCode === CODE.none || errorCode === CODE.topicExists) continue
    const words = `topic ${topic} can't be made: ${errorMessage || wordsOf(errorCode)}`
    if (REFUSALS.has(errorCode)) throw new LogRefused(words)
    if (errorCode === CODE.topicDenied || errorCode === CODE.clusterDenied) throw new LogError('LOG_DENIED', words)
    throw new NotYet(words)
  }
}

/** INVALID_TOPIC, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_CONFIG, POLICY_VIOLATION. */
const REFUSALS: ReadonlySet<number> = new Set([CODE.invalidTopic, 37, 38, 40, 44])

/** The topic as it is, once each partition has a leader. */
async function led(cluster: Cluster, topic: string): Promise<TopicSpec> {
  cluster.forget(topic)
  const { leaders } = await cluster.layout(topic)
  if (leaders.includes(-1)) throw new NotYet(`topic ${topic} has partitions without a leader`)
  return { topic, partitions: leaders.length }
}

export function boundsOf(cluster: Cluster, topic: string): Promise<readonly PartitionBounds[]> {
  return persist(async () => {
    const { leaders } = await cluster.layout(topic)
    return Promise.all(leaders.map((_, partition) => askBounds(cluster, { topic, partition })))
  })
}

export async function askBounds(cluster: Cluster, place: TopicPartition): Promise<PartitionBounds> {
  const [start, end] = await Promise.all([offsetAt(cluster, place, EARLIEST), offsetAt(cluster, place, LATEST)])
  return { ...place, start, end }
}

async function offsetAt(cluster: Cluster, { topic, partition }: TopicPartition, timestamp: number): Promise<Position> {
  const link = await cluster.link(await cluster.leader(topic, partition), 'admin')
  const { responses } = await link.call('ListOffsets', {
    replicaId: -1,
    isolationLevel: READ_COMMITTED,
    topics: [{ topic, partitions: [{ partition, timestamp }] }],
  })
  const answer = responses[0]?.partitions[0]
  if (answer === undefined) throw new LogUnavailable(`${topic}/${partition}: Kafka answered nothing about its bounds`)
  if (answer.errorCode !== CODE.none) {
    cluster.forget(topic)
    throw new NotYet(`${topic}/${partition}: ${wordsOf(answer.errorCode)}`)
  }
  return BigInt(answer.offset)
}
