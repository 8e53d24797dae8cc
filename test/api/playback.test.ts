import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StartAnswer } from '../../api/playback/bodies.ts'
import { PLAYBACK_LIMITS } from '../../api/playback/limits.ts'
import { Renewals } from '../../api/playback/renewals.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import { bearer, type Claims, type PlaybackApi, profileToken, startPlaybackApi, until } from './playback-support.ts'

interface Refusal {
  readonly code: string
  readonly devices?: readonly { readonly device: string | null; readonly titleId: string | null }[]
}

const start = (api: PlaybackApi, body: object, claims: Claims = {}, headers: Record<string, string> = {}) =>
  api.app.inject({
    method: 'POST',
    url: '/v1/playback/start',
    headers: { ...bearer(profileToken(claims)), ...headers },
    payload: body,
  })

const report = (api: PlaybackApi, what: 'heartbeat' | 'stop', token: string, body: object, headers = {}) =>
  api.app.inject({
    method: 'POST',
    url: `/v1/playback/${what}`,
    headers: { ...bearer(token), ...headers },
    payload: body,
  })

const progressOf = async (api: PlaybackApi, titleId: string, position: string) => {
  const headers = { ...bearer(profileToken()), 'playhead-position': position }
  const answer = await api.app.inject({ url: `/v1/profiles/ann/progress/${titleId}`, headers })
  return answer.json<{ positionMs: number }>()
}

test('start gives a session, a token and a slot; heartbeat and stop move the resume position of the next start', async (t) => {
  const api = await startPlaybackApi(t)
  const first = await start(api, { titleId: 't1', deviceId: 'tv-1', deviceType: 'tv', quality: '1080p' })
  assert.equal(first.statusCode, 201, first.body)
  const begun = first.json<StartAnswer>()
  assert.deepEqual(
    [begun.resumePositionMs, begun.resume, begun.slot, begun.heartbeatIntervalMs, begun.eventsUrl],
    [0, null, 'granted', 10_000, '/v1/events'],
  )
  assert.match(String(first.headers['playhead-position']), /^account-events\/\d@\d+,playback-events\/\d@\d+$/)
  const beat = await report(api, 'heartbeat', begun.playbackToken, { positionMs: 61_000, durationMs: 600_000 })
  assert.deepEqual([beat.statusCode, beat.body], [204, ''])
  assert.equal((await progressOf(api, 't1', String(beat.headers['playhead-position']))).positionMs, 61_000)
  const stop = await report(api, 'stop', begun.playbackToken, { positionMs: 70_000, reason: 'quit' })
  assert.equal(stop.statusCode, 204)
  assert.equal((await progressOf(api, 't1', String(stop.headers['playhead-position']))).positionMs, 70_000)
  const again = (await start(api, { titleId: 't1' })).json<StartAnswer>()
  assert.equal(again.resumePositionMs, 70_000)
  assert.ok(typeof again.resume === 'object' && again.resume !== null && !again.resume.completed)
  assert.deepEqual(
    (await api.events('playback-events')).map((e) => e.type),
    ['PlaybackStarted', 'Heartbeat', 'PlaybackEnded', 'PlaybackStarted'],
  )
})

test('what a token says is stamped, and what points at a person is sealed', async (t) => {
  const api = await startPlaybackApi(t)
  const answer = await start(
    api,
    { titleId: 't1', sessionId: 's1', deviceId: 'the-device' },
    {},
    { 'user-agent': 'U/1' },
  )
  await report(api, 'heartbeat', answer.json<StartAnswer>().playbackToken, { positionMs: 5 })
  const [begun, beat] = await api.events('playback-events')
  assert.ok(begun?.type === 'PlaybackStarted' && beat?.type === 'Heartbeat')
  assert.deepEqual([begun.sequence, begun.profileId, begun.sessionId, begun.titleId], [0, 'ann', 's1', 't1'])
  assert.deepEqual([beat.profileId, beat.sessionId, beat.titleId, beat.personal], ['ann', 's1', 't1', null])
  const [asked] = await api.events('account-events')
  assert.ok(asked?.type === 'StreamSlotRequested')
  for (const { personal } of [begun, asked]) {
    assert.ok(personal?.sealed)
    assert.deepEqual([personal.deviceId, personal.accountId, personal.userAgent], [null, null, null])
  }
})

