import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PRODUCER_LIMITS } from '../../producers/limits.ts'
import { pooledRandom } from '../../producers/random.ts'

/** Counts up, so that a byte handed out twice is seen. */
function counting() {
  let next = 0
  let calls = 0
  const fill = (bytes: Uint8Array) => {
    calls += 1
    const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let i = 0; i + 4 <= bytes.length; i += 4) words.setUint32(i, ++next)
  }
  return { fill, calls: () => calls }
}

test('every byte is handed out once, and the source is asked seldom', () => {
  const source = counting()
  const random = pooledRandom(source.fill)
  const seen = new Set<string>()
  const portions = 5_000
  for (let n = 0; n < portions; n++) {
    const bytes = Buffer.alloc(16)
    random(bytes)
    seen.add(bytes.toString('hex'))
  }
  assert.equal(seen.size, portions)
  assert.equal(source.calls(), Math.ceil((portions * 16) / PRODUCER_LIMITS.randomPoolBytes))
})

test('a portion larger than the pool comes from the source itself', () => {
  const source = counting()
  const bytes = Buffer.alloc(PRODUCER_LIMITS.randomPoolBytes + 4)
  pooledRandom(source.fill)(bytes)
  assert.equal(bytes.readUInt32BE(0), 1)
  assert.equal(bytes.readUInt32BE(bytes.length - 4), bytes.length / 4)
})
