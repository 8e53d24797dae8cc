import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { eventIdOf, eventIdWords } from '../../schemas/index.ts'

const frame = (id: string) => Buffer.concat([Buffer.from([0, 0, 0, 0, 1, id.length << 1]), Buffer.from(id)])

test('an event id as words is the same id, and is there exactly when the id is', () => {
  const uuid = fc.uuid()
  const almost = fc
    .tuple(uuid, fc.nat(35), fc.constantFrom('-', 'g', 'A', 'f', '0', ' '))
    .map(([id, at, c]) => id.slice(0, at) + c + id.slice(at + 1))
  fc.assert(
    fc.property(fc.oneof(uuid, almost, fc.string({ maxLength: 40 })), (id) => {
      const words = new Uint32Array(4)
      const there = eventIdWords(frame(id), words)
      assert.equal(there, eventIdOf(frame(id)) !== undefined)
      if (there) assert.equal([...words].map((w) => w.toString(16).padStart(8, '0')).join(''), id.replaceAll('-', ''))
    }),
    { numRuns: 2_000 },
  )
})
