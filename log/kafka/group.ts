/**
 * One member of a group: joins, beats, joins again when others come and go, leaves.
 *
 * Its steps and what follows each outcome are the table NEXT. Who owns what: the coordinator decides who is a member,
 * the group's leader (one of the members) who has which partitions (group-protocol.ts), the holdings what the listener is
 * told (holdings.ts). What can fail: the coordinator has forgotten us, or nobody was heard for the session timeout (a
 * paused process, a lost network): then others may own what we held; the listener hears `lost` and we join as new.
 */
import { LogError, LogRefused, LogUnavailable } from '../errors.ts'
import { LOG_LIMITS } from '../limits.ts'
import type { GroupListener, Membership, TopicPartition } from '../log.ts'
import { type Link, wordsOf } from './client.ts'
import type { Cluster } from './cluster.ts'
import {
  decodeAssignment,
  decodeMember,
  encodeAssignment,
  encodeMember,
  PROTOCOL_NAME,
  share,
} from './group-protocol.ts'
import { Holdings } from './holdings.ts'
import { KAFKA_LIMITS } from './limits.ts'
import { CODE, type JoinAnswer } from './protocol.ts'
import { backoffMs, NotYet, persist } from './retry.ts'

type Step = 'find' | 'join' | 'sync' | 'beat' | 'refind'
type Outcome = 'ok' | 'rebalance' | 'forgotten' | 'moved' | 'unreachable'

const NEXT: Record<Step, Record<Outcome, Step>> = {
  find: { ok: 'join', rebalance: 'join', forgotten: 'join', moved: 'find', unreachable: 'find' },
  join: { ok: 'sync', rebalance: 'join', forgotten: 'join', moved: 'find', unreachable: 'find' },
  sync: { ok: 'beat', rebalance: 'join', forgotten: 'join', moved: 'find', unreachable: 'find' },
  beat: { ok: 'beat', rebalance: 'join', forgotten: 'join', moved: 'refind', unreachable: 'refind' },
  // The membership may have survived its coordinator.
  refind: { ok: 'beat', rebalance: 'join', forgotten: 'find', moved: 'refind', unreachable: 'refind' },
}

const OUTCOMES: ReadonlyMap<number, Outcome> = new Map<number, Outcome>([
  [CODE.none, 'ok'],
  [CODE.rebalanceInProgress, 'rebalance'],
  // Sent once with the id that we are to use; the next join carries it.
  [CODE.memberIdRequired, 'rebalance'],
  [CODE.unknownMember, 'forgotten'],
  [CODE.illegalGeneration, 'forgotten'],
  [CODE.fencedInstance, 'forgotten'],
  [CODE.notCoordinator, 'moved'],
  [CODE.coordinatorLoading, 'moved'],
  [CODE.coordinatorNotAvailable, 'moved'],
])

export interface GroupOptions {
  readonly cluster: Cluster
  readonly group: string
  readonly topics: readonly string[]
  readonly listener: GroupListener
  readonly sessionTimeoutMs: number
  readonly onLeft: () => void
}

export class GroupMember implements Membership {
  memberId = ''
  readonly group: string
  readonly #options: GroupOptions
  readonly #holdings: Holdings
  #link: Link | undefined
  #generation = -1
  #joined: JoinAnswer | undefined
  /** When the coordinator last took us for a member. */
  #heardAt = performance.now()
  /** When the group last shared out its partitions. */
  #sharedAt = 0
  #failures = 0
  #rejoin = false
  #done = false
  #wake: () => void = () => undefined
  #running: Promise<void> = Promise.resolve()
  #leaving: Promise<void> | undefined

