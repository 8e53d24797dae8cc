import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createCodec, EVENT_TYPES, eventIdOf, type NewEvent, type PlayheadEvent } from '../../schemas/index.ts'
import { anyEvent, HEARTBEAT, META } from './support.ts'

const codec = await createCodec()

/** A varint as Avro writes it, for numbers of any size. */
function varint(value: bigint): Buffer {
  let rest = value >= 0n ? value * 2n : -value * 2n - 1n
  const bytes: number[] = []
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0))
    rest >>= 7n
  } while (rest > 0n)
  return Buffer.from(bytes)
}

/** A heartbeat whose bytes from `played` on are others. */
function heartbeatWithPlayed(tail: Buffer): Buffer {
  const framed = codec.encode({ ...HEARTBEAT, played: [] })
  const marker = codec.encode({ ...HEARTBEAT, played: [], positionMs: 30_001 })
  const at = framed.findIndex((byte, i) => byte !== marker[i])
  const positionBytes = varint(30_000n).length
  return Buffer.concat([framed.subarray(0, at + positionBytes), tail])
}

function causeOf(value: Buffer): string {
  const answer = codec.decode(value)
  return answer.ok ? 'ok' : answer.cause
}

describe('bytes that are no event', () => {
  it('are told apart: no frame, an unknown schema, a bad body', () => {
    const good = codec.encode(HEARTBEAT)
    assert.equal(causeOf(Buffer.alloc(0)), 'frame')
    assert.equal(causeOf(Buffer.from([0, 0, 0, 0, 1])), 'frame')
    assert.equal(causeOf(Buffer.from('{"type":"Heartbeat"}')), 'frame')
    assert.equal(causeOf(good.subarray(0, good.length - 1)), 'body')
    assert.equal(causeOf(Buffer.concat([good, Buffer.from([0])])), 'body')
    const unknown = Buffer.from(good)
    unknown.writeUInt32BE(4_000_000_000, 1)
    const answer = codec.decode(unknown)
    assert.deepEqual(answer, {
      ok: false,
      cause: 'unknown-schema',
      schemaId: 4_000_000_000,
      detail: 'schema 4000000000 is not known',
    })
  })

  it('cut anywhere are refused', () => {
    const good = codec.encode(HEARTBEAT)
    for (let length = 6; length < good.length; length++) assert.equal(causeOf(good.subarray(0, length)), 'body')
  })

  it('never throw: 10,000 random buffers behind a valid frame', () => {
    const ids = EVENT_TYPES.map((type) => codec.schemaIdOf(type))
    let refused = 0
    for (let i = 0; i < 10_000; i++) {
      const value = Buffer.concat([Buffer.alloc(5), randomBytes(i % 300)])
      value.writeUInt32BE(ids[i % ids.length] as number, 1)
      if (!codec.decode(value).ok) refused++
      eventIdOf(value)
    }
    assert.equal(refused, 10_000)
  })

  it('never throw when a good event has any byte changed, and what is accepted can be encoded again', () => {
    const types = fc.constantFrom(...EVENT_TYPES)
    const changed = types.chain((type) => fc.tuple(anyEvent(type), fc.nat(), fc.integer({ min: 0, max: 255 })))
    fc.assert(
      fc.property(changed, ([event, at, byte]) => {
        const value = codec.encode(event as NewEvent)
        value[5 + (at % (value.length - 5))] = byte
        const answer = codec.decode(value)
        if (answer.ok) codec.encode(answer.event as PlayheadEvent as NewEvent)
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('hostile lengths cost nothing', () => {
  const huge = [2n ** 20n, 2n ** 31n, 2n ** 40n, 2n ** 62n]
  for (const count of huge) {
    it(`an array of ${count} items`, () => {
      const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed
      for (const head of [varint(count), Buffer.concat([varint(-count), varint(-count)])]) {
        assert.equal(causeOf(heartbeatWithPlayed(Buffer.concat([head, Buffer.alloc(20)]))), 'body')
      }
      const after = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed
      assert.ok(after - before < 50_000_000, `${after - before} bytes more`)
    })
  }

  it('a string longer than the buffer or of negative length', () => {
    for (const length of [...huge, -1n, -(2n ** 40n)]) {
      const good = codec.encode({
        type: 'ReplayedEvent',
        meta: META,
        key: '',
        topic: '',
        partition: 0,
        position: 0,
        value: new Uint8Array(),
      })
      // sentAt is null too, just before the key.
      const keyAt = good.indexOf(Buffer.alloc(8), 40) + 1
      const bad = Buffer.concat([good.subarray(0, keyAt), varint(length), Buffer.alloc(30)])
      const answer = codec.decode(bad)
      assert.equal(!answer.ok && answer.detail, 'a string is longer than its bytes')
    }
  })

  it('a varint without end', () => {
    assert.equal(causeOf(heartbeatWithPlayed(Buffer.alloc(500, 0xff))), 'body')
  })

  it('an int beyond 32 bits and a time beyond 2299', () => {
    const ranges = Buffer.concat([varint(0n), varint(0n), varint(2n ** 33n)])
    assert.equal(causeOf(heartbeatWithPlayed(ranges)), 'body')
    const good = codec.encode(HEARTBEAT)
    const late = Buffer.concat([
      good.subarray(0, 5 + 37),
      varint(2n ** 50n),
      good.subarray(5 + 37 + varint(BigInt(META.occurredAt)).length),
    ])
    const answer = codec.decode(late)
    assert.equal(!answer.ok && answer.detail, 'a time is out of range')
  })

  it('a map with the key __proto__ is refused both ways', () => {
    const properties = JSON.parse('{"__proto__": "x"}') as Record<string, string>
    const event = { type: 'CustomEvent', meta: META, profileId: 'p', name: 'n', properties, numbers: {} } as const
    assert.throws(() => codec.encode(event), /__proto__/)
    const good = codec.encode({ ...event, properties: { ___roto__: 'x' } })
    good.write('__proto__', good.indexOf('___roto__'), 'latin1')
    assert.equal(causeOf(good), 'body')
    assert.equal(codec.validate('CustomEvent', { ...event }).ok, false)
  })
})
