import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { RecordSchema } from '../../schemas/avro.ts'
import { createCodec, EVENT_TYPES, eventIdOf, type NewEvent, RELEASED } from '../../schemas/index.ts'
import { layout } from '../../schemas/meaning.ts'
import { anyEvent, HEARTBEAT, META } from './support.ts'

const codec = await createCodec()

describe('an event id', () => {
  it('lies at the same place in every version ever released', () => {
    for (const { subject, version, schema } of RELEASED) {
      assert.deepEqual(layout(JSON.parse(schema) as RecordSchema), [], `${subject} version ${version}`)
    }
  })

  for (const type of EVENT_TYPES) {
    it(`is read from the bytes of a ${type}`, () => {
      fc.assert(
        fc.property(anyEvent(type), (event) => {
          assert.equal(eventIdOf(codec.encode(event as NewEvent)), event.meta.eventId)
        }),
        { numRuns: 10 },
      )
    })
  }

  it('is undefined for anything else, however close', () => {
    const good = codec.encode(HEARTBEAT)
    assert.equal(eventIdOf(good), META.eventId)
    assert.equal(eventIdOf(Buffer.alloc(0)), undefined)
    assert.equal(eventIdOf(good.subarray(0, 41)), undefined)
    assert.equal(eventIdOf(Buffer.from(META.eventId)), undefined)
    for (let at = 0; at < 42; at++) {
      if (at >= 1 && at <= 4) continue
      const bad = Buffer.from(good)
      bad[at] = 0x5a
      assert.equal(eventIdOf(bad), undefined, `byte ${at}`)
      assert.equal(codec.decode(bad).ok, false, `byte ${at}`)
    }
  })

  it('in capitals is no id, so that one event never has two', () => {
    const meta = { ...META, eventId: META.eventId.toUpperCase() }
    assert.throws(() => codec.encode({ ...HEARTBEAT, meta }))
  })
})