  constructor(options: GroupOptions) {
    this.#options = options
    this.group = options.group
    this.#holdings = new Holdings({
      listener: options.listener,
      drainTimeoutMs: LOG_LIMITS.drainTimeoutMs,
      log: options.cluster.options.log,
      onFreed: () => {
        this.#rejoin = true
        this.#wake()
      },
    })
  }

  /** Done when the group's coordinator knows us; partitions come later, through the listener. */
  async start(): Promise<void> {
    for (const topic of this.#options.topics) await this.#options.cluster.layout(topic)
    await persist(async () => {
      await this.#find()
      const outcome = await this.#join()
      if (this.memberId === '') throw new NotYet(`group ${this.group} can't be joined yet: ${outcome}`)
    })
    this.#running = this.#run('join')
  }

  assigned(): readonly TopicPartition[] {
    return this.#holdings.owned()
  }

  /** What an offset commit of a member carries; undefined while it is none. */
  credentials(): { readonly memberId: string; readonly generation: number } | undefined {
    return this.memberId === '' || this.#done ? undefined : { memberId: this.memberId, generation: this.#generation }
  }

  leave(): Promise<void> {
    this.#leaving ??= this.#leave()
    return this.#leaving
  }

  async #leave(): Promise<void> {
    // Still beating, so that nobody gets the partitions before they are drained.
    await this.#holdings.leave()
    this.#done = true
    this.#wake()
    this.#link?.close()
    await this.#running
    const { cluster, group, onLeft } = this.#options
    onLeft()
    try {
      const link = await cluster.link(await cluster.coordinator(group), 'admin')
      await link.call('LeaveGroup', { groupId: group, memberId: this.memberId })
    } catch (error) {
      // The session timeout does it, later.
      cluster.options.log.debug({ group, error: String(error) }, 'a group could not be told that a member leaves')
    }
  }

  async #run(first: Step): Promise<void> {
    const steps: Record<Step, () => Promise<Outcome>> = {
      find: () => this.#find(),
      join: () => this.#join(),
      sync: () => this.#sync(),
      beat: () => this.#beat(),
      refind: () => this.#find(),
    }
    for (let step = first; !this.#done; ) {
      let outcome = await this.#attempt(step, steps[step])
      if (this.#done) return
      if (outcome !== 'unreachable' && outcome !== 'moved') this.#failures = 0
      else await this.#sleep(backoffMs(this.#failures++))
      if (this.#silentMs() > this.#options.sessionTimeoutMs && step !== 'join') outcome = 'forgotten'
      if (outcome === 'forgotten') this.#lost()
      step = NEXT[step][outcome]
    }
  }

  async #attempt(step: Step, run: () => Promise<Outcome>): Promise<Outcome> {
    const { cluster, group } = this.#options
    try {
      return await run()
    } catch (error) {
      if (!(error instanceof LogError)) throw error
      if (!this.#done)
        cluster.options.log.warn({ group, step, error: error.message }, 'a group member can not go on yet')
      return 'unreachable'
    }
  }

  async #find(): Promise<Outcome> {
    this.#link?.close()
    const { cluster, group } = this.#options
    this.#link = await cluster.ownLink(await cluster.coordinator(group))
    return 'ok'
  }

  async #join(): Promise<Outcome> {
    this.#rejoin = false
    const { group, topics, sessionTimeoutMs } = this.#options
    const { rebalanceTimeoutMs } = KAFKA_LIMITS
    const metadata = encodeMember({ topics, claims: this.#holdings.claims(), generation: this.#generation })
    const answer = await this.#usable().call(
      'JoinGroup',
      {
        groupId: group,
        sessionTimeout: sessionTimeoutMs,
        rebalanceTimeout: rebalanceTimeoutMs,
        memberId: this.memberId,
        protocolType: 'consumer',
        groupProtocols: [{ name: PROTOCOL_NAME, metadata }],
      },
      rebalanceTimeoutMs + KAFKA_LIMITS.requestTimeoutMs,
    )
    const outcome = this.#outcome(answer.errorCode)
    if (answer.errorCode === CODE.none || answer.errorCode === CODE.memberIdRequired) this.memberId = answer.memberId
    if (answer.errorCode === CODE.none) {
      this.#generation = answer.generationId
      this.#joined = answer
    }
    return outcome
  }

  async #sync(): Promise<Outcome> {
    const { memberId, members, leaderId, generationId } = this.#joined!
    const shares = leaderId === memberId ? await this.#share(members) : new Map<string, readonly TopicPartition[]>()
    const answer = await this.#usable().call(
      'SyncGroup',
      {
        groupId: this.group,
        generationId,
        memberId,
        groupAssignment: [...shares].map(([id, partitions]) => ({
          memberId: id,
          memberAssignment: encodeAssignment(partitions),
        })),
      },
      KAFKA_LIMITS.rebalanceTimeoutMs,
    )
    const outcome = this.#outcome(answer.errorCode)
    if (answer.errorCode === CODE.none) {
      this.#sharedAt = performance.now()
      this.#holdings.apply(decodeAssignment(answer.memberAssignment))
    }
    return outcome
  }

  async #share(members: JoinAnswer['members']): Promise<Map<string, readonly TopicPartition[]>> {
    const known = members.map((m) => decodeMember(m.memberId, m.memberMetadata))
    const partitions: TopicPartition[] = []
    for (const topic of new Set(known.flatMap((m) => m.topics))) {
      try {
        const { leaders } = await this.#options.cluster.layout(topic)
        for (const partition of leaders.keys()) partitions.push({ topic, partition })
      } catch (error) {
        // Another member asked for it, and it has gone since.
        if (!(error instanceof LogRefused)) throw error
      }
    }
    return share(known, partitions)
  }

  async #beat(): Promise<Outcome> {
    const settling = performance.now() - this.#sharedAt < KAFKA_LIMITS.settleMs
    if (!this.#rejoin) await this.#sleep(settling ? KAFKA_LIMITS.settlingHeartbeatMs : LOG_LIMITS.heartbeatMs)
    if (this.#silentMs() > this.#options.sessionTimeoutMs) return 'forgotten'
    if (this.#rejoin) return 'rebalance'
    const link = this.#usable()
    // An answer that comes after the session has run out is of no use.
    const timer = setTimeout(() => link.close(), this.#options.sessionTimeoutMs - this.#silentMs())
    try {
      const { memberId } = this
      const ask = { groupId: this.group, groupGenerationId: this.#generation, memberId }
      return this.#outcome((await link.call('Heartbeat', ask)).errorCode)
    } finally {
      clearTimeout(timer)
    }
  }

  #outcome(code: number): Outcome {
    const outcome = OUTCOMES.get(code)
    if (outcome === undefined) {
      const denied = code === CODE.groupDenied || code === CODE.topicDenied
      const words = `group ${this.group}: ${wordsOf(code)}`
      throw denied ? new LogError('LOG_DENIED', words) : new LogUnavailable(words)
    }
    if (outcome === 'ok' || outcome === 'rebalance') this.#heardAt = performance.now()
    return outcome
  }

  #lost(): void {
    this.memberId = ''
    this.#generation = -1
    this.#heardAt = performance.now()
    this.#holdings.lost()
  }

  #usable(): Link {
    if (this.#link?.usable() !== true) throw new LogUnavailable(`the connection to group ${this.group} broke`)
    return this.#link
  }

  #silentMs(): number {
    return performance.now() - this.#heardAt
  }

  #sleep(ms: number): Promise<void> {
    if (this.#done) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
