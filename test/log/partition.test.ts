import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { murmur2, partitionOf, partitionOfBytes } from '../../log/partition.ts'

/** kafkajs' own, which has no types; the Java client's values are the vectors below. */
const theirs = createRequire(import.meta.url)('kafkajs/src/producer/partitioners/default/murmur2') as (
  key: Buffer,
) => number

describe('the partition of a key', () => {
  test("murmur2 gives the Java client's published values", () => {
    const vectors: Record<string, number> = {
      '': 275646681,
      '21': -973932308,
      foobar: -790332482,
      abc: 479470107,
      'a-little-bit-long-string': -985981536,
      'a-little-bit-longer-string': -1486304829,
      lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
    }
    for (const [key, hash] of Object.entries(vectors)) assert.equal(murmur2(Buffer.from(key)), hash, key)
  })

  test('murmur2 agrees with kafkajs on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => murmur2(bytes) === theirs(Buffer.from(bytes))),
      { numRuns: 2_000 },
    )
  })

  test('a negative hash loses its sign bit, as in Java', () => {
    assert.equal(partitionOf('21', 7), (-973932308 & 0x7fffffff) % 7)
    assert.notEqual(partitionOf('21', 7), Math.abs(-973932308) % 7)
  })

  test('a key is hashed as its UTF-8 bytes, however long it is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 600 }),
        fc.integer({ min: 1, max: 64 }),
        (key, partitions) => {
          const partition = partitionOf(key, partitions)
          return (
            partition === partitionOfBytes(Buffer.from(key), partitions) && partition >= 0 && partition < partitions
          )
        },
      ),
    )
    const long = 'é'.repeat(2_000)
    assert.equal(partitionOf(long, 64), partitionOfBytes(Buffer.from(long), 64))
  })
})
