import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { API_LIMITS } from '../../api/limits.ts'
import { LogBusy, LogFull, LogUnavailable } from '../../log/errors.ts'
import type { EventLog } from '../../log/log.ts'
import { type EventsAnswer, heartbeat, NOW_MS, PUBLISHABLE, startApi, type TestApi } from './support.ts'

const post = (api: TestApi, payload: unknown, headers: Record<string, string> = PUBLISHABLE, url = '/v1/events') =>
  api.app.inject({ method: 'POST', url, headers, payload: payload as object })

async function stored({ log, codec }: TestApi, topic = 'playback-events') {
  const bounds = await log.bounds(topic)
  const answers = await Promise.all(
    bounds.map(({ partition, start }) =>
      log.read({ topic, partition, from: start, recordsMax: 1000, bytesMax: 1e6, waitMs: 0 }),
    ),
  )
  return answers.flatMap(({ records }, i) =>
    records.map((record) => {
      const decoded = codec.decode(record.value)
      assert.ok(decoded.ok)
      return { event: decoded.event, partition: bounds[i]!.partition, position: record.position, key: record.key }
    }),
  )
}

test('an event is answered with its place, and stands there, stamped with the app of its key', async (t) => {
  const api = await startApi(t)
  const answer = await post(api, { sentAt: 5_000, events: [heartbeat({ occurredAt: 4_000, positionMs: 42 })] })
  assert.equal(answer.statusCode, 202)
  const { accepted, rejected, results } = answer.json<EventsAnswer>()
  assert.deepEqual([accepted, rejected, results.length], [1, 0, 1])
  const [found] = await stored(api)
  assert.equal(found?.event.type, 'Heartbeat')
  assert.equal(found.key, 'ann')
  assert.deepEqual([`${found.position}`, found.partition], [results[0]?.position, results[0]?.partition])
  assert.equal(answer.headers['playhead-position'], `playback-events/${found.partition}@${found.position}`)
  const { eventId, occurredAt, receivedAt, source, appId, environment, clock, sentAt } = found.event.meta
  assert.deepEqual(
    { occurredAt, receivedAt, source, appId, environment, clock, sentAt },
    {
      occurredAt: NOW_MS - 1_000,
      receivedAt: NOW_MS,
      source: 'api',
      appId: 'shop',
      environment: 'staging',
      clock: 'corrected',
      sentAt: 5_000,
    },
  )
  assert.equal(eventId, results[0]?.eventId)
})

test('one bad event costs the others nothing, and is told which field is wrong and what to do', async (t) => {
  const api = await startApi(t)
  const events = [
    heartbeat(),
    heartbeat({ positionMs: 'late' }),
    heartbeat({ sequnce: 1 }),
    { type: 'Hartbeat' },
    'nonsense',
    heartbeat({ eventId: 'x' }),
    heartbeat({ occurredAt: 'yesterday' }),
    heartbeat({ meta: {} }),
    { type: 'GenerationPromoted', subject: 'views' },
    heartbeat({ sequence: 9 }),
  ]
  const answer = await post(api, events)
  const { accepted, rejected, results } = answer.json<EventsAnswer>()
  assert.deepEqual([answer.statusCode, accepted, rejected], [202, 2, 8])
  assert.deepEqual(
    results.map((r) => [r.status, r.code, r.field]),
    [
      ['accepted', undefined, undefined],
      ['rejected', 'EVENT_INVALID', 'positionMs'],
      ['rejected', 'EVENT_INVALID', 'sequnce'],
      ['rejected', 'EVENT_UNKNOWN', 'type'],
      ['rejected', 'EVENT_SHAPE', ''],
      ['rejected', 'EVENT_INVALID', 'eventId'],
      ['rejected', 'EVENT_INVALID', 'occurredAt'],
      ['rejected', 'EVENT_INVALID', 'meta'],
      ['rejected', 'EVENT_NOT_TAKEN', 'type'],
      ['accepted', undefined, undefined],
    ],
  )
  assert.match(results[3]?.remedy ?? '', /Heartbeat/)
  for (const r of results)
    if (r.status === 'rejected') assert.ok(r.problem !== '' && r.remedy !== '', JSON.stringify(r))
  assert.equal((await stored(api)).length, 2)
})

test('a request whose events are all bad is 422 and stores nothing', async (t) => {
  const api = await startApi(t)
  const answer = await post(api, { events: [{ type: 'Nope' }] })
  assert.equal(answer.statusCode, 422)
  assert.equal(answer.json<{ code: string }>().code, 'EVENTS_REJECTED')
  assert.equal(answer.json<EventsAnswer>().results.length, 1)
  assert.equal((await stored(api)).length, 0)
})

test('the same Idempotency-Key gives the same event ids, another app or index gives others', async (t) => {
  const api = await startApi(t)
  const send = async (key: string) => {
    const answer = await post(api, [heartbeat(), heartbeat({ sequence: 1 })], {
      ...PUBLISHABLE,
      'idempotency-key': key,
    })
    return answer.json<EventsAnswer>().results.map((r) => r.eventId)
  }
  const [first, again, other] = [await send('a'), await send('a'), await send('b')]
  assert.deepEqual(again, first)
  assert.equal(new Set([...first, ...other]).size, 4)
})

