/** Trending and retention on the real engine, with rows taken back and put in anew, against plain JavaScript. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { Value } from '@sinclair/typebox/value'
import { AUDIENCE_LIMITS } from '../../api/audience/limits.ts'
import { RetentionAnswer } from '../../api/audience/retention.ts'
import { TrendingAnswer } from '../../api/audience/trending.ts'
import type { AnalyticsReader } from '../../api/ports.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import type { TitleRow } from '../../projections/titles/row.ts'
import type { ViewRow } from '../../projections/views/row.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import { type AudienceServer, DATA, PUBLISHABLE, type ServerParts, startAudience } from './audience-server.ts'
import { HOUR, MINUTE, type Played, played, randomOf } from './qoe-rows.ts'
import { openTables, type Tables } from './qoe-support.ts'

/** Half past an hour. */
const NOW_MS = Date.UTC(2026, 4, 20, 12, 30)
const TITLES = ['t1', 't2', 't3', 't4', "o'neil {x:String}"]

let tables: Tables
let stands: readonly Played[]

before(async () => {
  tables = await openTables()
  const random = randomOf(7)
  const made = Array.from({ length: 600 }, (_, i) => madeUp(random, i))
  // A third is taken back and stands corrected: of another title, played otherwise.
  const again = made.filter((_, i) => i % 3 === 0).map((_, i) => madeUp(random, i * 3))
  await tables.put(made, 1n)
  await tables.put(
    made.filter((_, i) => i % 3 === 0),
    1n,
    -1,
  )
  await tables.put(again, 2n)
  stands = [...again, ...made.filter((_, i) => i % 3 !== 0)]
})
after(async () => await tables.close())

function madeUp(random: () => number, index: number): Played {
  const { view, slices } = played(random, index, NOW_MS - 50 * HOUR, NOW_MS)
  const title_id = TITLES[Math.floor(random() ** 2 * TITLES.length)] as string
  const ranges = (count: number) => {
    const from = Array.from({ length: count }, () => Math.floor(random() * 80))
    return { from, to: from.map((second) => second + Math.floor(random() * 20)) }
  }
  const watched = ranges(index % 4)
  return {
    view: {
      ...view,
      title_id,
      title_duration_ms: index % 10 === 0 ? 0 : 89_500,
      watched_from: watched.from,
      watched_to: watched.to,
    },
    slices: slices.map((slice) => {
      const again = ranges(2)
      return { ...slice, title_id, played_from: again.from, played_to: again.to }
    }),
  }
}

async function serverOn(t: TestContext, more: Partial<ServerParts> = {}): Promise<AudienceServer> {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-audience-'))
  const log = await openEmbeddedLog({ dir })
  await log.ensureTopics([{ topic: 'playback-events', partitions: 1 }])
  t.after(async () => {
    await log.close()
    rmSync(dir, { recursive: true, force: true })
  })
  const { analytics } = tables
  const checkpoints = { next: async () => 0n }
  return await startAudience(t, { log, live: false, nowMs: () => NOW_MS, analytics, checkpoints, ...more })
}

async function ask<T>(server: AudienceServer, path: string, headers = DATA): Promise<T> {
  const answer = await server.app.inject({ url: path, headers })
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.json<T>()
}

interface Trending {
  readonly from: string
  readonly to: string
  readonly rankedBy: string
  readonly titles: readonly {
    readonly rank: number
    readonly titleId: string
    readonly name: string | null
    readonly score: number
    readonly views: number
    readonly viewsBefore: number
    readonly viewers: number | null
    readonly viewersBefore: number | null
  }[]
  readonly sample: { readonly views: number }
  readonly freshness: { readonly lag: number | null }
}

function ranked(views: readonly ViewRow[], toMs: number, lengthMs: number, of: 'views' | 'viewers') {
  const started = (titleId: string, fromMs: number) =>
    views.filter(
      (v) => v.starts === 1 && v.title_id === titleId && v.started_at >= fromMs && v.started_at < fromMs + lengthMs,
    )
  const viewers = (rows: readonly ViewRow[]) => new Set(rows.map((v) => v.profile_id)).size
  const all = TITLES.map((titleId) => {
    const [now, was] = [started(titleId, toMs - lengthMs), started(titleId, toMs - 2 * lengthMs)]
    const [n, b] = of === 'views' ? [now.length, was.length] : [viewers(now), viewers(was)]
    const score = (n - b) / Math.sqrt(n + b + 1)
    const counts = of === 'views' ? [null, null] : [n, b]
    return { titleId, score, n, row: [titleId, now.length, was.length, ...counts] }
  })
  return all
    .filter(({ n }) => n > 0)
    .sort((a, b) => b.score - a.score || b.n - a.n || (a.titleId < b.titleId ? -1 : 1))
    .map(({ row, score }) => [...row, Math.round(score * 100) / 100])
}

const shown = ({ titles }: Trending) =>
  titles.map((t) => [t.titleId, t.views, t.viewsBefore, t.viewers, t.viewersBefore, t.score])

