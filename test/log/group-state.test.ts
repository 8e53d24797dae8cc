import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  type Beat,
  beat,
  EMPTY_GROUP,
  type Facts,
  type GroupState,
  leave,
  type Member,
} from '../../log/embedded/group-state.ts'

const LEASE_MS = 10
const PARTITIONS = 5
const all = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: 't', partition }))

/** A member as its process sees it: it follows verdicts, drains as long as it likes, and may sleep through its lease. */
class Player {
  readonly memberId: string
  readonly held = new Set<string>()
  readonly draining = new Set<string>()
  readonly released = new Set<string>()
  wantsToLeave = false

  constructor(memberId: string) {
    this.memberId = memberId
  }

  get believed(): Set<string> {
    return new Set([...this.held, ...this.draining, ...this.released])
  }
}

class Group {
  state: GroupState = EMPTY_GROUP
  nowMs = 0
  readonly players = new Map<string, Player>()
  readonly crashed = new Set<string>()

  facts(): Facts {
    const nobodyReads = (topics: readonly string[]) => (topics.includes('t') ? all : [])
    return { nowMs: this.nowMs, partitions: nobodyReads, dead: (m: Member) => this.crashed.has(String(m.pid)) }
  }

  beat(player: Player): readonly string[] {
    const released = new Set(player.released)
    const topics = player.wantsToLeave ? [] : ['t']
    const member: Member = {
      topics,
      host: 'h',
      pid: Number(player.memberId.slice(1)),
      leaseUntilMs: this.nowMs + LEASE_MS,
    }
    const me: Beat = { memberId: player.memberId, member, believed: player.believed, released, busy: player.draining }
    const verdict = beat(this.state, me, this.facts())
    const before = this.state
    this.state = verdict.state
    for (const name of verdict.claimed) {
      const owner = before.owners[name]
      const live = owner !== undefined && (before.members[owner]?.leaseUntilMs ?? 0) > this.nowMs
      const dead = owner !== undefined && this.crashed.has(owner.slice(1))
      assert.ok(
        owner === undefined || owner === player.memberId || !live || dead,
        `${name} was taken from ${owner}, which lives`,
      )
    }
    for (const name of verdict.lost) for (const set of [player.held, player.draining, player.released]) set.delete(name)
    for (const name of released) player.released.delete(name)
    for (const name of verdict.unwanted) if (player.held.delete(name)) player.draining.add(name)
    for (const name of verdict.claimed) player.held.add(name)
    return verdict.lost
  }

  /** Nobody that is awake believes in what another owns. */
  check(): void {
    for (const [name, owner] of Object.entries(this.state.owners)) {
      for (const player of this.players.values()) {
        const lease = this.state.members[player.memberId]?.leaseUntilMs ?? 0
        if (player.memberId === owner || lease <= this.nowMs || this.crashed.has(player.memberId.slice(1))) continue
        assert.ok(!player.believed.has(name), `${player.memberId} believes in ${name}, which is ${owner}'s`)
      }
    }
  }

  settle(): void {
    for (let round = 0; round < 10; round++) {
      for (const player of this.players.values()) {
        for (const name of player.draining) player.released.add(name)
        player.draining.clear()
        this.beat(player)
      }
    }
  }
}

type Step = readonly ['join' | 'beat' | 'drain' | 'leave' | 'crash' | 'sleep', number]
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(fc.constantFrom('join', 'beat', 'beat', 'beat', 'drain', 'drain', 'leave', 'crash', 'sleep'), fc.nat(3)),
  { minLength: 30, maxLength: 120 },
)

function play(group: Group, [what, n]: Step): void {
  const id = `m${n}`
  const player = group.players.get(id)
  if (what === 'sleep') group.nowMs += n * 3
  else if (what === 'join' && player === undefined && !group.crashed.has(String(n)))
    group.players.set(id, new Player(id))
  else if (player === undefined) return
  else if (what === 'beat') group.beat(player)
  else if (what === 'leave') player.wantsToLeave = true
  else if (what === 'crash') {
    group.players.delete(id)
    group.crashed.add(String(n))
  } else if (what === 'drain') {
    for (const name of player.draining) player.released.add(name)
    player.draining.clear()
  }
  if (player?.wantsToLeave && player.believed.size === 0) {
    group.state = leave(group.state, id, group.facts())
    group.players.delete(id)
  }
}

describe('the rule of a group', () => {
  test('nobody is given what a live member still owns, whatever happens in whatever order', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const group = new Group()
        for (const step of sequence) {
          play(group, step)
          group.check()
        }
      }),
      { numRuns: 500 },
    )
  })

  test('when things calm down, everything is owned, once, and shared alike', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const group = new Group()
        for (const step of sequence) play(group, step)
        for (const [id, player] of group.players)
          if (player.wantsToLeave) group.players.delete(id) && group.crashed.add(id.slice(1))
        group.settle()
        const players = [...group.players.values()]
        if (players.length === 0) return
        assert.deepEqual(
          players.flatMap((p) => [...p.held]).sort(),
          all.map((p) => `t/${p.partition}`),
        )
        const counts = players.map((p) => p.held.size)
        assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join())
      }),
      { numRuns: 500 },
    )
  })

  test('a calm group changes nothing but leases', () => {
    const group = new Group()
    for (const step of [
      ['join', 1],
      ['join', 2],
      ['beat', 1],
      ['beat', 2],
    ] as const)
      play(group, step)
    group.settle()
    const { epoch } = group.state
    group.nowMs += 1
    group.settle()
    assert.equal(group.state.epoch, epoch)
    assert.equal(group.state.members.m1?.leaseUntilMs, 1 + LEASE_MS)
  })

  test('a member whose lease has run out loses what it had, also if nobody else was there to notice', () => {
    const group = new Group()
    play(group, ['join', 1])
    const [player] = group.players.values()
    group.beat(player!)
    group.nowMs += LEASE_MS
    assert.deepEqual(
      [...group.beat(player!)].sort(),
      all.map((p) => `t/${p.partition}`),
    )
    assert.equal(player!.held.size, PARTITIONS, 'and has it again, as if it had just come')
  })

  test("a dead member's partitions are taken at once, a silent member's when its lease has run out", () => {
    const group = new Group()
    for (const step of [
      ['join', 1],
      ['join', 2],
      ['beat', 1],
      ['beat', 2],
    ] as const)
      play(group, step)
    group.settle()
    const other = group.players.get('m2')!
    group.players.delete('m1')
    group.beat(other)
    assert.ok(other.held.size < PARTITIONS, 'it may still live')
    group.crashed.add('1')
    group.beat(other)
    assert.equal(other.held.size, PARTITIONS)
  })
})
