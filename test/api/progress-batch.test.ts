import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADMIN, type Harness, startHarness } from './harness.ts'
import { NOW_MS } from './support.ts'

interface Answer {
  readonly accepted: number
  readonly stale: number
  readonly duplicate: number
  readonly invalid: number
  readonly judged: string
  readonly position: string | null
  readonly results: readonly { index: number; status: string; eventId?: string; field?: string; problem?: string }[]
}

async function post(api: Harness, items: unknown, headers: Record<string, string> = {}, query = '') {
  const all = { ...api.as('ann'), ...headers }
  return await api.call('POST', `/v1/profiles/ann/progress/batch${query}`, all, { items })
}

async function positionOf(api: Harness, titleId: string, after: string): Promise<unknown> {
  const headers = { ...ADMIN, 'playhead-position': after }
  return (await api.call('GET', `/v1/profiles/ann/progress/${titleId}`, headers)).json<{ positionMs: number }>()
    .positionMs
}

const statuses = (answer: Answer) => answer.results.map(({ status }) => status)

test('each item gets an answer of its own, and a bad one costs the others nothing', async (t) => {
  const api = await startHarness(t)
  const items = [
    { titleId: 't1', positionMs: 1_000 },
    { titleId: 't2' },
    { titleId: 't3', positionMs: 3_000, clientTimestamp: 'soon' },
    null,
    { titleId: 't5', positionMs: 5_000, played: [{ fromMs: 9, toMs: 1 }] },
    { titleId: 't6', positionMs: 6_000, eventId: 'no id' },
    { titleId: 't7', positionMs: 7_000 },
  ]
  const answer = (await post(api, items)).json<Answer>()
  assert.deepEqual(statuses(answer), ['accepted', 'invalid', 'invalid', 'invalid', 'invalid', 'invalid', 'accepted'])
  assert.deepEqual(
    answer.results.map(({ field }) => field),
    [undefined, 'positionMs', 'clientTimestamp', '', 'played[0].toMs', 'eventId', undefined],
  )
  assert.deepEqual([answer.accepted, answer.invalid], [2, 5])
  assert.equal(await positionOf(api, 't7', String(answer.position)), 7_000)
  const none = (await post(api, [{}])).json<Answer>()
  assert.deepEqual([none.invalid, none.position], [1, null])
})

test('fifty offline updates that come late beneath a newer one do not move it', async (t) => {
  const api = await startHarness(t)
  const tv = await api.call('PUT', '/v1/profiles/ann/progress/t1', api.as('ann'), { positionMs: 999_000 })
  assert.equal(await positionOf(api, 't1', String(tv.headers['playhead-position'])), 999_000)
  api.clock.ms += 5_000
  const items = Array.from({ length: 50 }, (_, i) => ({
    titleId: 't1',
    positionMs: i * 10_000,
    clientTimestamp: NOW_MS - 7_200_000 + i * 10_000,
    played: [{ fromMs: i * 10_000, toMs: i * 10_000 + 10_000 }],
  }))
  const answer = (await post(api, items)).json<Answer>()
  assert.deepEqual([answer.stale, answer.judged], [50, 'before'])
  assert.equal(await positionOf(api, 't1', String(answer.position)), 999_000)
  const row = (await api.call('GET', '/v1/profiles/ann/progress/t1', ADMIN)).json<{ watchedMs: number }>()
  assert.equal(row.watchedMs, 500_000, 'what was played offline still counts')
})

test('a batch in order of time is accepted whole; out of order, what comes behind its successor is stale', async (t) => {
  const api = await startHarness(t, { folding: false })
  const at = (n: number) => ({ titleId: 't1', positionMs: n, clientTimestamp: NOW_MS - 10_000 + n })
  assert.deepEqual(statuses((await post(api, [at(1), at(2), at(3)])).json<Answer>()), [
    'accepted',
    'accepted',
    'accepted',
  ])
  assert.deepEqual(statuses((await post(api, [at(3), at(1)])).json<Answer>()), ['accepted', 'stale'])
})

