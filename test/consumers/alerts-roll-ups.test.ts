/** What a rule reads of ClickHouse is what a sum over the rows says, whichever table answers; and how far it may look. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { largestValues, type RollUpPorts, readMinutes } from '../../consumers/alerts/roll-ups.ts'
import { watermarkOf } from '../../consumers/alerts/watermark.ts'
import { NO_TALLY } from '../../consumers/fold.ts'
import { bucketOf } from '../../projections/histogram.ts'
import { DIMENSIONS_OF } from '../../projections/incidents/dimensions.ts'
import { WATCHED_METRICS } from '../../projections/incidents/metrics.ts'
import type { Rule } from '../../projections/incidents/rule.ts'
import { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import { ClickHouseReader } from '../../stores/clickhouse/reader.ts'
import { rule } from '../projections/incident-rules.ts'
import { numbers } from '../projections/support.ts'
import { MINUTE_MS, START_MS, startScene } from './alerts-scene.ts'
import { type AnalyticsProcess, startAnalyticsProcess } from './analytics-process.ts'

interface View {
  readonly minute: number
  readonly sign: 1 | -1
  readonly starts: number
  readonly startup_failures: number
  readonly startup_ms: number
  readonly cdn: string
  readonly country: string
  readonly region: string
  readonly asn: number
  readonly app_id: string
}

let dir: string
let process_: AnalyticsProcess
let store: ClickHouse
/** As the role asks: somebody who may only read. */
let reader: ClickHouseReader
let views: string
let requests: string
let rows: readonly View[]

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'playhead-roll-ups-'))
  process_ = await startAnalyticsProcess(join(dir, 'analytics'))
  store = new ClickHouse({ ...process_.access, database: 'playhead' })
  await store.prepare()
  reader = new ClickHouseReader({ ...process_.access, username: 'reader', password: 'reader-secret' })
  views = await store.prepareGeneration('views_v1_test', 'views_v1')
  requests = await store.prepareGeneration('cdn_requests_v1_test', 'cdn_requests_v1')
  rows = generated()
  const columns = ['started_at', 'view_id', 'sign', 'version', 'views', 'starts', 'startup_failures', 'startups']
  const more = ['startup_ms', 'startup_bucket', 'cdn', 'country', 'region', 'asn', 'app_id']
  const values = rows.map((row, i) => {
    const own = [row.starts, row.startup_failures, row.starts, row.startup_ms, bucketOf(row.startup_ms)]
    const where = [`'${row.cdn.replace("'", "''")}'`, `'${row.country}'`, `'${row.region}'`, row.asn, `'${row.app_id}'`]
    const at = `toDateTime64(${(START_MS + row.minute * MINUTE_MS) / 1_000 + (i % 60)}, 3, 'UTC')`
    return `(${[at, `'v${i}'`, row.sign, i + 1, 1, ...own, ...where].join(', ')})`
  })
  await store.command(`INSERT INTO ${views}.views (${[...columns, ...more].join(', ')}) VALUES ${values.join(', ')}`)
})
after(async () => {
  await Promise.all([store.close(), reader.close()])
  await process_.stop()
  await rm(dir, { recursive: true, force: true })
})

function portsOf(): RollUpPorts {
  return { query: (sql, parameters) => reader.query(sql, parameters), views, requests }
}

/** Some rows are taken back by a later one with the opposite sign. */
function generated(): View[] {
  const next = numbers(11)
  const made = Array.from({ length: 600 }, (): View => {
    const starts = next(5) === 0 ? 0 : 1
    const country = ['', 'DE', 'PE', 'US'][next(4)]!
    return {
      ...{ minute: next(8), sign: 1, starts, startup_failures: 1 - starts, startup_ms: starts * (1 + next(9_000)) },
      ...{ cdn: ['a', 'b', "o'c"][next(3)]!, country, region: next(3) === 0 ? '' : `R${next(2)}`, asn: next(3) },
      app_id: ['tv', 'web'][next(2)]!,
    }
  })
  return [...made, ...made.filter(() => next(4) === 0).map((row): View => ({ ...row, sign: -1 }))]
}

const regionOf = ({ country, region }: View) => (region === '' || country === '' ? region : `${country}-${region}`)

const ASKED: readonly (readonly [string, Partial<Rule>, (view: View) => boolean, ((view: View) => string)?])[] = [
  ['everything', {}, () => true],
  ['one value', { filter: ['cdn:a'] }, (view) => view.cdn === 'a'],
  ['any of two', { filter: ['country:DE', 'country:'] }, (view) => view.country === 'DE' || view.country === ''],
  ['all but one', { filter: ['!cdn:a'] }, (view) => view.cdn !== 'a'],
  ['two dimensions', { filter: ['cdn:a', 'app_id:tv'] }, (view) => view.cdn === 'a' && view.app_id === 'tv'],
  ['a value with a quote', { filter: ["cdn:o'c"] }, (view) => view.cdn === "o'c"],
  ['a region', { filter: ['region:DE-R1'] }, (view) => regionOf(view) === 'DE-R1'],
  ['each CDN', { by: 'cdn' }, () => true, (view) => view.cdn],
  ['each network', { by: 'asn' }, () => true, (view) => (view.asn === 0 ? '' : String(view.asn))],
  ['each region of an app', { by: 'region', filter: ['app_id:web'] }, (view) => view.app_id === 'web', regionOf],
]

