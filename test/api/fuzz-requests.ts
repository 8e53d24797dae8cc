/** Malformed requests to every route: right in most things, wrong in some. */
import fc from 'fast-check'
import type { Harness } from './harness.ts'
import { ADMIN, DATA } from './harness.ts'
import { heartbeat, NOW_MS, PUBLISHABLE } from './support.ts'

export interface Wrong {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly payload: string | Buffer | undefined
}

const text = fc.string({ unit: fc.constantFrom(...'abcXYZ019 ;=/,."%-_*@#\n\u0000é😀') })
const id = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('ann', 't1', 's1', 'series-1') },
  fc.string({ minLength: 1, maxLength: 10 }),
  fc.constantFrom('a'.repeat(129), 'a'.repeat(128), '..', '%', '__proto__', '\u0000', 'a/b', '😀', 'toString'),
)
const json = fc.jsonValue({ maxDepth: 3 })
const oddNumber = fc.constantFrom(0, -0, -1, 0.5, 1e21, 2 ** 52, 2 ** 53, NOW_MS, -NOW_MS, 8.64e15 + 1)
const value = fc.oneof(json, oddNumber, id, fc.constant(null))
const name = fc.oneof(
  fc.constantFrom(
    'positionMs',
    'durationMs',
    'clientTimestamp',
    'sentAt',
    'played',
    'sessionId',
    'deviceId',
    'items',
    'titles',
    'events',
    'titleId',
    'eventId',
    'idempotencyKey',
    'watched',
    'token',
    'playbackToken',
    'name',
    'season',
    'images',
    '__proto__',
    'constructor',
    'toJSON',
  ),
  text,
)

const item = { titleId: 't1', positionMs: 5, clientTimestamp: NOW_MS, played: [{ fromMs: 0, toMs: 5 }], deviceId: 'tv' }
const whole: fc.Arbitrary<Record<string, unknown>> = fc.constantFrom<Record<string, unknown>>(
  { positionMs: 5, durationMs: 10, clientTimestamp: NOW_MS, played: [{ fromMs: 0, toMs: 5 }], sessionId: 's' },
  { items: [item] },
  { watched: true },
  { titleId: 't1', kind: 'episode', name: 'One', seriesId: 'series-1', season: 1, episode: 1, durationMs: 1_000 },
  { titles: [{ titleId: 't1', name: 'One' }] },
  { events: [heartbeat()] },
  { titleId: 't1', deviceId: 'tv', sessionId: 's1' },
  { token: 'a.b.c', positionMs: 5, sequence: 1 },
)
/** A right body with one thing put over it, on top or within a list. */
const nearlyRight = fc.tuple(whole, name, value, fc.boolean()).map(([body, key, put, inside]) => {
  const changed = new Map<string, unknown>(Object.entries(body))
  const [list, first] = [...changed].find(([, one]) => Array.isArray(one)) ?? []
  if (inside && list !== undefined) {
    const [one] = first as readonly object[]
    changed.set(list, [Object.fromEntries([...Object.entries(one ?? {}), [key, put]]), put])
  } else changed.set(key, put)
  return JSON.stringify(Object.fromEntries(changed))
})
const payload = fc.oneof(
  { weight: 6, arbitrary: nearlyRight },
  fc.constantFrom('items', 'titles', 'events').map((list) => JSON.stringify({ [list]: Array(501).fill(item) })),
  { weight: 2, arbitrary: whole.map((body) => JSON.stringify(body)) },
  json.map((one) => JSON.stringify(one)),
  text,
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc.constant(undefined),
  fc.constantFrom(
    '['.repeat(20_000),
    `{"items":[${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}]}`,
    '{"__proto__":{"a":1}}',
  ),
)
const headerText = text.map((one) => one.replaceAll(/[^\x20-\x7e]/g, '~'))
const extras = fc.record(
  {
    'content-type': fc.oneof(
      { weight: 6, arbitrary: fc.constant('application/json') },
      fc.constantFrom('text/plain', 'application/xml', 'application/json; charset=utf-16', ''),
      headerText,
    ),
    'idempotency-key': fc.oneof(fc.constantFrom('k1', 'k2', 'k'.repeat(300)), headerText),
    'playhead-position': fc.oneof(
      fc.constantFrom('playback-events/0@1', 'ingest-events/3@99999999999999999999', 'x/0@1', ','.repeat(3_000)),
      headerText,
    ),
    'content-encoding': fc.constantFrom('gzip', 'br', 'identity'),
    'x-request-id': headerText,
    'last-event-id': headerText,
    'if-none-match': headerText,
  },
  { requiredKeys: ['content-type'] },
)
const query = fc.oneof(
  { weight: 5, arbitrary: fc.constant('') },
  fc.constantFrom('?wait=true', '?wait=maybe', '?limit=5', '?limit=1e9', '?limit=', '?limit[]=1', '?limit=1&limit=2'),
  fc.constantFrom(
    '?cursor=WzEsImEiXQ',
    '?cursor=%00',
    '?token=a.b.c',
    '?key=nobody',
    '?key=%ff',
    '?position=x',
    '?account=%',
  ),
  text.map((one) => `?${encodeURIComponent(one)}`),
  text.map((one) => `?cursor=${Buffer.from(one).toString('base64url')}`),
)

/** `paths`: `PUT /v1/…/{titleId}`, as the document has them. */
export function wrongRequests(api: Harness, paths: readonly string[]): fc.Arbitrary<Wrong> {
  const credentials = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(api.as('ann'), ADMIN, { ...ADMIN, ...api.as('ann') }) },
    fc.constantFrom<Record<string, string>>({}, DATA, PUBLISHABLE, api.as('bob'), api.as('ann', { exp: 1 })),
    headerText.map((one) => ({ authorization: `Bearer ${one}` })),
    headerText.map((one) => ({ 'x-playhead-key': one })),
  )
  const method = fc.oneof({
    weight: 1,
    arbitrary: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'),
  })
  const fill = (path: string, ids: readonly string[]) => {
    let at = 0
    return path.replaceAll(/\{\w+\}/g, () => encodeURIComponent(ids[at++] ?? 'x').replaceAll('.', '%2E'))
  }
  return fc
    .tuple(
      fc.constantFrom(...paths),
      fc.array(id, { minLength: 2, maxLength: 3 }),
      query,
      credentials,
      extras,
      payload,
      method,
      fc.nat(9),
    )
    .map(([path, ids, tail, who, more, body, other, dice]) => {
      const [verb = 'GET', url = '/'] = path.split(' ')
      return {
        method: dice === 0 ? other : verb,
        url: fill(url, ids) + tail,
        headers: { ...more, ...who },
        payload: ['GET', 'HEAD'].includes(dice === 0 ? other : verb) ? undefined : body,
      }
    })
}