test('a retry after a lost answer is told apart: by event id, by key, by the row', async (t) => {
  const api = await startHarness(t)
  const eventId = '018f0000-0000-7000-8000-000000000001'
  const item = { titleId: 't1', positionMs: 60_000, clientTimestamp: NOW_MS - 5_000 }
  const twice = (
    await post(api, [
      { ...item, eventId },
      { ...item, eventId },
    ])
  ).json<Answer>()
  assert.deepEqual(statuses(twice), ['accepted', 'duplicate'])
  await positionOf(api, 't1', String(twice.position))
  assert.deepEqual(statuses((await post(api, [item])).json<Answer>()), ['duplicate'], 'by the row')
  const keyed = { titleId: 't2', positionMs: 1, idempotencyKey: 'k1' }
  assert.deepEqual(statuses((await post(api, [keyed])).json<Answer>()), ['accepted'])
  assert.deepEqual(statuses((await post(api, [keyed])).json<Answer>()), ['duplicate'], 'by its key')
  const reused = (await post(api, [{ ...keyed, positionMs: 2 }])).json<Answer>()
  assert.deepEqual([statuses(reused), reused.results[0]!.field], [['invalid'], 'idempotencyKey'])
})

test('a whole batch that is sent again under its key has the same event ids', async (t) => {
  const api = await startHarness(t, { folding: false })
  const items = [
    { titleId: 't1', positionMs: 1 },
    { titleId: 't2', positionMs: 2 },
  ]
  const key = { 'idempotency-key': 'batch-1' }
  const ids = async () => (await post(api, items, key)).json<Answer>().results.map((result) => result.eventId)
  assert.deepEqual(await ids(), await ids())
  assert.equal((await post(api, items.slice(1), key)).statusCode, 422)
})

test('with wait each item is judged by the row after', async (t) => {
  const api = await startHarness(t, { folding: false })
  await api.call('PUT', '/v1/profiles/ann/progress/t1', api.as('ann'), {
    positionMs: 5,
    clientTimestamp: NOW_MS - 1_000,
  })
  const items = [
    { titleId: 't1', positionMs: 1, clientTimestamp: NOW_MS - 2_000 },
    { titleId: 't1', positionMs: 9, clientTimestamp: NOW_MS - 500 },
    { titleId: 't2', positionMs: 1, clientTimestamp: NOW_MS - 400 * 24 * 3_600_000 },
  ]
  const [answer] = await Promise.all([post(api, items, {}, '?wait=true'), api.fold()])
  const verdict = answer.json<Answer>()
  assert.equal(verdict.judged, 'after')
  assert.deepEqual(statuses(verdict).slice(1), ['accepted', 'stale'], 'too old to be kept is stale')
})

test('too many items, none, or no list are refused as a whole', async (t) => {
  const api = await startHarness(t, { folding: false })
  const codeOf = async (items: unknown) => (await post(api, items)).json<{ code: string }>().code
  assert.equal(await codeOf(Array.from({ length: 51 }, () => ({ titleId: 't', positionMs: 1 }))), 'TOO_MANY_ITEMS')
  assert.equal(await codeOf([]), 'FIELD_INVALID')
  assert.equal(await codeOf('x'), 'FIELD_INVALID')
})

test('two devices at once end where the newer clock says, whoever arrives first', async (t) => {
  const api = await startHarness(t)
  const put = (positionMs: number, clientTimestamp: number) =>
    api.call('PUT', '/v1/profiles/ann/progress/t1', api.as('ann'), { positionMs, clientTimestamp })
  const both = await Promise.all([put(1_000, NOW_MS - 10), put(2_000, NOW_MS - 20)])
  const positions = both.map(({ headers }) => String(headers['playhead-position'])).join(',')
  assert.equal(await positionOf(api, 't1', positions), 1_000)
})

test('a delete that races an update ends as their clocks say', async (t) => {
  const api = await startHarness(t)
  const path = '/v1/profiles/ann/progress/t1'
  const [cleared, late] = await Promise.all([
    api.call('DELETE', path, api.as('ann')),
    api.call('PUT', path, api.as('ann'), { positionMs: 1_000, clientTimestamp: NOW_MS - 10 }),
  ])
  const positions = [cleared, late].map(({ headers }) => String(headers['playhead-position'])).join(',')
  assert.equal(await positionOf(api, 't1', positions), undefined)
})
