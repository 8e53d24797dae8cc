/** Who sends to /v1/events, and what is added to what they send. The route's own manners are in events.test.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { StartAnswer } from '../../api/playback/bodies.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import { bearer, type PlaybackApi, profileToken, startPlaybackApi, until } from './playback-support.ts'
import { type EventsAnswer, heartbeat, PUBLISHABLE } from './support.ts'

const post = (api: PlaybackApi, payload: unknown, headers: Record<string, string>, url = '/v1/events') =>
  api.app.inject({ method: 'POST', url, headers, payload: payload as object })

async function tokenFor(api: PlaybackApi, titleId: string, sessionId: string): Promise<string> {
  const answer = await api.app.inject({
    method: 'POST',
    url: '/v1/playback/start',
    headers: bearer(profileToken()),
    payload: { titleId, sessionId, events: 'sdk' },
  })
  assert.equal(answer.statusCode, 201, answer.body)
  return answer.json<StartAnswer>().playbackToken
}

const mine = { profileId: 'ann', sessionId: 's1', titleId: 't1', sequence: 1, positionMs: 5 }
const verdicts = (answer: { json<T>(): T }) => answer.json<EventsAnswer>().results.map((r) => [r.code, r.field])

test('a playback token takes its own view’s events and nobody else’s', async (t) => {
  const api = await startPlaybackApi(t)
  const token = await tokenFor(api, 't1', 's1')
  const events = [
    { type: 'Heartbeat', ...mine },
    { type: 'Heartbeat', ...mine, profileId: 'bob' },
    { type: 'Heartbeat', ...mine, sessionId: 's2' },
    { type: 'Heartbeat', ...mine, titleId: 't2' },
    { type: 'MarkedWatched', profileId: 'ann', titleId: 't1' },
    { type: 'MarkedWatched', profileId: 'bob', titleId: 't1' },
    { type: 'ExperimentExposed', unit: 'bob', experimentId: 'e', variantId: 'v' },
  ]
  const answer = await post(api, { events }, bearer(token))
  assert.equal(answer.statusCode, 202, answer.body)
  assert.deepEqual(verdicts(answer).slice(0, 6), [
    [undefined, undefined],
    ['EVENT_NOT_YOURS', 'profileId'],
    ['EVENT_NOT_YOURS', 'sessionId'],
    ['EVENT_NOT_YOURS', 'titleId'],
    [undefined, undefined],
    ['EVENT_NOT_YOURS', 'profileId'],
  ])
  assert.notEqual(verdicts(answer)[6]?.[0], undefined)
  assert.equal((await api.events('playback-events')).length, 2)
  assert.match(String(answer.headers['x-ratelimit-limit']), /^\d+$/)
})

test('a beacon brings its playback token in the query, as text/plain and zipped', async (t) => {
  const api = await startPlaybackApi(t)
  const token = await tokenFor(api, 't1', 's1')
  const payload = gzipSync(JSON.stringify([{ type: 'Heartbeat', ...mine }]))
  const headers = { 'content-type': 'text/plain', 'content-encoding': 'gzip' }
  assert.equal((await post(api, payload, headers, `/v1/events?token=${token}`)).statusCode, 202)
  assert.equal((await post(api, payload, headers, '/v1/events?token=nonsense')).statusCode, 401)
  assert.equal((await post(api, [{ type: 'Heartbeat', ...mine }], bearer(profileToken()))).statusCode, 401)
})

test('a key that anybody can read neither erases a profile nor decides for its viewer', async (t) => {
  const api = await startPlaybackApi(t)
  const events = [
    { type: 'ProfileErased', profileId: 'ann' },
    { type: 'MarkedWatched', profileId: 'ann', titleId: 't1' },
    { type: 'ProgressCleared', profileId: 'ann', titleId: 't1' },
    { type: 'StreamSlotReleased', accountId: 'smith', slotId: 's' },
    heartbeat(),
  ]
  const refused = ['EVENT_NOT_TAKEN', 'type']
  assert.deepEqual(verdicts(await post(api, events, PUBLISHABLE)), [
    refused,
    refused,
    refused,
    refused,
    [undefined, undefined],
  ])
  const admin = { 'x-playhead-key': 'admin-key-0123456789' }
  assert.deepEqual(
    verdicts(await post(api, events, admin)).map(([code]) => code),
    ['EVENT_NOT_TAKEN', undefined, undefined, 'EVENT_NOT_TAKEN', undefined],
  )
})

test('personal fields are sealed before they are stored; what comes sealed is refused', async (t) => {
  const api = await startPlaybackApi(t)
  const personal = { deviceId: 'the-device', custom: { plan: 'gold' } }
  const sealed = { keyId: 'k', nonce: 'AA==', bytes: 'AA==' }
  const events = [
    heartbeat({ personal }),
    heartbeat({ sequence: 1 }),
    heartbeat({ sequence: 2, personal: { sealed } }),
    { type: 'Impression', profileId: 'bob', personal },
  ]
  const answer = await post(api, events, PUBLISHABLE)
  assert.equal(answer.json<EventsAnswer>().results[2]?.status, 'rejected')
  const stored = await api.events('playback-events')
  for (const event of stored) assert.doesNotMatch(JSON.stringify(event), /the-device|gold/)
  const first = stored.find((e) => e.type === 'Heartbeat' && e.sequence === 0)
  assert.ok(first?.type === 'Heartbeat' && first.personal?.sealed)
})

test('while no key can be had to seal with, nothing of the request is stored', async (t) => {
  const sealer = { seal: () => Promise.reject(new StoreUnavailable('the vault at 10.0.0.9 is away')) }
  const api = await startPlaybackApi(t, { folds: false, wrap: (parts) => ({ ...parts, sealer }) })
  const answer = await post(api, [heartbeat({ personal: { deviceId: 'd' } }), heartbeat()], PUBLISHABLE)
  assert.equal(answer.statusCode, 503, answer.body)
  assert.doesNotMatch(answer.body, /10\.0\.0\.9/)
  assert.deepEqual(await api.events('playback-events'), [])
  assert.equal((await post(api, [heartbeat()], PUBLISHABLE)).statusCode, 202)
})

test('facts are stamped where the player said none, and left as they are where it did', async (t) => {
  const api = await startPlaybackApi(t)
  const admin = { 'x-playhead-key': 'admin-key-0123456789' }
  const title = { kind: 'movie', name: 'One', durationMs: 600_000 }
  await api.app.inject({ method: 'PUT', url: '/v1/titles/t1', headers: admin, payload: title })
  await until('the title is known', async () =>
    (await api.app.inject({ url: '/v1/titles/t1', headers: admin })).statusCode === 200 ? true : undefined,
  )
  await post(api, [heartbeat(), heartbeat({ sequence: 1, facts: { durationMs: 5 } })], PUBLISHABLE)
  const stored = (await api.events('playback-events')).flatMap((e) =>
    e.type === 'Heartbeat' ? [e.facts?.durationMs] : [],
  )
  assert.deepEqual(stored, [600_000, 5])
})

test('failures that players report are counted by kind, never by their code', async (t) => {
  const api = await startPlaybackApi(t, { folds: false })
  const failed = { type: 'PlaybackFailed', ...mine, code: 'E-4711' }
  const events = [
    { ...failed, fatal: true, phase: 'startup', facts: { contentType: 'movie' } },
    { ...failed, sequence: 2, fatal: false },
    { ...failed, sequence: 3, fatal: true, business: true },
    { type: 'AdFailed', ...mine, sequence: 4, adId: 'a', code: '303' },
  ]
  assert.equal((await post(api, events, PUBLISHABLE)).statusCode, 202)
  const text = await api.registry.metrics()
  const counted = [...text.matchAll(/^streaming_playback_errors_total\{(.*)\} (\d+)$/gm)].map((m) => `${m[1]} ${m[2]}`)
  assert.deepEqual(counted.sort(), [
    'error_type="ad",content_type="unknown" 1',
    'error_type="business",content_type="unknown" 1',
    'error_type="recovered",content_type="unknown" 1',
    'error_type="startup",content_type="movie" 1',
  ])
})

test('the same Idempotency-Key with another body is refused', async (t) => {
  const api = await startPlaybackApi(t, { folds: false })
  const headers = { ...PUBLISHABLE, 'idempotency-key': 'k' }
  assert.equal((await post(api, [heartbeat()], headers)).statusCode, 202)
  assert.equal((await post(api, [heartbeat()], headers)).statusCode, 202)
  const other = await post(api, [heartbeat({ positionMs: 1 })], headers)
  assert.deepEqual([other.statusCode, other.json<{ code: string }>().code], [422, 'IDEMPOTENCY_REUSED'])
})
