/**
 * What the QoE API answers, and how soon, over a month of a large audience in the embedded engine: 100 million
 * view-minutes (PLAYHEAD_BENCH_VIEWS sets the number of views). Each question is asked through the API's own routes, at
 * rest and while ClickHouse merges; a day's overview also when there were three days of data, for time must grow with what
 * is asked for and not with what there is.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Admission } from '../api/context.ts'
import { addQoeRoutes } from '../api/qoe/routes.ts'
import { analyticsReader } from '../api/readers/analytics.ts'
import type { EventLog } from '../log/log.ts'
import { ClickHouse } from '../stores/clickhouse/clickhouse.ts'
import { ClickHouseReader } from '../stores/clickhouse/reader.ts'
import { startAnalyticsProcess } from '../test/consumers/analytics-process.ts'
import { type BenchOptions, type Measured, median } from './bench.ts'
import { type Audience, fill } from './qoe-data.ts'

const DAY_MS = 86_400_000
const FROM_MS = Date.UTC(2026, 9, 1)
const DAYS = 31
const END_MS = FROM_MS + DAYS * DAY_MS
const FILL_TIMEOUT_MS = 600_000

interface Question {
  readonly name: string
  readonly path: string
  readonly atMostMs: number
}

const window = (days: number) => `from=${END_MS - days * DAY_MS}&to=${END_MS}&asOf=${END_MS}`
const ONE = 'filter=country:DE'
const SEVERAL = 'filter=country:DE&filter=cdn:fastly&filter=device_type:tv'

function questions(session: string): readonly Question[] {
  const numbers = 'metric=views&metric=startup_p95_ms&metric=rebuffer_percent&metric=failure_percent'
  return [
    { name: 'overview of a day', path: `overview?${window(1)}`, atMostMs: 60 },
    { name: 'overview of a day, one filter', path: `overview?${window(1)}&${ONE}`, atMostMs: 60 },
    { name: 'series of a day by minute', path: `timeseries?${window(1)}&grain=minute&${numbers}`, atMostMs: 60 },
    {
      name: 'series of a day by minute, one filter',
      path: `timeseries?${window(1)}&grain=minute&${numbers}&${ONE}`,
      atMostMs: 60,
    },
    { name: 'overview of 30 days', path: `overview?${window(30)}`, atMostMs: 100 },
    { name: 'overview of 30 days, one filter', path: `overview?${window(30)}&${ONE}`, atMostMs: 100 },
    { name: 'series of 30 days by hour', path: `timeseries?${window(30)}&grain=hour&${numbers}`, atMostMs: 100 },
    {
      name: 'overview of 30 days, three filters',
      path: `overview?${window(30)}&${numbers}&${SEVERAL}`,
      atMostMs: 1_000,
    },
    { name: 'breakdown of 30 days by title', path: `breakdown?${window(30)}&by=title_id&${numbers}`, atMostMs: 250 },
    { name: 'one session', path: `views/${session}`, atMostMs: 80 },
  ]
}

export async function run({ quick }: BenchOptions): Promise<Measured[]> {
  const views = quick ? 3_100 : Number(process.env.PLAYHEAD_BENCH_VIEWS ?? 4_760_000)
  const rounds = quick ? 2 : 15
  const dir = await mkdtemp(join(tmpdir(), 'playhead-bench-query-'))
  const engine = await startAnalyticsProcess(join(dir, 'analytics'))
  const store = new ClickHouse({ ...engine.access, database: 'playhead', requestTimeoutMs: FILL_TIMEOUT_MS })
  const reader = new ClickHouseReader({ ...engine.access, username: 'reader', password: 'reader-secret' })
  try {
    await store.prepare()
    const database = await store.prepareGeneration('views_v1_bench', 'views_v1')
    const events = await store.prepareGeneration('events_v1_bench', 'events_v1')
    await store.alias('events', `${events}.events`)
    const app = apiOver(reader, database)
    const audience: Audience = { database, views, fromMs: FROM_MS, days: DAYS }
    // The youngest days first: what is asked for is there from then on, and history grows behind it.
    const young = Math.floor(views * (1 - 3 / DAYS))
    await fill(store, audience, young, views, told('the last three days'))
    const overview = questions('')[0]!
    const small = await timed(app, overview, rounds)
    await fill(store, audience, 0, young, told('the days before'))
    await settled(store, database)
    const asked = questions(`s${views - 1_000}`)
    const measured: Measured[] = []
    for (const question of asked) measured.push(await still(app, question, rounds))
    measured.push(...(await whileMerging(app, store, database, asked, measured, rounds)))
    const grown = await timed(app, overview, rounds)
    const ratio = grown / small
    const name = `overview of a day with ${DAYS} days of data ÷ with 3`
    return [...measured, { name, ours: ratio, unit: '×', bar: { atMost: 1.5, of: 'ours' } }]
  } finally {
    await Promise.all([store.close(), reader.close()])
    await engine.stop()
    await rm(dir, { recursive: true, force: true })
  }
}

async function still(app: FastifyInstance, question: Question, rounds: number): Promise<Measured> {
  const ours = await timed(app, question, rounds)
  return { name: question.name, ours, unit: 'ms', bar: { atMost: question.atMostMs, of: 'ours' } }
}

/** Merges of the largest tables are asked for and go on while each question is asked; the worst of the slow-downs counts. */
async function whileMerging(
  app: FastifyInstance,
  store: ClickHouse,
  database: string,
  asked: readonly Question[],
  before: readonly Measured[],
  rounds: number,
): Promise<Measured[]> {
  let merging = true
  const merge = (async () => {
    while (merging) {
      await store.command(`OPTIMIZE TABLE ${database}.view_slices PARTITION 202610 FINAL`)
      await store.command(`OPTIMIZE TABLE ${database}.views PARTITION 202610 FINAL`)
    }
  })()
  const slower: { name: string; times: number }[] = []
  for (const [i, question] of asked.entries()) {
    slower.push({ name: question.name, times: (await timed(app, question, rounds)) / before[i]!.ours })
  }
  merging = false
  await merge
  const worst = slower.reduce((a, b) => (b.times > a.times ? b : a))
  const note = `${worst.name}; median of all ${median(slower.map(({ times }) => times)).toFixed(2)}`
  return [{ name: 'while a merge runs, the most', ours: worst.times, unit: '×', bar: { atMost: 3, of: 'ours' }, note }]
}

