/**
 * Who leads what, and links to them.
 *
 * What is known of a topic (its partitions' leaders) is kept until somebody finds it wrong and says `forget`; what a
 * link is for (`purpose`) decides who shares it. A link that broke is replaced when it is next asked for.
 */
import { LogError, LogRefused, LogUnavailable } from '../errors.ts'
import { type Endpoint, type Link, type LinkOptions, openLink, wordsOf } from './client.ts'
import { KAFKA_LIMITS } from './limits.ts'
import { CODE, type MetadataAnswer } from './protocol.ts'
import { Closed, NotYet, persist } from './retry.ts'

export interface TopicLayout {
  readonly topic: string
  /** By partition: the node that leads it, or -1 while there is none. */
  readonly leaders: readonly number[]
}

export class Cluster {
  readonly options: LinkOptions
  readonly #bootstrap: readonly Endpoint[]
  readonly #nodes = new Map<number, Endpoint>()
  readonly #layouts = new Map<string, TopicLayout>()
  readonly #links = new Map<string, Promise<Link>>()
  readonly #asking = new Map<string, Promise<TopicLayout>>()
  #closed = false

  constructor(bootstrap: readonly Endpoint[], options: LinkOptions) {
    this.#bootstrap = bootstrap
    this.options = options
  }

  /** What is known of a topic without asking. */
  known(topic: string): TopicLayout | undefined {
    return this.#layouts.get(topic)
  }

  forget(topic: string): void {
    this.#layouts.delete(topic)
  }

