import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DuplicateWindow, readBackWindow } from '../../consumers/duplicates.ts'
import type { EventLog, LogRecord, Position } from '../../log/log.ts'
import { createCodec } from '../../schemas/index.ts'
import { heartbeat, idOf } from './events.ts'

const codec = await createCodec({})
const encodedOf = (n: number) =>
  codec.encode(heartbeat({ profileId: 'p', eventId: idOf(n), positionMs: 0, atMs: 1_700_000_000_000 }))

test('a copy within the window is a duplicate, one beyond it is not, and a copy counts as an occurrence', () => {
  const window = new DuplicateWindow(3)
  const [a, b] = [encodedOf(1), encodedOf(2)]
  assert.equal(window.seen(a, 0n), false)
  assert.equal(window.seen(b, 1n), false)
  assert.equal(window.seen(a, 3n), true)
  assert.equal(window.seen(a, 6n), true)
  assert.equal(window.seen(b, 7n), false)
  assert.equal(window.seen(a, 10n), false)
})

test('what has no id is never a duplicate', () => {
  const window = new DuplicateWindow()
  assert.equal(window.seen(Buffer.from('garbage'), 0n), false)
  assert.equal(window.seen(Buffer.from('garbage'), 1n), false)
})

test('it decides as the plainest map of last occurrences does, over gaps, for windows of any size', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 4 })), { maxLength: 300 }),
      fc.integer({ min: 1, max: 40 }),
      (steps, size) => {
        const window = new DuplicateWindow(size)
        const last = new Map<number, number>()
        let position = 0
        for (const [n, gap] of steps) {
          position += gap
          const before = last.get(n)
          last.set(n, position)
          const wanted = before !== undefined && position - before <= size
          assert.equal(window.seen(encodedOf(n), BigInt(position)), wanted)
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('wherever a consumer starts, it decides as one that ran through', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 60 }),
      fc.nat(59),
      fc.integer({ min: 1, max: 12 }),
      async (ids, at, size) => {
        const start = at % ids.length
        const records = ids.map((n, i) => recordAt(BigInt(i), encodedOf(n)))
        const through = new DuplicateWindow(size)
        const decisions = records.map(({ value, position }) => through.seen(value, position))
        const window = await readBackWindow(logOf(records), { topic: 't', partition: 0 }, BigInt(start), size)
        for (const { value, position } of records.slice(start)) {
          assert.equal(window.seen(value, position), decisions[Number(position)])
        }
      },
    ),
    { numRuns: 300 },
  )
})

function recordAt(position: Position, value: Buffer): LogRecord {
  return { position, timestampMs: 0, key: 'p', value, headers: {} }
}

/** As much of the port as reading back needs. */
function logOf(records: readonly LogRecord[]): EventLog {
  const end = BigInt(records.length)
  return {
    bounds: async () => [{ topic: 't', partition: 0, start: 0n, end }],
    read: async ({ from, to }: { from: bigint; to: bigint }) => {
      const found = records.slice(Number(from), Math.min(Number(from) + 5, Number(to) + 1))
      return { records: found, next: from + BigInt(found.length), end }
    },
  } as unknown as EventLog
}
