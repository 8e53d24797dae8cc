/** Groups: who is told what, and in which order. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { LogRefused } from '../../log/errors.ts'
import { type EventLog, lagOf, type Membership, type TopicPartition } from '../../log/log.ts'
import { record, type Scenario, type Scene, startOf, until, within } from './contract-support.ts'
import { Trace } from './trace.ts'

export function groupContract(scenario: Scenario): void {
  sharing(scenario)
  handingOver(scenario)
  mirrors(scenario)
}

interface Player {
  readonly membership: Membership
  owned(): string[]
}

const names = (partitions: readonly TopicPartition[]) => partitions.map((p) => `${p.topic}/${p.partition}`).sort()
const all = (topic: string, count: number) => Array.from({ length: count }, (_, i) => `${topic}/${i}`).sort()

async function join(
  log: EventLog,
  trace: Trace,
  who: string,
  group: string,
  topics: readonly string[],
  drain: () => Promise<void> = async () => undefined,
): Promise<Player> {
  const membership = await log.join(group, topics, trace.listener(who, drain))
  return { membership, owned: () => names(membership.assigned()) }
}

/** Until all is owned, each by one, and nobody has two more than another. */
async function balanced({ patience }: Scene, players: readonly Player[], wanted: readonly string[]): Promise<void> {
  await until(`${players.length} members share ${wanted.length} partitions`, patience.groupMs, () => {
    const counts = players.map((p) => p.owned().length)
    const owned = players.flatMap((p) => p.owned()).sort()
    return owned.join() === [...wanted].sort().join() && Math.max(...counts) - Math.min(...counts) <= 1
  })
}

function sharing(scenario: Scenario): void {
  scenario('one member gets every partition of its topics', async (scene) => {
    const [a, b, trace] = [await scene.topic(3), await scene.topic(2), new Trace()]
    const player = await join(scene.log, trace, 'one', scene.group(), [a, b])
    const wanted = [...all(a, 3), ...all(b, 2)].sort()
    await balanced(scene, [player], wanted)
    assert.deepEqual(trace.ownedBy('one'), wanted)
    await player.membership.leave()
    trace.check()
  })

  scenario('two members share, and three', async (scene) => {
    const [topic, group, trace] = [await scene.topic(6), scene.group(), new Trace()]
    const players: Player[] = []
    for (const who of ['one', 'two', 'three']) {
      players.push(await join(await scene.open(), trace, who, group, [topic]))
      await balanced(scene, players, all(topic, 6))
    }
    trace.check()
    assert.equal(new Set(players.map((p) => p.membership.memberId)).size, 3)
  })

  scenario('two members of one client share too', async (scene) => {
    const [topic, group, trace] = [await scene.topic(4), scene.group(), new Trace()]
    const players = [
      await join(scene.log, trace, 'one', group, [topic]),
      await join(scene.log, trace, 'two', group, [topic]),
    ]
    await balanced(scene, players, all(topic, 4))
    trace.check()
  })

  scenario('each group has every partition', async (scene) => {
    const [topic, trace, other] = [await scene.topic(2), new Trace(), new Trace()]
    const a = await join(scene.log, trace, 'a', scene.group(), [topic])
    const b = await join(scene.log, other, 'b', scene.group(), [topic])
    await balanced(scene, [a], all(topic, 2))
    await balanced(scene, [b], all(topic, 2))
  })

  scenario('more members than partitions: some have none, until there is one to have', async (scene) => {
    const [topic, group, trace] = [await scene.topic(1), scene.group(), new Trace()]
    const one = await join(await scene.open(), trace, 'one', group, [topic])
    await balanced(scene, [one], all(topic, 1))
    const two = await join(await scene.open(), trace, 'two', group, [topic])
    await balanced(scene, [one, two], all(topic, 1))
    const [owner, idle] = one.owned().length === 1 ? [one, two] : [two, one]
    await owner.membership.leave()
    await balanced(scene, [idle], all(topic, 1))
    trace.check()
  })

  scenario('joining for a topic that is not there is refused', async (scene) => {
    const topic = `missing-${randomUUID()}`
    const refused = (error: unknown) => error instanceof LogRefused && error.message.includes(topic)
    await assert.rejects(scene.log.join(scene.group(), [topic], new Trace().listener('one')), refused)
  })
}

