import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import * as limits from '../../sdk/limits.ts'
import { createOutbox } from '../../sdk/outbox.ts'
import { event, json, memoryStore, type Sent, sending, settled } from './support.ts'

const sequences = ({ body }: Sent) => body.events.map(({ sequence }) => sequence)

test('what happens at once leaves in one request, with whose it is and when it was sent', async () => {
  const { sender, outbox, sent, run, time, memory } = sending(() => json(202))
  for (const n of [0, 1, 2]) {
    outbox.add(event(n))
    sender.poke()
  }
  assert.equal(await run(), limits.gatherMs)
  assert.equal(sent.length, 1)
  assert.deepEqual(sequences(sent[0]!), [0, 1, 2])
  assert.equal(sent[0]!.body.sentAt, time.wallMs)
  const { profileId, sessionId, titleId } = sent[0]!.body.events[0]!
  assert.deepEqual({ profileId, sessionId, titleId }, { profileId: 'anon-s1', sessionId: 's1', titleId: 't1' })
  assert.equal(sent[0]!.headers['x-playhead-key'], 'pk')
  assert.deepEqual(memory.left('s1'), [], 'nothing is kept of what was confirmed')
  await sender.empty()
})

test('without an answer it is sent again under the same ids, with more and more patience', async () => {
  const { sender, outbox, sent, run } = sending((_, count) => (count < 4 ? new Error('offline') : json(202)))
  outbox.add(event(0))
  sender.poke()
  await run()
  assert.deepEqual([await run(), await run(), await run()], [1_000, 2_000, 4_000])
  assert.equal(new Set(sent.map(({ body }) => body.events[0]!.eventId)).size, 1)
  assert.equal(outbox.events().length, 0)
})

test('patience has an end, and some of it is chance', async () => {
  const { sender, outbox, run } = sending(() => json(503))
  outbox.add(event(0))
  sender.poke()
  await run()
  const waits: number[] = []
  for (let i = 0; i < 12; i++) waits.push(await run())
  assert.equal(Math.max(...waits), limits.backoffMaxMs)
})

test('Retry-After is waited for, also when somebody is in a hurry', async () => {
  const { sender, outbox, sent, run } = sending((_, count) =>
    count === 1 ? json(429, {}, { 'retry-after': '7' }) : json(202),
  )
  outbox.add(event(0))
  sender.poke()
  await run()
  sender.hurry()
  assert.ok((await run()) >= 7_000)
  assert.equal(sent.length, 2)
})

test('the network that is back ends the patience', async () => {
  const { sender, outbox, sent, run } = sending((_, count) => (count < 5 ? new Error('offline') : json(202)))
  outbox.add(event(0))
  sender.poke()
  for (let i = 0; i < 4; i++) await run()
  sender.hurry()
  assert.equal(await run(), 0)
  assert.equal(sent.length, 5)
  assert.equal(outbox.events().length, 0)
})

test('an event that is rejected is dropped and told; the others count', async () => {
  const results = [
    { index: 0, status: 'accepted' },
    { index: 1, status: 'rejected', code: 'EVENT_INVALID', field: 'x', problem: 'is odd' },
  ]
  const { sender, outbox, problems, run } = sending(() => json(202, { results }))
  outbox.add(event(0))
  outbox.add(event(1))
  sender.poke()
  await run()
  assert.deepEqual(problems, [{ code: 'EVENT_INVALID', status: undefined }])
  assert.equal(outbox.events().length, 0)
})

test('a batch that is refused as a whole is halved until the one that is wrong is alone', async () => {
  const bad = 5
  const { sender, outbox, sent, problems, run } = sending((one) =>
    sequences(one).includes(bad) ? json(400, { code: 'BODY_SHAPE' }) : json(202),
  )
  for (let n = 0; n < 16; n++) outbox.add(event(n))
  sender.poke()
  await run()
  assert.equal(outbox.events().length, 0)
  assert.deepEqual(problems, [{ code: 'BODY_SHAPE', status: 400 }])
  const refused = sent.filter((one) => sequences(one).includes(bad))
  assert.deepEqual(sequences(refused.at(-1)!), [bad])
})