test('a plan holds as many streams as it pays for, and the refusal names the devices that play', async (t) => {
  const api = await startPlaybackApi(t)
  const device = (n: number, plan: string) =>
    start(api, { titleId: `t${n}`, deviceId: `tv-${n}` }, { plan, account: plan })
  for (const [plan, allowed] of [
    ['basic', 1],
    ['standard', 2],
    ['premium', 4],
  ] as const) {
    for (let n = 1; n <= allowed; n++) assert.equal((await device(n, plan)).statusCode, 201, `${plan} ${n}`)
    const refused = await device(9, plan)
    assert.equal(refused.statusCode, 409)
    const { code, devices } = refused.json<Refusal>()
    assert.equal(code, 'STREAM_LIMIT')
    assert.deepEqual(
      devices?.map((d) => d.device),
      Array.from({ length: allowed }, (_, i) => `tv-${i + 1}`),
    )
    assert.deepEqual(
      devices?.map((d) => d.titleId),
      Array.from({ length: allowed }, (_, i) => `t${i + 1}`),
    )
  }
  assert.equal((await api.events('playback-events')).filter((e) => e.type === 'PlaybackStarted').length, 7)
})

test('a start that is sent again takes no second slot; a stop frees it; another session may then start and is asked anew', async (t) => {
  const api = await startPlaybackApi(t)
  const one = { titleId: 't1', sessionId: 's1', deviceId: 'a' }
  const two = { titleId: 't2', sessionId: 's2', deviceId: 'b' }
  const begun = (await start(api, one)).json<StartAnswer>()
  assert.equal((await start(api, one)).statusCode, 201, 'the same start again')
  assert.equal((await start(api, two)).statusCode, 409)
  assert.equal((await report(api, 'stop', begun.playbackToken, { positionMs: 1 })).statusCode, 204)
  assert.equal((await start(api, two)).statusCode, 201, 'refused before, free now')
  assert.equal((await start(api, one)).statusCode, 409, 'granted before, taken by another since')
})

test('two starts at the same moment: one stream for a plan of one', async (t) => {
  const api = await startPlaybackApi(t)
  const both = await Promise.all(['a', 'b'].map((deviceId) => start(api, { titleId: 't', deviceId })))
  assert.deepEqual(both.map((answer) => answer.statusCode).sort(), [201, 409])
})

test('the slot of a player that crashed frees itself; one that reports keeps it', async (t) => {
  const api = await startPlaybackApi(t)
  const begun = (await start(api, { titleId: 't1', deviceId: 'a' })).json<StartAnswer>()
  api.clock.aheadMs = PLAYBACK_LIMITS.slotTtlMs - 5_000
  assert.equal((await report(api, 'heartbeat', begun.playbackToken, { positionMs: 1 })).statusCode, 204)
  api.clock.aheadMs = PLAYBACK_LIMITS.slotTtlMs + 5_000
  assert.equal((await start(api, { titleId: 't2', deviceId: 'b' })).statusCode, 409, 'it was renewed')
  api.clock.aheadMs = 2 * PLAYBACK_LIMITS.slotTtlMs
  assert.equal((await start(api, { titleId: 't2', deviceId: 'b' })).statusCode, 201, 'nobody renewed it')
})

