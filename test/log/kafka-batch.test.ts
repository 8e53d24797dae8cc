/** Record batches and their checksum: ours against kafkajs' own reading and writing of them. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { LogError } from '../../log/errors.ts'
import { decodeBatches } from '../../log/kafka/batch-decode.ts'
import { type BatchRecord, encodeBatch } from '../../log/kafka/batch-encode.ts'
import { crc32c } from '../../log/kafka/crc32c.ts'
import { Leftovers } from '../../log/kafka/leftovers.ts'
import { KAFKA_LIMITS } from '../../log/kafka/limits.ts'
import { partitionOfBytes } from '../../log/partition.ts'

const require = createRequire(import.meta.url)
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object
const theirDecoder = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (decoder: object) => Promise<TheirBatch>
const theirMurmur2 = require('kafkajs/src/producer/partitioners/default/murmur2') as (key: Buffer) => number
const theirPositive = (n: number) => n & 0x7fffffff

interface TheirBatch {
  readonly firstSequence: number
  readonly producerId: string
  readonly producerEpoch: number
  readonly maxTimestamp: string
  readonly records: { offset: string; timestamp: string; key: Buffer; value: Buffer; headers: Record<string, Buffer> }[]
}

const STAMP = { producerId: 1234567890123n, epoch: 7, sequence: 2_000_000_000 }
const ALL = { from: 0n, recordsMax: 1_000_000, bytesMax: 1_000_000_000 }

const someRecord: fc.Arbitrary<BatchRecord> = fc.record(
  {
    key: fc.string({ unit: 'grapheme', maxLength: 40 }),
    value: fc.uint8Array({ maxLength: 300 }),
    timestampMs: fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.nat(2 ** 31 - 1), fc.constant(1_795_000_000_000)),
    headers: fc.dictionary(fc.string({ maxLength: 10 }), fc.string({ unit: 'grapheme', maxLength: 20 }), {
      maxKeys: 3,
    }),
  },
  { requiredKeys: ['key', 'value', 'timestampMs'] },
)
const someRecords = fc.array(someRecord, { minLength: 1, maxLength: 20 })

/** As the broker stores it: at an offset. */
function at(offset: bigint, batch: Buffer): Buffer {
  const placed = Buffer.from(batch)
  placed.writeBigInt64BE(offset, 0)
  return placed
}

function three(values: readonly string[] = ['a', 'b', 'c']): Buffer {
  return encodeBatch(
    values.map((value) => ({ key: 'k', value: Buffer.from(value), timestampMs: 1 })),
    STAMP,
  )
}

/** Changes a batch and makes its checksum fit again. */
function altered(batch: Buffer, change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(batch)
  change(bytes)
  bytes.writeUInt32BE(crc32c(bytes, 21), 17)
  return bytes
}

const values = (
  bytes: Buffer,
  limits: object = {},
  aborted: readonly { producerId: bigint; firstOffset: bigint }[] = [],
) => {
  const { records, next } = decodeBatches(bytes, { ...ALL, ...limits }, aborted)
  return { values: records.map((r) => `${r.value}`).join(''), next }
}

test('the checksum is CRC-32C', () => {
  // RFC 3720, B.4, and the usual check value.
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa)
  assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43)
})

test('kafkajs reads what we write', async () => {
  await fc.assert(
    fc.asyncProperty(someRecords, async (records) => {
      const theirs = await theirDecoder(new Decoder(encodeBatch(records, STAMP)))
      assert.equal(theirs.producerId, `${STAMP.producerId}`)
      assert.equal(theirs.producerEpoch, STAMP.epoch)
      assert.equal(theirs.firstSequence, STAMP.sequence)
      assert.equal(theirs.maxTimestamp, `${Math.max(...records.map((r) => r.timestampMs))}`)
      for (const [i, record] of records.entries()) {
        const found = theirs.records[i]!
        assert.equal(found.offset, `${i}`)
        assert.equal(found.timestamp, `${record.timestampMs}`)
        assert.equal(`${found.key}`, record.key)
        assert.ok(found.value.equals(record.value))
        const headers = Object.fromEntries(
          Object.entries(found.headers).flatMap(([k, v]) => (k in Object.prototype ? [] : [[k, `${v}`]])),
        )
        // kafkajs keeps headers in a plain object, which takes `valueOf` and its like for its own.
        const held = Object.entries(record.headers ?? {}).filter(([k]) => !(k in Object.prototype))
        assert.deepEqual(headers, Object.fromEntries(held))
      }
    }),
    { numRuns: 200 },
  )
})

