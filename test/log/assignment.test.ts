import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { assignPartitions, partitionName, partitionNamed, type Subscriber } from '../../log/assignment.ts'

const topics = ['a', 'b', 'c']
const partitions = fc
  .record({ a: fc.nat(9), b: fc.nat(9), c: fc.nat(9) })
  .map((counts) =>
    Object.entries(counts).flatMap(([topic, count]) =>
      Array.from({ length: count }, (_, partition) => ({ topic, partition })),
    ),
  )
const memberIds = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 })
const everyone = (ids: readonly string[]): Subscriber[] => ids.map((memberId) => ({ memberId, topics }))
const someTopics = memberIds.chain((ids) =>
  fc.tuple(...ids.map((memberId) => fc.subarray(topics).map((own): Subscriber => ({ memberId, topics: own })))),
)
const nothing = new Map<string, string>()

function counts(ids: readonly string[], assigned: ReadonlyMap<string, string>): number[] {
  return ids.map((id) => [...assigned.values()].filter((owner) => owner === id).length)
}

describe('the assignment of partitions', () => {
  test('every partition that somebody wants has one owner, who wants it', () => {
    fc.assert(
      fc.property(someTopics, partitions, (subscribers, all) => {
        const assigned = assignPartitions(subscribers, all, nothing)
        for (const p of all) {
          const wanted = subscribers.some((s) => s.topics.includes(p.topic))
          const owner = subscribers.find((s) => s.memberId === assigned.get(partitionName(p)))
          assert.equal(owner !== undefined, wanted)
          if (owner !== undefined) assert.ok(owner.topics.includes(p.topic))
        }
        assert.equal(assigned.size, all.filter((p) => subscribers.some((s) => s.topics.includes(p.topic))).length)
      }),
    )
  })

  test('members that want the same differ by one partition at most', () => {
    fc.assert(
      fc.property(memberIds, memberIds, partitions, (before, after, all) => {
        const previous = assignPartitions(everyone(before), all, nothing)
        const now = counts(after, assignPartitions(everyone(after), all, previous))
        assert.ok(Math.max(...now) - Math.min(...now) <= 1, now.join())
      }),
    )
  })

  test('the order in which members and partitions are listed means nothing', () => {
    fc.assert(
      fc.property(someTopics, partitions, (subscribers, all) => {
        const assigned = assignPartitions(subscribers, all, nothing)
        const other = assignPartitions([...subscribers].reverse(), [...all].reverse(), nothing)
        assert.deepEqual(new Map([...other].sort()), new Map([...assigned].sort()))
      }),
    )
  })

  test('asked again with its own answer, it moves nothing', () => {
    fc.assert(
      fc.property(someTopics, partitions, (subscribers, all) => {
        const assigned = assignPartitions(subscribers, all, nothing)
        assert.deepEqual(
          new Map([...assignPartitions(subscribers, all, assigned)].sort()),
          new Map([...assigned].sort()),
        )
      }),
    )
  })

  test('a member that joins is given its share, and nothing else moves', () => {
    fc.assert(
      fc.property(memberIds, fc.string({ minLength: 5, maxLength: 5 }), partitions, (ids, joining, all) => {
        const previous = assignPartitions(everyone(ids), all, nothing)
        const assigned = assignPartitions(everyone([...ids, joining]), all, previous)
        for (const [name, owner] of assigned) if (owner !== joining) assert.equal(owner, previous.get(name))
        assert.equal(counts([joining], assigned)[0], Math.floor(all.length / (ids.length + 1)))
      }),
    )
  })

  test('when a member leaves, only its partitions move', () => {
    fc.assert(
      fc.property(memberIds, partitions, (ids, all) => {
        fc.pre(ids.length > 1)
        const [leaving, ...staying] = ids
        const previous = assignPartitions(everyone(ids), all, nothing)
        const assigned = assignPartitions(everyone(staying), all, previous)
        for (const [name, owner] of previous) if (owner !== leaving) assert.equal(assigned.get(name), owner)
      }),
    )
  })

  test('a name can be taken apart again', () => {
    assert.deepEqual(partitionNamed(partitionName({ topic: 'playback-events', partition: 12 })), {
      topic: 'playback-events',
      partition: 12,
    })
  })
})
