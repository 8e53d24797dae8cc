/** Quality of experience, the audience and alerts on real Kafka and Cassandra and the analytics process, through real roles. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig } from '../../cli/config.ts'
import { openState } from '../../cli/engines.ts'
import { readKeyFile } from '../../cli/keys.ts'
import { NO_TALLY } from '../../consumers/fold.ts'
import { type Env, freePorts, playhead, start, tempFolder } from '../cli/playhead.ts'
import {
  accessLog,
  audience,
  BAD_MINUTES,
  GOOD_MINUTES,
  MINUTE_MS,
  type Names,
  namesOf,
  type Posted,
  playingNow,
  STARTUP_MS,
  story,
  VIEWS_A_MINUTE,
} from './qoe-audience.ts'
import { cassandra, kafka } from './servers.ts'

const WAIT_MS = 40_000
const ONE_CDN = (BAD_MINUTES + GOOD_MINUTES) * VIEWS_A_MINUTE
const FAILED = BAD_MINUTES * VIEWS_A_MINUTE

/** What the API answers, as far as it is looked at here. */
// biome-ignore lint/suspicious/noExplicitAny: answers of a dozen routes, each checked field by field below.
type Answer = any

class Api {
  readonly #url: string
  readonly #keys: { readonly publishable: string; readonly data: string }

  readonly #clickhouse: string

  constructor(url: string, clickhouse: string, data: string) {
    this.#url = url
    this.#clickhouse = clickhouse
    this.#keys = readKeyFile(join(data, 'keys.json'))
  }