test('trending: every window and region agrees with counting by hand', async (t) => {
  const server = await serverOn(t)
  const views = stands.map(({ view }) => view)
  const day = await ask<Trending>(server, '/v1/titles/trending')
  assert.deepEqual(shown(day), ranked(views, NOW_MS - 30 * MINUTE, 24 * HOUR, 'views'))
  assert.equal(day.rankedBy, 'views')
  assert.equal(
    day.sample.views,
    day.titles.reduce((sum, { views: own }) => sum + own, 0),
  )
  assert.equal(day.freshness.lag, 0)
  assert.ok(Value.Check(TrendingAnswer, day), 'as the document says')
  const hour = await ask<Trending>(server, '/v1/titles/trending?window=1h')
  assert.deepEqual(shown(hour), ranked(views, NOW_MS, HOUR, 'viewers'))
  const german = await ask<Trending>(server, '/v1/titles/trending?window=24h&region=de')
  const inGermany = views.filter(({ country }) => country === 'DE')
  assert.deepEqual(shown(german), ranked(inGermany, NOW_MS, 24 * HOUR, 'viewers'))
  const bavaria = await ask<Trending>(server, '/v1/titles/trending?window=24h&region=DE-BY')
  const inBavaria = inGermany.filter(({ region }) => region === 'BY')
  assert.deepEqual(shown(bavaria), ranked(inBavaria, NOW_MS, 24 * HOUR, 'viewers'))
  assert.ok(bavaria.titles.length > 2)
  const two = await ask<Trending>(server, '/v1/titles/trending?limit=2', PUBLISHABLE)
  assert.deepEqual(shown(two), shown(day).slice(0, 2))
})

test('trending: named by the catalogue, without what was withdrawn; a catalogue that is away costs the names', async (t) => {
  const rows: Readonly<Record<string, Partial<TitleRow>>> = {
    t1: { name: 'One', withdrawn: false },
    t2: { name: 'Two', withdrawn: true },
  }
  const get = async (ids: readonly string[]) => ids.map((id) => rows[id] as TitleRow | undefined)
  const { titles } = await ask<Trending>(await serverOn(t, { titles: { get } }), '/v1/titles/trending')
  const names = Object.fromEntries(titles.map(({ titleId, name }) => [titleId, name]))
  assert.deepEqual([names.t1, names.t2, names.t3], ['One', undefined, null])
  assert.deepEqual(
    titles.map(({ rank }) => rank),
    titles.map((_, i) => i + 1),
  )
  const away = async () => Promise.reject(new StoreUnavailable('away'))
  const without = await ask<Trending>(await serverOn(t, { titles: { get: away } }), '/v1/titles/trending')
  assert.ok(without.titles.length > titles.length && without.titles.every(({ name }) => name === null))
})

test('trending: many who ask at once cost one query, for half a minute', async (t) => {
  let queries = 0
  let nowMs = NOW_MS
  const analytics: AnalyticsReader = {
    ...tables.analytics,
    query: async (...all) => {
      queries += 1
      return await tables.analytics.query(...all)
    },
  }
  const server = await serverOn(t, { analytics, nowMs: () => nowMs })
  await Promise.all(Array.from({ length: 20 }, () => ask(server, '/v1/titles/trending?region=DE')))
  await ask(server, '/v1/titles/trending?region=de&limit=3')
  assert.equal(queries, 1)
  nowMs += AUDIENCE_LIMITS.trendingFreshMs
  await ask(server, '/v1/titles/trending?region=DE')
  assert.equal(queries, 2)
})

test('trending: rankings of many regions at once leave the store to others', async (t) => {
  let [atOnce, most] = [0, 0]
  const analytics: AnalyticsReader = {
    ...tables.analytics,
    query: async (...all) => {
      atOnce += 1
      most = Math.max(most, atOnce)
      return await tables.analytics.query<never>(...all).finally(() => {
        atOnce -= 1
      })
    },
  }
  const server = await serverOn(t, { analytics })
  const regions = ['DE', 'FR', 'US', 'IT', 'ES']
  const answers = await Promise.all(
    regions.map((region) => server.app.inject({ url: `/v1/titles/trending?region=${region}`, headers: PUBLISHABLE })),
  )
  const statuses = answers.map(({ statusCode }) => statusCode).sort()
  assert.deepEqual(statuses, [200, 200, 429, 429, 429])
  assert.equal(most, AUDIENCE_LIMITS.trendingQueriesMax)
})

interface Retention {
  readonly lengthSeconds: number
  readonly stepSeconds: number
  readonly filters: readonly string[]
  readonly points: readonly { atSeconds: number; audience: number; audiencePercent: number; plays: number }[]
  readonly sample: { readonly views: number; readonly starts: number }
  readonly from: string
  readonly to: string
}

const playing = (from: readonly number[], to: readonly number[], second: number) =>
  from.filter((begin, i) => begin <= second && second < (to[i] as number)).length

