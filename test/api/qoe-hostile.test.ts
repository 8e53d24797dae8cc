/** Whatever is sent, the answer is an answer or a problem that names the parameter: never a 500, never another's rows. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { AS_WANTED } from './qoe-hostile-words.ts'
import { DAY, MINUTE, played, randomOf } from './qoe-rows.ts'
import { openTables, startQoeApi, type Tables } from './qoe-support.ts'
import { NOW_MS } from './support.ts'

let tables: Tables
before(async () => {
  tables = await openTables()
  const random = randomOf(3)
  await tables.put(
    Array.from({ length: 50 }, (_, i) => played(random, i, NOW_MS - DAY, NOW_MS)),
    1n,
  )
})
after(() => tables.close())

interface ProblemBody {
  readonly code: string
  readonly detail: string
  readonly field?: string
}

test('a mistake is answered with the parameter and what to do about it', async (t) => {
  const { get } = await startQoeApi(t, { analytics: tables.analytics })
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [
      'overview?metric=rebufer_percent',
      'metric',
      /"rebufer_percent", which is no metric.*Did you mean rebuffer_percent\?/,
    ],
    ['overview?metric=zzzzzzzzzzzz', 'metric', /GET \/v1\/qoe\/metrics lists them/],
    ['overview?filter=contry:DE', 'filter', /"contry", which there is not.*Did you mean country\?/],
    ['overview?filter=DE', 'filter', /is not dimension:value/],
    ['overview?filter=__proto__:x', 'filter', /There are app_id/],
    ['overview?metric=constructor', 'metric', /is no metric/],
    ['overview?from=yesterday', 'from', /is no time/],
    ['overview?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', 'from', /is not before "to"/],
    ['overview?from=1&to=4000000000000', 'from', /1100 days at most/],
    ['overview?definition=nielsen', 'definition', /"cta-2066" or "mux"/],
    ['overview?filters=cdn:x', 'filters', /is not known here/],
    ['timeseries?grain=minute&from=1&to=900000000', 'grain', /15000 points.*5000 at most/],
    ['timeseries?grain=second', 'grain', /86400 points/],
    [`timeseries?grain=second&from=${NOW_MS - 20 * MINUTE}&to=${NOW_MS}`, 'grain', /seconds over 10 minutes at most/],
    [`timeseries?grain=second&metric=concurrent&from=${NOW_MS - MINUTE}&to=${NOW_MS}`, 'grain', /too fine for/],
    [`overview?metric=concurrent&filter=os:ios&filter=cdn:x&from=${NOW_MS - 3 * DAY}`, 'from', /2 days at most/],
    [`overview?metric=concurrent_peak&filter=title:x&from=${NOW_MS - 3 * DAY}`, 'from', /2 days at most/],
    ['breakdown', 'by', /is missing/],
    ['breakdown?by=colour', 'by', /which there is not/],
    ['breakdown?by=cdn&order=-viewz', 'order', /Did you mean views\?/],
    ['breakdown?by=cdn&limit=1001', 'limit', /1 to 1000/],
    ['views?cursor=abc', 'cursor', /is no cursor/],
    ['views?state=dancing', 'state', /"timed_out"/],
    [`overview?${Array.from({ length: 11 }, (_, i) => `filter=cdn:${i}`).join('&')}`, 'filter', /10 filters at most/],
    [`overview?${Array.from({ length: 21 }, () => 'metric=views').join('&')}`, 'metric', /20 metrics at most/],
  ]
  for (const [path, field, detail] of cases) {
    const answer = await get(`/v1/qoe/${path}`)
    const problem = answer.json<ProblemBody>()
    assert.deepEqual([answer.statusCode, problem.code, problem.field], [400, 'FIELD_INVALID', field], answer.body)
    assert.match(problem.detail, detail)
  }
})

test('defaults leave out what only minutes of single views could tell over a long time', async (t) => {
  const { ask } = await startQoeApi(t, { analytics: tables.analytics })
  const long = [
    ['from', NOW_MS - 3 * DAY],
    ['filter', 'os:ios'],
    ['filter', 'cdn:own'],
  ] as const
  const { values } = await ask<{ values: object }>('overview', ...long)
  assert.ok('views' in values && !('concurrent' in values))
  const short = await ask<{ values: object }>('overview', ['filter', 'os:ios'], ['filter', 'cdn:own'])
  assert.ok('concurrent' in short.values)
})

test('hostile words in every parameter are taken for words', async (t) => {
  const api = await startQoeApi(t, { analytics: tables.analytics })
  const count = async () =>
    (await tables.store.query<{ n: number }>(`SELECT count() AS n FROM ${tables.views}.views`))[0]?.n
  const before = await count()
  for (const [i, word] of AS_WANTED.entries()) {
    const paths = ['overview', 'timeseries', 'breakdown?by=title_id', 'distribution', 'views']
    for (const path of i % 5 === 0 ? paths : [paths[i % 5] as string]) {
      const query = new URLSearchParams([
        ['filter', `title_id:${word}`],
        ['filter', `!cdn:${word}`],
      ])
      const answer = await api.get(`/v1/qoe/${path}${path.includes('?') ? '&' : '?'}${query}`)
      assert.equal(answer.statusCode, 200, `${path} ${JSON.stringify(word)} ${answer.body}`)
      assert.equal(answer.json<{ sample: { views: number } }>().sample.views, 0, path)
    }
    if (word.length <= 128) {
      const name = ['profile', 'title', 'session', 'error'][i % 4] as string
      const answer = await api.get(`/v1/qoe/views?${new URLSearchParams([[name, word]])}`)
      assert.equal(answer.statusCode, 200, `${name} ${JSON.stringify(word)} ${answer.body}`)
      assert.deepEqual(answer.json<{ views: unknown[] }>().views, [])
    }
  }
  assert.equal(await count(), before)
  assert.deepEqual(api.failures, [])
})

test('no request makes the server stumble', async (t) => {
  const api = await startQoeApi(t, { analytics: tables.analytics })
  const hostile = fc.oneof(
    fc.constantFrom(...AS_WANTED),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom('cdn:own', '!os:ios', 'views', '-views', 'cdn', 'minute', 'mux', '1', '0', '-1', '1e99', 'NaN'),
    fc.integer({ min: NOW_MS - 3 * DAY, max: NOW_MS }).map(String),
  )
  const names = ['from', 'to', 'filter', 'metric', 'definition', 'grain', 'by', 'order', 'limit', 'minViews', 'asOf']
  const more = ['timeoutMinutes', 'session', 'profile', 'title', 'error', 'state', 'flag', 'cursor', 'of']
  const words = fc.array(fc.tuple(fc.constantFrom(...names, ...more), hostile), { maxLength: 3 })
  const path = fc.oneof(
    fc.constantFrom('overview', 'timeseries', 'breakdown', 'distribution', 'views', 'metrics'),
    hostile.map((word) => `views/${encodeURIComponent(wellFormed(word)).replaceAll('.', '%2E')}`),
  )
  const request = fc.tuple(path, words).map(([where, query]) => {
    const by: [string, string][] = where === 'breakdown' ? [['by', 'cdn']] : []
    return `/v1/qoe/${where}?${new URLSearchParams([...by, ...query.map(([n, v]): [string, string] => [n, v])])}`
  })
  await fc.assert(
    fc.asyncProperty(request, async (url) => {
      const answer = await api.get(url)
      assert.ok(answer.statusCode < 500, `${url}\n${answer.body}`)
    }),
    { numRuns: 200 },
  )
  assert.deepEqual(api.failures, [])
})

/** What a URL can hold: no half of a surrogate pair. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString()
}
