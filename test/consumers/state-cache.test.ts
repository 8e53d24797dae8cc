import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { keyText } from '../../consumers/state-cache.ts'

test('different keys have different texts, whatever stands in an id', () => {
  const part = fc.string({ unit: fc.constantFrom('a', '\u0000', '\u0001'), maxLength: 4 })
  const key = fc.tuple(part, part)
  fc.assert(
    fc.property(key, key, (a, b) => {
      assert.equal(keyText(a) === keyText(b), a[0] === b[0] && a[1] === b[1])
    }),
    { numRuns: 5_000 },
  )
})
