/**
 * Who reads what: a pure function of a group's live members and of who had what before. Every caller that knows the
 * same facts gets the same answer, in whatever order it lists them.
 *
 * It keeps what it can (sticky): a partition moves only if its member is gone or no longer wants it, or because its
 * member has at least two more than another that wants it.
 */
import type { TopicPartition } from './log.ts'

export interface Subscriber {
  readonly memberId: string
  readonly topics: readonly string[]
}

/** `topic/partition`; topics have no slash (both engines refuse one), so that this can be taken apart again. */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}

export function partitionNamed(name: string): TopicPartition {
  const slash = name.lastIndexOf('/')
  return { topic: name.slice(0, slash), partition: Number(name.slice(slash + 1)) }
}

/**
 * The owner wanted for each partition, by its name; a partition that no member asked for is left out.
 * `previous` may name members that are gone and partitions that are not; both are ignored.
 */
export function assignPartitions(
  subscribers: readonly Subscriber[],
  partitions: readonly TopicPartition[],
  previous: ReadonlyMap<string, string>,
): Map<string, string> {
  const members = [...subscribers].sort((a, b) => compare(a.memberId, b.memberId))
  const wants = new Map(members.map((m) => [m.memberId, new Set(m.topics)]))
  const held = new Map<string, string[]>(members.map((m) => [m.memberId, []]))
  const free: TopicPartition[] = []
  for (const p of [...partitions].sort(byPlace)) {
    const before = previous.get(partitionName(p))
    if (before !== undefined && wants.get(before)?.has(p.topic)) held.get(before)!.push(partitionName(p))
    else free.push(p)
  }
  for (const p of free) {
    const takers = members.filter((m) => wants.get(m.memberId)!.has(p.topic))
    const least = smallest(takers, held)
    if (least !== undefined) held.get(least)!.push(partitionName(p))
  }
  // Each move takes one from a member that has two more than the taker, so the sum of squares falls and this ends.
  while (moveOne(members, wants, held));
  return new Map([...held].flatMap(([memberId, names]) => names.map((name) => [name, memberId] as const)))
}

function moveOne(
  members: readonly Subscriber[],
  wants: ReadonlyMap<string, ReadonlySet<string>>,
  held: Map<string, string[]>,
): boolean {
  const byLoad = [...members].sort(
    (a, b) => held.get(b.memberId)!.length - held.get(a.memberId)!.length || compare(a.memberId, b.memberId),
  )
  for (const from of byLoad) {
    const names = held.get(from.memberId)!
    for (let i = names.length - 1; i >= 0; i--) {
      const topic = partitionNamed(names[i]!).topic
      const takers = members.filter((m) => m !== from && wants.get(m.memberId)!.has(topic))
      const to = smallest(takers, held)
      if (to === undefined || held.get(to)!.length + 1 >= names.length) continue
      held.get(to)!.push(...names.splice(i, 1))
      return true
    }
  }
  return false
}

/** The member with the fewest partitions; the first by name among equals. */
function smallest(takers: readonly Subscriber[], held: ReadonlyMap<string, readonly string[]>): string | undefined {
  let best: string | undefined
  for (const { memberId } of takers) {
    if (best === undefined || held.get(memberId)!.length < held.get(best)!.length) best = memberId
  }
  return best
}

function byPlace(a: TopicPartition, b: TopicPartition): number {
  return compare(a.topic, b.topic) || a.partition - b.partition
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
