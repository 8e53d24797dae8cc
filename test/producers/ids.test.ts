import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { deriveEventId, isEventId, mintEventId } from '../../producers/ids.ts'

const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 })
const moment = fc.integer({ min: 0, max: 2 ** 47 })

test('a minted id is a UUIDv7 that carries its millisecond and the randomness it was given', () => {
  fc.assert(
    fc.property(moment, bytes, (nowMs, entropy) => {
      const id = mintEventId(nowMs, (b) => b.set(entropy))
      assert.ok(isEventId(id), id)
      assert.equal(id[14], '7')
      assert.equal(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16), nowMs)
      assert.equal(id.slice(-12), Buffer.from(entropy.subarray(10)).toString('hex'))
    }),
  )
})

test('ids minted later sort later', () => {
  fc.assert(
    fc.property(moment, moment, bytes, bytes, (a, b, x, y) => {
      fc.pre(a < b)
      assert.ok(mintEventId(a, (to) => to.set(x)) < mintEventId(b, (to) => to.set(y)))
    }),
  )
})

test('a derived id is a UUIDv8, the same for the same parts and another for any other split of them', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 4 }), fc.array(fc.string(), { maxLength: 4 }), (a, b) => {
      const id = deriveEventId(...a)
      assert.ok(isEventId(id), id)
      assert.equal(id[14], '8')
      assert.equal(deriveEventId(...a), id)
      assert.equal(deriveEventId(...b) === id, JSON.stringify(a) === JSON.stringify(b))
    }),
  )
  assert.notEqual(deriveEventId('ab', 'c'), deriveEventId('a', 'bc'))
})

test('a derived id never changes between releases: retries that span an upgrade must still fall out', () => {
  assert.equal(deriveEventId('shop', 'order-1', '0'), DERIVED)
})
const DERIVED = 'afe872de-0151-8129-9fbe-7683bb035fe0'

test('ids in upper case, of version 0 or with other shapes are none', () => {
  const id = mintEventId(1_700_000_000_000, (b) => b.fill(0xab))
  for (const wrong of [id.toUpperCase(), id.slice(1), `${id}0`, id.replace(/^(.{14})7/, '$10'), '', `{${id}}`]) {
    assert.equal(isEventId(wrong), false, wrong)
  }
})
