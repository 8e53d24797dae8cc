/** The collector: who may report, whose it is, what is answered, what comes of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { cmcdEvents, playbackToken, post, RECORDS_MAX } from './cmcd-support.ts'
import { startHarness } from './harness.ts'
import { NOW_MS, PUBLISHABLE } from './support.ts'

const AT = NOW_MS - 1_000
const RECORD = `cid="film",e=ps,sid="s1",sn=0,sta=s,ts=${AT},v=2`

test('a player with a playback token in the address reports for its profile', async (t) => {
  const h = await startHarness(t)
  const token = await playbackToken(h)
  const answer = await post(h, `/v1/cmcd/${token}`, `${RECORD}\n`)
  assert.equal(answer.statusCode, 204)
  assert.equal(answer.body, '')
  assert.equal(answer.headers['playhead-cmcd'], 'taken=1, left-out=0, faults=0')
  assert.match(String(answer.headers['playhead-position']), /^playback-events\/\d+@\d+/)
  const [event] = await cmcdEvents(h)
  assert.equal(event?.type, 'CmcdReport')
  assert.deepEqual([event.profileId, event.sessionId, event.titleId], ['ann', 's1', 'film'])
  assert.equal(event.meta.occurredAt, AT)
  assert.equal(event.meta.source, 'cmcd')
  assert.equal(event.raw, RECORD)
})

test('a token may come in Authorization or in the query, and a record without ids is of the token', async (t) => {
  const h = await startHarness(t)
  const token = await playbackToken(h)
  const bare = (sn: number) => `e=t,sn=${sn},ts=${AT},v=2`
  assert.equal((await post(h, '/v1/cmcd', bare(1), { authorization: `Bearer ${token}` })).statusCode, 204)
  assert.equal((await post(h, `/v1/cmcd?token=${token}`, bare(2))).statusCode, 204)
  const events = await cmcdEvents(h)
  assert.deepEqual(
    events.map(({ sessionId, titleId }) => [sessionId, titleId]),
    [
      ['session-1', 'title-1'],
      ['session-1', 'title-1'],
    ],
  )
})

test('a session that plays two titles is one session with two views', async (t) => {
  const h = await startHarness(t)
  const body = [RECORD, `cid="other",e=c,sid="s1",sn=1,ts=${AT + 5},v=2`].join('\n')
  assert.equal((await post(h, '/v1/cmcd', body, PUBLISHABLE)).statusCode, 204)
  const events = await cmcdEvents(h)
  assert.deepEqual(
    events.map(({ titleId }) => titleId),
    ['film', 'other'],
  )
  assert.equal(new Set(events.map(({ profileId }) => profileId)).size, 1)
})

test('with a publishable key a session is of an anonymous profile that says nothing of it', async (t) => {
  const h = await startHarness(t)
  const key = String(PUBLISHABLE.authorization).slice(7)
  assert.equal((await post(h, `/v1/cmcd?key=${key}&player=hls.js/1.7.4&target=a`, RECORD)).statusCode, 204)
  const [event] = await cmcdEvents(h)
  assert.match(event!.profileId ?? '', /^anon-[0-9a-f]{24}$/)
  assert.equal(event!.target, 'a')
  assert.deepEqual([event!.context?.player, event!.context?.playerVersion], ['hls.js', '1.7.4'])
  assert.equal(event!.meta.appId, 'shop')
})

test('a repeated request adds nothing that counts: its records have the ids they had', async (t) => {
  const h = await startHarness(t)
  const body = [RECORD, `e=ps,sid="s1",sn=1,sta=p,ts=${AT + 700},v=2`].join('\n')
  for (let i = 0; i < 2; i++) assert.equal((await post(h, '/v1/cmcd', body, PUBLISHABLE)).statusCode, 204)
  const events = await cmcdEvents(h)
  assert.equal(events.length, 4)
  assert.equal(new Set(events.map(({ meta }) => meta.eventId)).size, 2)
})

test('bad records cost the good ones nothing, and a body of bad records is answered 204 too', async (t) => {
  const h = await startHarness(t)
  const body = ['<html>', RECORD, 'e=t,sid="s1",v=9', `x="${'y'.repeat(9_000)}"`, `e=t,ts=${AT},v=2`].join('\n')
  const answer = await post(h, '/v1/cmcd', body, PUBLISHABLE)
  assert.equal(answer.statusCode, 204)
  assert.match(String(answer.headers['playhead-cmcd']), /^taken=1, left-out=4/)
  assert.equal((await cmcdEvents(h)).length, 1)
  assert.equal((await post(h, '/v1/cmcd', '\u0000', PUBLISHABLE)).statusCode, 204)
  assert.equal((await post(h, '/v1/cmcd', '', PUBLISHABLE)).statusCode, 204)
})

test('any content type will do, and none, and gzip', async (t) => {
  const h = await startHarness(t)
  const types = [
    'application/cmcd',
    'text/cmcd',
    'text/plain;charset=UTF-8',
    'application/octet-stream',
    'application/json',
    undefined,
  ]
  for (const [i, type] of types.entries()) {
    const headers = { ...PUBLISHABLE, ...(type !== undefined && { 'content-type': type }) }
    const answer = await h.app.inject({
      method: 'POST',
      url: '/v1/cmcd',
      headers,
      payload: RECORD.replace('sn=0', `sn=${i}`),
    })
    assert.equal(answer.statusCode, 204, type)
  }
  const packed = await post(h, '/v1/cmcd', gzipSync(RECORD), { ...PUBLISHABLE, 'content-encoding': 'gzip' })
  assert.equal(packed.statusCode, 204)
  assert.equal((await cmcdEvents(h)).length, types.length + 1)
  assert.equal((await post(h, '/v1/cmcd', RECORD, { ...PUBLISHABLE, 'content-encoding': 'gzip' })).statusCode, 400)
  assert.equal((await post(h, '/v1/cmcd', RECORD, { ...PUBLISHABLE, 'content-encoding': 'br' })).statusCode, 415)
})

test('no or wrong credentials, too much and too many are refused, each with its problem', async (t) => {
  const h = await startHarness(t)
  const code = async (url: string, body: string | Buffer, headers = {}) => {
    const answer = await post(h, url, body, headers)
    return [answer.statusCode, (answer.json() as { code: string }).code]
  }
  assert.deepEqual(await code('/v1/cmcd', RECORD), [401, 'KEY_MISSING'])
  assert.deepEqual(await code('/v1/cmcd?key=nobody', RECORD), [401, 'KEY_UNKNOWN'])
  assert.deepEqual(await code('/v1/cmcd?key=data-key-0123456789', RECORD), [403, 'KEY_NOT_ALLOWED'])
  assert.deepEqual(await code('/v1/cmcd/nonsense', RECORD), [401, 'TOKEN_INVALID'])
  const many = `${RECORD}\n`.repeat(RECORDS_MAX + 1)
  assert.deepEqual(await code('/v1/cmcd', many, PUBLISHABLE), [413, 'TOO_MANY_EVENTS'])
  assert.deepEqual(await code('/v1/cmcd', 'x'.repeat(1_100_000), PUBLISHABLE), [413, 'BODY_TOO_LARGE'])
  const bomb = gzipSync(Buffer.alloc(5_000_000, 'x'))
  assert.deepEqual(await code('/v1/cmcd', bomb, { ...PUBLISHABLE, 'content-encoding': 'gzip' }), [
    413,
    'BODY_TOO_LARGE',
  ])
  assert.equal((await cmcdEvents(h)).length, 0)
})

test('a token whose time is over is answered 410, so that the player stops; too many requests 429', async (t) => {
  const h = await startHarness(t, { limits: { events: 2 } })
  const token = await playbackToken(h)
  const statuses: number[] = []
  for (let i = 0; i < 3; i++) statuses.push((await post(h, `/v1/cmcd/${token}`, RECORD)).statusCode)
  assert.deepEqual(statuses, [204, 204, 429])
  h.clock.ms += 7 * 3_600_000
  const over = await post(h, `/v1/cmcd/${token}`, RECORD)
  assert.equal(over.statusCode, 410)
  assert.equal(over.json().code, 'SESSION_OVER')
})

test('a preflight is answered, also for the headers of request mode', async (t) => {
  const h = await startHarness(t)
  for (const url of ['/v1/cmcd', '/v1/cmcd/some.token.here', '/v1/cmcd/request']) {
    const answer = await h.app.inject({
      method: 'OPTIONS',
      url,
      headers: {
        origin: 'https://page.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    })
    assert.equal(answer.statusCode, 204)
    assert.equal(answer.headers['access-control-allow-origin'], '*')
    assert.match(String(answer.headers['access-control-allow-headers']), /cmcd-object.*content-type/)
  }
})

test('a response is a report and a request, and both are counted once', async (t) => {
  const h = await startHarness(t)
  const record = `cid="film",e=rr,rc=200,sid="s1",sn=2,sta=p,ts=${AT},ttfb=20,ttlb=90,url="https://cdn.example/a.m4s?x=1",v=2`
  for (let i = 0; i < 2; i++) await post(h, '/v1/cmcd', record, PUBLISHABLE)
  const events = await cmcdEvents(h)
  assert.deepEqual(events.map(({ type }) => type).sort(), ['CmcdReport', 'CmcdReport', 'CmcdRequest', 'CmcdRequest'])
  assert.equal(new Set(events.map(({ meta }) => meta.eventId)).size, 2)
  const request = events.find(({ type }) => type === 'CmcdRequest')!
  assert.deepEqual([request.url, request.status, request.totalMs], ['https://cdn.example/a.m4s', 200, 90])
})

test('request mode comes by query or headers, by GET or POST, and headers beat the query', async (t) => {
  const h = await startHarness(t)
  const query = encodeURIComponent('br=3200,ot=v,sid="s1",cid="film"')
  const object = encodeURIComponent('https://cdn.example/1.m4s?secret=1')
  const get = await h.app.inject({
    method: 'GET',
    url: `/v1/cmcd/request?CMCD=${query}&url=${object}`,
    headers: PUBLISHABLE,
  })
  assert.equal(get.statusCode, 204)
  const token = await playbackToken(h)
  const headers = { 'cmcd-object': 'br=800,ot=v', 'cmcd-session': 'sid="s2"' }
  const both = await h.app.inject({ method: 'POST', url: `/v1/cmcd/request/${token}?CMCD=${query}`, headers })
  assert.equal(both.statusCode, 204)
  const events = await cmcdEvents(h)
  assert.deepEqual(
    events.map(({ type, sessionId, titleId, bitrateKbps, url, method }) => [
      type,
      sessionId,
      titleId,
      bitrateKbps,
      url,
      method,
    ]),
    [
      ['CmcdRequest', 's1', 'film', 3_200, 'https://cdn.example/1.m4s', null],
      ['CmcdRequest', 's2', 'title-1', 800, null, null],
    ],
  )
  const neither = await h.app.inject({ method: 'GET', url: '/v1/cmcd/request', headers: PUBLISHABLE })
  assert.equal(neither.statusCode, 400)
})

test('a position by a custom key is a place to resume, for the profile of the token', async (t) => {
  const h = await startHarness(t)
  const token = await playbackToken(h)
  const record = `cid="film",com.playhead-pt=62000,e=t,sid="s1",sn=4,sta=p,ts=${AT},v=2`
  const answer = await post(h, `/v1/cmcd/${token}`, record)
  const read = await h.call('GET', '/v1/profiles/ann/progress/film', {
    ...h.as('ann'),
    'playhead-position': String(answer.headers['playhead-position']),
  })
  assert.equal(read.statusCode, 200)
  assert.equal(read.json().positionMs, 62_000)
})

test('reports of a stock player keep its stream slot', async (t) => {
  const h = await startHarness(t)
  const token = await playbackToken(h)
  const slots = async () => (await cmcdEvents(h, 'account-events')).map(({ type }) => type)
  await post(h, `/v1/cmcd/${token}`, RECORD)
  assert.deepEqual((await slots()).filter((type) => type === 'StreamSlotRenewed').length, 1)
  h.clock.ms += 5_000
  await post(h, `/v1/cmcd/${token}`, RECORD)
  assert.equal((await slots()).filter((type) => type === 'StreamSlotRenewed').length, 1)
  h.clock.ms += 15_000
  await post(h, `/v1/cmcd/${token}`, RECORD)
  assert.equal((await slots()).filter((type) => type === 'StreamSlotRenewed').length, 2)
})
