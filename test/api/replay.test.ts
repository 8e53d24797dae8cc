/** The routes of replay over a port that the test holds: who may, what is refused in which words, and what is bounded. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { OpenApi } from '../../api/openapi/document.ts'
import { bounded } from '../../api/replay/bounded.ts'
import { REPLAY_ROUTE_LIMITS } from '../../api/replay/limits.ts'
import { type ReplayPort, ReplayRefused } from '../../api/replay/ports.ts'
import * as shapes from '../../api/replay/schemas.ts'
import { ADMIN, DATA, type Harness, startHarness } from './harness.ts'
import { fakePort, LETTER } from './replay-port.ts'
import { PUBLISHABLE } from './support.ts'

const ID = 'views_v1_0a0b0c0d'
const PLACE = 'views/playback-events%2F3@1234'
type Method = 'GET' | 'POST' | 'DELETE'

/** Every route, a request that it takes, and the shape of its answer. */
const ROUTES: readonly (readonly [Method, string, TSchema | undefined, object?])[] = [
  ['GET', '/v1/generations', shapes.Generations],
  ['GET', `/v1/generations/${ID}`, shapes.Generation],
  ['POST', '/v1/generations', shapes.Asked, { projection: 'views', parameters: { minStallMs: 500 }, reason: 'try' }],
  ['GET', `/v1/generations/${ID}/comparison`, shapes.Comparison],
  ['POST', `/v1/generations/${ID}/promotion`, shapes.Moved, { reason: 'better' }],
  ['POST', `/v1/generations/${ID}/pause`, shapes.Asked],
  ['POST', `/v1/generations/${ID}/resumption`, shapes.Asked],
  ['POST', `/v1/generations/${ID}/rate`, shapes.Asked, { recordsPerSecond: 5_000 }],
  ['DELETE', `/v1/generations/${ID}?reason=old`, shapes.Asked],
  ['POST', '/v1/projections/views/rollback', shapes.Moved],
  ['GET', '/v1/projections/views/verification?sample=0.5', undefined],
  ['GET', '/v1/dead-letters', shapes.Letters],
  ['GET', '/v1/dead-letters?grouped=true', shapes.Letters],
  ['GET', `/v1/dead-letters/${PLACE}`, shapes.LetterWhole],
  ['POST', '/v1/dead-letters/replay', shapes.LettersActed, { all: true, projection: 'views', cause: 'fold' }],
  ['POST', '/v1/dead-letters/discard', shapes.LettersActed, { letter: LETTER.letter, reason: 'a scanner' }],
  ['GET', '/v1/history/progress?profileId=ann&titleId=t1&steps=true', shapes.History],
]

async function start(t: TestContext, own: Partial<ReplayPort> = {}) {
  const { port, calls } = fakePort(own)
  const api = await startHarness(t, { folding: false, wrap: (parts) => ({ ...parts, replay: port }) })
  return { api, calls }
}

interface Told {
  readonly code: string
  readonly detail: string
  readonly field?: string
}

test('every route answers what its document says, and is for an admin key only', async (t) => {
  const { api, calls } = await start(t)
  for (const [method, url, shape, body] of ROUTES) {
    const name = `${method} ${url}`
    for (const headers of [{}, PUBLISHABLE, DATA, api.as('ann')]) {
      const refused = await api.call(method, url, headers, body)
      assert.ok([401, 403].includes(refused.statusCode), `${name}: ${refused.statusCode}`)
    }
    assert.deepEqual(calls, [], `${name} asked before it knew who asks`)
    const answer = await api.call(method, url, ADMIN, body)
    assert.equal(answer.statusCode, method === 'GET' ? 200 : 202, `${name}: ${answer.body}`)
    assert.equal(calls.splice(0).length, 1, name)
    if (shape === undefined) continue
    const value = answer.json<unknown>()
    assert.deepEqual([...Value.Errors(shape, value)], [], answer.body)
    assert.deepEqual(Value.Clean(shape, structuredClone(value)), value, `${name} says more than its document`)
  }
  assert.deepEqual(api.failures, [])
})

test('the document has every route of replay, and asOf where it is taken', async (t) => {
  const { api } = await start(t)
  const document = (await api.app.inject('/openapi.json')).json<OpenApi>()
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { tags }]) => (tags.includes('Replay') ? [`${method} ${path}`] : [])),
  )
  assert.equal(described.length, ROUTES.length - 1, 'one route is asked in two ways')
  const { parameters } = document.paths['/v1/profiles/{profileId}/progress/{titleId}']!.get!
  assert.ok(parameters.some((one) => one.name === 'asOf' && one.in === 'query' && !one.required))
})

