import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claim } from '../../sdk/access.ts'
import { event, json, sending } from './support.ts'

test('the profile is read from a token of any alphabet, and another kind of token is left alone', () => {
  const body = Buffer.from(JSON.stringify({ profile: 'Zoë 漢' })).toString('base64url')
  assert.equal(claim(`h.${body}.s`, 'profile'), 'Zoë 漢')
  assert.equal(claim('opaque', 'profile'), undefined)
})

test('a start says what to resume, and that the SDK tells of the view itself', async () => {
  const { sender, outbox, sent, run, memory } = sending(
    ({ url }) =>
      url.endsWith('start')
        ? json(201, { playbackToken: 'a.e30.c', resumePositionMs: 5, heartbeatIntervalMs: 1 })
        : json(202),
    { token: () => 'profile token' },
  )
  outbox.add(event(0))
  sender.poke()
  await run()
  const [start] = sent
  assert.equal(start!.headers.authorization, 'Bearer profile token')
  assert.equal(start!.headers['x-playhead-key'], 'pk', 'the key says to which app it belongs')
  assert.deepEqual(start!.body as unknown, { titleId: 't1', sessionId: 's1', events: 'sdk' })
  const [kept] = await memory.store.sessions()
  assert.equal(kept!.playbackToken, 'a.e30.c', 'another page can send what this one leaves')
})

test('the page and the sender that ask at the same time start once', async () => {
  const start = json(201, { playbackToken: 'a.e30.c', resumePositionMs: 0, heartbeatIntervalMs: 1 })
  const { access, sent } = sending(() => start, { token: () => 'token' })
  await Promise.all([access.get(), access.get()])
  assert.equal(sent.length, 1)
})

test('a page that can not reach the service asks again', async () => {
  const { sender, outbox, sent, run, problems } = sending(() => new Error('offline'), { token: () => 'token' })
  outbox.add(event(0))
  sender.poke()
  await run()
  await run()
  assert.deepEqual(
    sent.map(({ url }) => url),
    Array(2).fill('https://api.test/v1/playback/start'),
  )
  assert.equal(problems[0]!.code, 'OFFLINE')
  assert.equal(outbox.events().length, 1)
})

test('a token of the page that can not be had is a problem, not an exception', async () => {
  const { sender, outbox, run, problems } = sending(() => json(202), {
    token: () => {
      throw new Error('not logged in')
    },
  })
  outbox.add(event(0))
  sender.poke()
  await run()
  assert.equal(problems.length, 1)
  assert.equal(outbox.events().length, 1)
})
