/**
 * One member of a group, in this process: beats (group-state.ts) until it leaves, and tells its listener.
 *
 * States of a partition here:
 *   *held*      `assigned` was called; the listener works on it
 *   *draining*  `revoked` was called and has not ended; still ours, nobody can claim it
 *   *released*  let go of, the next beat says so
 *   *overdue*   released because the patience ended before `revoked` did; not claimed again until that has ended
 * A lost member forgets all of them; what it was draining is overdue. `lost` is told of held partitions only: those
 * that drain have been told to stop already, and calls for one partition never overlap.
 *
 * One loop does everything, one step at a time, so no two beats or calls of a member overlap.
 */
import { partitionNamed } from '../assignment.ts'
import { LOG_LIMITS } from '../limits.ts'
import type { GroupListener, Membership, TopicPartition } from '../log.ts'
import type { Environment } from './environment.ts'
import { beat, EMPTY_GROUP, type Facts, type GroupState, leave, type Member, type Verdict } from './group-state.ts'
import type { Identity } from './identity.ts'
import { EMBEDDED_LIMITS } from './limits.ts'
import type { Warn } from './wake.ts'

export interface Joining {
  readonly group: string
  readonly memberId: string
  readonly topics: readonly string[]
  readonly listener: GroupListener
}

export interface Surroundings {
  readonly environment: Environment
  readonly identity: Identity
  readonly partitionsOf: (topics: readonly string[]) => readonly TopicPartition[]
  readonly clock: () => number
  readonly warn: Warn
}

export class EmbeddedMembership implements Membership {
  readonly memberId: string
  readonly #joining: Joining
  readonly #around: Surroundings
  readonly #held = new Set<string>()
  readonly #draining = new Set<string>()
  readonly #released = new Set<string>()
  readonly #overdue = new Set<string>()
  readonly #ended: Promise<void>
  #leaving = false
  #leaseUntilMs = Number.POSITIVE_INFINITY
  #epoch = -1
  #failedBeats = 0

  constructor(joining: Joining, around: Surroundings) {
    this.memberId = joining.memberId
    this.#joining = joining
    this.#around = around
    // An error that a listener throws leaves this promise rejected and unhandled: the process dies, as it should.
    this.#ended = this.#run()
  }

