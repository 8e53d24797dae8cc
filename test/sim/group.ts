/**
 * The simulated coordinator of one group. Members renew their session while they are alive and awake; one that was
 * silent for the session time is out, and its partitions go to others whatever it believes. A member that must give a
 * partition up is asked first and awaited (up to the drain time).
 */
import { LOG_LIMITS } from '../../log/limits.ts'
import type { GroupListener, Membership, TopicPartition } from '../../log/log.ts'
import type { SimProcess } from './process.ts'
import type { SimWorld } from './world.ts'

interface Member {
  readonly id: string
  readonly process: SimProcess
  readonly listener: GroupListener
  heardMs: number
  out: boolean
}

interface Slot {
  readonly place: TopicPartition
  owner: Member | undefined
  /** Asked to give it up; free when the member says so or the patience ends. */
  releasing: boolean
}

export class SimGroup {
  readonly #world: SimWorld
  readonly #slots: Slot[]
  readonly #members: Member[] = []
  #count = 0

  constructor(world: SimWorld, places: readonly TopicPartition[]) {
    this.#world = world
    this.#slots = places.map((place) => ({ place, owner: undefined, releasing: false }))
  }

  join(process: SimProcess, listener: GroupListener): Membership {
    const member: Member = {
      id: `${process.name}#${this.#count++}`,
      process,
      listener,
      heardMs: this.#world.nowMs,
      out: false,
    }
    this.#members.push(member)
    this.#heartbeat(member)
    this.#balance()
    return {
      memberId: member.id,
      assigned: () => this.#slots.filter((s) => s.owner === member).map((s) => s.place),
      leave: () => this.#leave(member),
    }
  }

  #heartbeat(member: Member): void {
    this.#world.after(LOG_LIMITS.heartbeatMs, () => {
      if (member.out) return
      const { process } = member
      const awake = process.alive && process.pausedMs === 0
      if (awake) member.heardMs = this.#world.nowMs
      if (this.#world.nowMs - member.heardMs > LOG_LIMITS.sessionTimeoutMs) this.#expel(member)
      else this.#heartbeat(member)
    })
  }

  #expel(member: Member): void {
    member.out = true
    const had = this.#slots.filter((s) => s.owner === member)
    for (const slot of had) {
      slot.owner = undefined
      slot.releasing = false
    }
    this.#members.splice(this.#members.indexOf(member), 1)
    member.process.tell(() => {
      member.listener.lost(had.map((s) => s.place))
      this.join(member.process, member.listener)
    })
    this.#balance()
  }

  async #leave(member: Member): Promise<void> {
    if (member.out) return
    member.out = true
    this.#members.splice(this.#members.indexOf(member), 1)
    const had = this.#slots.filter((s) => s.owner === member)
    await member.listener.revoked(had.map((s) => s.place))
    for (const slot of had) if (slot.owner === member) slot.owner = undefined
    this.#balance()
  }

  #balance(): void {
    const members = this.#members
    if (members.length === 0) return
    this.#slots.forEach((slot, i) => {
      const wanted = members[i % members.length]!
      if (slot.owner === wanted || slot.releasing) return
      if (slot.owner === undefined) this.#give(slot, wanted)
      else this.#askBack(slot, slot.owner)
    })
  }

  #give(slot: Slot, member: Member): void {
    slot.owner = member
    member.process.tell(() => {
      if (slot.owner === member && !member.out) member.listener.assigned([slot.place])
    })
  }

  #askBack(slot: Slot, owner: Member): void {
    slot.releasing = true
    const free = () => {
      if (!slot.releasing || slot.owner !== owner) return
      slot.releasing = false
      slot.owner = undefined
      this.#balance()
    }
    this.#world.after(LOG_LIMITS.drainTimeoutMs, free)
    owner.process.tell(() => {
      owner.listener.revoked([slot.place]).then(free, (error: unknown) => this.#world.note(`revoked failed: ${error}`))
    })
  }
}
