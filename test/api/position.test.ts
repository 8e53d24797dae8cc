import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createIdempotency } from '../../api/idempotency.ts'
import { parsePositions, positionsOf } from '../../api/position.ts'
import { StoreUnavailable } from '../../stores/errors.ts'

test('a header names the last position of each partition, and is read back', () => {
  const { header } = positionsOf({ next: async () => undefined })
  const place = (partition: number, position: bigint) => ({ topic: 'playback-events', partition, position })
  const text = header([place(1, 7n), place(0, 3n), place(1, 5n)])
  assert.equal(text, 'playback-events/1@7,playback-events/0@3')
  assert.deepEqual(parsePositions(text), [place(1, 7n), place(0, 3n)])
})

test('passed means the checkpoint is beyond the position, of the partitions that the projection reads', async () => {
  let next = 7n
  const asked: string[] = []
  const { wait } = positionsOf({
    next: async (projection, { topic, partition }) => {
      asked.push(`${projection} ${topic}/${partition}`)
      return next
    },
  })
  assert.equal(await wait(undefined, 'progress'), 'passed')
  assert.equal(await wait('ingest-events/0@99', 'progress'), 'passed', 'no business of progress')
  assert.deepEqual(asked, [])
  const waits = wait('playback-events/2@7', 'progress')
  setImmediate(() => {
    next = 8n
  })
  assert.equal(await waits, 'passed')
  assert.ok(asked.length > 1 && asked.every((one) => one === 'progress playback-events/2'))
})

test('many who wait for one partition ask once at a time', async () => {
  let asked = 0
  let next = 0n
  const { wait } = positionsOf({
    next: async () => {
      asked += 1
      if (asked === 3) next = 1_000n
      return next
    },
  })
  const all = await Promise.all(Array.from({ length: 100 }, (_, i) => wait(`playback-events/0@${i}`, 'progress')))
  assert.ok(all.every((one) => one === 'passed'))
  assert.equal(asked, 3)
})

test('a store that is away is waited for, and has not passed', async () => {
  let tries = 0
  const { wait } = positionsOf({
    next: async () => {
      tries += 1
      if (tries < 3) throw new StoreUnavailable('gone')
      return 5n
    },
  })
  assert.equal(await wait('playback-events/0@4', 'progress'), 'passed')
  const broken = positionsOf({ next: () => Promise.reject(new Error('a bug')) })
  await assert.rejects(broken.wait('playback-events/0@4', 'progress'), /a bug/)
})

test('keys are remembered within bounds: the oldest goes first', () => {
  let now = 0
  const memory = createIdempotency(() => now)
  assert.equal(memory.item('ann', 'k', { a: 1 }), 'new')
  assert.equal(memory.item('ann', 'k', { a: 1 }), 'again')
  assert.equal(memory.item('ann', 'k', { a: 2 }), 'reused')
  assert.equal(memory.item('bob', 'k', { a: 2 }), 'new')
  now += 10 * 60_000
  assert.equal(memory.item('ann', 'k', { a: 2 }), 'new')
  for (let i = 0; i < 100_000; i++) memory.item('x', `${i}`, i)
  assert.equal(memory.item('ann', 'k', { a: 3 }), 'new', 'pushed out')
})