for (const [name, fields, fits, nameOf = () => ''] of ASKED) {
  test(`minutes of ${name} are the sums over their rows`, async () => {
    const ports = portsOf()
    const until = START_MS + 7 * MINUTE_MS
    const within = rows.filter((view) => fits(view) && view.minute >= 1 && view.minute < 7)
    for (const metric of ['start_success_percent', 'startup_p95_ms']) {
      const asked = rule({ metric, ...fields })
      const values = [...new Set(within.map(nameOf))].filter((value) => fields.by === undefined || value !== '')
      if (fields.by !== undefined) {
        const listed = await largestValues(ports, asked, 20, START_MS + MINUTE_MS, until)
        assert.deepEqual([...listed].sort(), values.sort())
      }
      const found = await readMinutes(ports, asked, values, START_MS + MINUTE_MS, until)
      for (const value of values)
        assert.deepEqual(plain(found.get(value)), expected(metric, within, nameOf, value), `${metric} ${value}`)
    }
  })
}

function plain(
  minutes: Awaited<ReturnType<typeof readMinutes>> extends ReadonlyMap<string, infer M> ? M | undefined : never,
) {
  return [...(minutes ?? [])]
    .filter(([, { sample }]) => sample !== 0)
    .map(([ms, { numerator, denominator, sample, histogram }]) => {
      const buckets = [...histogram].filter(([, count]) => count !== 0).sort(([a], [b]) => a - b)
      return { minute: (ms - START_MS) / MINUTE_MS, numerator, denominator, sample, buckets }
    })
    .sort((a, b) => a.minute - b.minute)
}

function expected(metric: string, within: readonly View[], nameOf: (view: View) => string, value: string) {
  const ofStarts = metric === 'startup_p95_ms'
  return [1, 2, 3, 4, 5, 6].flatMap((minute) => {
    const own = within.filter((view) => view.minute === minute && nameOf(view) === value)
    const sum = (of: (view: View) => number) => own.reduce((total, view) => total + view.sign * of(view), 0)
    const counts = new Map<number, number>()
    for (const { startup_ms, starts, sign } of ofStarts ? own : []) {
      if (starts > 0) counts.set(bucketOf(startup_ms), (counts.get(bucketOf(startup_ms)) ?? 0) + sign)
    }
    const buckets = [...counts].filter(([, count]) => count !== 0).sort(([a], [b]) => a - b)
    const sample = sum(ofStarts ? (view) => view.starts : () => 1)
    const numerator = ofStarts ? 0 : sum((view) => view.starts)
    const denominator = ofStarts ? 0 : sum((view) => view.starts + view.startup_failures)
    return sample === 0 ? [] : [{ minute, numerator, denominator, sample, buckets }]
  })
}

test('every metric by every dimension is a question that ClickHouse understands', async () => {
  const ports = portsOf()
  for (const [metric, definitions] of Object.entries(WATCHED_METRICS)) {
    for (const [definition, { source }] of Object.entries(definitions)) {
      const asked = rule({
        metric,
        definition,
        filter: DIMENSIONS_OF[source].flatMap((name) => [`!${name}:1`, `${name}:2`]),
      })
      await readMinutes(ports, asked, [''], START_MS, START_MS + MINUTE_MS)
      await readMinutes(ports, rule({ metric, definition }), [''], START_MS, START_MS + MINUTE_MS)
    }
  }
  for (const metric of ['starts', 'concurrent', 'cdn_hit_percent']) {
    const { source } = WATCHED_METRICS[metric]!['cta-2066']!
    for (const by of DIMENSIONS_OF[source])
      await largestValues(ports, rule({ metric, by }), 5, START_MS, START_MS + MINUTE_MS)
  }
})

test('a CDN answers from its cache in many words', async () => {
  const words = [
    'hit',
    'TCP_HIT',
    'RefreshHit from cloudfront',
    'STALE',
    'UPDATING',
    'miss',
    'TCP_MISS',
    'BYPASS',
    'expired',
    '',
  ]
  const list = words.map((word) => `'${word}'`).join(', ')
  const at = START_MS / 1_000
  await store.command(
    `INSERT INTO ${requests}.cdn_requests (occurred_at, received_at, cdn, cache_status, position)
     SELECT toDateTime64(${at}, 3, 'UTC'), toDateTime64(${at}, 3, 'UTC'), 'edge', arrayJoin([${list}]), 1`,
  )
  const ports = portsOf()
  const asked = rule({ metric: 'cdn_hit_percent', by: 'cdn' })
  const found = await readMinutes(ports, asked, ['edge'], START_MS, START_MS + MINUTE_MS)
  const { numerator, denominator } = found.get('edge')!.get(START_MS)!
  assert.deepEqual([numerator, denominator], [5, 9])
})

test('a projection that lags holds the minutes back to the first record that it has not read', async (t) => {
  const { log, state, clock } = await startScene(t)
  const ports = { log, commits: state.commits, nowMs: () => clock.ms }
  const watermark = () => watermarkOf(ports, 'views_v1_test', 'playback-events')
  assert.equal(await watermark(), clock.ms, 'nothing is there to be read')
  const value = Buffer.from('any bytes')
  const record = (key: string, timestampMs: number) => ({ topic: 'playback-events', key, value, timestampMs })
  const placed = await log.append([record('ann', START_MS), record('ann', START_MS + 1_000)])
  assert.equal(await watermark(), START_MS, 'nothing is read')
  const { partition, position } = placed[0]!
  const key = { generation: 'views_v1_test', topic: 'playback-events', partition }
  const first = { term: 1n, revision: 1n, checkpoint: position + 1n, tally: NO_TALLY, audit: 0n }
  await state.commits.swap(key, undefined, first)
  assert.equal(await watermark(), START_MS + 1_000, 'the first is read')
  await state.commits.swap(key, first, { ...first, revision: 2n, checkpoint: position + 2n })
  assert.equal(await watermark(), clock.ms, 'all is read')
})
