import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { OpenApi } from '../../api/openapi/document.ts'
import { EVENT_TYPES } from '../../schemas/index.ts'
import { type Wrong, wrongRequests } from './fuzz-requests.ts'
import { startHarness } from './harness.ts'
import { heartbeat, PUBLISHABLE, startApi } from './support.ts'

const word = fc.oneof(
  fc.constantFrom(
    'type',
    'meta',
    'profileId',
    '__proto__',
    'constructor',
    'played',
    'context',
    'personal',
    'eventId',
    'occurredAt',
    'idempotencyKey',
  ),
  fc.string(),
)
const anything = fc.jsonValue({ maxDepth: 4 })
/** Nearly right events: a real type, real fields, and something wrong put over them. */
const event = fc
  .record({ type: fc.oneof(fc.constantFrom(...EVENT_TYPES), fc.string()), name: word, value: anything, drop: word })
  .map(({ type, name, value, drop }) => {
    const fields = new Map<string, unknown>(Object.entries(heartbeat({ type })))
    fields.set(name, value).delete(drop)
    return Object.fromEntries(fields)
  })
const body = fc.oneof(
  anything.map((value) => JSON.stringify(value)),
  fc.array(fc.oneof(event, anything), { maxLength: 5 }).map((events) => JSON.stringify({ events })),
  fc.record({ sentAt: anything, events: anything }).map((envelope) => JSON.stringify(envelope)),
  fc.string({ unit: 'binary' }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.constant('['.repeat(50_000)),
  fc.constant(`[{"type":"Heartbeat","personal":${'{"custom":'.repeat(5_000)}1${'}'.repeat(5_001)}]`),
)
const headerText = fc.string({ unit: fc.constantFrom(...'abcXYZ019 ;=/,."%-_*\t') })
const headers = fc.record(
  {
    'content-type': fc.oneof(
      fc.constantFrom('application/json', 'text/plain', 'application/json; charset=utf-16', 'x'),
      headerText,
    ),
    'content-encoding': fc.oneof(fc.constantFrom('gzip', 'identity', 'br', 'GZIP, gzip'), headerText),
    'idempotency-key': headerText,
    'x-request-id': headerText,
    'content-length': fc.constantFrom('0', '1', '99999999999'),
    origin: headerText,
    'access-control-request-method': headerText,
  },
  { requiredKeys: [] },
)
const path = fc.oneof(
  fc.constantFrom(
    '/v1/events',
    '/v1/events?key=%ff',
    '/v1/events?key[]=1',
    '/subjects/%00/versions/x',
    '/schemas/ids/9e99',
    '/%',
    '//',
    '/metrics',
    '/readyz?x',
  ),
  fc.string().map((text) => `/${encodeURIComponent(text)}`),
)
const method = fc.constantFrom('POST', 'POST', 'POST', 'GET', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH')

test('no request, however malformed, is answered with a 5xx', async (t) => {
  const { app, failures } = await startApi(t)
  await fc.assert(
    fc.asyncProperty(method, path, headers, body, async (verb, url, extra, payload) => {
      const answer = await app.inject({ method: verb, url, headers: { ...PUBLISHABLE, ...extra }, payload })
      const said = `${verb} ${url} ${JSON.stringify(extra)} ${String(payload).slice(0, 200)} → ${answer.statusCode} ${answer.body}`
      assert.ok(answer.statusCode < 500, `${said} ${JSON.stringify(failures)}`)
    }),
    { numRuns: 1_500 },
  )
})

test('events that are nearly right never fail but by their own verdict', async (t) => {
  const { app, failures } = await startApi(t)
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 4 }), async (events) => {
      const answer = await app.inject({ method: 'POST', url: '/v1/events', headers: PUBLISHABLE, payload: events })
      assert.ok(
        [202, 422].includes(answer.statusCode),
        `${answer.statusCode} ${answer.body} ${JSON.stringify(failures)}`,
      )
      assert.equal(answer.json<{ results: unknown[] }>().results.length, events.length)
    }),
    { numRuns: 1_000 },
  )
})

const REQUESTS = 10_000
const AT_ONCE = 32
const SEED = 20_261_121

test('ten thousand malformed requests to every route: no 5xx, and every refusal is a problem document', async (t) => {
  const api = await startHarness(t, {
    folding: false,
    // Whoever waits for a position is let go at once: this is about what is malformed, not about time.
    wrap: (parts) => ({ ...parts, checkpoints: { next: async () => 10n ** 18n } }),
  })
  const { paths } = (await api.app.inject('/openapi.json')).json<OpenApi>()
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const requests = fc.sample(wrongRequests(api, routes), { numRuns: REQUESTS, seed: SEED })
  const met = new Map<string, number>()
  for (let at = 0; at < requests.length; at += AT_ONCE) {
    await Promise.all(
      requests.slice(at, at + AT_ONCE).map(async (request) => {
        const status = await judge(request)
        met.set(`${status}`, (met.get(`${status}`) ?? 0) + 1)
      }),
    )
  }
  assert.deepEqual(api.failures, [])
  for (const status of ['200', '400', '401', '403', '404', '413', '415', '422']) {
    assert.ok((met.get(status) ?? 0) > 0, `${status} was met: ${JSON.stringify([...met])}`)
  }

  async function judge({ method, url, headers, payload }: Wrong): Promise<number> {
    // A live stream that is let in does not end.
    const stays = /\/live(\?|$)/.test(url) && method === 'GET'
    const answer = await api.app.inject({
      method: method as 'GET',
      url,
      headers: stays ? { ...headers, authorization: 'Bearer a.b.c', 'x-playhead-key': 'nobody' } : headers,
      ...(payload !== undefined && { payload }),
    })
    const said = `${method} ${url} ${JSON.stringify(headers)} ${String(payload).slice(0, 300)} → ${answer.statusCode} ${answer.body.slice(0, 500)}`
    assert.ok(answer.statusCode < 500, `${said} ${JSON.stringify(api.failures)}`)
    if (answer.statusCode >= 400 && method !== 'HEAD') assertProblem(answer, said)
    return answer.statusCode
  }
})

function assertProblem(
  answer: { statusCode: number; headers: Record<string, unknown>; body: string },
  said: string,
): void {
  const type = String(answer.headers['content-type'])
  if (type.startsWith('application/vnd.schemaregistry')) return
  assert.match(type, /^application\/problem\+json/, said)
  const problem = JSON.parse(answer.body) as Record<string, unknown>
  assert.equal(problem.status, answer.statusCode, said)
  assert.equal(problem.requestId, answer.headers['x-request-id'], said)
  assert.match(String(problem.code), /^[A-Z_]+$/, said)
  assert.doesNotMatch(answer.body, /\.ts:|node_modules|at Object\./, said)
}
