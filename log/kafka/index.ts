/** The event log on Kafka: the port of ../log.ts, put together. */
import { readFile } from 'node:fs/promises'
import { LogRefused } from '../errors.ts'
import { LOG_LIMITS } from '../limits.ts'
import type {
  EventLog,
  GroupListener,
  Membership,
  MirroredCheckpoint,
  NewRecord,
  PartitionBounds,
  Placed,
  Position,
  ReadAnswer,
  ReadRequest,
  TopicPartition,
  TopicSpec,
} from '../log.ts'
import { commit, committed } from './checkpoints.ts'
import type { Endpoint, LinkOptions, Logger } from './client.ts'
import { Cluster } from './cluster.ts'
import { Fetcher } from './fetcher.ts'
import { GroupMember } from './group.ts'
import { KAFKA_LIMITS } from './limits.ts'
import { Producer } from './producer.ts'
import { Closed, persist } from './retry.ts'
import { boundsOf, listTopics, makeTopics } from './topics.ts'
import { deleteRecords } from './trim.ts'

export interface KafkaTls {
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
  /** False accepts any certificate: for trying things out only. */
  readonly rejectUnauthorized?: boolean
}

export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

export interface KafkaLogOptions {
  /** `host:port` of some brokers; the others are learnt from them. */
  readonly brokers: readonly string[]
  readonly clientId?: string
  readonly tls?: KafkaTls
  readonly sasl?: KafkaSasl
  /** Of topics that we make; they need as many brokers. */
  readonly replicationFactor?: number
  readonly sessionTimeoutMs?: number
  readonly log?: Logger
}

const SILENT: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined }

/** Connects, so that a wrong address, certificate or password is said now. */
export async function openKafkaLog(options: KafkaLogOptions): Promise<EventLog> {
  const { clientId = 'playhead', tls, sasl, log = SILENT } = options
  const links: LinkOptions = { clientId, log, ...(tls && { ssl: await secrets(tls) }), ...(sasl && { sasl }) }
  const cluster = new Cluster(options.brokers.map(endpoint), links)
  try {
    const { clusterId } = await persist(() => cluster.metadata([]), { timeoutMs: KAFKA_LIMITS.openTimeoutMs })
    return new KafkaLog(cluster, clusterId, options)
  } catch (error) {
    cluster.close()
    throw error
  }
}

class KafkaLog implements EventLog {
  readonly engine = 'kafka'
  readonly #cluster: Cluster
  readonly #clusterId: string
  readonly #options: KafkaLogOptions
  readonly #producer: Producer
  readonly #fetcher: Fetcher
  readonly #members = new Set<GroupMember>()
  #closing: Promise<void> | undefined

  constructor(cluster: Cluster, clusterId: string, options: KafkaLogOptions) {
    this.#cluster = cluster
    this.#clusterId = clusterId
    this.#options = options
    this.#producer = new Producer(cluster)
    this.#fetcher = new Fetcher(cluster)
  }

  async incarnation(): Promise<string> {
    return `kafka:${this.#clusterId}`
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<readonly TopicSpec[]> {
    return makeTopics(this.#cluster, specs, this.#options.replicationFactor ?? -1)
  }

  async topics(): Promise<readonly TopicSpec[]> {
    return listTopics(this.#cluster)
  }

  append(records: readonly NewRecord[]): Promise<readonly Placed[]> {
    return this.#producer.append(records)
  }

  read(request: ReadRequest): Promise<ReadAnswer> {
    return this.#fetcher.read(request)
  }

  async bounds(topic: string): Promise<readonly PartitionBounds[]> {
    return boundsOf(this.#cluster, topic)
  }

  async trim(place: TopicPartition, before: Position): Promise<Position> {
    return deleteRecords(this.#cluster, place, before)
  }

  async join(group: string, topics: readonly string[], listener: GroupListener): Promise<Membership> {
    if (this.#closing !== undefined) throw new Closed()
    const { sessionTimeoutMs = LOG_LIMITS.sessionTimeoutMs } = this.#options
    const onLeft = () => void this.#members.delete(member)
    const member = new GroupMember({ cluster: this.#cluster, group, topics, listener, sessionTimeoutMs, onLeft })
    await member.start()
    this.#members.add(member)
    return member
  }

  async mirror(group: string, checkpoints: readonly MirroredCheckpoint[]): Promise<void> {
    const member = () => [...this.#members].find((m) => m.group === group)?.credentials()
    await commit(this.#cluster, group, checkpoints, member)
  }

  async mirrored(group: string): Promise<readonly MirroredCheckpoint[]> {
    return committed(this.#cluster, group)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const appended = this.#producer.close()
    this.#fetcher.close()
    await Promise.all([appended, ...[...this.#members].map((m) => m.leave())])
    this.#cluster.close()
  }
}

function endpoint(broker: string): Endpoint {
  const [, host, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(broker) ?? []
  if (host === undefined) throw new LogRefused(`a Kafka broker is given as host:port, not "${broker}"`)
  return { host, port: Number(port) }
}

async function secrets(tls: KafkaTls): Promise<NonNullable<LinkOptions['ssl']>> {
  const { caFile, certFile, keyFile, rejectUnauthorized } = tls
  return {
    ...(caFile !== undefined && { ca: await readFile(caFile, 'utf8') }),
    ...(certFile !== undefined && { cert: await readFile(certFile, 'utf8') }),
    ...(keyFile !== undefined && { key: await readFile(keyFile, 'utf8') }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
  }
}
