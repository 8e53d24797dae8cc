import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Breaker } from '../../api/breaker.ts'
import { guardedProgress } from '../../api/guarded.ts'
import { LogBusy } from '../../log/errors.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import { ADMIN, type Harness, startHarness } from './harness.ts'
import { NOW_MS } from './support.ts'

const HOUR_MS = 3_600_000

const url = (titleId: string, profileId = 'ann') => `/v1/profiles/${profileId}/progress/${titleId}`

async function put(api: Harness, titleId: string, body: object, query = '') {
  return await api.call('PUT', `${url(titleId)}${query}`, api.as('ann'), body)
}

/** Reads after what was written. */
async function read(api: Harness, path: string, written: { headers: Record<string, unknown> }) {
  const position = String(written.headers['playhead-position'])
  const answer = await api.call('GET', path, { ...api.as('ann'), 'playhead-position': position })
  if (answer.statusCode < 400) assert.equal(answer.headers['playhead-position-passed'], 'true')
  return answer
}

test('a report can be read again as soon as the read waits for its position', async (t) => {
  const api = await startHarness(t)
  const written = await put(api, 't1', { positionMs: 300_000, durationMs: 1_200_000, deviceId: 'tv' })
  assert.equal(written.statusCode, 200, written.body)
  const body = written.json<Record<string, unknown>>()
  assert.match(String(body.eventId), /^[0-9a-f-]{36}$/)
  assert.deepEqual(
    { ...body, eventId: undefined, position: undefined },
    { success: true, wasUpdated: true, serverTimestamp: NOW_MS, eventId: undefined, position: undefined },
  )
  assert.match(String(body.position), /^playback-events\/\d@\d+$/)
  assert.equal(written.headers['playhead-position'], body.position)
  const shown = (await read(api, url('t1'), written)).json<Record<string, unknown>>()
  assert.deepEqual(shown, {
    profileId: 'ann',
    titleId: 't1',
    positionMs: 300_000,
    durationMs: 1_200_000,
    percent: 25,
    minutesRemaining: 15,
    updatedAt: NOW_MS,
    seriesId: null,
    season: null,
    episode: null,
    label: null,
    completed: false,
    device: 'tv',
    watchedMs: 0,
    watched: '',
    plays: 1,
    firstWatchedAt: NOW_MS,
    lastWatchedAt: NOW_MS,
  })
  assert.equal((await api.call('GET', url('t2'), api.as('ann'))).json<{ code: string }>().code, 'PROGRESS_NONE')
})

test('a device and an account are sealed in the log', async (t) => {
  const api = await startHarness(t, { folding: false })
  await put(api, 't1', { positionMs: 1, deviceId: 'the-living-room' })
  const { records } = await api.log.read({
    topic: 'playback-events',
    partition: await partitionOfAnn(api),
    from: 0n,
    bytesMax: 1e6,
    recordsMax: 10,
    waitMs: 0,
  })
  assert.equal(records.length, 1)
  assert.ok(!records[0]!.value.includes('the-living-room') && !records[0]!.value.includes('ann-account'))
  const decoded = api.codec.decode(records[0]!.value)
  assert.ok(decoded.ok && decoded.event.type === 'ProgressReported' && decoded.event.personal?.sealed)
})

async function partitionOfAnn(api: Harness): Promise<number> {
  const bounds = await api.log.bounds('playback-events')
  return bounds.find(({ start, end }) => end > start)!.partition
}

test('an older report is told that it lost, and does not move the position', async (t) => {
  const api = await startHarness(t)
  const newer = await put(api, 't1', { positionMs: 500, clientTimestamp: NOW_MS - 1_000 })
  await read(api, url('t1'), newer)
  const older = await put(api, 't1', { positionMs: 900, clientTimestamp: NOW_MS - 2_000 })
  assert.equal(older.json<{ wasUpdated: boolean }>().wasUpdated, false)
  assert.equal((await read(api, url('t1'), older)).json<{ positionMs: number }>().positionMs, 500)
})