  async post(events: readonly Posted[]): Promise<void> {
    const answer = await fetch(`${this.#url}/v1/events`, {
      method: 'POST',
      headers: { 'x-playhead-key': this.#keys.publishable, 'content-type': 'application/json' },
      body: JSON.stringify({ sentAt: Date.now(), events }),
    })
    assert.equal(answer.status, 202, await answer.text())
  }

  async get(path: string, query: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const answer = await fetch(`${this.#url}${path}?${new URLSearchParams(query)}`, {
      headers: { 'x-playhead-key': this.#keys.data },
    })
    const text = await answer.text()
    // 503: a table or the engine behind it is not there yet.
    if (answer.status === 503) return undefined
    assert.equal(answer.status, 200, `${path}: ${text}`)
    return JSON.parse(text)
  }

  async sql(text: string): Promise<string> {
    const headers = { authorization: `Bearer ${this.#keys.data}` }
    const answer = await fetch(this.#clickhouse, { method: 'POST', body: text, headers })
    return (await answer.text()).trim()
  }

  async until(what: string, holds: (answer: Answer) => boolean, path: string, query: Readonly<Record<string, string>>) {
    const deadlineMs = performance.now() + WAIT_MS
    for (;;) {
      const answer = await this.get(path, query)
      if (answer !== undefined && holds(answer)) return answer
      assert.ok(performance.now() < deadlineMs, `waited in vain for ${what}: ${JSON.stringify(answer)}`)
      await sleep(100)
    }
  }
}

test('on the cluster: a session is in every answer about quality and audience, and the incident it was part of opens and resolves', async (t) => {
  const [broker, store] = await Promise.all([kafka(), cassandra()])
  t.after(() => Promise.all([broker.close(), store.close()]))
  const folder = tempFolder(t)
  const unique = `${process.pid}-${Date.now()}`
  const names = namesOf(unique)
  const [starts, hits] = [`starts-${unique}`, `hits-${unique}`]
  const rules = join(folder, 'rules.json')
  const env: Env = {
    ...freePorts(join(folder, 'data')),
    PLAYHEAD_LOG: `kafka://${broker.host}:${broker.port}`,
    PLAYHEAD_STORE: `cassandra://${store.host}:${store.port}/qoe_${unique.replace('-', '_')}`,
    PLAYHEAD_ALERT_RULES: rules,
  }
  const fromMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 20 * MINUTE_MS

  // Nothing judges yet: players report twenty minutes late here, and who is late changes no alert.
  writeFileSync(rules, JSON.stringify({ shipped: false, rules: [] }))
  await whileUp(t, env, async (api) => {
    await api.post(audience(names, fromMs))
    await api.post(story(names, fromMs + 5 * MINUTE_MS))
    await qualityOf(api, names, fromMs)
    await storyOf(api, names)
    await audienceOf(api, names)
    await requestsOf(t, env, api, names, fromMs)
  })
  writeFileSync(rules, JSON.stringify(rulesOf(starts, hits, names)))
  await judgedUntil(env, fromMs - 5 * MINUTE_MS)
  await whileUp(t, env, async (api) => {
    await incidentOf(api, starts, names, fromMs)
    await incidentOf(api, hits, names, fromMs)
  })
})

async function whileUp(t: TestContext, env: Env, ask: (api: Api) => Promise<void>): Promise<void> {
  const run = start(t, env, 'up')
  const urlOf = async (role: string) => {
    const line = await run.line((l) => l.includes(`"role":"${role}"`) && l.includes('"msg":"ready"'), role)
    return (JSON.parse(line) as { url: string }).url
  }
  await ask(new Api(await urlOf('api'), await urlOf('analytics'), env.PLAYHEAD_DATA ?? ''))
  run.child.kill('SIGINT')
  assert.equal((await run.ended).code, 0)
}

/** The shipped rules watch everything that the shared log holds; here two watch these views and requests alone. */
function rulesOf(starts: string, hits: string, { appVersion, badCdn }: Names) {
  const judged = { direction: 'below', threshold: 95, forMinutes: 2, resolveMinutes: 2, minViews: 5, by: 'cdn' }
  const rule = { severity: 'critical', summary: 'Too few', ...judged }
  const rules = [
    { name: starts, metric: 'start_success_percent', filter: [`app_version:${appVersion}`], ...rule },
    { name: hits, metric: 'cdn_hit_percent', filter: [`cdn:${badCdn}`], ...rule },
  ]
  return { shipped: false, rules }
}

/** The CDN's log is read, while all runs, into the same event log. */
async function requestsOf(t: TestContext, env: Env, api: Api, names: Names, fromMs: number): Promise<void> {
  const file = join(env.PLAYHEAD_DATA ?? '', 'edge.ndjson')
  writeFileSync(file, accessLog(names, fromMs))
  const read = await playhead(t, env, 'ingest', 'cmcd-log', file, '--cdn', names.badCdn)
  assert.equal(read.code, 0, read.err)
  const count = `SELECT count(), countIf(cache_status = 'hit') FROM playhead.cdn_requests WHERE cdn = '${names.badCdn}'`
  const deadlineMs = performance.now() + WAIT_MS
  while ((await api.sql(`${count} FORMAT CSV`)) !== `${ONE_CDN},${GOOD_MINUTES * VIEWS_A_MINUTE}`) {
    assert.ok(performance.now() < deadlineMs, `waited in vain for requests: ${await api.sql(count)}`)
    await sleep(100)
  }
}

/** As if an evaluator had judged up to then and died: the next one catches up. */
async function judgedUntil(env: Env, atMs: number): Promise<void> {
  const state = await openState(loadConfig(env).config)
  const checkpoint = BigInt(atMs / MINUTE_MS)
  for (const source of ['views', 'cdn_requests']) {
    const key = { generation: `alerts_v1_${source}`, topic: 'engine-events', partition: 0 }
    const record = { term: 1n, revision: 1n, checkpoint, tally: NO_TALLY, audit: 0n }
    assert.ok((await state.commits.swap(key, undefined, record)).swapped)
  }
  await state.close()
}

async function incidentOf(api: Api, rule: string, names: Names, fromMs: number): Promise<void> {
  const isOver = ({ incidents }: Answer) => incidents[0]?.resolvedAt !== undefined && incidents[0].resolvedAt !== null
  const { incidents } = await api.until('an incident that is over', isOver, '/v1/incidents', { rule })
  assert.equal(incidents.length, 1, 'the other CDN had none')
  const [{ dimensions, since, openedAt, resolvedAt, observed, state }] = incidents
  const minute = (n: number) => new Date(fromMs + n * MINUTE_MS).toISOString()
  assert.equal(dimensions.cdn, names.badCdn)
  assert.deepEqual([state, observed], ['resolved', 0])
  assert.deepEqual(
    [since, openedAt, resolvedAt].map((time) => new Date(time).toISOString()),
    [minute(0), minute(2), minute(BAD_MINUTES + 2)],
  )
}

async function qualityOf(api: Api, { appVersion, badCdn, goodCdn, titleId }: Names, fromMs: number): Promise<void> {
  const all = 2 * ONE_CDN + 1
  const ours = { filter: `app_version:${appVersion}`, from: String(fromMs), to: String(fromMs + 10 * MINUTE_MS) }
  const whole = ({ sample }: Answer) => sample.views === all
  const overview = await api.until('all views', whole, '/v1/qoe/overview', ours)
  assert.equal(overview.values.views, all)
  assert.equal(overview.values.starts, all - FAILED)
  assert.equal(overview.values.start_success_percent.toFixed(3), ((1 - FAILED / all) * 100).toFixed(3))
  near(overview.values.startup_p50_ms, STARTUP_MS)
  assert.ok(Object.keys(overview.freshness.readThrough).length > 0)

  const series = await api.get('/v1/qoe/timeseries', { ...ours, grain: 'minute', metric: 'views' })
  const points = series.points.map((point: Answer) => point.views ?? 0)
  assert.deepEqual(points, [20, 20, 20, 20, 20, 21, 0, 0, 0, 0])

  const breakdown = await api.get('/v1/qoe/breakdown', { ...ours, by: 'cdn', metric: 'start_success_percent' })
  const byCdn = new Map(breakdown.rows.map((row: Answer) => [row.value, row.start_success_percent]))
  assert.deepEqual([byCdn.get(badCdn), byCdn.get(goodCdn), byCdn.size], [50, 100, 2])

  const { bins } = await api.get('/v1/qoe/distribution', ours)
  const counted = bins.reduce((sum: number, bin: Answer) => sum + bin.views, 0)
  assert.equal(counted, all - FAILED)

  const found = await api.get('/v1/qoe/views', { ...ours, error: 'CDN_503', limit: '100' })
  assert.equal(found.views.length, FAILED)
  assert.ok(found.views.every((view: Answer) => view.title_id === titleId && view.cdn === badCdn))
  const { metrics } = await api.get('/v1/qoe/metrics')
  assert.ok(metrics.some(({ name }: Answer) => name === 'start_success_percent'))
}

async function storyOf(api: Api, { sessionId, titleId }: Names): Promise<void> {
  const told = await api.get(`/v1/qoe/views/${sessionId}`)
  assert.equal(told.views.length, 1)
  const [{ row, explanation }] = told.views
  assert.deepEqual([row.title_id, row.stalls, row.stalled_ms, row.startup_ms], [titleId, 1, 4_000, STARTUP_MS])
  assert.deepEqual(explanation.differences, [], 'folded again, the events come to the row that stands')
  assert.equal(told.events.length, 6)
}

async function audienceOf(api: Api, names: Names): Promise<void> {
  const trending = await api.get('/v1/titles/trending', { window: '1h', limit: '100' })
  const ours = trending.titles.find(({ titleId }: Answer) => titleId === names.titleId)
  assert.deepEqual([ours?.views, ours?.viewers, ours?.viewersBefore], [2 * ONE_CDN + 1 - FAILED, ours?.views, 0])

  await api.post([0, 1].flatMap((n) => playingNow(names, `now-${names.sessionId}-${n}`, Date.now())))
  const watching = ({ by }: Answer) =>
    by.title.some(({ value, concurrent }: Answer) => value === names.titleId && concurrent === 2)
  const frame = await api.until('two who watch', watching, '/v1/live', { once: 'true' })
  assert.equal(frame.freshness.stale, false)
}

/** Percentiles are right within a bucket of the histogram. */
function near(value: number, wanted: number): void {
  assert.ok(Math.abs(value - wanted) <= wanted * 0.02, `${value} is not near ${wanted}`)
}