test('a slot is renewed every fifteen seconds, not with every heartbeat', async (t) => {
  const api = await startPlaybackApi(t)
  const { playbackToken } = (await start(api, { titleId: 't1' })).json<StartAnswer>()
  for (const aheadMs of [0, 10_000, 14_000, 16_000, 20_000, 32_000]) {
    api.clock.aheadMs = aheadMs
    await report(api, 'heartbeat', playbackToken, { positionMs: aheadMs })
  }
  const renewals = (await api.events('account-events')).filter((e) => e.type === 'StreamSlotRenewed')
  assert.equal(renewals.length, 3)
})

test('renewals are forgotten oldest first, and a clock that was set back renews', () => {
  const renewals = new Renewals(2)
  for (const slot of ['a', 'b', 'c']) renewals.done(slot, 1_000)
  assert.deepEqual(
    ['a', 'b', 'c'].map((slot) => renewals.due(slot, 2_000)),
    [true, false, false],
  )
  assert.equal(renewals.due('c', 500), true)
})

const away = () => Promise.reject(new StoreUnavailable('the store is away'))

test('stores that are away keep no viewer from starting: the slot is undecided, the position unknown', async (t) => {
  const api = await startPlaybackApi(t, {
    folds: false,
    wrap: (parts) => ({
      ...parts,
      progress: { get: away, all: away },
      streams: { get: away },
      checkpoints: { next: away },
    }),
  })
  const answer = await start(api, { titleId: 't1' })
  assert.equal(answer.statusCode, 201)
  const { slot, resume, resumePositionMs } = answer.json<StartAnswer>()
  assert.deepEqual([slot, resume, resumePositionMs], ['undecided', 'unavailable', 0])
  assert.match(await api.registry.metrics(), /playhead_stream_slots_undecided_total 1/)
})

test('with "events": "sdk" the player says itself that it started', async (t) => {
  const api = await startPlaybackApi(t)
  assert.equal((await start(api, { titleId: 't1', events: 'sdk' })).statusCode, 201)
  assert.deepEqual(await api.events('playback-events'), [])
})

test('a repeated Idempotency-Key is the same session and the same event; with another body it is 422', async (t) => {
  const api = await startPlaybackApi(t)
  const key = { 'idempotency-key': 'k1' }
  const [one, two] = [await start(api, { titleId: 't1' }, {}, key), await start(api, { titleId: 't1' }, {}, key)]
  assert.deepEqual([one.statusCode, two.statusCode], [201, 201])
  assert.equal(one.json<StartAnswer>().sessionId, two.json<StartAnswer>().sessionId)
  const { playbackToken } = one.json<StartAnswer>()
  for (let n = 0; n < 2; n++) await report(api, 'heartbeat', playbackToken, { positionMs: 1 }, key)
  const ids = (await api.events('playback-events')).map((e) => e.meta.eventId)
  assert.deepEqual([ids.length, new Set(ids).size], [4, 2])
  const other = await report(api, 'heartbeat', playbackToken, { positionMs: 2 }, key)
  assert.deepEqual([other.statusCode, other.json<Refusal>().code], [422, 'IDEMPOTENCY_REUSED'])
})

test('a heartbeat carries its token in the body too, its times are corrected, and its facts are the catalogue’s', async (t) => {
  const api = await startPlaybackApi(t)
  const title = await api.app.inject({
    method: 'PUT',
    url: '/v1/titles/t1',
    headers: { 'x-playhead-key': 'admin-key-0123456789' },
    payload: { kind: 'movie', name: 'One', durationMs: 600_000, creditsStartMs: 590_000 },
  })
  assert.ok(title.statusCode < 300, title.body)
  await until('the title is known', async () => {
    const headers = { 'x-playhead-key': 'admin-key-0123456789' }
    return (await api.app.inject({ url: '/v1/titles/t1', headers })).statusCode === 200 ? true : undefined
  })
  const { playbackToken } = (await start(api, { titleId: 't1' })).json<StartAnswer>()
  const answer = await api.app.inject({
    method: 'POST',
    url: '/v1/playback/heartbeat',
    headers: { 'content-type': 'text/plain' },
    payload: JSON.stringify({
      playbackToken,
      positionMs: 9,
      clientTimestamp: 4_000,
      sentAt: 5_000,
      played: [{ fromMs: 0, toMs: 9 }],
    }),
  })
  assert.equal(answer.statusCode, 204, answer.body)
  const beat = (await api.events('playback-events')).find((e) => e.type === 'Heartbeat')
  assert.ok(beat?.type === 'Heartbeat')
  assert.deepEqual([beat.meta.receivedAt - beat.meta.occurredAt, beat.meta.clock], [1_000, 'corrected'])
  assert.deepEqual([beat.facts?.durationMs, beat.facts?.creditsStartMs], [600_000, 590_000])
  assert.deepEqual(beat.played, [{ fromMs: 0, toMs: 9 }])
})

