import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createClient, PlayheadError } from '../../sdk/client.ts'
import { startHarness } from '../api/harness.ts'

async function clientOf(t: TestContext, profile = 'ann') {
  const harness = await startHarness(t)
  const url = await harness.app.listen({ port: 0, host: '127.0.0.1' })
  const token = harness.as(profile).authorization!.replace('Bearer ', '')
  return { harness, url, client: createClient({ url: `${url}/`, token: async () => token }) }
}

test('a position that was reported is read again, and a title that was never watched is undefined', async (t) => {
  const { client } = await clientOf(t)
  assert.equal(await client.progress.get('ann', 'movie/1'), undefined)
  const report = { positionMs: 90_000, durationMs: 600_000, deviceId: 'tv', sentAt: Date.now() }
  assert.equal((await client.progress.report('ann', 'movie/1', report, { wait: true })).wasUpdated, true)
  assert.equal((await client.progress.get('ann', 'movie/1'))?.positionMs, 90_000)
  const { items } = await client.progress.continueWatching('ann')
  assert.deepEqual(
    items.map(({ titleId, positionMs }) => [titleId, positionMs]),
    [['movie/1', 90_000]],
  )
  await client.progress.clear('ann', 'movie/1')
})

test('a playback is started, told of and stopped with the token that its start answered', async (t) => {
  const { client, harness } = await clientOf(t)
  const { playbackToken, sessionId, resumePositionMs } = await client.playback.start({ titleId: 't1', events: 'sdk' })
  assert.equal(resumePositionMs, 0)
  const whose = { profileId: 'ann', sessionId, titleId: 't1' }
  const told = await client.events(
    [
      { type: 'PlaybackStarted', ...whose, sequence: 0, positionMs: 0, context: { player: 'own' } },
      { type: 'FirstFrame', ...whose, sequence: 1, positionMs: 0, startupMs: 700, context: {} },
    ],
    { playbackToken, sentAt: harness.clock.ms },
  )
  assert.deepEqual([told.accepted, told.rejected], [2, 0])
  await client.playback.heartbeat(playbackToken, { positionMs: 5_000, sequence: 2, state: 'playing' })
  await client.playback.stop(playbackToken, { positionMs: 6_000, sequence: 3, reason: 'quit' })
})

test('what is refused is thrown with its code, what is rejected within a batch is answered', async (t) => {
  const { client, url } = await clientOf(t)
  await assert.rejects(
    () => client.progress.get('ben', 't1'),
    (error: unknown) => {
      assert.ok(error instanceof PlayheadError)
      assert.deepEqual([error.code, error.status, error.retryAfterMs], ['PROFILE_NOT_YOURS', 403, undefined])
      return true
    },
  )
  await assert.rejects(() => createClient({ url }).progress.get('ann', 't1'), { code: 'TOKEN_MISSING', status: 401 })
  const { playbackToken, sessionId } = await client.playback.start({ titleId: 't1', events: 'sdk' })
  const answer = await client.events(
    [
      { type: 'PlaybackResumed', profileId: 'ann', sessionId, titleId: 't1', sequence: 0, positionMs: 0 },
      { type: 'PlaybackResumed', profileId: 'ben', sessionId, titleId: 't1', sequence: 1, positionMs: 0 },
    ],
    { playbackToken },
  )
  assert.deepEqual(
    answer.results.map(({ status, code }) => [status, code]),
    [
      ['accepted', undefined],
      ['rejected', 'EVENT_NOT_YOURS'],
    ],
  )
})
