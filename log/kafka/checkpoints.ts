/** A group's offsets in Kafka: a mirror of our checkpoints for lag tools; nothing here decides anything. */
import { LogUnavailable } from '../errors.ts'
import type { MirroredCheckpoint } from '../log.ts'
import { wordsOf } from './client.ts'
import type { Cluster } from './cluster.ts'
import { CODE } from './protocol.ts'
import { NotYet, persist } from './retry.ts'

export interface Committer {
  readonly memberId: string
  readonly generation: number
}

const NOT_YET: ReadonlySet<number> = new Set([
  CODE.rebalanceInProgress,
  CODE.illegalGeneration,
  CODE.notCoordinator,
  CODE.coordinatorLoading,
  CODE.coordinatorNotAvailable,
])

/** As a member of the group if one is given, else as an onlooker (whom Kafka refuses while the group has members). */
export async function commit(
  cluster: Cluster,
  group: string,
  checkpoints: readonly MirroredCheckpoint[],
  member: () => Committer | undefined,
): Promise<void> {
  if (checkpoints.length === 0) return
  const topics = [...new Set(checkpoints.map((c) => c.topic))].map((topic) => ({
    topic,
    partitions: checkpoints
      .filter((c) => c.topic === topic)
      .map(({ partition, next }) => ({ partition, offset: `${next}` })),
  }))
  await persist(async () => {
    const link = await cluster.link(await cluster.coordinator(group), 'admin')
    const { memberId, generation } = member() ?? { memberId: '', generation: -1 }
    const { responses } = await link.call('OffsetCommit', {
      groupId: group,
      groupGenerationId: generation,
      memberId,
      topics,
    })
    const code = responses.flatMap((r) => r.partitions).find((p) => p.errorCode !== CODE.none)?.errorCode
    if (code === undefined) return
    const words = `the checkpoints of group ${group} were not mirrored: ${wordsOf(code)}`
    if (NOT_YET.has(code)) throw new NotYet(words)
    cluster.options.log.debug({ group }, words)
  })
}

export function committed(cluster: Cluster, group: string): Promise<readonly MirroredCheckpoint[]> {
  return persist(async () => {
    const link = await cluster.link(await cluster.coordinator(group), 'admin')
    const { errorCode, responses } = await link.call('OffsetFetch', { groupId: group, topics: [] })
    if (NOT_YET.has(errorCode)) throw new NotYet(`group ${group}: ${wordsOf(errorCode)}`)
    if (errorCode !== CODE.none) throw new LogUnavailable(`group ${group}: ${wordsOf(errorCode)}`)
    return responses.flatMap(({ topic, partitions }) =>
      partitions
        .filter((p) => p.errorCode === CODE.none && !p.offset.startsWith('-'))
        .map(({ partition, offset }) => ({ topic, partition, next: BigInt(offset) })),
    )
  })
}
