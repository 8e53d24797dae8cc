/** Single views: search, pages, the story of a session; how fresh an answer is; who may ask. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { FLAGS } from '../../projections/views/row.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import { ADMIN, DATA } from './harness.ts'
import { corrected, DAY, HOUR, MINUTE, type Played, played, randomOf } from './qoe-rows.ts'
import { openTables, startQoeApi, type Tables } from './qoe-support.ts'
import { NOW_MS, PUBLISHABLE } from './support.ts'

const FROM = NOW_MS - DAY
const AS_OF = NOW_MS - 10 * MINUTE
let tables: Tables
let standing: readonly Played[]

before(async () => {
  tables = await openTables()
  const random = randomOf(11)
  const first = Array.from({ length: 300 }, (_, i) => played(random, i, FROM + 2 * HOUR, NOW_MS))
  const corrections = first.slice(0, 60).map((one, i) => corrected(random, one, i))
  await tables.put(first, 1n)
  await tables.put(first.slice(0, 60), 1n, -1)
  await tables.put(corrections, 2n)
  standing = [...corrections, ...first.slice(60)]
})
after(() => tables.close())

interface Page {
  readonly views: readonly ({ readonly view_id: string; readonly state: string; readonly flags: string[] } & Record<
    string,
    unknown
  >)[]
  readonly next: string | null
  readonly sample: { readonly views: number }
}
const newestFirst = (rows: readonly Played[]) =>
  [...rows]
    .sort((a, b) => b.view.started_at - a.view.started_at || (a.view.view_id < b.view.view_id ? 1 : -1))
    .map(({ view }) => view.view_id)
const timedOut = ({ view }: Played) => view.open === 1 && view.last_received_at <= AS_OF - 30 * MINUTE

test('pages of views hold each view once, newest first, as it stands after corrections', async (t) => {
  const { ask } = await startQoeApi(t, { analytics: tables.analytics })
  const seen: string[] = []
  let cursor: string | null = null
  do {
    const more = cursor === null ? [] : [['cursor', cursor] as const]
    const page: Page = await ask<Page>('views', ['from', FROM], ['asOf', AS_OF], ['limit', 70], ...more)
    assert.equal(page.sample.views, 300)
    seen.push(...page.views.map((view) => view.view_id))
    cursor = page.next
  } while (cursor !== null)
  assert.deepEqual(seen, newestFirst(standing))
})

test('views are found by filter, profile, title, session, error, state and flag', async (t) => {
  const { ask } = await startQoeApi(t, { analytics: tables.analytics })
  const cases: readonly (readonly [string, string, (one: Played) => boolean])[] = [
    ['filter', 'region:DE-BY', ({ view }) => view.country === 'DE' && view.region === 'BY'],
    ['filter', '!cdn:akamai', ({ view }) => view.cdn !== 'akamai'],
    ['profile', 'p7', ({ view }) => view.profile_id === 'p7'],
    ['title', "o'neil \\ \t\n{x:String}", ({ view }) => view.title_id.startsWith("o'neil")],
    ['session', 'session-5', ({ view }) => view.session_id === 'session-5'],
    ['error', 'E1', ({ view }) => view.error_code === 'E1'],
    ['state', 'timed_out', timedOut],
    ['state', 'open', (one) => one.view.open === 1 && !timedOut(one)],
    ['state', 'playing', (one) => one.view.state === 'playing' && !timedOut(one)],
    ['flag', 'truncated', ({ view }) => (view.flags & FLAGS.truncated) !== 0],
  ]
  for (const [word, value, matches] of cases) {
    const { views } = await ask<Page>('views', ['from', FROM], ['asOf', AS_OF], ['limit', 500], [word, value])
    const expected = newestFirst(standing.filter(matches))
    assert.ok(expected.length > 0, `${word} ${value} is a case at all`)
    assert.deepEqual(
      views.map((view) => view.view_id),
      expected,
      `${word} ${value}`,
    )
    if (value === 'timed_out') assert.ok(views.every(({ state }) => state === 'timed_out'))
    if (value === 'truncated') assert.ok(views.every(({ flags }) => flags.includes('truncated')))
  }
})

interface Story {
  readonly views: readonly {
    readonly viewId: string
    readonly row: Readonly<Record<string, unknown>>
    readonly slices: readonly Readonly<Record<string, unknown>>[]
    readonly explanation: unknown
  }[]
  readonly events: readonly { readonly type: string; readonly fields: Readonly<Record<string, unknown>> }[]
  readonly more: Readonly<Record<string, boolean>>
}

test("a session's story has its views, their minutes and their events, and no other's", async (t) => {
  const { ask, get } = await startQoeApi(t, { analytics: tables.analytics })
  const one = standing.find(({ view }) => view.session_id === 'session-5') as Played
  const { view } = one
  const event = (position: bigint, sessionId: string, at: number) => [
    ...['playback-events', 0, position, 'folded', 'Heartbeat', '0190a0b0-0000-7000-8000-000000000001', at, at],
    ...['sdk', 'shop', 'staging', view.profile_id, view.profile_id, sessionId, view.title_id, 1, '{"positionMs":7}'],
  ]
  await tables.putEvents([
    event(0n, 'session-5', view.started_at),
    event(1n, 'session-6', view.started_at),
    event(2n, 'session-5', view.started_at + MINUTE),
  ])
  const story = await ask<Story>('views/session-5', ['asOf', AS_OF])
  assert.deepEqual(
    story.views.map(({ viewId }) => viewId),
    [view.view_id],
  )
  const [told] = story.views
  assert.equal(told?.row.stalled_ms, view.stalled_ms)
  assert.equal(told?.row.started_at, new Date(view.started_at).toISOString())
  assert.deepEqual(
    told?.slices.map((slice) => [Date.parse(String(slice.minute)), slice.playing_ms]),
    one.slices.map((slice) => [slice.minute, slice.playing_ms]),
  )
  assert.deepEqual(
    story.events.map(({ type, fields }) => [type, fields.positionMs]),
    [
      ['Heartbeat', 7],
      ['Heartbeat', 7],
    ],
  )
  assert.deepEqual(story.more, { views: false, slices: false, events: false })
  const unknown = await get('/v1/qoe/views/nobody')
  assert.deepEqual([unknown.statusCode, unknown.json<{ code: string }>().code], [404, 'SESSION_UNKNOWN'])
})

test("an answer says how far the projection has read, and the log's clock is its own", async (t) => {
  let checkpoint: bigint | undefined = 1n
  let own: number | undefined
  const api = await startQoeApi(t, {
    analytics: tables.analytics,
    next: (partition) => (partition === own ? checkpoint : undefined),
  })
  const record = (timestampMs: number) => ({
    topic: 'playback-events',
    key: 'ann',
    value: new Uint8Array(1),
    timestampMs,
  })
  const [placed] = await api.log.append([record(NOW_MS - 5_000), record(NOW_MS - 3_000), record(NOW_MS)])
  own = placed?.partition
  const place = `playback-events/${own}`
  const { freshness } = await api.ask<{ freshness: unknown }>('overview')
  assert.deepEqual(freshness, { readThrough: { [place]: '0' }, lag: 2, asOf: new Date(NOW_MS - 5_000).toISOString() })
  checkpoint = 3n
  const later = await api.ask<{ freshness: unknown }>('overview')
  assert.deepEqual(later.freshness, { readThrough: { [place]: '2' }, lag: 0, asOf: new Date(NOW_MS).toISOString() })
  const passed = await api.get('/v1/qoe/overview', { ...DATA, 'playhead-position': `${place}@2` })
  assert.equal(passed.headers['playhead-position-passed'], 'true')
})

test('a log that is away costs an answer its freshness and nothing else', async (t) => {
  const api = await startQoeApi(t, {
    analytics: tables.analytics,
    next: () => {
      throw new StoreUnavailable('away')
    },
  })
  const answer = await api.ask<{ freshness: unknown; sample: { views: number } }>('overview', ['from', FROM])
  assert.deepEqual(answer.freshness, { readThrough: {}, lag: null, asOf: new Date(NOW_MS).toISOString() })
  assert.equal(answer.sample.views, 300)
})

test('two who ask the same at the same position get the same bytes, in whatever order they put their words', async (t) => {
  const { get } = await startQoeApi(t, { analytics: tables.analytics })
  const words = `from=${FROM}&to=${NOW_MS}`
  for (const path of ['overview', 'timeseries', 'distribution', 'views', 'views/session-5', 'breakdown?by=title_id']) {
    const url = `/v1/qoe/${path}${path.includes('?') ? '&' : '?'}`
    const [a, b] = path.includes('session')
      ? [url, url]
      : [`${url}${words}&filter=cdn:own&filter=os:ios`, `${url}filter=os:ios&filter=cdn:own&${words}`]
    assert.equal((await get(a)).body, (await get(b)).body, path)
  }
})

test('what the docs tell one to ask is answered', async (t) => {
  const { get } = await startQoeApi(t, { analytics: tables.analytics })
  const docs = await readFile(new URL('../../docs/qoe.md', import.meta.url), 'utf8')
  const urls = [...docs.matchAll(/"\$API(\/v1\/qoe\/[^"]+)"/g)].map(([, url = '']) => url)
  assert.ok(urls.length >= 4)
  for (const url of urls) assert.equal((await get(url)).statusCode, 200, url)
  const now = await get('/v1/qoe/overview?asOf=now')
  assert.equal(now.json<{ freshness: { asOf: string } }>().freshness.asOf, new Date(NOW_MS).toISOString())
})

test('data and admin keys may ask, nobody else; the catalogue lists what can be asked for', async (t) => {
  const { get } = await startQoeApi(t, { analytics: tables.analytics })
  for (const path of [
    'overview',
    'timeseries',
    'breakdown?by=cdn',
    'distribution',
    'views',
    'views/session-5',
    'metrics',
  ]) {
    assert.equal((await get(`/v1/qoe/${path}`, {})).statusCode, 401, path)
    assert.equal((await get(`/v1/qoe/${path}`, PUBLISHABLE)).statusCode, 403, path)
    assert.equal((await get(`/v1/qoe/${path}`, ADMIN)).statusCode, 200, path)
  }
  const list = (await get('/v1/qoe/metrics')).json<{ metrics: { name: string; formulas: Record<string, string> }[] }>()
  const rebuffering = list.metrics.find(({ name }) => name === 'rebuffer_percent')
  assert.equal(rebuffering?.formulas.mux, 'Σ mux_stalled_ms ÷ Σ mux_watch_ms × 100')
})