test('starts are counted by what is known, and by "other"', async (t) => {
  const api = await startPlaybackApi(t)
  await start(api, { titleId: 't1', quality: '1080p', deviceType: 'TV' }, { account: 'a' })
  await start(api, { titleId: 't1', quality: 'q-7f3', deviceType: 'fridge' }, { account: 'b' })
  const text = await api.registry.metrics()
  assert.match(text, /streaming_starts_total\{quality="1080p",content_type="unknown",device="tv"\} 1/)
  assert.match(text, /streaming_starts_total\{quality="other",content_type="unknown",device="other"\} 1/)
})

test('refusals: no token, a wrong one, an expired one, a bad body, too many', async (t) => {
  const api = await startPlaybackApi(t, { limits: { start: 2 } })
  const post = async (url: string, headers: Record<string, string>, payload: object) => {
    const answer = await api.app.inject({ method: 'POST', url, headers, payload })
    const { code, detail } = answer.json<{ code: string; detail: string }>()
    return [answer.statusCode, code, detail] as const
  }
  const url = '/v1/playback/start'
  const codeOf = async (...args: Parameters<typeof post>) => (await post(...args)).slice(0, 2)
  assert.deepEqual(await codeOf(url, {}, { titleId: 1 }), [401, 'TOKEN_MISSING'])
  assert.deepEqual(await codeOf(url, bearer(`${profileToken()}x`), {}), [401, 'TOKEN_INVALID'])
  assert.deepEqual(await codeOf(url, bearer(profileToken({ ttlS: -300 })), {}), [401, 'TOKEN_EXPIRED'])
  assert.deepEqual(await codeOf(url, { 'x-playhead-key': 'admin-key-0123456789' }, {}), [403, 'KEY_NOT_ALLOWED'])
  const [status, code, detail] = await post(url, bearer(profileToken()), { titleId: '' })
  assert.deepEqual([status, code], [400, 'FIELD_INVALID'])
  assert.match(detail, /"titleId"/)
  const begun = (await start(api, { titleId: 't' })).json<StartAnswer>()
  assert.deepEqual(await codeOf(url, bearer(profileToken()), { titleId: 't' }), [429, 'RATE_LIMITED'])
  for (const route of ['/v1/playback/heartbeat', '/v1/playback/stop']) {
    assert.deepEqual(await codeOf(route, {}, { positionMs: 1 }), [401, 'TOKEN_MISSING'])
    assert.deepEqual(await codeOf(route, bearer(profileToken()), { positionMs: 1 }), [401, 'TOKEN_INVALID'])
    assert.match((await post(route, bearer(begun.playbackToken), { positionMs: -1 }))[2], /"positionMs"/)
    assert.match((await post(route, bearer(begun.playbackToken), { positionMs: 1, sentAt: 'soon' }))[2], /"sentAt"/)
  }
  api.clock.aheadMs = 7 * 3_600_000
  assert.deepEqual(await codeOf('/v1/playback/heartbeat', bearer(begun.playbackToken), { positionMs: 1 }), [
    401,
    'TOKEN_EXPIRED',
  ])
})
