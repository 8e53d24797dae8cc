import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { WebSocket } from 'ws'
import { LIVE_LIMITS } from '../../api/live/limits.ts'
import type { LiveMessage } from '../../api/live/message.ts'
import type { NewEvent } from '../../schemas/index.ts'
import { bearer, metaAt, type PlaybackApi, profileToken, startPlaybackApi, until } from './playback-support.ts'

async function listening(
  t: TestContext,
  ...args: Parameters<typeof startPlaybackApi> extends [unknown, ...infer R] ? R : never
) {
  const api = await startPlaybackApi(t, ...args)
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = api.app.server.address() as { port: number }
  return { api, port, path: (profile = 'ann') => `127.0.0.1:${port}/v1/profiles/${profile}/live` }
}

interface Stream {
  readonly messages: LiveMessage[]
  readonly closed: Promise<unknown>
  stop(): void
}

async function openSse(url: string, headers: Record<string, string> = {}): Promise<Stream & { raw: () => string }> {
  const stopping = new AbortController()
  const answer = await fetch(`http://${url}`, { headers, signal: stopping.signal })
  assert.equal(answer.status, 200, answer.status === 200 ? '' : await answer.text())
  assert.match(String(answer.headers.get('content-type')), /^text\/event-stream/)
  const messages: LiveMessage[] = []
  let text = ''
  const read = async () => {
    const decoder = new TextDecoder()
    try {
      for await (const chunk of answer.body!) {
        text += decoder.decode(chunk as Uint8Array, { stream: true })
        messages.splice(
          0,
          messages.length,
          ...[...text.matchAll(/^data: (.*)$/gm)].map((m) => JSON.parse(m[1]!) as LiveMessage),
        )
      }
    } catch (error) {
      if (!stopping.signal.aborted) throw error
    }
  }
  return { messages, closed: read(), stop: () => stopping.abort(), raw: () => text }
}

function openSocket(url: string, protocols: string[] = [], headers = {}): Stream & { readonly socket: WebSocket } {
  const socket = new WebSocket(`ws://${url}`, protocols, { headers })
  const messages: LiveMessage[] = []
  socket.on('message', (data) => messages.push(JSON.parse(String(data)) as LiveMessage))
  return { socket, messages, closed: once(socket, 'close'), stop: () => socket.terminate() }
}

const ready = (stream: Stream) => until('ready', () => stream.messages.find((m) => m.type === 'ready'))
const progress = (stream: Stream, titleId: string, positionMs: number) =>
  until(`${titleId} at ${positionMs}`, () =>
    stream.messages.find((m) => m.type === 'progress' && m.titleId === titleId && m.positionMs === positionMs),
  )

const reported = (titleId: string, positionMs: number, profileId = 'ann', atMs = Date.now()): NewEvent => ({
  type: 'ProgressReported',
  meta: metaAt(atMs),
  profileId,
  titleId,
  positionMs,
  durationMs: 100_000,
  played: [],
})

const put = (api: PlaybackApi, titleId: string, positionMs: number) =>
  api.app.inject({
    method: 'PUT',
    url: `/v1/profiles/ann/progress/${titleId}`,
    headers: bearer(profileToken()),
    payload: { positionMs, durationMs: 100_000 },
  })

test('a change on one device is on the others within a second, over both kinds of stream', async (t) => {
  const { api, path } = await listening(t)
  const sse = await openSse(path(), bearer(profileToken()))
  const socket = openSocket(path(), [], bearer(profileToken()))
  await Promise.all([ready(sse), ready(socket)])
  const began = performance.now()
  assert.ok((await put(api, 't1', 61_000)).statusCode < 300)
  const [one, two] = await Promise.all([progress(sse, 't1', 61_000), progress(socket, 't1', 61_000)])
  assert.ok(performance.now() - began < 1_000, `it took ${performance.now() - began} ms`)
  assert.deepEqual(one, two)
  assert.ok(one?.type === 'progress')
  assert.deepEqual([one.durationMs, one.percent, one.completed, one.started], [100_000, 61, false, true])
  sse.stop()
  socket.stop()
})

test('a stream tells of its own profile only', async (t) => {
  const { api, path } = await listening(t)
  const [ann, bob] = [
    await openSse(path('ann'), bearer(profileToken())),
    await openSse(path('bob'), bearer(profileToken({ profile: 'bob' }))),
  ]
  await Promise.all([ready(ann), ready(bob)])
  for (const profileId of ['ann', 'bob', 'carl']) await api.append(reported(`of ${profileId}`, 5, profileId))
  await Promise.all([progress(ann, 'of ann', 5), progress(bob, 'of bob', 5)])
  assert.deepEqual(ann.messages.length, 2)
  assert.deepEqual(bob.messages.length, 2)
  ann.stop()
  bob.stop()
})

test('many changes of a title become few messages, the last of them the last change', async (t) => {
  const { api, path } = await listening(t)
  const sse = await openSse(path(), bearer(profileToken()))
  await ready(sse)
  const began = performance.now()
  const firstMs = Date.now() - 1_000
  // Each with a time of its own: of two reports of one moment the last appended need not win.
  for (let n = 1; n <= 40; n++) await api.append(reported('t1', n * 1_000, 'ann', firstMs + n))
  await progress(sse, 't1', 40_000)
  const rounds = Math.ceil((performance.now() - began) / LIVE_LIMITS.sendEveryMs) + 1
  const sent = sse.messages.filter((m) => m.type === 'progress')
  assert.ok(sent.length <= rounds, `${sent.length} messages in ${rounds} rounds`)
  sse.stop()
})

