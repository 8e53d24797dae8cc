import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { ADMIN, type Harness, startHarness } from './harness.ts'

const HOUR_MS = 3_600_000
const FILM_MS = 100 * 60_000

interface Item {
  readonly titleId: string
  readonly label: string | null
  readonly name: string | null
  readonly positionMs: number
  readonly minutesRemaining: number | null
  readonly next: boolean
}

let last = ''
let catalogued = ''

/** Positions are of one log: each test begins anew. */
beforeEach(() => {
  last = ''
  catalogued = ''
})

async function report(api: Harness, titleId: string, body: object): Promise<void> {
  api.clock.ms += 60_000
  const answer = await api.call('PUT', `/v1/profiles/ann/progress/${titleId}`, api.as('ann'), body)
  assert.equal(answer.statusCode, 200, answer.body)
  last = String(answer.headers['playhead-position'])
}

async function catalogue(api: Harness, titles: readonly object[]): Promise<void> {
  api.clock.ms += 1
  const answer = await api.call('POST', '/v1/titles', ADMIN, { titles })
  assert.equal(answer.json<{ invalid: number }>().invalid, 0, answer.body)
  catalogued = String(answer.headers['playhead-position'])
  // Folded before they are watched: their length is stamped on what follows.
  const [first] = titles as readonly { titleId: string }[]
  const headers = { ...ADMIN, 'playhead-position': catalogued }
  const seen = await api.call('GET', `/v1/titles/${first!.titleId}`, headers)
  assert.equal(seen.headers['playhead-position-passed'], 'true')
}

const episode = (season: number, number: number, more: object = {}) => ({
  titleId: `s${season}e${number}`,
  kind: 'episode',
  name: `Episode ${season}.${number}`,
  seriesId: 'series-1',
  season,
  episode: number,
  durationMs: FILM_MS,
  ...more,
})

async function offered(api: Harness, query = ''): Promise<readonly Item[]> {
  const headers = { ...api.as('ann'), 'playhead-position': `${last}${catalogued && ','}${catalogued}` }
  const answer = await api.call('GET', `/v1/profiles/ann/continue-watching${query}`, headers)
  assert.equal(answer.statusCode, 200, answer.body)
  assert.equal(answer.headers['playhead-position-passed'], 'true')
  return answer.json<{ items: Item[] }>().items
}

test('what was begun and not completed is offered, newest first', async (t) => {
  const api = await startHarness(t)
  await report(api, 'begun', { positionMs: 61_000, durationMs: FILM_MS })
  await report(api, 'peeked', { positionMs: 60_000, durationMs: FILM_MS })
  await report(api, 'short', { positionMs: 6_000, durationMs: 100_000 })
  await report(api, 'done', { positionMs: 95 * 60_000, durationMs: FILM_MS })
  await report(api, 'endless', { positionMs: 90_000 })
  const items = await offered(api)
  assert.deepEqual(
    items.map(({ titleId, minutesRemaining }) => [titleId, minutesRemaining]),
    [
      ['endless', null],
      ['short', 2],
      ['begun', 99],
    ],
  )
  await report(api, 'begun', { positionMs: 70_000, durationMs: FILM_MS })
  assert.equal((await offered(api))[0]?.titleId, 'begun')
  assert.equal((await offered(api, '?limit=1')).length, 1)
})

test('at most twenty are offered', async (t) => {
  const api = await startHarness(t)
  for (let i = 0; i < 25; i++) await report(api, `t${i}`, { positionMs: 100_000 })
  const items = await offered(api)
  assert.deepEqual([items.length, items[0]?.titleId], [20, 't24'])
})