async function timed(app: FastifyInstance, { path }: Question, rounds: number): Promise<number> {
  const times: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const begun = performance.now()
    const answer = await app.inject({ method: 'GET', url: `/v1/qoe/${path}` })
    if (answer.statusCode !== 200) throw new Error(`${path} was answered ${answer.statusCode}: ${answer.body}`)
    // The first one opens connections and compiles.
    if (round > 0) times.push(performance.now() - begun)
  }
  return median(times)
}

function apiOver(reader: ClickHouseReader, views: string): FastifyInstance {
  const app = Fastify()
  const log = { bounds: async () => [] } as unknown as EventLog
  const checkpoints = { next: async () => undefined }
  const key = async () => ({ name: 'bench', kind: 'data', app: 'default', environment: 'production' }) as const
  const admission = { key } as unknown as Admission
  const analytics = analyticsReader(reader, () => ({ views, shared: 'playhead' }))
  addQoeRoutes(app, { admission, analytics, log, checkpoints, nowMs: () => END_MS })
  return app
}

/** Until nothing merges any more, or five minutes. */
async function settled(store: ClickHouse, database: string): Promise<void> {
  for (let n = 0; n < 300; n++) {
    const [row] = await store.query<{ n: string }>(
      'SELECT toString(count()) AS n FROM system.merges WHERE database = {database:String}',
      { database },
    )
    if (row?.n === '0') return
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
}

function told(what: string): (share: number) => void {
  let last = 0
  return (share) => {
    if (share < 1 && share - last < 0.1) return
    last = share
    process.stderr.write(`${what}: ${Math.round(share * 100)} %\n`)
  }
}
