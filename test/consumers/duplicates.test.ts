import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DuplicateWindow, readBackWindow } from '../../consumers/duplicates.ts'
import type { EventLog, LogRecord, Position } from '../../log/log.ts'
import { createCodec } from '../../schemas/index.ts'
import { heartbeat, idOf } from './events.ts'

test('a copy within the window is a duplicate, one beyond it is not, and a copy counts as an occurrence', () => {
  const window = new DuplicateWindow(3)
  assert.equal(window.seen('a', 0n), false)
  assert.equal(window.seen('b', 1n), false)
  assert.equal(window.seen('a', 3n), true)
  assert.equal(window.seen('a', 6n), true)
  assert.equal(window.seen('b', 7n), false)
  assert.equal(window.seen('a', 10n), false)
})

test('it forgets what is too old', () => {
  const window = new DuplicateWindow(10)
  for (let i = 0; i < 1_000; i++) window.seen(`id ${i}`, BigInt(i))
  assert.ok(window.size <= 11)
})

test('wherever a consumer starts, it decides as one that ran through', async () => {
  const codec = await createCodec({})
  const value = (n: number) =>
    codec.encode(heartbeat({ profileId: 'p', eventId: idOf(n), positionMs: 0, atMs: 1_700_000_000_000 }))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 60 }),
      fc.nat(59),
      fc.integer({ min: 1, max: 12 }),
      async (ids, at, size) => {
        const start = at % ids.length
        const records = ids.map((n, i) => recordAt(BigInt(i), value(n)))
        const through = new DuplicateWindow(size)
        const decisions = ids.map((n, i) => through.seen(idOf(n), BigInt(i)))
        const window = await readBackWindow(logOf(records), { topic: 't', partition: 0 }, BigInt(start), size)
        for (let i = start; i < ids.length; i++) assert.equal(window.seen(idOf(ids[i]!), BigInt(i)), decisions[i])
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
