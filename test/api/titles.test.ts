import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFacts } from '../../api/titles/facts.ts'
import type { TitleRow } from '../../projections/titles/row.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import { ADMIN, DATA, startHarness } from './harness.ts'
import { NOW_MS, PUBLISHABLE } from './support.ts'

const FILM = {
  kind: 'movie',
  name: 'The Log',
  durationMs: 6_000_000,
  externalIds: { imdb: 'tt1' },
  manifests: { hls: 'https://cdn.example/log.m3u8' },
}

test('a title is put, read, and put again: the last record counts whole', async (t) => {
  const api = await startHarness(t)
  const put = await api.call('PUT', '/v1/titles/log', ADMIN, FILM)
  assert.equal(put.statusCode, 200, put.body)
  assert.match(String(put.headers['playhead-position']), /^ingest-events\/\d@\d+$/)
  const read = async (after: { headers: Record<string, unknown> }) =>
    await api.call('GET', '/v1/titles/log', {
      ...PUBLISHABLE,
      'playhead-position': String(after.headers['playhead-position']),
    })
  const shown = (await read(put)).json<Record<string, unknown>>()
  assert.deepEqual([shown.name, shown.externalIds, shown.withdrawn], ['The Log', { imdb: 'tt1' }, false])
  assert.ok(!('version' in shown))
  api.clock.ms += 1
  const again = await api.call('PUT', '/v1/titles/log', ADMIN, { name: 'The Log, cut' })
  const after = (await read(again)).json<Record<string, unknown>>()
  assert.deepEqual([after.name, after.durationMs, after.kind], ['The Log, cut', null, 'unknown'])
})

test('only an admin key puts titles; any key reads them', async (t) => {
  const api = await startHarness(t, { folding: false })
  for (const headers of [{}, PUBLISHABLE, DATA, api.as('ann')]) {
    const answer = await api.call('PUT', '/v1/titles/log', headers, FILM)
    assert.ok([401, 403].includes(answer.statusCode), answer.body)
  }
  for (const headers of [PUBLISHABLE, DATA, ADMIN]) {
    assert.equal((await api.call('GET', '/v1/titles/none', headers)).json<{ code: string }>().code, 'TITLE_UNKNOWN')
  }
  assert.equal((await api.call('GET', '/v1/titles/none', {})).statusCode, 401)
})

test('a bad title is refused by its field; in bulk it costs the others nothing', async (t) => {
  const api = await startHarness(t)
  const bad = await api.call('PUT', '/v1/titles/log', ADMIN, { ...FILM, durationMs: 'long' })
  assert.deepEqual([bad.statusCode, bad.json<{ field: string }>().field], [400, 'durationMs'])
  const by = await api.call('PUT', '/v1/titles/log', ADMIN, { ...FILM, by: 'me' })
  assert.equal(by.json<{ field: string }>().field, 'by')
  const titles = [{ titleId: 'a', name: 'A' }, { titleId: 'b' }, 7, { titleId: 'c', name: 'C', season: -1 }]
  const bulk = await api.call('POST', '/v1/titles', ADMIN, { titles })
  const { accepted, invalid, results } = bulk.json<{
    accepted: number
    invalid: number
    results: { status: string; field?: string; titleId: string | null }[]
  }>()
  assert.deepEqual([accepted, invalid], [1, 3])
  assert.deepEqual(
    results.map(({ titleId, field }) => [titleId, field]),
    [
      ['a', undefined],
      ['b', 'name'],
      [null, ''],
      ['c', 'season'],
    ],
  )
  const many = await api.call('POST', '/v1/titles', ADMIN, { titles: Array.from({ length: 501 }, () => ({})) })
  assert.equal(many.json<{ code: string }>().code, 'TOO_MANY_ITEMS')
})

const ROW = {
  titleId: 'log',
  kind: 'episode',
  durationMs: 1,
  creditsStartMs: null,
  seriesId: 's',
  season: 1,
  episode: 2,
}

test('facts are asked for once in ten seconds, together for all who ask, and unknown titles too', async () => {
  let now = NOW_MS
  const asked: (readonly string[])[] = []
  const titles = {
    get: async (ids: readonly string[]) => {
      asked.push(ids)
      return ids.map((id) => (id === 'log' ? (ROW as unknown as TitleRow) : undefined))
    },
    episodes: async () => [],
  }
  const facts = createFacts(titles, () => now)
  const [both] = await Promise.all([facts.of(['log', 'none']), facts.of(['log'])])
  assert.deepEqual(both.get('log'), {
    contentType: 'episode',
    durationMs: 1,
    creditsStartMs: null,
    seriesId: 's',
    season: 1,
    episode: 2,
  })
  assert.equal(both.has('none'), false)
  await facts.of(['log', 'none'])
  assert.deepEqual(asked, [['log', 'none']])
  now += 10_001
  await facts.of(['log'])
  assert.equal(asked.length, 2)
})

test('a catalogue that is away or slow costs a write its facts, or leaves it the old ones', async () => {
  let now = NOW_MS
  let answer: () => Promise<readonly (TitleRow | undefined)[]> = async () => [ROW as unknown as TitleRow]
  const facts = createFacts({ get: () => answer(), episodes: async () => [] }, () => now)
  assert.ok((await facts.of(['log'])).has('log'))
  now += 20_000
  answer = () => Promise.reject(new StoreUnavailable('gone'))
  assert.ok((await facts.of(['log'])).has('log'), 'the old ones')
  assert.equal((await facts.of(['new'])).has('new'), false)
  answer = () => new Promise(() => undefined)
  assert.equal((await facts.of(['slow'])).has('slow'), false)
})