test('with wait the verdict is read off the row after, even against reports not yet folded', async (t) => {
  const api = await startHarness(t, { folding: false })
  await put(api, 't1', { positionMs: 500, clientTimestamp: NOW_MS - 1_000 })
  const [late] = await Promise.all([
    put(api, 't1', { positionMs: 900, clientTimestamp: NOW_MS - 2_000 }, '?wait=true'),
    api.fold(),
  ])
  assert.equal(late.json<{ wasUpdated: boolean }>().wasUpdated, false)
})

test('a clock that is a day ahead freezes nothing, and one that is years behind is corrected by sentAt', async (t) => {
  const api = await startHarness(t)
  await put(api, 't1', { positionMs: 100, clientTimestamp: NOW_MS + 24 * HOUR_MS })
  api.clock.ms += 1_000
  const next = await put(api, 't1', { positionMs: 200, clientTimestamp: NOW_MS + 24 * HOUR_MS + 1_000 })
  assert.equal((await read(api, url('t1'), next)).json<{ positionMs: number }>().positionMs, 200)
  api.clock.ms += 60_000
  const sent = { clientTimestamp: 1_000, sentAt: 11_000 }
  const corrected = await put(api, 't1', { positionMs: 300, ...sent })
  const shown = (await read(api, url('t1'), corrected)).json<{ positionMs: number; updatedAt: number }>()
  assert.deepEqual([shown.positionMs, shown.updatedAt], [300, api.clock.ms - 10_000])
})

test('a cleared title is gone until it is reported again; a mark completes it', async (t) => {
  const api = await startHarness(t)
  await put(api, 't1', { positionMs: 100_000 })
  api.clock.ms += 1_000
  const cleared = await api.call('DELETE', url('t1'), api.as('ann'))
  assert.equal(cleared.statusCode, 200, cleared.body)
  assert.equal((await read(api, url('t1'), cleared)).statusCode, 404)
  api.clock.ms += 1_000
  const again = await put(api, 't1', { positionMs: 120_000 })
  assert.equal((await read(api, url('t1'), again)).json<{ positionMs: number }>().positionMs, 120_000)
  api.clock.ms += 1_000
  const marked = await api.call('POST', `${url('t1')}/watched`, api.as('ann'))
  assert.equal(marked.statusCode, 200, marked.body)
  assert.equal((await read(api, url('t1'), marked)).json<{ completed: boolean }>().completed, true)
  api.clock.ms += 1_000
  const taken = await api.call('POST', `${url('t1')}/watched`, api.as('ann'), { watched: false })
  assert.equal((await read(api, url('t1'), taken)).json<{ completed: boolean }>().completed, false)
})

test('a position runs out after 90 days', async (t) => {
  const api = await startHarness(t)
  const written = await put(api, 't1', { positionMs: 100_000 })
  assert.equal((await read(api, url('t1'), written)).statusCode, 200)
  api.clock.ms += 91 * 24 * HOUR_MS
  assert.equal((await api.call('GET', url('t1'), api.as('ann'))).statusCode, 404)
})

test('the same Idempotency-Key gives the same event id; with another request it is refused', async (t) => {
  const api = await startHarness(t, { folding: false })
  const send = async (headers: Record<string, string>, body: object, titleId = 't1', profileId = 'ann') =>
    await api.call('PUT', url(titleId, profileId), { ...headers, 'idempotency-key': 'k1' }, body)
  const first = (await send(api.as('ann'), { positionMs: 1 })).json<{ eventId: string }>()
  const retry = (await send(api.as('ann'), { positionMs: 1 })).json<{ eventId: string }>()
  assert.equal(first.eventId, retry.eventId)
  for (const reused of [
    await send(api.as('ann'), { positionMs: 2 }),
    await send(api.as('ann'), { positionMs: 1 }, 't2'),
  ]) {
    assert.deepEqual([reused.statusCode, reused.json<{ code: string }>().code], [422, 'IDEMPOTENCY_REUSED'])
  }
  const other = (await send(api.as('bob'), { positionMs: 1 }, 't1', 'bob')).json<{ eventId: string }>()
  assert.notEqual(other.eventId, first.eventId)
  api.clock.ms += 11 * 60_000
  assert.equal((await send(api.as('ann'), { positionMs: 2 })).statusCode, 200, 'forgotten after ten minutes')
  const bad = await api.call('PUT', url('t1'), { ...api.as('ann'), 'idempotency-key': 'a b' }, { positionMs: 1 })
  assert.equal(bad.json<{ code: string }>().code, 'IDEMPOTENCY_KEY')
})

