/**
 * What a group is, and the one rule by which it changes: pure, no LMDB, no clock. Each member applies `beat` inside a
 * write transaction, so the beats of all processes come one after another.
 *
 * `target` says who should have a partition; `owners` says who has it. A partition goes from one to another so:
 *   target changes → its owner is told to let go → its owner's beat takes it out of `owners` → the other's beat claims it.
 * So nobody claims what a live member still owns. A member whose lease has run out, or whose process is dead on this
 * host, is taken out with all it owned by whoever beats next, itself included; a member that wakes too late finds that
 * out in its own beat, whether or not anybody else was there to take its partitions.
 */
import { assignPartitions } from '../assignment.ts'
import type { TopicPartition } from '../log.ts'

export interface Member {
  /** None once it wants to leave. */
  readonly topics: readonly string[]
  readonly host: string
  readonly pid: number
  readonly leaseUntilMs: number
}

export interface GroupState {
  /** Rises with every change that another member must look at; not when a lease is renewed. */
  readonly epoch: number
  readonly members: Readonly<Record<string, Member>>
  readonly target: Readonly<Record<string, string>>
  readonly owners: Readonly<Record<string, string>>
}

export const EMPTY_GROUP: GroupState = { epoch: 0, members: {}, target: {}, owners: {} }

export interface Beat {
  readonly memberId: string
  readonly member: Member
  /** What this member believes it owns, whether it works on it or is letting go. */
  readonly believed: ReadonlySet<string>
  /** Of these, what it has let go of since its last beat. */
  readonly released: ReadonlySet<string>
  /** What it may not claim now (its last work there has not ended yet). */
  readonly busy: ReadonlySet<string>
}

export interface Facts {
  readonly nowMs: number
  /** Of the topics that somebody in the group reads. */
  partitions(topics: readonly string[]): readonly TopicPartition[]
  dead(member: Member): boolean
}

export interface Verdict {
  readonly state: GroupState
  /** Believed, but ours no more: the lease had run out. */
  readonly lost: readonly string[]
  readonly claimed: readonly string[]
  /** Ours, wanted by another. */
  readonly unwanted: readonly string[]
}

export function beat(before: GroupState, me: Beat, facts: Facts): Verdict {
  const members = new Map(Object.entries(before.members))
  const owners = new Map(Object.entries(before.owners))
  for (const [memberId, member] of members) {
    if (member.leaseUntilMs > facts.nowMs && (memberId === me.memberId || !facts.dead(member))) continue
    members.delete(memberId)
    for (const [name, owner] of owners) if (owner === memberId) owners.delete(name)
  }
  const lost = [...me.believed].filter((name) => owners.get(name) !== me.memberId)
  for (const name of me.released) if (owners.get(name) === me.memberId) owners.delete(name)
  members.set(me.memberId, me.member)
  const target = targetOf(members, new Map(Object.entries(before.target)), facts)
  const claimed: string[] = []
  for (const [name, owner] of target) {
    if (owner !== me.memberId || owners.has(name) || me.busy.has(name)) continue
    owners.set(name, me.memberId)
    claimed.push(name)
  }
  const unwanted = [...owners].filter(([name, owner]) => owner === me.memberId && target.get(name) !== owner)
  return { state: next(before, members, target, owners), lost, claimed, unwanted: unwanted.map(([name]) => name) }
}

/** After its drain: the member and whatever it still owned are gone. */
export function leave(before: GroupState, memberId: string, facts: Facts): GroupState {
  const members = new Map(Object.entries(before.members))
  members.delete(memberId)
  const owners = new Map(Object.entries(before.owners).filter(([, owner]) => owner !== memberId))
  return next(before, members, targetOf(members, new Map(Object.entries(before.target)), facts), owners)
}

function targetOf(members: Map<string, Member>, previous: Map<string, string>, facts: Facts): Map<string, string> {
  const subscribers = [...members].map(([memberId, { topics }]) => ({ memberId, topics }))
  const topics = [...new Set(subscribers.flatMap((s) => s.topics))]
  return assignPartitions(subscribers, facts.partitions(topics), previous)
}

function next(
  before: GroupState,
  members: Map<string, Member>,
  target: Map<string, string>,
  owners: Map<string, string>,
): GroupState {
  const state = {
    members: Object.fromEntries(members),
    target: Object.fromEntries(target),
    owners: Object.fromEntries(owners),
  }
  const changed = told(state) !== told(before)
  return { epoch: before.epoch + (changed ? 1 : 0), ...state }
}

/** All that others must look at: everything but the leases, in one order. */
function told({ members, target, owners }: Omit<GroupState, 'epoch'>): string {
  const topics = Object.entries(members).map(([memberId, member]) => [memberId, member.topics] as const)
  const sorted = [topics, Object.entries(target), Object.entries(owners)].map((entries) => entries.map(String).sort())
  return JSON.stringify(sorted)
}
