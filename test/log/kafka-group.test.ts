/** Sharing out and letting go, without a broker: the rules that keep a partition from having two owners. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { partitionName } from '../../log/assignment.ts'
import {
  decodeAssignment,
  decodeMember,
  encodeAssignment,
  encodeMember,
  type Member,
  namesOf,
  share,
} from '../../log/kafka/group-protocol.ts'
import { Holdings } from '../../log/kafka/holdings.ts'
import type { TopicPartition } from '../../log/log.ts'
import { until } from './contract-support.ts'
import { Trace } from './trace.ts'

const partitions = (count: number, topic = 't'): TopicPartition[] =>
  Array.from({ length: count }, (_, partition) => ({ topic, partition }))
const member = (memberId: string, claims: readonly string[] = [], generation = 1): Member => ({
  memberId,
  topics: ['t'],
  claims,
  generation,
})
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined }

test('what members tell each other comes back as it was', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 8 })), fc.nat(), fc.array(fc.nat(9)), (topics, generation, numbers) => {
      const told = { topics, claims: numbers.map((n) => `é/${n}`), generation }
      assert.deepEqual(decodeMember('me', encodeMember(told)), { memberId: 'me', ...told })
      const given = [...partitions(3, 'a'), ...numbers.map((partition) => ({ topic: 'é', partition }))]
      assert.deepEqual(decodeAssignment(encodeAssignment(given)), given)
    }),
  )
  assert.deepEqual(decodeAssignment(Buffer.alloc(0)), [])
})

test('a partition that should move is given to nobody while its holder claims it', () => {
  const all = namesOf(partitions(4))
  const first = share([member('a', all), member('b')], partitions(4))
  assert.equal(first.get('a')!.length, 2)
  assert.deepEqual(first.get('b'), [])
  const second = share([member('a', namesOf(first.get('a')!)), member('b')], partitions(4))
  assert.deepEqual(second.get('a'), first.get('a'))
  assert.equal(second.get('b')!.length, 2)
})

test('whatever members claim: no partition has two owners, and none is taken from under its holder', () => {
  const claims = fc.array(fc.tuple(fc.subarray(namesOf(partitions(6))), fc.nat(3)), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(claims, (told) => {
      const members = told.map(([names, generation], i) => member(`m${i}`, names, generation))
      const shares = share(members, partitions(6))
      const owned = [...shares].flatMap(([who, ps]) => namesOf(ps).map((name) => [name, who] as const))
      assert.equal(new Set(owned.map(([name]) => name)).size, owned.length)
      for (const [name, who] of owned) {
        const claimants = members.filter((m) => m.claims.includes(name))
        if (claimants.length === 0) continue
        const newest = Math.max(...claimants.map((m) => m.generation))
        assert.ok(claimants.some((m) => m.memberId === who && m.generation === newest))
      }
    }),
  )
})

test('rounds of sharing and letting go end with everything owned', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.nat(9), (people, count) => {
      const held = new Map<string, string[]>([['m0', namesOf(partitions(count))]])
      for (let i = 1; i < people; i++) held.set(`m${i}`, [])
      for (let round = 0; round < 3; round++) {
        const members = [...held].map(([who, names]) => member(who, names, round))
        for (const [who, ps] of share(members, partitions(count))) held.set(who, namesOf(ps))
      }
      const counts = [...held.values()].map((names) => names.length)
      assert.equal(
        counts.reduce((a, b) => a + b),
        count,
      )
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1)
    }),
  )
})

interface Staged {
  readonly holdings: Holdings
  readonly trace: Trace
  freed: number
  letGo: () => void
}

function stage(drainTimeoutMs = 60_000): Staged {
  const trace = new Trace()
  const staged = { trace, freed: 0, letGo: () => undefined } as unknown as { -readonly [K in keyof Staged]: Staged[K] }
  const drain = () =>
    new Promise<void>((resolve) => {
      staged.letGo = resolve
    })
  const onFreed = () => void staged.freed++
  staged.holdings = new Holdings({ listener: trace.listener('me', drain), drainTimeoutMs, log, onFreed })
  return staged
}

test('what is let go stays claimed until its drain has ended, and then others are called', async () => {
  const staged = stage()
  const { holdings, trace } = staged
  holdings.apply(partitions(2))
  holdings.apply(partitions(1))
  assert.deepEqual(namesOf(holdings.owned()), ['t/0'])
  assert.deepEqual(holdings.claims(), ['t/0', 't/1'])
  assert.equal(staged.freed, 0)
  staged.letGo()
  await until('it is freed', 5_000, () => staged.freed === 1)
  assert.deepEqual(holdings.claims(), ['t/0'])
  trace.check()
})

test('what comes back while it drains is taken up after the drain, and nobody is called', async () => {
  const staged = stage()
  const { holdings, trace } = staged
  holdings.apply(partitions(1))
  holdings.apply([])
  holdings.apply(partitions(1))
  assert.deepEqual(holdings.owned(), [])
  staged.letGo()
  await until('it is owned again', 5_000, () => holdings.owned().length === 1)
  assert.equal(staged.freed, 0)
  trace.check()
})

test('lost is told at once; what drains meanwhile is not given out again before its drain has ended', async () => {
  const staged = stage()
  const { holdings, trace } = staged
  holdings.apply(partitions(2))
  holdings.apply(partitions(1))
  holdings.lost()
  assert.deepEqual(
    trace.calls
      .filter((c) => c.what === 'lost')
      .map((c) => c.partition)
      .sort(),
    ['t/0', 't/1'],
  )
  assert.deepEqual(holdings.claims(), [])
  holdings.apply(partitions(2))
  assert.deepEqual(holdings.owned().map(partitionName), ['t/0'])
  assert.deepEqual(holdings.claims().sort(), ['t/0', 't/1'])
  staged.letGo()
  await until('the other is owned too', 5_000, () => holdings.owned().length === 2)
  assert.equal(staged.freed, 0)
})

test('a drain that never ends is given up', async () => {
  const staged = stage(10)
  staged.holdings.apply(partitions(1))
  staged.holdings.apply([])
  await until('it is freed', 5_000, () => staged.freed === 1)
})

test('leaving lets go of everything, and takes nothing any more', async () => {
  const staged = stage()
  staged.holdings.apply(partitions(2))
  const left = staged.holdings.leave()
  staged.holdings.apply(partitions(2))
  staged.letGo()
  await left
  assert.deepEqual(staged.holdings.owned(), [])
  assert.deepEqual(staged.holdings.claims(), [])
  staged.trace.check()
})