function curveByHand(of: readonly Played[]) {
  return Array.from({ length: 90 }, (_, second) => {
    const audience = of.reduce((sum, { view }) => sum + playing(view.watched_from, view.watched_to, second), 0)
    const slices = of.flatMap((one) => one.slices)
    const plays = slices.reduce((sum, slice) => sum + playing(slice.played_from, slice.played_to, second), 0)
    return [second, audience, plays]
  })
}

test('retention: each second agrees with counting by hand, whatever was corrected', async (t) => {
  const server = await serverOn(t)
  const fromMs = NOW_MS - 50 * HOUR
  const path = `/v1/titles/t1/retention?from=${fromMs - (fromMs % MINUTE)}`
  const all = stands.filter(({ view }) => view.title_id === 't1')
  const answer = await ask<Retention>(server, path)
  assert.ok(Value.Check(RetentionAnswer, answer), 'as the document says')
  assert.deepEqual([answer.lengthSeconds, answer.stepSeconds], [90, 1], 'most say 89.5 s')
  assert.deepEqual(
    answer.points.map(({ atSeconds, audience, plays }) => [atSeconds, audience, plays]),
    curveByHand(all),
  )
  const starts = all.filter(({ view }) => view.starts === 1).length
  assert.deepEqual(answer.sample, { views: all.length, starts })
  const [first] = answer.points
  assert.ok(first !== undefined)
  assert.equal(first.audiencePercent, Math.round((first.audience / starts) * 10_000) / 100)

  const words = '&filter=country:DE&filter=country:US&filter=!cdn:akamai'
  const some = await ask<Retention>(server, `${path}${words}`)
  const those = all.filter(({ view }) => ['DE', 'US'].includes(view.country) && view.cdn !== 'akamai')
  const slicesToo = those.map(({ view, slices }) => ({ view, slices }))
  assert.deepEqual(
    some.points.map(({ atSeconds, audience, plays }) => [atSeconds, audience, plays]),
    curveByHand(slicesToo),
  )
  assert.deepEqual(some.filters, ['!cdn:akamai', 'country:DE', 'country:US'])
})

test('retention: a window and a step, and a title that nobody knows', async (t) => {
  const server = await serverOn(t)
  const [fromMs, toMs] = [NOW_MS - 9 * HOUR, NOW_MS - 2 * HOUR]
  const path = `/v1/titles/t2/retention?from=${fromMs}&to=${new Date(toMs).toISOString()}&step=7`
  const answer = await ask<Retention>(server, path)
  const inside = ({ view: { title_id, started_at } }: Played) =>
    title_id === 't2' && started_at >= fromMs && started_at < toMs
  const byHand = curveByHand(stands.filter(inside))
  assert.deepEqual([answer.stepSeconds, answer.points.length], [7, 13])
  for (const { atSeconds, audience } of answer.points) {
    const seconds = byHand.slice(atSeconds, atSeconds + 7)
    const mean = seconds.reduce((sum, [, of]) => sum + (of as number), 0) / seconds.length
    assert.equal(audience, Math.round(mean * 100) / 100)
  }
  const nobody = await ask<Retention>(server, '/v1/titles/none/retention')
  assert.deepEqual([nobody.points, nobody.sample], [[], { views: 0, starts: 0 }])
})

test('what is wrong in a question is said, and no text of it ever becomes SQL', async (t) => {
  const server = await serverOn(t)
  const code = async (path: string, headers: Record<string, string> = DATA) => {
    const answer = await server.app.inject({ url: path, headers })
    return [answer.statusCode, answer.json<{ code?: string; field?: string }>().code, answer.json().field]
  }
  assert.deepEqual(await code('/v1/titles/trending?window=2h'), [400, 'FIELD_INVALID', 'window'])
  assert.deepEqual(await code('/v1/titles/trending?limit=101'), [400, 'FIELD_INVALID', 'limit'])
  assert.deepEqual(await code("/v1/titles/trending?region=DE'--"), [400, 'FIELD_INVALID', 'region'])
  assert.deepEqual(await code('/v1/titles/t1/retention?filter=colour:red'), [400, 'FIELD_INVALID', 'filter'])
  assert.deepEqual(await code('/v1/titles/t1/retention?from=yesterday'), [400, 'FIELD_INVALID', 'from'])
  assert.deepEqual(await code('/v1/titles/t1/retention', PUBLISHABLE), [403, 'KEY_NOT_ALLOWED', undefined])
  const hostile = encodeURIComponent("x' OR 1=1 --\\ \t\n{p0:String} `")
  const all = await ask<Retention>(
    server,
    `/v1/titles/${hostile}/retention?filter=${encodeURIComponent('cdn:')}${hostile}`,
  )
  assert.equal(all.sample.views, 0)
  const odd = await ask<Retention>(server, `/v1/titles/${encodeURIComponent("o'neil {x:String}")}/retention`)
  assert.ok(odd.sample.views > 0)
  assert.deepEqual(server.failures, [])
})