  assigned(): readonly TopicPartition[] {
    return [...this.#held].map(partitionNamed)
  }

  leave(): Promise<void> {
    this.#leaving = true
    this.#around.environment.regrouped.stir()
    return this.#ended
  }

  async #run(): Promise<void> {
    // The caller has its Membership before its listener is called.
    await new Promise((resolve) => setImmediate(resolve))
    const { regrouped } = this.#around.environment
    let beatAt = 0
    for (;;) {
      const rings = regrouped.listen()
      if (this.#leaving && this.#held.size + this.#draining.size + this.#released.size === 0) break
      if (performance.now() >= beatAt || this.#hasNews()) {
        beatAt = performance.now() + LOG_LIMITS.heartbeatMs
        await this.#beat()
      }
      await regrouped.after(rings, beatAt - performance.now())
    }
    await this.#leaveGroup()
  }

  /** Whether to beat at once: we have something to say, or another member changed the group. */
  #hasNews(): boolean {
    // After a beat that failed, the next heartbeat is soon enough.
    if (this.#failedBeats > 0) return false
    if (this.#released.size > 0 || (this.#leaving && this.#held.size > 0)) return true
    const { environment } = this.#around
    environment.latest()
    return this.#groupState().epoch !== this.#epoch
  }

  async #beat(): Promise<void> {
    const released = new Set(this.#released)
    const believed = new Set([...this.#held, ...this.#draining, ...released])
    const busy = new Set([...this.#draining, ...this.#overdue])
    let verdict: Verdict
    let leaseUntilMs = 0
    try {
      verdict = await this.#change((state, facts) => {
        leaseUntilMs = facts.nowMs + LOG_LIMITS.sessionTimeoutMs
        const { host, pid } = this.#around.identity
        const topics = this.#leaving ? [] : this.#joining.topics
        const member: Member = { topics, host, pid, leaseUntilMs }
        return beat(state, { memberId: this.memberId, member, believed, released, busy }, facts)
      })
    } catch (error) {
      this.#missedBeat(error)
      return
    }
    this.#failedBeats = 0
    this.#leaseUntilMs = leaseUntilMs
    this.#obey(verdict, released)
  }

  #obey(verdict: Verdict, released: ReadonlySet<string>): void {
    for (const name of released) this.#released.delete(name)
    this.#lose(verdict.lost)
    const unwanted = verdict.unwanted.filter((name) => this.#held.has(name))
    if (unwanted.length > 0) this.#drain(unwanted)
    if (verdict.claimed.length === 0) return
    for (const name of verdict.claimed) this.#held.add(name)
    this.#joining.listener.assigned(verdict.claimed.map(partitionNamed))
  }

  /** Begins to let go; the loop goes on beating, so that the lease outlives a slow drain. */
  #drain(names: readonly string[]): void {
    for (const name of names) {
      this.#held.delete(name)
      this.#draining.add(name)
    }
    const release = (overdue: boolean) => {
      for (const name of names) {
        if (!overdue) this.#overdue.delete(name)
        if (!this.#draining.delete(name)) continue
        this.#released.add(name)
        if (overdue) this.#overdue.add(name)
      }
      this.#around.environment.regrouped.stir()
    }
    const patience = setTimeout(() => {
      this.#warn(
        `${names.join(', ')} not let go of within ${LOG_LIMITS.drainTimeoutMs} ms (drainTimeoutMs), handed over`,
      )
      release(true)
    }, LOG_LIMITS.drainTimeoutMs)
    const { listener } = this.#joining
    const drained = (async () => listener.revoked(names.map(partitionNamed)))()
    const ended = () => {
      clearTimeout(patience)
      release(false)
    }
    // A drain that failed is a drain that ended: whoever comes next is fenced by the commit record, not by us.
    drained.then(ended, (error: unknown) => {
      this.#warn(`letting go of ${names.join(', ')} failed`, error)
      ended()
    })
  }

  #lose(names: readonly string[]): void {
    const told = names.filter((name) => this.#held.delete(name))
    for (const name of names) {
      this.#released.delete(name)
      if (this.#draining.delete(name)) this.#overdue.add(name)
    }
    if (told.length > 0) this.#joining.listener.lost(told.map(partitionNamed))
  }

  /** A heartbeat that can't be stored is tried again; when the lease has run out meanwhile, we own nothing. */
  #missedBeat(error: unknown): void {
    if (this.#failedBeats++ % EMBEDDED_LIMITS.failedBeatsPerWarning === 0) this.#warn('a heartbeat failed', error)
    if (this.#around.clock() >= this.#leaseUntilMs) this.#lose([...this.#held, ...this.#draining, ...this.#released])
  }

  async #leaveGroup(): Promise<void> {
    try {
      await this.#change((state, facts) => ({ state: leave(state, this.memberId, facts) }))
    } catch (error) {
      this.#warn('leaving failed, the lease will run out instead', error)
    }
  }

  async #change<V extends { readonly state: GroupState }>(change: (state: GroupState, facts: Facts) => V): Promise<V> {
    const { environment, identity, partitionsOf, clock } = this.#around
    const facts = { nowMs: clock(), partitions: partitionsOf, dead: (member: Member) => identity.isDead(member) }
    let changed = false
    const verdict = environment.writeGroups(`a heartbeat of group ${this.#joining.group}`, () => {
      const before = this.#groupState()
      const answer = change(before, facts)
      environment.groups.putSync(this.#joining.group, answer.state)
      changed = answer.state.epoch !== before.epoch
      return answer
    })
    this.#epoch = verdict.state.epoch
    if (changed) environment.regrouped.ring()
    return verdict
  }

  #groupState(): GroupState {
    return (this.#around.environment.groups.get(this.#joining.group) as GroupState | undefined) ?? EMPTY_GROUP
  }

  #warn(message: string, error?: unknown): void {
    this.#around.warn(`group ${this.#joining.group}, member ${this.memberId}: ${message}`, error)
  }
}
