import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startHarness } from '../api/harness.ts'

test("the SDK's events keep its stream slot, and the end of its view frees it", async (t) => {
  const { call, as, clock } = await startHarness(t)
  const start = (deviceId: string) =>
    call('POST', '/v1/playback/start', as('ann'), { titleId: 't1', deviceId, events: 'sdk' })
  const first = await start('tv')
  assert.equal(first.statusCode, 201)
  const { playbackToken, sessionId } = first.json<{ playbackToken: string; sessionId: string }>()
  let sequence = 0
  const tell = (type: string, occurredAt = clock.ms) =>
    call(
      'POST',
      '/v1/events',
      { authorization: `Bearer ${playbackToken}` },
      {
        sentAt: clock.ms,
        events: [{ type, occurredAt, sequence: sequence++, positionMs: 0, profileId: 'ann', sessionId, titleId: 't1' }],
      },
    )

  for (let i = 0; i < 8; i++) {
    clock.ms += 10_000
    assert.equal((await tell('Heartbeat')).statusCode, 202)
  }
  assert.equal((await start('phone')).statusCode, 409, 'it plays on, after 80 s')
  await tell('PlaybackEnded')
  assert.equal((await start('phone')).statusCode, 201, 'it has ended')

  clock.ms += 60_000
  await tell('Heartbeat', clock.ms - 50_000)
  assert.equal((await start('laptop')).statusCode, 201, 'what is told of a while ago holds no slot')
})