test('we read what we write', () => {
  fc.assert(
    fc.property(someRecords, fc.bigInt(0n, 2n ** 60n), (records, offset) => {
      const found = decodeBatches(at(offset, encodeBatch(records, STAMP)), { ...ALL, from: offset }, [])
      assert.equal(found.next, offset + BigInt(records.length))
      for (const [i, record] of records.entries()) {
        const { position, key, timestampMs, value, headers } = found.records[i]!
        assert.deepEqual([position, key, timestampMs], [offset + BigInt(i), record.key, record.timestampMs])
        assert.ok(value.equals(record.value))
        assert.deepEqual({ ...headers }, { ...record.headers })
      }
    }),
    { numRuns: 200 },
  )
})

test('what a read leaves of an answer is what the next one takes: in pieces as at once', () => {
  const place = { topic: 't', partition: 0 }
  fc.assert(
    fc.property(
      fc.array(someRecords, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 5 }),
      (batches, few) => {
        let end = 0n
        const parts = batches.map((records) => {
          const bytes = at(end, encodeBatch(records, STAMP))
          end += BigInt(records.length)
          return bytes
        })
        const answer = answerOf(Buffer.concat(parts), end)
        const leftovers = new Leftovers()
        leftovers.keep(place, 0n, answer, answer.batches, answer.batches.length)
        const found: string[] = []
        for (let next = 0n; next < end; ) {
          const left = leftovers.take(place, next)
          assert.ok(left, `nothing is left at ${next} of ${end}`)
          assert.equal(leftovers.take(place, next), undefined)
          const read = decodeBatches(left.answer.batches, { ...ALL, from: next, recordsMax: few }, [])
          found.push(...read.records.map(({ position, key }) => `${position} ${key}`))
          if (read.rest !== undefined) leftovers.keep(place, read.next, answer, read.rest, left.bytes)
          next = read.next
        }
        const whole = decodeBatches(answer.batches, { ...ALL, from: 0n }, [])
        assert.equal(whole.rest, undefined)
        assert.deepEqual(
          found,
          whole.records.map(({ position, key }) => `${position} ${key}`),
        )
      },
    ),
    { numRuns: 100 },
  )
})

test('what is left is bounded, and nothing is left where transactions were rolled back', () => {
  const leftovers = new Leftovers()
  const half = KAFKA_LIMITS.leftoverBytesMax / 2
  const answer = answerOf(three(), 3n)
  const places = [0, 1, 2].map((partition) => ({ topic: 't', partition }))
  for (const place of places) leftovers.keep(place, 1n, answer, answer.batches, half)
  assert.deepEqual(
    places.map((place) => leftovers.take(place, 1n) !== undefined),
    [false, true, true],
  )
  const rolledBack = { ...answer, aborted: [{ producerId: 1n, firstOffset: 0n }] }
  leftovers.keep(places[0]!, 1n, rolledBack, answer.batches, 1)
  assert.equal(leftovers.take(places[0]!, 1n), undefined)
})

function answerOf(batches: Buffer, end: bigint) {
  return { errorCode: 0, end, start: 0n, aborted: [], batches, clientSideThrottleTime: 0 }
}

test('the same records under the same stamp are the same bytes', () => {
  assert.ok(three().equals(three()))
})

