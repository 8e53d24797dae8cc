/**
 * The simulated coordinator of one group, and its members.
 *
 * States of a partition: *free* → *held* (its owner was told) → *releasing* (its owner was asked to let go, and is
 * awaited up to the drain time) → free. It goes to another only from free; who should have it is log/assignment.ts.
 *
 * States of a member: *in* → *out* (silent for the session time: its partitions are free at once, whatever it believes;
 * when it wakes it is told what it lost, and is in again) or *leaving* (drains, is given nothing) → *left*. It renews
 * its session while its process is alive and awake, and knows that it has joined: a member whose answer was lost is told
 * nothing, and is out for good when the session time is over.
 */
import { assignPartitions, partitionNamed } from '../../log/assignment.ts'
import { LOG_LIMITS } from '../../log/limits.ts'
import type { GroupListener, Membership, TopicPartition } from '../../log/log.ts'
import type { SimProcess } from './process.ts'
import type { SimWorld } from './world.ts'

interface Member {
  readonly memberId: string
  readonly process: SimProcess
  readonly topics: readonly string[]
  readonly listener: GroupListener
  /** What it was told to work on, and not yet to stop. */
  readonly held: Set<string>
  /** What its listener has not let go of yet, even if patience has ended: calls for one partition never overlap. */
  readonly draining: Set<string>
  heardMs: number
  /** It has heard that it is a member. */
  knows: boolean
  state: 'in' | 'out' | 'leaving' | 'left'
  leave: Promise<void> | undefined
  left: () => void
}

/** As it comes from the coordinator: `known` is called by who has heard of it. */
export interface SimMembership extends Membership {
  known(): void
}

interface Ownership {
  readonly member: Member
  releasing: boolean
}

export class SimGroup {
  readonly #world: SimWorld
  readonly #partitionsOf: (topic: string) => readonly TopicPartition[]
  readonly #members = new Map<string, Member>()
  readonly #owners = new Map<string, Ownership>()
  #target = new Map<string, string>()
  #count = 0

  constructor(world: SimWorld, partitionsOf: (topic: string) => readonly TopicPartition[]) {
    this.#world = world
    this.#partitionsOf = partitionsOf
  }

  join(process: SimProcess, topics: readonly string[], listener: GroupListener): SimMembership {
    for (const topic of topics) this.#partitionsOf(topic)
    const member: Member = {
      memberId: `${process.name}#${this.#count++}`,
      process,
      topics,
      listener,
      held: new Set(),
      draining: new Set(),
      heardMs: 0,
      knows: false,
      state: 'in',
      leave: undefined,
      left: () => undefined,
    }
    this.#enter(member)
    return {
      memberId: member.memberId,
      assigned: () => [...member.held].map(partitionNamed),
      leave: () => this.#leave(member),
      known: () => {
        member.knows = true
        for (const [name, owner] of this.#owners) if (owner.member === member) this.#tellGiven(name, owner)
      },
    }
  }

  #enter(member: Member): void {
    member.state = 'in'
    member.heardMs = this.#world.nowMs
    this.#members.set(member.memberId, member)
    this.#heartbeat(member)
    this.#balance()
  }

  #heartbeat(member: Member): void {
    this.#world.after(LOG_LIMITS.heartbeatMs, () => {
      if (member.state === 'left') return
      const { process } = member
      if (process.alive && process.pausedMs === 0 && member.knows) member.heardMs = this.#world.nowMs
      if (this.#world.nowMs - member.heardMs > LOG_LIMITS.sessionTimeoutMs) this.#expel(member)
      else this.#heartbeat(member)
    })
  }

  /** It hears of it when it wakes, if it ever does. */
  #expel(member: Member): void {
    this.#remove(member, 'out')
    member.process.tell(() => {
      if (!member.knows) return this.#gone(member)
      const lost = [...member.held, ...member.draining]
      member.held.clear()
      if (lost.length > 0) member.listener.lost(lost.map(partitionNamed))
      if (member.leave !== undefined) this.#gone(member)
      else this.#enter(member)
    })
    this.#balance()
  }

  /** Drains through `revoked`; the last partition that is free lets it go. */
  #leave(member: Member): Promise<void> {
    member.leave ??= new Promise((resolve) => {
      member.left = resolve
      if (member.state !== 'in') return
      member.state = 'leaving'
      this.#balance()
    })
    return member.leave
  }

  #remove(member: Member, state: 'out' | 'left'): void {
    member.state = state
    this.#members.delete(member.memberId)
    for (const [name, { member: owner }] of this.#owners) if (owner === member) this.#owners.delete(name)
  }

  #gone(member: Member): void {
    this.#remove(member, 'left')
    member.left()
  }

  #balance(): void {
    const subscribers = [...this.#members.values()].map(({ memberId, topics, state }) => {
      return { memberId, topics: state === 'leaving' ? [] : topics }
    })
    const partitions = [...new Set(subscribers.flatMap((s) => s.topics))].flatMap((topic) => this.#partitionsOf(topic))
    this.#target = assignPartitions(subscribers, partitions, this.#target)
    for (const [name, owner] of this.#owners) {
      if (owner.member.memberId !== this.#target.get(name) && !owner.releasing) this.#askBack(name, owner)
    }
    for (const [name, memberId] of this.#target) {
      const member = this.#members.get(memberId)!
      if (!this.#owners.has(name) && !member.draining.has(name)) this.#give(name, member)
    }
    const owning = new Set([...this.#owners.values()].map(({ member }) => member))
    for (const member of this.#members.values()) {
      if (member.state === 'leaving' && !owning.has(member)) this.#gone(member)
    }
  }

  #give(name: string, member: Member): void {
    const owner: Ownership = { member, releasing: false }
    this.#owners.set(name, owner)
    if (member.knows) this.#tellGiven(name, owner)
  }

  #tellGiven(name: string, owner: Ownership): void {
    const { member } = owner
    member.process.tell(() => {
      if (this.#owners.get(name) !== owner) return
      member.held.add(name)
      member.listener.assigned([partitionNamed(name)])
    })
  }

  #askBack(name: string, owner: Ownership): void {
    const { member } = owner
    owner.releasing = true
    const free = () => {
      if (this.#owners.get(name) === owner) this.#owners.delete(name)
      this.#balance()
    }
    this.#world.after(LOG_LIMITS.drainTimeoutMs, () => {
      if (this.#owners.get(name) === owner) free()
    })
    member.process.tell(() => {
      // Expelled while it slept: that it lost all it had is what it hears.
      if (member.state === 'out') return
      // Lost meanwhile, or given up before it was ever told of.
      if (!member.held.delete(name)) return free()
      member.draining.add(name)
      const ended = () => {
        member.draining.delete(name)
        free()
      }
      member.listener.revoked([partitionNamed(name)]).then(ended, (error: unknown) => {
        this.#world.note(`${member.memberId}: letting go of ${name} failed: ${error}`)
        ended()
      })
    })
  }
}