  /** What this node leads is asked for again before it is used. */
  forgetNode(nodeId: number): void {
    for (const { topic, leaders } of this.#layouts.values()) if (leaders.includes(nodeId)) this.forget(topic)
  }

  /** Throws LogRefused for a topic that does not exist. */
  async layout(topic: string): Promise<TopicLayout> {
    const known = this.#layouts.get(topic)
    if (known !== undefined) return known
    let asking = this.#asking.get(topic)
    if (asking === undefined) {
      asking = this.#ask(topic).finally(() => this.#asking.delete(topic))
      this.#asking.set(topic, asking)
    }
    return asking
  }

  /** Throws NotYet while the partition has no leader. */
  async leader(topic: string, partition: number): Promise<number> {
    const { leaders } = await this.layout(topic)
    const leader = leaders[partition]
    if (leader === undefined) {
      throw new LogRefused(`topic ${topic} has no partition ${partition}: it has ${leaders.length}`)
    }
    if (leader < 0) {
      this.forget(topic)
      throw new NotYet(`${topic}/${partition} has no leader at the moment`)
    }
    return leader
  }

  /** The cluster, and the topics named (all of them if none is named), as a broker that answers knows them now. */
  async metadata(topics: readonly string[]): Promise<MetadataAnswer> {
    const errors: Error[] = []
    for (const [key, endpoint] of this.#candidates()) {
      try {
        const link = await this.#shared(key, endpoint)
        const answer = await link.call('Metadata', { topics, allowAutoTopicCreation: false })
        this.#nodes.clear()
        for (const { nodeId, host, port } of answer.brokers) this.#nodes.set(nodeId, { host, port })
        this.#learn(answer)
        return answer
      } catch (error) {
        if (!(error instanceof LogUnavailable)) throw error
        errors.push(error)
      }
    }
    throw new LogUnavailable(`no Kafka broker answers: ${errors.map((e) => e.message).join('; ')}`, {
      cause: errors[0],
    })
  }

  /** A link to a node that is shared by all who name this purpose. */
  async link(nodeId: number, purpose: string): Promise<Link> {
    const endpoint = this.#nodes.get(nodeId)
    if (endpoint === undefined) throw new NotYet(`broker ${nodeId} is not known yet`)
    return this.#shared(`${nodeId}/${purpose}`, endpoint)
  }

  /** A link that is the caller's alone; the caller closes it. */
  async ownLink(nodeId: number): Promise<Link> {
    const endpoint = this.#nodes.get(nodeId)
    if (endpoint === undefined) throw new NotYet(`broker ${nodeId} is not known yet`)
    this.#refuseIfClosed()
    return openLink(endpoint, this.options)
  }

  /** Throws NotYet while the group has no coordinator. */
  async coordinator(groupId: string): Promise<number> {
    if (this.#nodes.size === 0) await this.metadata([])
    const [nodeId] = [...this.#nodes.keys()]
    const { errorCode, coordinator } = await this.#anyNode(nodeId!, (link) =>
      link.call('GroupCoordinator', { groupId, coordinatorType: 0 }),
    )
    if (errorCode === CODE.none && this.#nodes.has(coordinator.nodeId)) return coordinator.nodeId
    if (errorCode === CODE.groupDenied) throw denied(`group ${groupId}`, errorCode)
    if (errorCode === CODE.none) await this.metadata([])
    throw new NotYet(`group ${groupId} has no coordinator yet: ${wordsOf(errorCode)}`)
  }

  /** For requests that any broker takes, or passes on. */
  async anyLink(purpose: string): Promise<Link> {
    const { controllerId, brokers } = await this.metadata([])
    return this.link(brokers.some((b) => b.nodeId === controllerId) ? controllerId : brokers[0]!.nodeId, purpose)
  }

  close(): void {
    this.#closed = true
    for (const link of this.#links.values()) {
      link.then(
        (opened) => opened.close(),
        () => undefined,
      )
    }
    this.#links.clear()
  }

  async #anyNode<T>(nodeId: number, use: (link: Link) => Promise<T>): Promise<T> {
    try {
      return await use(await this.link(nodeId, 'metadata'))
    } catch (error) {
      // That node may be gone; the others know who is left.
      if (error instanceof LogUnavailable) {
        this.#nodes.delete(nodeId)
        await this.metadata([])
      }
      throw error
    }
  }

  async #ask(topic: string): Promise<TopicLayout> {
    // A topic that another client has just made may be news to the broker that we ask.
    const patientUntil = performance.now() + KAFKA_LIMITS.topicAppearsTimeoutMs
    return persist(async () => {
      const { topicMetadata } = await this.metadata([topic])
      const code = topicMetadata[0]?.topicErrorCode ?? CODE.unknownTopicOrPartition
      const layout = this.#layouts.get(topic)
      if (layout !== undefined) return layout
      if (code === CODE.topicDenied) throw denied(`topic ${topic}`, code)
      if (code === CODE.leaderNotAvailable) throw new NotYet(`topic ${topic} has no leaders yet`)
      const refusal = `topic ${topic}: ${wordsOf(code)}`
      throw performance.now() < patientUntil ? new NotYet(refusal) : new LogRefused(refusal)
    })
  }

  #learn({ topicMetadata }: MetadataAnswer): void {
    for (const { topic, topicErrorCode, partitionMetadata } of topicMetadata) {
      if (topicErrorCode !== CODE.none || partitionMetadata.length === 0) continue
      const leaders = new Array<number>(partitionMetadata.length).fill(-1)
      for (const { partitionId, leader } of partitionMetadata) leaders[partitionId] = leader
      this.#layouts.set(topic, { topic, leaders })
    }
  }

  /** Brokers that answered before come first, then those that were configured. */
  #candidates(): [string, Endpoint][] {
    const known = [...this.#nodes].map(([nodeId, endpoint]) => [`${nodeId}/metadata`, endpoint] as [string, Endpoint])
    const given = this.#bootstrap.map((e) => [`${e.host}:${e.port}/bootstrap`, e] as [string, Endpoint])
    return [...known, ...given]
  }

  async #shared(key: string, endpoint: Endpoint): Promise<Link> {
    this.#refuseIfClosed()
    const current = this.#links.get(key)
    if (current !== undefined) {
      const link = await current
      if (link.usable()) return link
      if (this.#links.get(key) === current) this.#links.delete(key)
      return this.#shared(key, endpoint)
    }
    const opening = openLink(endpoint, this.options)
    this.#links.set(key, opening)
    try {
      const link = await opening
      if (this.#closed) link.close()
      return link
    } catch (error) {
      if (this.#links.get(key) === opening) this.#links.delete(key)
      throw error
    }
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw new Closed()
  }
}

function denied(what: string, code: number): LogError {
  return new LogError('LOG_DENIED', `${what}: ${wordsOf(code)}`)
}