test('one that comes back gets the current rows, then what changes', async (t) => {
  const { api, path } = await listening(t)
  const first = await openSse(path(), bearer(profileToken()))
  await ready(first)
  await api.append(reported('t1', 1_000))
  await progress(first, 't1', 1_000)
  assert.match(first.raw(), /^id: /m)
  first.stop()
  await put(api, 't2', 2_000)
  await until('t2 is folded', async () => {
    const row = await api.app.inject({ url: '/v1/profiles/ann/progress/t2', headers: bearer(profileToken()) })
    return row.statusCode === 200 ? true : undefined
  })
  const again = await openSse(path(), { ...bearer(profileToken()), 'last-event-id': '0' })
  await ready(again)
  assert.deepEqual(
    again.messages.map((m) => ('titleId' in m ? m.titleId : m.type)),
    ['t1', 't2', 'ready'],
  )
  await api.append(reported('t1', 9_000))
  await progress(again, 't1', 9_000)
  again.stop()
})

test('browsers: the token as WebSocket protocol or in the query', async (t) => {
  const { path } = await listening(t)
  const named = openSocket(path(), ['playhead', `playhead.token.${profileToken()}`])
  await ready(named)
  assert.equal(named.socket.protocol, 'playhead')
  const queried = openSocket(`${path()}?token=${profileToken()}`)
  const sse = await openSse(`${path()}?token=${profileToken()}`)
  await Promise.all([ready(queried), ready(sse)])
  for (const stream of [named, queried, sse]) stream.stop()
})

test('refusals are problem documents on both kinds: no token, another profile, none left', async (t) => {
  const { path } = await listening(t)
  const refusal = async (url: string, headers: Record<string, string> = {}) => {
    const plain = await fetch(`http://${url}`, { headers })
    const socket = new WebSocket(`ws://${url}`, { headers })
    const [, answer] = (await once(socket, 'unexpected-response')) as [
      unknown,
      AsyncIterable<Buffer> & { statusCode: number },
    ]
    let body = ''
    for await (const chunk of answer) body += String(chunk)
    const codes = [((await plain.json()) as { code: string }).code, (JSON.parse(body) as { code: string }).code]
    assert.deepEqual([plain.status, codes[0]], [answer.statusCode, codes[1]])
    return [plain.status, codes[0]]
  }
  assert.deepEqual(await refusal(path()), [401, 'TOKEN_MISSING'])
  assert.deepEqual(await refusal(path(), bearer(`${profileToken()}x`)), [401, 'TOKEN_INVALID'])
  assert.deepEqual(await refusal(path('bob'), bearer(profileToken())), [403, 'PROFILE_NOT_YOURS'])
  const streams = await Promise.all(
    Array.from({ length: LIVE_LIMITS.subscribersPerProfileMax }, () => openSse(path(), bearer(profileToken()))),
  )
  assert.deepEqual(await refusal(path(), bearer(profileToken())), [429, 'LIVE_LIMIT'])
  streams[0]?.stop()
  const next = await until('a place is free again', async () => {
    const answer = await fetch(`http://${path()}`, { headers: bearer(profileToken()) })
    if (answer.status === 200) return answer
    await answer.body?.cancel()
    return undefined
  })
  await next.body?.cancel()
  for (const stream of streams.slice(1)) stream.stop()
})

test('an erased profile, an expired token: the stream says so and ends', async (t) => {
  const { api, path } = await listening(t)
  const short = openSocket(path(), [], bearer(profileToken({ ttlS: 1 })))
  const [sse, socket] = [await openSse(path(), bearer(profileToken())), openSocket(path(), [], bearer(profileToken()))]
  await Promise.all([ready(sse), ready(socket), short.closed])
  assert.deepEqual(short.messages.at(-1), { type: 'end', reason: 'expired' })
  await api.append({ type: 'ProfileErased', meta: metaAt(Date.now()), profileId: 'ann' })
  await Promise.all([sse.closed, socket.closed])
  for (const stream of [sse, socket]) assert.deepEqual(stream.messages.at(-1), { type: 'end', reason: 'erased' })
})

test('closing the API ends every stream at once', async (t) => {
  const { api, path } = await listening(t)
  const [sse, socket] = [await openSse(path(), bearer(profileToken())), openSocket(path(), [], bearer(profileToken()))]
  await Promise.all([ready(sse), ready(socket)])
  const began = performance.now()
  await Promise.all([api.app.close(), sse.closed, socket.closed])
  assert.ok(performance.now() - began < 2_000)
  for (const stream of [sse, socket]) assert.deepEqual(stream.messages.at(-1), { type: 'end', reason: 'closing' })
})

test('a client that offers HTTP/2 with its request is answered as any other', async (t) => {
  const { port } = await listening(t)
  const body = JSON.stringify([
    { type: 'Heartbeat', profileId: 'ann', sessionId: 's', titleId: 't', sequence: 0, positionMs: 1 },
  ])
  const lines = [
    'POST /v1/events HTTP/1.1',
    'Host: x',
    'Connection: Upgrade, HTTP2-Settings',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
    'X-Playhead-Key: pub-key-0123456789',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  const socket = connect(port, '127.0.0.1')
  // The body comes later than its head, as it does on a network.
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  await new Promise((resolve) => setImmediate(resolve))
  socket.write(body)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  assert.match(String(answer), /^HTTP\/1\.1 202 /)
  socket.destroy()
})