test('a token that has run out is renewed and the batch sent again', async () => {
  let starts = 0
  const { sender, outbox, sent, run } = sending(
    ({ url, headers }) => {
      if (url.endsWith('/v1/playback/start')) {
        const playbackToken = `h.${btoa(JSON.stringify({ profile: 'ann' }))}.${++starts}`
        return json(201, { playbackToken, resumePositionMs: 0, heartbeatIntervalMs: 10_000 })
      }
      return headers.authorization!.endsWith('.1') ? json(401, { code: 'TOKEN_EXPIRED' }) : json(202)
    },
    { token: () => 'profile token' },
  )
  outbox.add(event(0))
  sender.poke()
  await run()
  assert.equal(starts, 2)
  assert.equal(outbox.events().length, 0)
  assert.equal(sent.at(-1)!.body.events[0]!.profileId, 'ann')
})

test('a start that is refused keeps the events and is asked for again', async () => {
  let free = false
  const { sender, outbox, problems, run } = sending(
    ({ url }) => {
      if (!url.endsWith('start')) return json(202)
      if (!free) return json(409, { code: 'STREAM_LIMIT' })
      return json(201, { playbackToken: 'a.e30.c', resumePositionMs: 0, heartbeatIntervalMs: 1 })
    },
    { token: () => 'profile token' },
  )
  outbox.add(event(0))
  sender.poke()
  await run()
  assert.deepEqual(problems, [{ code: 'STREAM_LIMIT', status: 409 }])
  assert.equal(outbox.events().length, 1)
  free = true
  assert.ok((await run()) >= limits.refusedMs)
  assert.equal(outbox.events().length, 0)
})

test('a page that goes lets the newest out, within what browsers allow, and no event twice', async () => {
  const { sender, outbox, sent } = sending(() => new Promise(() => undefined))
  for (let n = 0; n < 200; n++) outbox.add(event(n, 'x'.repeat(500)))
  sender.hide()
  sender.hide()
  assert.equal(sent.length, 1)
  const [one] = sent
  assert.ok(JSON.stringify(one!.body).length < 64 * 1024)
  assert.equal(sequences(one!).at(-1), 199)
  assert.ok(one!.keepalive)
  assert.ok(one!.url.includes('?key=pk&session=s1'))
  assert.equal(one!.headers['content-type'], 'text/plain', 'no preflight')
})

test('what went out with a hidden page and was confirmed is not sent again', async () => {
  const { sender, outbox, sent, run, waits } = sending(() => json(202))
  outbox.add(event(0))
  sender.poke()
  sender.hide()
  await settled()
  assert.equal(outbox.events().length, 0)
  if (waits()) await run()
  assert.equal(sent.length, 1)
})

test('of more events than may wait the oldest go, and are counted', () => {
  const { store, left } = memoryStore()
  const outbox = createOutbox('s1', store)
  for (let n = 0; n < limits.queuedEventsMax + 3; n++) outbox.add(event(n))
  assert.equal(outbox.dropped(), 3)
  assert.equal(outbox.events()[0]!.sequence, 3)
  assert.equal(left('s1').length, limits.queuedEventsMax)
})

test('whatever the network does, every event is confirmed in the end and none is left out', async () => {
  const weather = fc.array(fc.constantFrom('ok', 'lost', 'refused', 'down', 'busy'), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(weather, fc.integer({ min: 1, max: 250 }), async (days, count) => {
      const stored = new Map<string, number>()
      const { sender, outbox, run, waits } = sending((sent) => {
        const day = days.shift() ?? 'ok'
        if (day === 'refused') return new Error('no route')
        if (day === 'down') return json(503)
        if (day === 'busy') return json(429, {}, { 'retry-after': '1' })
        for (const { eventId, sequence } of sent.body.events) stored.set(eventId, sequence)
        return day === 'lost' ? new Error('the answer was lost') : json(202)
      })
      for (let n = 0; n < count; n++) outbox.add(event(n))
      sender.poke()
      while (waits()) await run()
      assert.equal(outbox.events().length, 0)
      assert.deepEqual(
        [...stored.values()].sort((a, b) => a - b),
        Array.from({ length: count }, (_, n) => n),
      )
    }),
    { numRuns: 60 },
  )
})
