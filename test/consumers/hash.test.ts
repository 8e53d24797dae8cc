import assert from 'node:assert/strict'
import { test } from 'node:test'
import { murmur3, rowHash } from '../../consumers/hash.ts'

const hash = (text: string) => {
  const bytes = Buffer.from(text)
  return murmur3(bytes, bytes.length)
}

test('murmur3 is the published one, over UTF-8', () => {
  assert.equal(hash(''), 0)
  assert.equal(hash('test'), 0xba6bd213)
  assert.equal(hash('é'), 0x10110787)
  assert.equal(hash('12:12'), 4064206782)
})

test('a key longer than the scratch buffer hashes like a short one does: all of it counts', () => {
  const long = 'é'.repeat(5_000)
  assert.equal(rowHash(long, 1n), BigInt(hash(`${long}:1`)))
  assert.notEqual(rowHash(long, 1n), rowHash(`${long}x`, 1n))
})
