/**
 * What the members of a group tell each other, and how its leader shares the partitions out. Pure.
 *
 * The bytes are Kafka's consumer protocol (version 0), so that lag tools show who has what; what we add (the partitions
 * that a member still holds) is in its user data. Sharing is cooperative: a partition that should move is given to nobody
 * while its holder still claims it; the holder lets go, joins again without the claim, and then it is given. So nobody
 * stops working on what stays with him, and no two own one partition.
 */
import { assignPartitions, partitionName, partitionNamed } from '../assignment.ts'
import type { TopicPartition } from '../log.ts'
import { Reader, Writer } from './bytes.ts'

export const PROTOCOL_NAME = 'playhead-sticky'

export interface Member {
  readonly memberId: string
  readonly topics: readonly string[]
  /** Names of the partitions it holds, and the generation in which it was given them. */
  readonly claims: readonly string[]
  readonly generation: number
}

const VERSION = 0

export function encodeMember({ topics, claims, generation }: Omit<Member, 'memberId'>): Buffer {
  const data = Buffer.from(JSON.stringify({ generation, claims }))
  const room = 10 + data.length + topics.reduce((sum, t) => sum + 2 + Buffer.byteLength(t), 0)
  const writer = new Writer(room).int16(VERSION).int32(topics.length)
  for (const topic of topics) writer.text(topic)
  return writer.blob(data).cut()
}

export function decodeMember(memberId: string, bytes: Buffer): Member {
  const reader = new Reader(bytes)
  reader.int16()
  const topics = reader.array(() => reader.text())
  const data = reader.blob()
  const { claims, generation } =
    data.length === 0 ? { claims: [], generation: -1 } : (JSON.parse(data.toString('utf8')) as Member)
  return { memberId, topics, claims, generation }
}

export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of partitions) byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition])
  const room = 10 + [...byTopic].reduce((sum, [t, ps]) => sum + 6 + Buffer.byteLength(t) + 4 * ps.length, 0)
  const writer = new Writer(room).int16(VERSION).int32(byTopic.size)
  for (const [topic, numbers] of byTopic) {
    writer.text(topic).int32(numbers.length)
    for (const partition of numbers) writer.int32(partition)
  }
  return writer.blob(Buffer.alloc(0)).cut()
}

export function decodeAssignment(bytes: Buffer): TopicPartition[] {
  // A member that the leader gave nothing may get no bytes at all.
  if (bytes.length === 0) return []
  const reader = new Reader(bytes)
  reader.int16()
  return reader
    .array(() => {
      const topic = reader.text()
      return reader.array(() => ({ topic, partition: reader.int32() }))
    })
    .flat()
}

/** What each member may have now: never what another member still holds. */
export function share(
  members: readonly Member[],
  partitions: readonly TopicPartition[],
): Map<string, readonly TopicPartition[]> {
  const holders = new Map<string, Member>()
  for (const member of members) {
    for (const name of member.claims) {
      const other = holders.get(name)
      // Two can only claim one partition if the coordinator forgot one of them; the newer generation is right.
      if (other === undefined || other.generation < member.generation) holders.set(name, member)
    }
  }
  const previous = new Map([...holders].map(([name, holder]) => [name, holder.memberId]))
  const shares = new Map<string, TopicPartition[]>(members.map((m) => [m.memberId, []]))
  for (const [name, owner] of assignPartitions(members, partitions, previous)) {
    const holder = previous.get(name)
    if (holder === undefined || holder === owner) shares.get(owner)!.push(partitionNamed(name))
  }
  return shares
}

export function namesOf(partitions: readonly TopicPartition[]): string[] {
  return partitions.map(partitionName)
}
