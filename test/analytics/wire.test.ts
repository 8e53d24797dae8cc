/** ClickHouse's own compression and the Native form of newer protocol revisions, as bytes. */
import assert from 'node:assert/strict'
import { Readable, type Transform } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { blockDecoder, blockEncoder } from '../../analytics/block-frames.ts'
import { bufferSource } from '../../analytics/byte-source.ts'
import { cityHash128 } from '../../analytics/city-hash.ts'
import { decodeBlock } from '../../analytics/lz4.ts'
import { lz4FrameDecoder } from '../../analytics/lz4-frame.ts'
import { withBlockInfo } from '../../analytics/native.ts'
import { parseNativeType } from '../../analytics/native-type.ts'

const pattern = (size: number) => Buffer.from(Array.from({ length: size }, (_, index) => (index * 7 + 3) & 255))

/** From the Go implementation that ClickHouse's own client uses. */
const HASHES: readonly (readonly [number, string])[] = [
  [0, '3df09dfc64c09a2b3cb540c392e51e29'],
  [3, '3108fa6b1da1698632301bf0c250612d'],
  [7, '9ef90f69597e95c74987956c9782ee8f'],
  [8, 'b6ad7c9a5953432f9f0e02109921888c'],
  [15, '5a8299d8ab8f2f478ea0a478a90d3277'],
  [16, '21e79cab7f9c2b79a35615c235313f7a'],
  [17, '0cd5bb13faea6e4c32bf719178f6bbfe'],
  [33, '094bbf1d5b6ddb6110572bd58efa7aaf'],
  [127, '1f1c2a3c628299425d5820604b01deea'],
  [128, '11d00b10d6694d31108fb9e5b83fdff4'],
  [145, 'de654d669366fc2ad2f68f547b37d6f5'],
  [271, 'd3b086e6bb77a21b862fedb3038c14c1'],
  [1000, '984b538c7b372373f6e6cbc56b688720'],
]

for (const [size, expected] of HASHES) {
  test(`the checksum of ${size} bytes is ClickHouse's`, () => {
    const digest = cityHash128(pattern(size))
    const hex = [0, 8].map((at) => digest.readBigUInt64LE(at).toString(16).padStart(16, '0')).join('')
    assert.equal(hex, expected)
  })
}

async function through(transform: Transform, data: Buffer, chunkBytes: number): Promise<Buffer> {
  const chunks = Array.from({ length: Math.ceil(data.length / chunkBytes) }, (_, index) =>
    data.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  )
  const out: Buffer[] = []
  for await (const chunk of Readable.from(chunks, { objectMode: false }).pipe(transform)) out.push(chunk as Buffer)
  return Buffer.concat(out)
}

test('blocks come back as they went out, however they are cut', async () => {
  const bytes = fc.uint8Array({ maxLength: 2000 }).map((array) => Buffer.from(array))
  await fc.assert(
    fc.asyncProperty(bytes, fc.integer({ min: 1, max: 300 }), async (data, chunk) => {
      const sent = await through(blockEncoder(), data, 700)
      assert.deepEqual(await through(blockDecoder(), sent, chunk), data)
    }),
    { numRuns: 50 },
  )
  const large = pattern(300_000)
  assert.deepEqual(await through(blockDecoder(), await through(blockEncoder(), large, 100_000), 10_000), large)
})

test('a block that was changed, cut off or is too large is refused', async () => {
  const sent = await through(blockEncoder(), pattern(500), 500)
  for (const at of [0, 20, 30, sent.length - 1]) {
    const changed = Buffer.from(sent)
    changed[at] = (changed[at] ?? 0) ^ 1
    await assert.rejects(failing(changed), /CHECKSUM|CANNOT_DECOMPRESS/)
  }
  await assert.rejects(failing(sent.subarray(0, -1)), /cut off/)
})

function failing(data: Buffer): Promise<unknown> {
  return new Promise((_, reject) => {
    const decoder = blockDecoder()
    decoder.on('error', reject).resume()
    decoder.end(data)
  })
}

test('LZ4 matches are copied, overlapping ones repeat, wild ones are refused', () => {
  const target = Buffer.alloc(20)
  assert.equal(decodeBlock(Buffer.from([0x32, 97, 98, 99, 3, 0, 0x10, 100]), target, 0), 10)
  assert.equal(target.toString('latin1', 0, 10), 'abcabcabcd')
  assert.equal(decodeBlock(Buffer.from([0x15, 120, 1, 0, 0x00]), target, 0), 10)
  assert.equal(target.toString('latin1', 0, 10), 'xxxxxxxxxx')
  assert.throws(() => decodeBlock(Buffer.from([0x10, 97, 9, 0]), target, 0), /CANNOT_DECOMPRESS/)
  assert.throws(() => decodeBlock(Buffer.from([0xf0, 255, 255]), target, 0), /CANNOT_DECOMPRESS/)
})

test('an LZ4 frame with linked blocks and checksums is read', async () => {
  const checksum = [9, 9, 9, 9]
  const frame = Buffer.from([
    ...[0x04, 0x22, 0x4d, 0x18, 0x54, 0x40, 0x00],
    ...[5, 0, 0, 0, 0x40, 97, 98, 99, 100, ...checksum],
    ...[5, 0, 0, 0, 0x01, 4, 0, 0x10, 101, ...checksum],
    ...[2, 0, 0, 0x80, 102, 103, ...checksum],
    ...[0, 0, 0, 0, ...checksum],
  ])
  for (const chunk of [1, 3, 100])
    assert.equal((await through(lz4FrameDecoder(), frame, chunk)).toString(), 'abcdabcdaefg')
})

test("a type's width is read from its name", () => {
  assert.deepEqual(parseNativeType('Decimal(38, 2)'), { kind: 'fixed', bytes: 16 })
  assert.deepEqual(parseNativeType("DateTime64(3, 'Europe/Berlin')"), { kind: 'fixed', bytes: 8 })
  assert.deepEqual(parseNativeType("Enum8('a(,)' = 1, 'b\\'' = 2)"), { kind: 'fixed', bytes: 1 })
  assert.deepEqual(parseNativeType('Tuple(`a b` String, c Nullable(UInt16), Array(UInt8))'), {
    kind: 'tuple',
    of: [
      { kind: 'string' },
      { kind: 'nullable', of: { kind: 'fixed', bytes: 2 } },
      { kind: 'array', of: { kind: 'fixed', bytes: 1 } },
    ],
  })
  assert.equal(parseNativeType('JSON').kind, 'unknown')
  assert.equal(parseNativeType('AggregateFunction(sum, UInt8)').kind, 'unknown')
})

test('each block gets its info and each column its byte, and the values stay', () => {
  const plain = Buffer.from('\x02\x02\x01a\x05UInt8\x01\x02\x01s\x06String\x01x\x00', 'latin1')
  const info = '\x01\x00\x02\xff\xff\xff\xff\x00'
  const expected = `${info}\x02\x02\x01a\x05UInt8\x00\x01\x02\x01s\x06String\x00\x01x\x00`
  const twice = Buffer.concat([...withBlockInfo(bufferSource(Buffer.concat([plain, plain])))])
  assert.equal(twice.toString('latin1'), expected + expected)
  assert.throws(() => [...withBlockInfo(bufferSource(plain.subarray(0, -1)))], /middle of a block/)
  assert.throws(
    () => [...withBlockInfo(bufferSource(Buffer.from('\x01\x01\x01a\x04JSON\x00', 'latin1')))],
    /NOT_IMPLEMENTED/,
  )
})
