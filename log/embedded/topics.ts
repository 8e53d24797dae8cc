/** The topics of a log. A topic, once made, never changes and never goes, so what was seen of it stays true. */
import { LogRefused } from '../errors.ts'
import type { TopicPartition, TopicSpec } from '../log.ts'
import type { Environment, TopicEntry } from './environment.ts'
import { EMBEDDED_LIMITS } from './limits.ts'

/** Kafka's rule for names, so that a log can be copied there. */
const NAME = new RegExp(`^(?!\\.{1,2}$)[A-Za-z0-9._-]{1,${EMBEDDED_LIMITS.nameBytesMax}}$`)

export class Topics {
  readonly #environment: Environment
  readonly #seen = new Map<string, TopicEntry>()

  constructor(environment: Environment) {
    this.#environment = environment
  }

  get(topic: string): TopicEntry {
    const seen = this.#seen.get(topic) ?? this.#look(topic)
    if (seen === undefined) throw new LogRefused(`there is no topic ${topic} in this log; ensureTopics makes it`)
    return seen
  }

  /** The topic's id, for a partition that it has. */
  idOf({ topic, partition }: TopicPartition): number {
    const { id, partitions } = this.get(topic)
    if (Number.isInteger(partition) && partition >= 0 && partition < partitions) return id
    throw new LogRefused(`topic ${topic} has no partition ${partition}, it has ${partitions}`)
  }

  partitionsOf(topics: readonly string[]): TopicPartition[] {
    return [...new Set(topics)].flatMap((topic) =>
      Array.from({ length: this.get(topic).partitions }, (_, partition) => ({ topic, partition })),
    )
  }

  all(): TopicSpec[] {
    this.#environment.latest()
    return [...this.#environment.topics.getRange()].map(({ key, value }) => ({
      topic: key,
      partitions: value.partitions,
    }))
  }

  async ensure(specs: readonly TopicSpec[]): Promise<TopicSpec[]> {
    for (const spec of specs) check(spec)
    const { topics } = this.#environment
    this.#environment.latest()
    if (specs.some(({ topic }) => topics.get(topic) === undefined)) {
      await this.#environment.write('making topics', () => {
        let id = [...topics.getRange()].reduce((greatest, { value }) => Math.max(greatest, value.id), 0)
        for (const { topic, partitions } of specs) {
          if (topics.get(topic) !== undefined) continue
          id += 1
          topics.putSync(topic, { id, partitions })
        }
      })
    }
    return specs.map(({ topic }) => ({ topic, partitions: this.get(topic).partitions }))
  }

  #look(topic: string): TopicEntry | undefined {
    if (!NAME.test(topic)) return undefined
    this.#environment.latest()
    const entry = this.#environment.topics.get(topic)
    if (entry !== undefined) this.#seen.set(topic, entry)
    return entry
  }
}

function check({ topic, partitions }: TopicSpec): void {
  if (!NAME.test(topic)) {
    throw new LogRefused(
      `a topic can't be called "${topic}": letters, digits, ".", "_" and "-", at most 249 (nameBytesMax)`,
    )
  }
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > EMBEDDED_LIMITS.partitionsMax) {
    throw new LogRefused(
      `topic ${topic} can't have ${partitions} partitions: 1 to ${EMBEDDED_LIMITS.partitionsMax} (partitionsMax)`,
    )
  }
}