function handingOver(scenario: Scenario): void {
  scenario('a member that must give up partitions has let go before another has them', async (scene) => {
    const [topic, group, trace] = [await scene.topic(4), scene.group(), new Trace()]
    const drain = () => new Promise<void>((resolve) => setTimeout(resolve, 300))
    const one = await join(await scene.open(), trace, 'one', group, [topic], drain)
    await balanced(scene, [one], all(topic, 4))
    const two = await join(await scene.open(), trace, 'two', group, [topic], drain)
    await balanced(scene, [one, two], all(topic, 4))
    assert.ok(
      trace.calls.some((c) => c.what === 'released' && c.who === 'one'),
      'something was handed over',
    )
    trace.check()
  })

  scenario('nobody overtakes a member that is slow to let go', async (scene) => {
    const [topic, group, trace] = [await scene.topic(2), scene.group(), new Trace()]
    let letGo: () => void = () => undefined
    const stuck = new Promise<void>((resolve) => {
      letGo = resolve
    })
    const one = await join(await scene.open(), trace, 'one', group, [topic], () => stuck)
    await balanced(scene, [one], all(topic, 2))
    const two = await join(await scene.open(), trace, 'two', group, [topic])
    await until('one is asked to let go', scene.patience.groupMs, () => trace.calls.some((c) => c.what === 'revoked'))
    // Longer than several heartbeats, and far below the patience with a drain.
    await assert.rejects(
      balanced({ ...scene, patience: { ...scene.patience, groupMs: 3_000 } }, [one, two], all(topic, 2)),
    )
    trace.check()
    letGo()
    await balanced(scene, [one, two], all(topic, 2))
    trace.check()
  })

  scenario('leaving drains first, hands over, and is the last that is heard', async (scene) => {
    const [topic, group, trace] = [await scene.topic(4), scene.group(), new Trace()]
    const drain = () => new Promise<void>((resolve) => setTimeout(resolve, 100))
    const one = await join(await scene.open(), trace, 'one', group, [topic], drain)
    const two = await join(await scene.open(), trace, 'two', group, [topic], drain)
    await balanced(scene, [one, two], all(topic, 4))
    await within('one leaves', scene.patience.groupMs, one.membership.leave())
    assert.deepEqual(trace.ownedBy('one'), [])
    assert.deepEqual(one.owned(), [])
    const heard = trace.calls.filter((c) => c.who === 'one').length
    await balanced(scene, [two], all(topic, 4))
    await one.membership.leave()
    assert.equal(trace.calls.filter((c) => c.who === 'one').length, heard)
    trace.check()
  })

  scenario('closing a log leaves its groups, through a drain', async (scene) => {
    const [topic, group, trace] = [await scene.topic(3), scene.group(), new Trace()]
    const closing = await scene.open()
    const one = await join(closing, trace, 'one', group, [topic])
    const two = await join(scene.log, trace, 'two', group, [topic])
    await balanced(scene, [one, two], all(topic, 3))
    await closing.close()
    assert.deepEqual(trace.ownedBy('one'), [])
    await balanced(scene, [two], all(topic, 3))
    trace.check()
  })

  scenario('members that come and go in any order never own one partition together', async (scene) => {
    const [topic, group, trace] = [await scene.topic(5), scene.group(), new Trace()]
    const drain = () => new Promise<void>((resolve) => setTimeout(resolve, 20))
    const enter = async (who: string) => join(await scene.open(), trace, who, group, [topic], drain)
    const first = await Promise.all(['a', 'b', 'c'].map(enter))
    const [fourth] = await Promise.all([enter('d'), first[0]!.membership.leave()])
    await Promise.all([first[1]!.membership.leave(), balanced(scene, [first[2]!, fourth], all(topic, 5))])
    const fifth = await enter('e')
    await balanced(scene, [first[2]!, fourth, fifth], all(topic, 5))
    trace.check()
  })
}

function mirrors(scenario: Scenario): void {
  scenario("a group's checkpoints are mirrored, and its lag is known", async ({ log, topic, group, open }) => {
    const [name, who] = [await topic(1), group()]
    assert.deepEqual(await log.mirrored(who), [])
    const placed = await log.append(['1', '2', '3'].map((value) => record(name, 'k', value)))
    await log.mirror(who, [{ topic: name, partition: 0, next: placed[0]!.position }])
    await log.mirror(who, [{ topic: name, partition: 0, next: placed[1]!.position }])
    const other = await open()
    assert.deepEqual(await other.mirrored(who), [{ topic: name, partition: 0, next: placed[1]!.position }])
    const [bounds] = await log.bounds(name)
    assert.deepEqual(await lagOf(other, who), [
      {
        topic: name,
        partition: 0,
        next: placed[1]!.position,
        end: bounds!.end,
        lag: bounds!.end - placed[1]!.position,
      },
    ])
  })

  scenario('a member may mirror what it has done while the group lives', async (scene) => {
    const [topic, group, trace] = [await scene.topic(2), scene.group(), new Trace()]
    const one = await join(scene.log, trace, 'one', group, [topic])
    await balanced(scene, [one], all(topic, 2))
    const next = await startOf(scene.log, topic, 1)
    await scene.log.mirror(group, [{ topic, partition: 1, next }])
    const mirrored = await scene.log.mirrored(group)
    assert.deepEqual(
      mirrored.filter((m) => m.partition === 1),
      [{ topic, partition: 1, next }],
    )
  })
}