test('who asked, and why, goes with each act', async (t) => {
  const { api, calls } = await start(t)
  const acts = ROUTES.filter(([method]) => method !== 'GET')
  for (const [method, url, , body] of acts) await api.call(method, url, ADMIN, body)
  assert.deepEqual(
    calls.map((call) => call.find((given) => (given as { by?: string } | undefined)?.by !== undefined)),
    [
      { by: 'key ops', reason: 'try' },
      { by: 'key ops', reason: 'better' },
      { by: 'key ops', reason: null },
      { by: 'key ops', reason: null },
      { by: 'key ops', reason: null },
      { by: 'key ops', reason: 'old' },
      { by: 'key ops', reason: null },
      { by: 'key ops', reason: null },
      { by: 'key ops', reason: 'a scanner' },
    ],
  )
})

test('the same Idempotency-Key asks for the same rebuild; without one each is another', async (t) => {
  const { api, calls } = await start(t)
  const ask = async (more: Record<string, string>) => {
    await api.call('POST', '/v1/generations', { ...ADMIN, ...more }, { projection: 'views' })
    api.clock.ms += 1_000
    return (calls.at(-1)![1] as { name: string }).name
  }
  const [first, again, other] = [
    await ask({ 'idempotency-key': 'a' }),
    await ask({ 'idempotency-key': 'a' }),
    await ask({ 'idempotency-key': 'b' }),
  ]
  assert.equal(first, again)
  assert.notEqual(first, other)
  assert.notEqual(await ask({}), await ask({}))
})

test('a refusal is 404, 409 or 400, in the words of whoever refused', async (t) => {
  let refusal = new ReplayRefused('UNKNOWN', 'There is no generation "views_v2". Did you mean views_v1_0a0b0c0d?')
  const refuse = () => Promise.reject(refusal)
  const { api } = await start(t, { generation: refuse, promote: refuse, compare: refuse, history: refuse })
  const all = [
    ['GET', '/v1/generations/views_v2'],
    ['POST', '/v1/generations/views_v2/promotion'],
    ['GET', '/v1/generations/views_v2/comparison'],
    ['GET', '/v1/history/views?sessionId=s'],
  ] as const
  const toldBy = async () =>
    await Promise.all(
      all.map(async ([method, url]) => {
        const answer = await api.call(method, url, ADMIN)
        const { code, detail, field } = answer.json<Told>()
        return [answer.statusCode, code, detail, field]
      }),
    )
  for (const [code, status, problem, field] of [
    ['UNKNOWN', 404, 'NAME_UNKNOWN', undefined],
    ['NOT_NOW', 409, 'NOT_NOW', undefined],
    ['INVALID', 400, 'FIELD_INVALID', 'asOf'],
  ] as const) {
    refusal = new ReplayRefused(code, `told as ${code}`, field)
    const one = [status, problem, `told as ${code}`, field]
    assert.deepEqual(await toldBy(), [one, one, one, one])
  }
  assert.deepEqual(api.failures, [])
})

test('what is not as wanted is refused with the name of the field, before anybody is asked', async (t) => {
  const { api, calls } = await start(t)
  const NOW = new Date(api.clock.ms + 1).toISOString()
  const wrong: readonly (readonly [Method, string, string, object?])[] = [
    ['POST', '/v1/generations', 'projection', {}],
    ['POST', '/v1/generations', 'parameters.minStallMs', { projection: 'views', parameters: { minStallMs: 'many' } }],
    ['POST', '/v1/generations', 'until', { projection: 'views', until: NOW }],
    ['POST', '/v1/generations', 'name', { projection: 'views', name: 'a b' }],
    ['POST', '/v1/generations', 'workers', { projection: 'views', workers: 0 }],
    ['POST', '/v1/generations', 'workers', { projection: 'views', workers: 9 }],
    ['POST', `/v1/generations/${ID}/rate`, 'recordsPerSecond', { recordsPerSecond: 0 }],
    ['POST', `/v1/generations/${ID}/promotion`, 'because', { because: 'x' }],
    ['POST', '/v1/dead-letters/discard', 'reason', { all: true }],
    ['POST', '/v1/dead-letters/replay', 'letter', {}],
    ['POST', '/v1/dead-letters/replay', 'letter', { letter: LETTER.letter, all: true }],
    ['POST', '/v1/dead-letters/replay', 'event', { all: true, event: {} }],
    ['GET', '/v1/dead-letters?since=yesterday', 'since'],
    ['GET', '/v1/projections/views/verification?sample=0', 'sample'],
    ['GET', '/v1/history/progress', ''],
    ['GET', '/v1/history/progress?profileId=ann&asof=@3', 'asof'],
    ['GET', '/v1/history/progress?profileId=ann&asOf=@-3', 'asOf'],
    ['GET', '/v1/history/progress?profileId=ann&asOf=2026-02-30', 'asOf'],
    ['GET', `/v1/history/progress?profileId=ann&asOf=${NOW}`, 'asOf'],
    ['GET', `/v1/history/progress?profileId=ann&asOf=${api.clock.ms + 1}`, 'asOf'],
    ['GET', `/v1/profiles/ann/progress/t1?asOf=${NOW}`, 'asOf'],
    ['GET', '/v1/profiles/ann/progress/t1?asOf=nonsense', 'asOf'],
  ]
  for (const [method, url, field, body] of wrong) {
    const answer = await api.call(method, url, ADMIN, body)
    assert.equal(answer.statusCode, 400, `${method} ${url}: ${answer.body}`)
    assert.equal(answer.json<Told>().field, field, answer.body)
  }
  assert.deepEqual(calls, [])
})