test('limits cut an answer where they say, and next goes on from there', () => {
  const bytes = Buffer.concat([at(10n, three()), at(13n, three(['d', 'e', 'f']))])
  assert.deepEqual(values(bytes, { from: 11n }), { values: 'bcdef', next: 16n })
  assert.deepEqual(values(bytes, { from: 11n, recordsMax: 3 }), { values: 'bcd', next: 14n })
  assert.deepEqual(values(bytes, { from: 12n, to: 14n }), { values: 'cde', next: 15n })
  assert.deepEqual(values(bytes, { from: 11n, bytesMax: 1 }), { values: 'b', next: 12n })
})

test('a batch that was cut short is left for the next read', () => {
  const whole = Buffer.concat([at(10n, three()), at(13n, three())])
  assert.deepEqual(values(whole.subarray(0, whole.length - 1), { from: 10n }), { values: 'abc', next: 13n })
})

test('gaps are passed: a compacted batch without records, and a to that lies in one', () => {
  const empty = altered(three(), (bytes) => {
    bytes.writeInt32BE(0, 57)
  }).subarray(0, 61)
  const emptied = altered(empty, (bytes) => bytes.writeInt32BE(61 - 12, 8))
  const bytes = Buffer.concat([at(10n, three()), at(13n, emptied), at(20n, three(['d', 'e', 'f']))])
  assert.deepEqual(values(bytes, { from: 10n }), { values: 'abcdef', next: 23n })
  assert.deepEqual(values(bytes, { from: 13n, recordsMax: 1 }), { values: 'd', next: 21n })
  assert.deepEqual(values(bytes, { from: 10n, to: 17n }), { values: 'abc', next: 18n })
})

test('control batches are no records, and a transaction that was rolled back does not count', () => {
  const transactional = (batch: Buffer, attributes: number) =>
    altered(batch, (bytes) => void bytes.writeInt16BE(attributes, 21))
  const marker = (type: number) => {
    const key = Buffer.from([0, 0, 0, type])
    const written = encodeBatch([{ key: key.toString('latin1'), value: Buffer.alloc(6), timestampMs: 1 }], STAMP)
    return transactional(written, 0x30)
  }
  const [abort, commit] = [0, 1]
  const bytes = Buffer.concat([
    at(0n, transactional(three(), 0x10)),
    at(3n, three(['x', 'y', 'z'])),
    at(6n, marker(abort)),
    at(7n, transactional(three(['d', 'e', 'f']), 0x10)),
    at(10n, marker(commit)),
  ])
  const aborted = [{ producerId: STAMP.producerId, firstOffset: 0n }]
  assert.deepEqual(values(bytes, {}, aborted), { values: 'xyzdef', next: 11n })
  assert.deepEqual(values(bytes), { values: 'abcxyzdef', next: 11n })
})

test("others' gzip is read; what can't be unpacked is named, never skipped", () => {
  const packed = (codec: number, body: Buffer) => {
    const head = three().subarray(0, 61)
    return altered(Buffer.concat([head, body]), (bytes) => {
      bytes.writeInt16BE(codec, 21)
      bytes.writeInt32BE(bytes.length - 12, 8)
    })
  }
  const body = three().subarray(61)
  assert.deepEqual(values(packed(1, gzipSync(body))), { values: 'abc', next: 3n })
  const unreadable = (e: unknown) => e instanceof LogError && e.code === 'LOG_UNREADABLE' && /zstd/.test(e.message)
  assert.throws(() => values(packed(4, body)), unreadable)
})

test('a flipped bit is found', () => {
  const bytes = three()
  bytes[70] = bytes[70]! ^ 1
  assert.throws(
    () => values(bytes),
    (e) => e instanceof LogError && e.code === 'LOG_CORRUPT',
  )
})

test("our murmur2 and kafkajs' put a key into the same partition", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), fc.integer({ min: 1, max: 500 }), (key, partitions) => {
      assert.equal(partitionOfBytes(key, partitions), theirPositive(theirMurmur2(Buffer.from(key))) % partitions)
    }),
  )
})