test('a series is one entry: its latest episode, then the next one, over the end of a season', async (t) => {
  const api = await startHarness(t)
  await catalogue(api, [episode(1, 1), episode(1, 2), episode(2, 1), episode(2, 2)])
  await report(api, 's1e1', { positionMs: 10 * 60_000 })
  await report(api, 's1e2', { positionMs: 20 * 60_000 })
  const [watching, ...others] = await offered(api)
  assert.deepEqual(
    [watching?.titleId, watching?.label, watching?.minutesRemaining, others.length],
    ['s1e2', 'S1:E2', 80, 0],
  )
  await report(api, 's1e2', { positionMs: 99 * 60_000 })
  const [next] = await offered(api)
  assert.deepEqual(
    [next?.titleId, next?.label, next?.name, next?.positionMs, next?.minutesRemaining, next?.next],
    ['s2e1', 'S2:E1', 'Episode 2.1', 0, 100, true],
  )
  await report(api, 's2e1', { positionMs: 30_000 })
  const [opened] = await offered(api)
  assert.deepEqual([opened?.titleId, opened?.positionMs], ['s2e1', 30_000], 'a peek into the next is still the next')
  await report(api, 's2e2', { positionMs: 99 * 60_000 })
  assert.deepEqual(await offered(api), [], 'watched to its end')
})

test('the next episode is one that exists, where the catalogue has it now, and that was not watched', async (t) => {
  const api = await startHarness(t)
  await catalogue(api, [episode(1, 1), episode(1, 2), episode(1, 3), episode(1, 4)])
  // Moved out of the series: its old place stays behind among the episodes.
  await catalogue(api, [{ titleId: 's1e2', name: 'A special' }])
  await report(api, 's1e3', { positionMs: FILM_MS })
  await report(api, 's1e1', { positionMs: FILM_MS })
  assert.deepEqual(
    (await offered(api)).map(({ titleId }) => titleId),
    ['s1e4'],
  )
})

test('what was cleared is not offered', async (t) => {
  const api = await startHarness(t)
  await report(api, 't1', { positionMs: 100_000 })
  assert.equal((await offered(api)).length, 1)
  api.clock.ms += 1
  const cleared = await api.call('DELETE', '/v1/profiles/ann/progress/t1', api.as('ann'))
  last = String(cleared.headers['playhead-position'])
  assert.deepEqual(await offered(api), [])
})

test('the history has every play, newest first, in pages that neither repeat nor leave out', async (t) => {
  const api = await startHarness(t)
  for (let i = 0; i < 7; i++) {
    api.clock.ms += HOUR_MS
    await report(api, i % 2 === 0 ? 'even' : 'odd', { positionMs: i * 1_000, sessionId: `s${i}` })
  }
  const headers = { ...api.as('ann'), 'playhead-position': last }
  const seen: string[] = []
  for (let cursor = ''; ; ) {
    const answer = await api.call('GET', `/v1/profiles/ann/history?limit=3${cursor}`, headers)
    const page = answer.json<{ items: { titleId: string; startedAt: number }[]; next: string | null }>()
    seen.push(...page.items.map(({ titleId, startedAt }) => `${startedAt} ${titleId}`))
    if (page.next === null) break
    cursor = `&cursor=${page.next}`
  }
  assert.equal(seen.length, 7)
  assert.deepEqual(seen, [...new Set(seen)].sort().reverse())
  assert.match(seen[0]!, / even$/)
  const bad = await api.call('GET', '/v1/profiles/ann/history?cursor=%7B', api.as('ann'))
  assert.equal(bad.json<{ field: string }>().field, 'cursor')
})

test('plays of a title within thirty seconds are one', async (t) => {
  const api = await startHarness(t)
  await report(api, 't1', { positionMs: 1_000, sessionId: 'a' })
  api.clock.ms -= 60_000 - 29_000
  await report(api, 't1', { positionMs: 2_000, sessionId: 'b' })
  await report(api, 't1', { positionMs: 3_000, sessionId: 'c' })
  const headers = { ...api.as('ann'), 'playhead-position': last }
  const { items } = (await api.call('GET', '/v1/profiles/ann/history', headers)).json<{ items: unknown[] }>()
  assert.equal(items.length, 2)
})