test('a moment is a time, milliseconds or a position', async (t) => {
  const { api, calls } = await start(t)
  for (const [asOf, moment] of [
    ['2026-01-02T03:04:05Z', { untilMs: Date.UTC(2026, 0, 2, 3, 4, 5) }],
    ['1700000000123', { untilMs: 1_700_000_000_123 }],
    [`${api.clock.ms}`, { untilMs: api.clock.ms }],
    ['@1234', { untilPosition: 1_234n }],
  ] as const) {
    const { statusCode, body } = await api.call('GET', `/v1/profiles/ann/progress/t1?asOf=${asOf}`, ADMIN)
    assert.equal(statusCode, 404, body)
    assert.deepEqual(calls.pop()?.slice(1), [{ profileId: 'ann', titleId: 't1' }, moment])
  }
})

test("the past of a profile is no business of a profile's token", async (t) => {
  const { api, calls } = await start(t)
  const answer = await api.call('GET', '/v1/profiles/ann/progress/t1?asOf=@1', api.as('ann'))
  assert.deepEqual([answer.statusCode, answer.json<Told>().code], [403, 'KEY_NOT_ALLOWED'])
  assert.deepEqual(calls, [])
})

test('an engine without replay has none of its routes, and says that asOf is not known', async (t) => {
  const api = await startHarness(t, { folding: false })
  assert.equal((await api.call('GET', '/v1/generations', ADMIN)).statusCode, 404)
  const answer = await api.call('GET', '/v1/profiles/ann/progress/t1?asOf=@1', ADMIN)
  assert.deepEqual([answer.statusCode, answer.json<Told>().field], [400, 'asOf'])
})

test('as many looks into the past run as may; one more is told to come back, until one has ended', async (t) => {
  const gates: (() => void)[] = []
  const progressAt: ReplayPort['progressAt'] = async () => {
    await new Promise<void>((resolve) => gates.push(resolve))
    return { row: undefined, clockMs: null }
  }
  const { api } = await start(t, { progressAt })
  const ask = (): ReturnType<Harness['call']> => api.call('GET', '/v1/profiles/ann/progress/t1?asOf=@1', ADMIN)
  const held = Array.from({ length: REPLAY_ROUTE_LIMITS.historiesAtOnceMax }, ask)
  while (gates.length < held.length) await new Promise((resolve) => setImmediate(resolve))
  const busy = await ask()
  assert.deepEqual([busy.statusCode, busy.json<Told>().code], [503, 'REPLAY_BUSY'])
  assert.ok(Number(busy.headers['retry-after']) >= 1)
  // A look by another route takes its turn with these.
  assert.equal((await api.call('GET', '/v1/history/progress?profileId=ann', ADMIN)).statusCode, 503)
  for (const open of gates.splice(0)) open()
  for (const one of await Promise.all(held)) assert.equal(one.statusCode, 404)
  assert.equal((await api.call('GET', '/v1/history/progress?profileId=ann', ADMIN)).statusCode, 200)
})

test('what takes too long is answered in its time, is told to stop, and keeps its turn until it has', async () => {
  const run = bounded(1, 20, 'Ask for less.')
  let stopped: AbortSignal | undefined
  let end: () => void = () => undefined
  const slow = run(async (signal) => {
    stopped = signal
    await new Promise<void>((resolve) => {
      end = resolve
    })
  })
  await assert.rejects(slow, { code: 'QUERY_TOO_HEAVY' })
  assert.equal(stopped?.aborted, true)
  await assert.rejects(
    run(async () => 1),
    { code: 'REPLAY_BUSY' },
  )
  end()
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(await run(async () => 1), 1)
})
