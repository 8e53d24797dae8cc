import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newest } from '../../projections/stamp.ts'

test('of two copies that differ in what was stamped on them, the same one counts whichever came first', () => {
  const stamp = { atMs: 1, eventId: 'e' }
  const pairs = [
    [
      { ...stamp, durationMs: 9n },
      { ...stamp, durationMs: 10n },
    ],
    [
      { ...stamp, cells: [1n, null] },
      { ...stamp, cells: [null, 1n] },
    ],
    [
      { ...stamp, name: 'a' },
      { ...stamp, name: 'b' },
    ],
  ] as const
  for (const [a, b] of pairs) assert.equal(newest<typeof stamp>(a, b), newest<typeof stamp>(b, a))
  assert.equal(newest({ atMs: 1, eventId: 'e' }, { atMs: 2, eventId: 'a' }).atMs, 2)
  assert.equal(newest({ atMs: 1, eventId: 'e' }, { atMs: 1, eventId: 'f' }).eventId, 'f')
})
