import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { PUBLISHABLE, startApi } from './support.ts'

test('health, readiness and a page that says what there is', async (t) => {
  const { app } = await startApi(t)
  assert.equal((await app.inject('/healthz')).statusCode, 200)
  assert.deepEqual((await app.inject('/readyz')).json(), { ready: true, complaints: [] })
  assert.equal((await app.inject('/')).json<{ post: string }>().post, '/v1/events')
})

test('metrics are for this machine and for keys that may read', async (t) => {
  const { app } = await startApi(t)
  const status = async (headers: Record<string, string>, remoteAddress = '10.0.0.7') =>
    (await app.inject({ url: '/metrics', headers, remoteAddress })).statusCode
  assert.equal(await status({}, '127.0.0.1'), 200)
  assert.equal(await status({ 'x-forwarded-for': '10.0.0.7' }, '127.0.0.1'), 401)
  assert.equal(await status({}), 401)
  assert.equal(await status(PUBLISHABLE), 403)
  assert.equal(await status({ authorization: 'Bearer data-key-0123456789' }), 200)
})

test('metrics count what was accepted and rejected, by type and code', async (t) => {
  const { app } = await startApi(t)
  const event = { type: 'PlaybackPaused', profileId: 'a', sessionId: 's', titleId: 't', sequence: 0, positionMs: 1 }
  await app.inject({ method: 'POST', url: '/v1/events', headers: PUBLISHABLE, payload: [event, { type: 'X' }] })
  const { body } = await app.inject({ url: '/metrics', remoteAddress: '127.0.0.1' })
  assert.match(body, /playhead_events_accepted_total\{type="PlaybackPaused"\} 1/)
  assert.match(body, /playhead_events_rejected_total\{code="EVENT_UNKNOWN"\} 1/)
  assert.match(body, /playhead_api_requests_total\{route="\/v1\/events",method="POST",status="202"\} 1/)
})

test('problems are RFC 9457 documents with a stable code and the request id', async (t) => {
  const { app } = await startApi(t)
  const answer = await app.inject('/nowhere')
  assert.equal(answer.statusCode, 404)
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
  const { type, title, status, code, requestId } = answer.json<Record<string, unknown>>()
  assert.deepEqual([type, status, code], ['urn:playhead:problem:not-found', 404, 'NOT_FOUND'])
  assert.ok(title)
  assert.equal(requestId, answer.headers['x-request-id'])
})

test('a preflight is answered without a key; another origin is not let in where origins are listed', async (t) => {
  const { app } = await startApi(t)
  const answer = await app.inject({
    method: 'OPTIONS',
    url: '/v1/events',
    headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' },
  })
  assert.equal(answer.statusCode, 204)
  assert.match(String(answer.headers['access-control-allow-headers']), /authorization/)
})

test('the schema registry is served beside the events', async (t) => {
  const { app } = await startApi(t)
  const subjects = (await app.inject('/subjects')).json<string[]>()
  assert.ok(subjects.includes('playhead.playback.Heartbeat'))
})

test('bytes that are no HTTP end the connection with 400, and the server lives on', async (t) => {
  const { app } = await startApi(t)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as { port: number }
  for (const bytes of [
    '\u0000\u0001\u0002\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    'POST /v1/events HTTP/1.1\r\nContent-Length: x\r\n\r\n',
  ]) {
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
      let text = ''
      socket.setEncoding('utf8')
      socket.on('data', (chunk: string) => {
        text += chunk
      })
      socket.on('close', () => resolve(text))
      socket.on('error', reject)
    })
    assert.match(answer, /^HTTP\/1\.1 4\d\d /)
  }
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200)
})
