import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  createCodec,
  type Decoded,
  EVENT_TYPES,
  EVENTS,
  EventInvalid,
  type EventType,
  isTopicName,
  keyOf,
  type NewEvent,
  type PlayheadEvent,
  topicOf,
} from '../../schemas/index.ts'
import { anyEvent, HEARTBEAT, META } from './support.ts'

const codec = await createCodec()

function decoded(answer: Decoded): PlayheadEvent {
  assert.equal(answer.ok, true, JSON.stringify(answer))
  return (answer as Decoded & { ok: true }).event
}

describe('an event', () => {
  for (const type of EVENT_TYPES) {
    it(`of type ${type} comes back as it went in`, () => {
      fc.assert(
        fc.property(anyEvent(type), (event) => {
          assert.deepStrictEqual(decoded(codec.decode(codec.encode(event as NewEvent))), event)
        }),
        { numRuns: 40 },
      )
    })
  }

  it('is a plain object that copies, prints and compares like a literal', () => {
    const event = decoded(codec.decode(codec.encode(HEARTBEAT)))
    assert.equal(Object.getPrototypeOf(event), Object.prototype)
    assert.equal(Object.keys(event)[0], 'type')
    assert.deepStrictEqual({ ...event }, event)
    assert.deepStrictEqual(structuredClone(event), event)
    assert.deepStrictEqual(JSON.parse(JSON.stringify(event)), event)
  })

  it('may leave out what may be null, and is decoded with it', () => {
    const event = decoded(codec.decode(codec.encode(HEARTBEAT)))
    assert.equal(event.type, 'Heartbeat')
    assert.equal(event.type === 'Heartbeat' && event.bufferMs, null)
    assert.equal(event.meta.sentAt, null)
  })

  it('larger than the scratch buffer is encoded whole, and smaller ones after it too', () => {
    const value = new Uint8Array(300_000).fill(7)
    const replayed = {
      type: 'ReplayedEvent',
      meta: META,
      key: 'k',
      topic: 'playback-events',
      partition: 1,
      position: 9,
      value,
    } as const
    const event = decoded(codec.decode(codec.encode(replayed)))
    assert.equal(event.type === 'ReplayedEvent' && Buffer.compare(Buffer.from(event.value), value), 0)
    assert.equal(decoded(codec.decode(codec.encode(HEARTBEAT))).type, 'Heartbeat')
  })

  it('that does not fit its schema is refused by the encoder, naming the field', () => {
    const wrong = { ...HEARTBEAT, sequence: 1.5 }
    assert.throws(
      () => codec.encode(wrong),
      (error: Error) => {
        assert.ok(error instanceof EventInvalid)
        assert.equal(error.code, 'EVENT_INVALID')
        assert.match(error.message, /Heartbeat\.sequence/)
        return true
      },
    )
    assert.throws(() => codec.encode({ ...HEARTBEAT, meta: { ...META, eventId: 'x' } }), /meta\.eventId/)
    assert.throws(() => codec.encode({ ...HEARTBEAT, type: 'Nothing' } as unknown as NewEvent), EventInvalid)
  })
})

describe('a topic and a key', () => {
  it('are known for every type', () => {
    for (const type of EVENT_TYPES) {
      const [event] = fc.sample(anyEvent(type), 1) as [PlayheadEvent]
      assert.equal(EVENTS[type].type, type)
      assert.equal(typeof EVENTS[type].keyOf(event), 'string')
      if (type !== 'ReplayedEvent') assert.ok(isTopicName(topicOf(event)), type)
    }
  })

  it('are the profile and playback-events for a heartbeat', () => {
    assert.equal(topicOf(HEARTBEAT), 'playback-events')
    assert.equal(keyOf(HEARTBEAT), 'profile-1')
    assert.equal(EVENTS.Heartbeat.subject, 'playhead.playback.Heartbeat')
  })

  it('of a replayed event are those of its original', () => {
    const replayed = {
      type: 'ReplayedEvent',
      meta: META,
      key: 'title-9',
      topic: 'ingest-events',
      partition: 0,
      position: 1,
      value: new Uint8Array(),
    } as const
    assert.equal(topicOf(replayed), 'ingest-events')
    assert.equal(keyOf(replayed), 'title-9')
    assert.equal(EVENTS.ReplayedEvent.topic, null)
  })
})

it('a switch over the type is exhaustive for the compiler', () => {
  const handled: Record<EventType, true> = Object.fromEntries(EVENT_TYPES.map((type) => [type, true])) as never
  assert.equal(Object.keys(handled).length, EVENT_TYPES.length)
})
