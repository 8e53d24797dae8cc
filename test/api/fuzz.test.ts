import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EVENT_TYPES } from '../../schemas/index.ts'
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
