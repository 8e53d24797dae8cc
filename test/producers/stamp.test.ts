import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toRecord } from '../../producers/record.ts'
import { type Arrival, stampMeta } from '../../producers/stamp.ts'
import { createCodec, eventIdOf } from '../../schemas/index.ts'

const ARRIVAL: Arrival = { source: 'api', appId: 'shop', environment: 'staging', receivedAtMs: 1_800_000_000_000 }
const mint = () => '018f0000-0000-7000-8000-000000000001'

test('an id of the writer stands; else one derived from its idempotency key; else a minted one', () => {
  const own = '018f0000-0000-7000-8000-00000000000a'
  assert.equal(stampMeta(ARRIVAL, { eventId: own, idempotencyKey: 'k' }, mint).eventId, own)
  const derived = stampMeta(ARRIVAL, { idempotencyKey: 'k' }, mint).eventId
  assert.equal(derived[14], '8')
  assert.equal(stampMeta({ ...ARRIVAL, receivedAtMs: 1 }, { idempotencyKey: 'k' }, mint).eventId, derived)
  assert.equal(stampMeta(ARRIVAL, {}, mint).eventId, mint())
})

test('the same idempotency key in another app or environment is another event', () => {
  const id = (more: Partial<Arrival>) => stampMeta({ ...ARRIVAL, ...more }, { idempotencyKey: 'k' }, mint).eventId
  assert.equal(new Set([id({}), id({ appId: 'news' }), id({ environment: 'production' })]).size, 3)
})

test('a stamped event becomes a record of its topic, with its key, timed by its receipt', async () => {
  const codec = await createCodec()
  const checked = codec.validate(
    'PlaybackPaused',
    { profileId: 'ann', sessionId: 's', titleId: 't', sequence: 1, positionMs: 2 },
    { without: ['meta'] },
  )
  assert.ok(checked.ok)
  const meta = stampMeta(ARRIVAL, { occurredAtMs: 5 }, mint)
  const record = toRecord(codec, { ...checked.event, meta })
  assert.deepEqual([record.topic, record.key, record.timestampMs], ['playback-events', 'ann', ARRIVAL.receivedAtMs])
  assert.equal(eventIdOf(Buffer.from(record.value)), mint())
})