test('sendBeacon works: text/plain, the key in the query, no preflight needed', async (t) => {
  const api = await startApi(t)
  const answer = await post(
    api,
    JSON.stringify([heartbeat()]),
    { 'content-type': 'text/plain;charset=UTF-8', origin: 'https://player.example' },
    '/v1/events?key=pub-key-0123456789',
  )
  assert.equal(answer.statusCode, 202)
  assert.equal(answer.headers['access-control-allow-origin'], '*')
})

test('a gzip body is taken, a gzip bomb is cut off, broken gzip is named', async (t) => {
  const api = await startApi(t)
  const headers = { ...PUBLISHABLE, 'content-type': 'application/json', 'content-encoding': 'gzip' }
  const fine = await post(api, gzipSync(JSON.stringify([heartbeat()])), headers)
  assert.equal(fine.statusCode, 202)
  const bomb = await post(api, gzipSync(Buffer.alloc(API_LIMITS.inflatedBytesMax + 1, 0x20)), headers)
  assert.deepEqual([bomb.statusCode, bomb.json<{ code: string }>().code], [413, 'BODY_TOO_LARGE'])
  const broken = await post(api, Buffer.from('not gzip at all'), headers)
  assert.deepEqual([broken.statusCode, broken.json<{ code: string }>().code], [400, 'BODY_ENCODING_BROKEN'])
})

test('limits answer 413 and name themselves: bytes, events, one event', async (t) => {
  const api = await startApi(t)
  const wide = await post(api, Buffer.alloc(API_LIMITS.bodyBytesMax + 1, 0x20), {
    ...PUBLISHABLE,
    'content-type': 'application/json',
  })
  assert.deepEqual([wide.statusCode, wide.json<{ code: string }>().code], [413, 'BODY_TOO_LARGE'])
  const many = await post(api, {
    events: Array.from({ length: API_LIMITS.eventsPerRequestMax + 1 }, () => heartbeat()),
  })
  assert.deepEqual([many.statusCode, many.json<{ code: string }>().code], [413, 'TOO_MANY_EVENTS'])
  assert.match(many.json<{ detail: string }>().detail, /500/)
})

test('keys: none or an unknown one is 401, one of another kind 403, and the body is not read before', async (t) => {
  const api = await startApi(t)
  const cases = [
    [{}, 401, 'KEY_MISSING'],
    [{ authorization: 'Bearer nobody' }, 401, 'KEY_UNKNOWN'],
    [{ 'x-playhead-key': 'data-key-0123456789' }, 403, 'KEY_NOT_ALLOWED'],
  ] as const
  for (const [headers, status, code] of cases) {
    const answer = await post(api, 'not json', { 'content-type': 'application/json', ...headers })
    assert.deepEqual([answer.statusCode, answer.json<{ code: string }>().code], [status, code])
  }
  assert.equal((await post(api, [heartbeat()], { 'x-playhead-key': 'admin-key-0123456789' })).statusCode, 202)
})

const failing =
  (error: Error) =>
  (log: EventLog): EventLog => ({ ...log, append: () => Promise.reject(error) })

test('a log that is busy, away or full is said so, with when to come back', async (t) => {
  const cases = [
    [new LogBusy('full', 2_300), 429, 'LOG_BUSY', '3'],
    [new LogUnavailable('broker-7.internal:9092 is away'), 503, 'LOG_UNAVAILABLE', '2'],
    [new LogFull('ENOSPC on /srv'), 503, 'LOG_FULL', '60'],
  ] as const
  for (const [error, status, code, retryAfter] of cases) {
    const api = await startApi(t, failing(error))
    const answer = await post(api, [heartbeat()])
    assert.deepEqual([answer.statusCode, answer.json<{ code: string }>().code], [status, code])
    assert.equal(answer.headers['retry-after'], retryAfter)
    assert.doesNotMatch(answer.body, /internal:9092|\/srv/)
  }
})

test('an error that nobody expected is a bare 500 whose cause is only in the log, under the request id', async (t) => {
  const api = await startApi(t, failing(new TypeError('secret detail')))
  const answer = await post(api, [heartbeat()], { ...PUBLISHABLE, 'x-request-id': 'req-1' })
  assert.equal(answer.statusCode, 500)
  assert.doesNotMatch(answer.body, /secret detail/)
  assert.deepEqual([answer.headers['x-request-id'], answer.json<{ requestId: string }>().requestId], ['req-1', 'req-1'])
  assert.equal((api.failures[0] as { requestId: string }).requestId, 'req-1')
})

test('202 comes only after the append has resolved', async (t) => {
  let release: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  let entered: () => void = () => undefined
  const appending = new Promise<void>((resolve) => {
    entered = resolve
  })
  const api = await startApi(t, (log) => ({
    ...log,
    append: async (records) => {
      entered()
      await gate
      return log.append(records)
    },
  }))
  let answered = false
  const answer = post(api, [heartbeat()]).then((a) => {
    answered = true
    return a
  })
  await appending
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(answered, false)
  release()
  assert.equal((await answer).statusCode, 202)
})
