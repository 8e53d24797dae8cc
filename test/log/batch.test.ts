import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { BatchWriter, batchFault, type Page, readBatch, recordBytesBound } from '../../log/embedded/batch.ts'
import type { LogRecord, NewRecord } from '../../log/log.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 200 })
const records: fc.Arbitrary<NewRecord[]> = fc.array(
  fc.record(
    {
      topic: fc.constant('t'),
      key: text,
      value: fc.uint8Array({ maxLength: 300 }),
      timestampMs: fc.oneof(fc.nat(100), fc.integer({ min: 0, max: 2 ** 52 })),
      headers: fc.dictionary(
        text.filter((name) => name !== '__proto__'),
        text,
        { maxKeys: 4, noNullPrototype: true },
      ),
    },
    { requiredKeys: ['topic', 'key', 'value', 'timestampMs'] },
  ),
  { minLength: 1, maxLength: 40 },
)

function sealed(of: readonly NewRecord[]): Buffer {
  const writer = new BatchWriter(Buffer.alloc(28))
  for (const record of of) writer.add(record, recordBytesBound(record))
  return writer.seal()
}

function page(
  batch: Buffer,
  limits: { from?: bigint; to?: bigint; recordsMax?: number; bytesMax?: number } = {},
): Page {
  const out: Page = { records: [], bytes: 0, full: false }
  readBatch(batch, 1_000n, { from: 0n, to: 1n << 62n, recordsMax: 1e9, bytesMax: 1e9, ...limits }, out)
  return out
}

const expected = (r: NewRecord, i: number): LogRecord => ({
  position: 1_000n + BigInt(i),
  timestampMs: r.timestampMs,
  key: r.key,
  value: Buffer.from(r.value),
  headers: r.headers ?? {},
})

describe('a record batch', () => {
  test('gives back what was put in, at rising positions', () => {
    fc.assert(fc.property(records, (given) => assert.deepEqual(page(sealed(given)).records, given.map(expected))))
  })

  test('answers exactly what lies between from and to, up to recordsMax', () => {
    fc.assert(
      fc.property(records, fc.nat(45), fc.nat(45), fc.integer({ min: 1, max: 50 }), (given, a, b, recordsMax) => {
        const found = page(sealed(given), { from: 1_000n + BigInt(a), to: 1_000n + BigInt(b), recordsMax }).records
        assert.deepEqual(
          found,
          given
            .map(expected)
            .slice(a, b + 1)
            .slice(0, recordsMax),
        )
      }),
    )
  })

  test('never takes more than the size that was foretold', () => {
    fc.assert(
      fc.property(records, (given) => {
        const foretold = given.reduce((sum, r) => sum + recordBytesBound(r), 0)
        assert.ok(sealed(given).length <= 28 + foretold)
      }),
    )
  })

  test('is sound as it was sealed, and no byte of it can change unseen', () => {
    fc.assert(
      fc.property(records, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, at, flip) => {
        const batch = Buffer.from(sealed(given))
        assert.equal(batchFault(batch), undefined)
        // Byte 3 is unused.
        const place = at % batch.length === 3 ? 4 : at % batch.length
        batch[place]! ^= flip
        assert.notEqual(batchFault(batch), undefined, `byte ${place}`)
      }),
    )
  })

  test('that was cut short, or is none, is told apart', () => {
    const batch = sealed([{ topic: 't', key: 'k', value: Buffer.alloc(100), timestampMs: 1 }])
    for (const length of [0, 1, 27, 28, batch.length - 1]) assert.ok(batchFault(batch.subarray(0, length)))
    assert.match(batchFault(Buffer.alloc(100)) ?? '', /does not begin/)
    const newer = Buffer.from(batch)
    newer[2] = 2
    assert.match(batchFault(newer) ?? '', /version is 2/)
  })
})
