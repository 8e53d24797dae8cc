import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import avro from 'avsc'
import type { RecordSchema } from '../../schemas/avro.ts'
import {
  createCodec,
  type Decoded,
  EVENT_TYPES,
  type NewEvent,
  type PlayheadEvent,
  RELEASED,
  SchemaRegistryRefused,
  SchemaRegistryUnavailable,
  schemaIdOf,
} from '../../schemas/index.ts'
import { type FakeRegistry, fakeRegistry } from './fake-registry.ts'
import { HEARTBEAT, META, NEWEST } from './support.ts'

/** Bytes that another producer wrote with a schema of its own. */
function written(registry: FakeRegistry, schema: RecordSchema, value: unknown): Buffer {
  const body = avro.Type.forSchema(schema as never).toBuffer(value)
  const frame = Buffer.alloc(5)
  frame.writeUInt32BE(registry.add(schema), 1)
  return Buffer.concat([frame, body])
}

function event(answer: Decoded): PlayheadEvent {
  assert.ok(answer.ok, JSON.stringify(answer))
  return answer.event
}

/** An older PlaybackPaused than any released: other names, narrower numbers, fewer fields. */
function older(): RecordSchema {
  const newest = NEWEST.get('PlaybackPaused') as RecordSchema
  const kept = newest.fields.filter(({ name }) => !['context', 'facts', 'personal', 'played'].includes(name))
  return {
    ...newest,
    fields: [
      ...kept.map((field) => (field.name === 'positionMs' ? { ...field, type: 'int' } : field)),
      { name: 'gone', type: { type: 'array', items: 'string' } },
      { name: 'goneToo', type: { type: 'map', values: 'int' } },
    ],
  }
}

const PAUSED = {
  meta: { ...META, sentAt: null },
  profileId: 'p',
  sessionId: 's',
  titleId: 't',
  sequence: 1,
  positionMs: 77,
  reason: 'user',
}

describe('with an external registry', () => {
  it('every released version is registered, in order, and its ids are the ones written', async (t) => {
    const registry = await fakeRegistry(t)
    const codec = await createCodec({ registryUrl: registry.url, auth: { username: 'u', password: 'p' } })
    assert.deepEqual(
      registry.requests.map(({ path }) => path),
      RELEASED.map(({ subject }) => `/subjects/${subject}/versions`),
    )
    assert.equal(registry.requests[0]?.authorization, `Basic ${Buffer.from('u:p').toString('base64')}`)
    const value = codec.encode(HEARTBEAT)
    assert.equal(schemaIdOf(value), codec.schemaIdOf('Heartbeat'))
    assert.match(registry.schemas.get(codec.schemaIdOf('Heartbeat')) ?? '', /playhead\.playback\.Heartbeat/)
    assert.equal(event(codec.decode(value)).type, 'Heartbeat')
    const ids = new Set(EVENT_TYPES.map((type) => codec.schemaIdOf(type)))
    assert.equal(ids.size, EVENT_TYPES.length)
  })

  it('an unknown version is learnt, and its bytes are read as the newest type', async (t) => {
    const registry = await fakeRegistry(t)
    const codec = await createCodec({ registryUrl: registry.url })
    const value = written(registry, older(), { ...PAUSED, gone: ['x', 'y'], goneToo: { a: 1 } })
    const id = schemaIdOf(value) as number
    const before = codec.decode(value)
    assert.deepEqual(!before.ok && [before.cause, before.schemaId], ['unknown-schema', id])
    assert.equal(await codec.learn(id), true)
    assert.deepEqual(event(codec.decode(value)), {
      type: 'PlaybackPaused',
      ...PAUSED,
      played: [],
      context: null,
      facts: null,
      personal: null,
    })
  })

  it('hostile bytes of a learnt version cost nothing, even in a field that is skipped', async (t) => {
    const registry = await fakeRegistry(t)
    const codec = await createCodec({ registryUrl: registry.url })
    const value = written(registry, older(), { ...PAUSED, gone: [], goneToo: {} })
    await codec.learn(schemaIdOf(value) as number)
    for (const tail of [
      'feffffffffffffff01',
      'ffffffffffffffff01ffffffffffffffff01',
      '01ffffffffffffff7f0000',
      '0000',
    ].map((hex) => Buffer.from(hex, 'hex'))) {
      const answer = codec.decode(Buffer.concat([value.subarray(0, -2), tail, Buffer.from([0x80])]))
      assert.equal(!answer.ok && answer.cause, 'body')
    }
  })

  it('an id that the registry has not, and a schema that is not ours, are refused with the reason', async (t) => {
    const registry = await fakeRegistry(t)
    const codec = await createCodec({ registryUrl: registry.url })
    assert.equal(await codec.learn(77), false)
    const other = registry.add({ type: 'record', name: 'com.example.Other', fields: [{ name: 'a', type: 'int' }] })
    assert.equal(await codec.learn(other), false)
    const frame = Buffer.alloc(6)
    frame.writeUInt32BE(other, 1)
    const answer = codec.decode(frame)
    assert.equal(!answer.ok && answer.cause, 'unknown-schema')
    assert.match(answer.ok ? '' : answer.detail, /com\.example\.Other is none of our subjects/)
    const asked = registry.requests.length
    assert.equal(await codec.learn(other), false)
    assert.equal(registry.requests.length, asked, 'a schema that is not ours is asked for once')
    assert.equal(await codec.learn(77), false)
    assert.equal(registry.requests.length, asked + 1, 'one that is not there yet is asked for again')
    const broken = registry.add({
      type: 'record',
      name: 'playhead.playback.Heartbeat',
      fields: [{ name: 'a', type: 'int' }],
    })
    assert.equal(await codec.learn(broken), false)
    frame.writeUInt32BE(broken, 1)
    const refused = codec.decode(frame)
    assert.match(refused.ok ? '' : refused.detail, /can't be read as ours/)
  })

  it('one that can not be reached is an error to retry, never a verdict on an event', async (t) => {
    const registry = await fakeRegistry(t)
    const codec = await createCodec({ registryUrl: registry.url })
    const id = registry.add(older())
    for (const fault of [
      { status: 503, body: '{"error_code": 50301, "message": "later"}' },
      { status: 200, body: 'not json' },
      { status: 404, body: '{"error_code": 404, "message": "a proxy without a route"}' },
    ]) {
      registry.fault = fault
      await assert.rejects(
        codec.learn(id),
        (error: Error) => error instanceof SchemaRegistryUnavailable && error.code === 'SCHEMA_REGISTRY_UNAVAILABLE',
      )
    }
    registry.fault = undefined
    assert.equal(await codec.learn(id), true)
    const nowhere = createCodec({ registryUrl: 'http://127.0.0.1:1' })
    await assert.rejects(nowhere, SchemaRegistryUnavailable)
  })

  it('one that finds our schemas incompatible with its own stops the start', async (t) => {
    const registry = await fakeRegistry(t)
    registry.fault = { status: 409, body: '{"error_code": 409, "message": "incompatible"}' }
    await assert.rejects(createCodec({ registryUrl: registry.url }), SchemaRegistryRefused)
  })
})

it('without an external registry an unknown id can not be learnt', async () => {
  const codec = await createCodec()
  assert.equal(await codec.learn(12_345), false)
  assert.equal(await codec.learn(1), true)
  const again = await createCodec()
  assert.deepEqual(again.encode(HEARTBEAT as NewEvent), codec.encode(HEARTBEAT))
})