test('every route of a profile refuses strangers, and bodies that are wrong by the field', async (t) => {
  const api = await startHarness(t, { folding: false })
  const routes = [
    ['PUT', url('t1')],
    ['DELETE', url('t1')],
    ['POST', `${url('t1')}/watched`],
    ['POST', '/v1/profiles/ann/progress/batch'],
    ['GET', url('t1')],
    ['GET', '/v1/profiles/ann/continue-watching'],
    ['GET', '/v1/profiles/ann/history'],
  ] as const
  const refused: readonly (readonly [Record<string, string>, number, string])[] = [
    [{}, 401, 'TOKEN_MISSING'],
    [{ authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.AAAA' }, 401, 'TOKEN_INVALID'],
    [{ 'x-playhead-key': 'nobody-key-0123456789' }, 401, 'KEY_UNKNOWN'],
    [api.as('ann', { exp: NOW_MS / 1000 - 3_600 }), 401, 'TOKEN_EXPIRED'],
    [api.as('bob'), 403, 'PROFILE_NOT_YOURS'],
  ]
  for (const [method, path] of routes) {
    for (const [headers, status, code] of refused) {
      const answer = await api.call(method, path, headers)
      assert.deepEqual([answer.statusCode, answer.json<{ code: string }>().code], [status, code], `${method} ${path}`)
      assert.match(String(answer.headers['content-type']), /problem\+json/)
    }
    const admin = await api.call(method, path, ADMIN)
    assert.ok(![401, 403].includes(admin.statusCode), `${method} ${path} ${admin.body}`)
  }
})

test('a bad field is named, with what is wanted', async (t) => {
  const api = await startHarness(t, { folding: false })
  const cases: readonly (readonly [object, string, RegExp])[] = [
    [{}, 'positionMs', /is missing\. Send a whole number from 0/],
    [{ positionMs: -1 }, 'positionMs', /is not a whole number from 0/],
    [{ positionMs: 1.5 }, 'positionMs', /whole number/],
    [{ positionMs: 1, durationMs: 'x' }, 'durationMs', /whole number from 0 .* or null/],
    [{ positionMs: 1, deviceId: '' }, 'deviceId', /text of 1 to 128/],
    [{ positionMs: 1, played: [{ fromMs: 0, toMs: 1 }, { fromMs: 5 }] }, 'played[1].toMs', /is missing/],
    [{ positionMs: 1, played: [{ fromMs: 5, toMs: 1 }] }, 'played[0].toMs', /is before fromMs/],
    [{ positionMs: 1, clientTimestamp: 'yesterday' }, 'clientTimestamp', /is no time/],
    [{ positionMs: 1, sentAt: -5 }, 'sentAt', /whole number/],
    [{ positionMs: 1, postion: 1 }, 'postion', /is not known here/],
  ]
  for (const [body, field, detail] of cases) {
    const answer = await put(api, 't1', body)
    const problem = answer.json<{ code: string; field: string; detail: string; in: string }>()
    assert.deepEqual(
      [answer.statusCode, problem.code, problem.field, problem.in],
      [400, 'FIELD_INVALID', field, 'body'],
    )
    assert.match(problem.detail, detail)
  }
  const long = await api.call('PUT', url('t'.repeat(129)), api.as('ann'), { positionMs: 1 })
  assert.deepEqual([long.statusCode, long.json<{ field: string }>().field], [400, 'titleId'])
  const query = await api.call('GET', '/v1/profiles/ann/history?limit=101', api.as('ann'))
  assert.deepEqual([query.statusCode, query.json<{ field: string }>().field], [400, 'limit'])
  const empty = await api.call('PUT', url('t1'), api.as('ann'))
  assert.equal(empty.statusCode, 400)
  const large = await put(api, 't1', { positionMs: 1, deviceId: 'x'.repeat(2_000_000) })
  assert.deepEqual([large.statusCode, large.json<{ code: string }>().code], [413, 'BODY_TOO_LARGE'])
})

test('too many writes in a minute are told when to come back', async (t) => {
  const api = await startHarness(t, { folding: false, limits: { progress: 3 } })
  const answers = []
  for (let i = 0; i < 4; i++) answers.push(await put(api, 't1', { positionMs: i }))
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [200, 200, 200, 429],
  )
  assert.ok(Number(answers[3]!.headers['retry-after']) > 0)
  assert.equal(answers[0]!.headers['x-ratelimit-limit'], '3')
})

test('with the states away a write is stored and not judged; a read answers what was seen, marked, or 503', async (t) => {
  let away = false
  const api = await startHarness(t, {
    wrap: (parts) => {
      const orAway = <T>(call: () => Promise<T>) => (away ? Promise.reject(new StoreUnavailable('gone')) : call())
      const progress = {
        get: (p: string, ids: readonly string[]) => orAway(() => parts.progress.get(p, ids)),
        all: (p: string) => orAway(() => parts.progress.all(p)),
      }
      const nowMs = () => NOW_MS
      const breaker = new Breaker({ name: 'progress', nowMs, isFailure: (e) => e instanceof StoreUnavailable })
      return { ...parts, progress: guardedProgress(progress, breaker, nowMs) }
    },
  })
  await read(api, url('t1'), await put(api, 't1', { positionMs: 100_000 }))
  away = true
  const written = await put(api, 't1', { positionMs: 110_000 })
  assert.deepEqual([written.statusCode, written.json<{ wasUpdated: null }>().wasUpdated], [200, null])
  const seen = await api.call('GET', url('t1'), api.as('ann'))
  assert.deepEqual([seen.statusCode, seen.headers['playhead-stale']], [200, 'true'])
  const unseen = await api.call('GET', url('t9'), api.as('ann'))
  assert.deepEqual([unseen.statusCode, unseen.json<{ code: string }>().code], [503, 'STORE_UNAVAILABLE'])
})

test('a read says when it did not wait long enough, and refuses a position that is none', async (t) => {
  const api = await startHarness(t, { folding: false })
  const { headers } = await put(api, 't1', { positionMs: 1 })
  const position = { 'playhead-position': String(headers['playhead-position']) }
  const began = Date.now()
  const late = await api.call('GET', '/v1/profiles/ann/history', { ...api.as('ann'), ...position })
  assert.deepEqual([late.statusCode, late.headers['playhead-position-passed']], [200, 'false'])
  assert.ok(Date.now() - began < 4_000)
  for (const text of ['x', 'playback-events/1', 'playback-events/0@-1', 'nothing/0@1', 'playback-events/0@1;']) {
    const answer = await api.call('GET', url('t1'), { ...api.as('ann'), 'playhead-position': text })
    assert.equal(answer.json<{ code: string }>().code, 'POSITION_INVALID', text)
  }
})

test('a write that the log refused is a problem and is not taken for stored', async (t) => {
  const api = await startHarness(t, { folding: false })
  t.mock.method(api.log, 'append', () => Promise.reject(new LogBusy('full', 1_500)))
  const answer = await put(api, 't1', { positionMs: 1 })
  assert.deepEqual([answer.statusCode, answer.headers['retry-after']], [429, '2'])
})
