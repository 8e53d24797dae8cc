/** The QoE routes against plain JavaScript over the same rows, on the real engine. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { percentileOf } from '../../projections/histogram.ts'
import type { SliceRow, ViewRow } from '../../projections/views/row.ts'
import { corrected, DAY, grouped, HOUR, MINUTE, type Played, played, randomOf, sum, valueIn } from './qoe-rows.ts'
import { openTables, type QoeApi, startQoeApi, type Tables } from './qoe-support.ts'
import { NOW_MS } from './support.ts'

const FROM = Math.floor(NOW_MS / HOUR) * HOUR - 4 * DAY
const TO = FROM + 4 * DAY
const TIMEOUT = 30 * MINUTE
/** What the log's clock shows in these tests: open views of the last half hour are alive. */
const AS_OF = TO - 10 * MINUTE

let tables: Tables
let standing: readonly Played[]

before(async () => {
  tables = await openTables()
  const random = randomOf(7)
  const first = Array.from({ length: 900 }, (_, i) => played(random, i, FROM, TO))
  const corrections = first.slice(0, 150).map((one, i) => corrected(random, one, i))
  await tables.put(first, 1n)
  // The new rows before the old ones are taken back: any order must do.
  await tables.put(corrections, 2n)
  await tables.put(first.slice(0, 150), 1n, -1)
  standing = [...corrections, ...first.slice(150)]
})
after(() => tables.close())

interface Overview {
  readonly from: string
  readonly to: string
  readonly values: Readonly<Record<string, number | null>>
  readonly definitions: Readonly<Record<string, string>>
  readonly sample: { readonly views: number; readonly startups: number }
}
interface Series extends Overview {
  readonly points: readonly ({ readonly at: string } & Readonly<Record<string, number>>)[]
}
interface Breakdown extends Overview {
  readonly rows: readonly ({ readonly value: string } & Readonly<Record<string, number | null>>)[]
  readonly more: boolean
}

type Words = readonly (readonly [string, string | number])[]

const METRICS = [
  ...['views', 'starts', 'unique_viewers', 'start_success_percent', 'ebvs_percent', 'startup_p50_ms', 'startup_p99_ms'],
  ...['startup_mean_ms', 'rebuffer_percent', 'rebuffer_frequency', 'average_bitrate_kbps', 'watch_time_hours'],
  ...['dropped_view_percent', 'score', 'lost_report_percent', 'seek_latency_mean_ms'],
] as const
const metrics = (...names: readonly string[]): Words => names.map((name) => ['metric', name])
const near = (actual: number | null | undefined, expected: number | null, what: string) => {
  if (expected === null || actual === null || actual === undefined) return assert.equal(actual, expected, what)
  return assert.ok(
    Math.abs(actual - expected) <= 1e-7 * Math.max(1, Math.abs(expected)),
    `${what}: ${actual} ${expected}`,
  )
}

/** By hand, from the rows that stand. */
function expectedOf(views: readonly ViewRow[]): Record<(typeof METRICS)[number], number | null> {
  const s = (column: keyof ViewRow) => sum(views, column)
  const over = (a: number, b: number, scale = 1) => (b > 0 ? (a * scale) / b : null)
  const alive = views.filter((view) => view.open === 1 && view.last_received_at > AS_OF - TIMEOUT)
  const left = s('ended_before_start') + s('open_unstarted') - sum(alive, 'open_unstarted')
  const counts = new Map<number, number>()
  for (const { startups, startup_bucket: bucket } of views)
    if (startups > 0) counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
  const share = (p: number) => {
    const ms = percentileOf(counts, p)
    return ms === undefined ? null : Math.round(ms)
  }
  return {
    views: views.length,
    starts: s('starts'),
    unique_viewers: new Set(views.map((view) => view.profile_id)).size,
    start_success_percent: over(s('starts'), s('starts') + s('startup_failures') + left, 100),
    ebvs_percent: over(left, views.length, 100),
    startup_p50_ms: share(0.5),
    startup_p99_ms: share(0.99),
    startup_mean_ms: over(s('startup_ms'), s('startups')),
    rebuffer_percent: over(s('stalled_ms'), s('watched_ms'), 100),
    rebuffer_frequency: over(s('stalls'), s('watched_ms'), HOUR),
    average_bitrate_kbps: over(s('bits'), s('bits_media_ms')),
    watch_time_hours: s('watched_ms') / HOUR,
    dropped_view_percent: over(views.length - s('clean_ends') - alive.length, views.length - alive.length, 100),
    score: over(s('score_milli'), s('score_views'), 0.001),
    lost_report_percent: over(s('lost_reports'), s('reports') + s('lost_reports'), 100),
    seek_latency_mean_ms: over(s('seek_latency_ms'), s('seek_latencies')),
  }
}

const FILTERS: Readonly<Record<string, readonly string[]>> = {
  'no filter': [],
  'one value': ['country:DE'],
  'two values of one dimension': ['cdn:akamai', 'cdn:'],
  'an exclusion': ['!cdn:akamai'],
  'a dimension that only hours have': ["title_id:o'neil \\ \t\n{x:String}"],
  'a region with its country': ['region:DE-BY'],
  'a number of a network': ['asn:2'],
  'two dimensions': ['country:DE', 'device_type:tv'],
  'two dimensions and an exclusion': ['device_type:tv', '!country:DE', '!cdn:own', '!cdn:'],
  'nothing at all': ['country:XX'],
}
const WINDOWS: Readonly<Record<string, readonly [number, number]>> = {
  'all of it': [FROM, TO],
  'a day with ragged ends': [FROM + 13 * MINUTE, FROM + DAY + 17 * MINUTE],
  'three days with ragged ends': [FROM + 7 * MINUTE, FROM + 3 * DAY + 59 * MINUTE],
  'less than an hour over the border of two': [FROM + HOUR + 40 * MINUTE, FROM + 2 * HOUR + 20 * MINUTE],
}

function matches(row: ViewRow | SliceRow, filters: readonly string[]): boolean {
  const any = new Map<string, string[]>()
  for (const text of filters) {
    const [dimension = '', value = ''] = [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)]
    if (dimension.startsWith('!')) {
      if (valueIn(row, dimension.slice(1)) === value) return false
    } else any.set(dimension, [...(any.get(dimension) ?? []), value])
  }
  return [...any].every(([dimension, values]) => values.includes(valueIn(row, dimension)))
}

const viewsIn = (from: number, to: number, filters: readonly string[]) =>
  standing.map(({ view }) => view).filter((v) => v.started_at >= from && v.started_at < to && matches(v, filters))
const slicesIn = (from: number, to: number, filters: readonly string[]) =>
  standing.flatMap(({ slices }) => slices).filter((s) => s.minute >= from && s.minute < to && matches(s, filters))

const asked = (from: number, to: number, filters: readonly string[]): Words => [
  ['from', from],
  ['to', to],
  ['asOf', AS_OF],
  ...filters.map((text) => ['filter', text] as const),
]
const api = async (t: Parameters<typeof startQoeApi>[0]): Promise<QoeApi> =>
  await startQoeApi(t, { analytics: tables.analytics })

for (const [windowName, [from, to]] of Object.entries(WINDOWS)) {
  test(`an overview of ${windowName} is what plain JavaScript counts, under every kind of filter`, async (t) => {
    const { ask } = await api(t)
    for (const [name, filters] of Object.entries(FILTERS)) {
      const { values, sample } = await ask<Overview>('overview', ...asked(from, to, filters), ...metrics(...METRICS))
      const views = viewsIn(from, to, filters)
      for (const [metric, expected] of Object.entries(expectedOf(views)))
        near(values[metric], expected, `${name}, ${metric}`)
      assert.deepEqual([sample.views, sample.startups], [views.length, sum(views, 'startups')], name)
    }
  })
}

test('viewers at once are the same by every way: cubes, single minutes, mean and peak', async (t) => {
  const { ask } = await api(t)
  const [from, to] = [FROM + 13 * MINUTE, FROM + DAY + 17 * MINUTE]
  const at = ['starting_ms', 'playing_ms', 'seeking_ms', 'stalled_ms', 'ad_ms'] as const
  for (const [name, filters] of Object.entries(FILTERS)) {
    const { values } = await ask<Overview>(
      'overview',
      ...asked(from, to, filters),
      ...metrics('concurrent', 'concurrent_peak', 'minute_rebuffer_percent', 'minute_bitrate_kbps'),
    )
    const slices = slicesIn(from, to, filters)
    const present = (rows: readonly SliceRow[]) => at.reduce((total, column) => total + sum(rows, column), 0)
    near(values.concurrent, present(slices) / (to - from), name)
    const minutes = grouped(slices, (slice) => slice.minute)
    const peak = Math.max(0, ...[...minutes.values()].map((rows) => present(rows)))
    near(values.concurrent_peak, Math.round((peak / MINUTE) * 10) / 10, name)
    const bits = sum(slices, 'bits_media_ms')
    near(values.minute_bitrate_kbps, bits > 0 ? sum(slices, 'bits') / bits : null, name)
  }
})

test('a series has no gaps, and its points are the overview of their step', async (t) => {
  const { ask } = await api(t)
  for (const [grain, step, from, to] of [
    ['minute', MINUTE, FROM, FROM + 3 * HOUR],
    ['hour', HOUR, FROM, FROM + 2 * DAY],
    ['day', DAY, Math.ceil(FROM / DAY) * DAY, Math.ceil(FROM / DAY) * DAY + 2 * DAY],
    ['second', 1_000, FROM, FROM + 10 * MINUTE],
  ] as const) {
    for (const filters of [[], ['country:DE'], ['title_id:t1'], ['country:DE', 'device_type:tv']]) {
      const series = await ask<Series>(
        'timeseries',
        ...asked(from, to, filters),
        ['grain', grain],
        ...metrics('views', 'startup_p50_ms', 'ebvs_percent', 'unique_viewers'),
      )
      const what = `${grain} ${filters}`
      assert.deepEqual(
        series.points.map(({ at }) => Date.parse(at)),
        Array.from({ length: (to - from) / step }, (_, i) => from + i * step),
        what,
      )
      for (const point of series.points) {
        const expected = expectedOf(viewsIn(Date.parse(point.at), Date.parse(point.at) + step, filters))
        for (const metric of ['views', 'startup_p50_ms', 'ebvs_percent', 'unique_viewers'] as const) {
          near(point[metric], expected[metric], `${what} ${point.at} ${metric}`)
        }
      }
      assert.equal(series.sample.views, viewsIn(from, to, filters).length)
    }
  }
})

test('a breakdown has a row for each value, ranked, and they add up to the overview', async (t) => {
  const { ask } = await api(t)
  const [from, to] = [FROM + 7 * MINUTE, FROM + 3 * DAY + 59 * MINUTE]
  for (const by of ['cdn', 'title_id', 'region', 'asn', 'error_code', 'player_version']) {
    for (const filters of [[], ['country:DE'], [`${by}:akamai`], ['country:DE', '!os:ios']]) {
      const answer = await ask<Breakdown>('breakdown', ...asked(from, to, filters), ['by', by], ...metrics(...METRICS))
      const views = viewsIn(from, to, filters)
      const groups = grouped(views, (view) => valueIn(view, by))
      const what = `${by} ${filters}`
      assert.deepEqual(new Set(answer.rows.map(({ value }) => value)), new Set(groups.keys()), what)
      for (const row of answer.rows) {
        const expected = expectedOf(groups.get(row.value) ?? [])
        for (const metric of METRICS) near(row[metric], expected[metric], `${what} ${row.value} ${metric}`)
      }
      const counts = answer.rows.map((row) => Number(row.views))
      assert.deepEqual(
        counts,
        [...counts].sort((a, b) => b - a),
        what,
      )
      assert.equal(answer.sample.views, views.length)
    }
  }
})

test('a breakdown is ranked by any metric, in either direction, cut off with a word', async (t) => {
  const { ask } = await api(t)
  const words = [...asked(FROM, TO, []), ['by', 'title_id'] as const]
  for (const metric of ['rebuffer_percent', 'startup_p50_ms', 'unique_viewers', 'average_bitrate_kbps']) {
    for (const sign of ['', '-']) {
      const { rows, more } = await ask<Breakdown>('breakdown', ...words, ['order', `${sign}${metric}`], ['limit', 3])
      assert.deepEqual([rows.length, more], [3, true])
      const all = await ask<Breakdown>('breakdown', ...words, ['order', `${sign}${metric}`])
      assert.deepEqual(all.rows.slice(0, 3), rows)
      const values = all.rows.map((row) => Number(row[metric]))
      assert.deepEqual(
        values,
        [...values].sort((a, b) => (sign === '' ? a - b : b - a)),
        metric,
      )
    }
  }
  const few = await ask<Breakdown>('breakdown', ...words, ['minViews', 100_000])
  assert.deepEqual(few.rows, [])
})

test('each definition is computed by its own formula and named; a metric without one keeps the standard', async (t) => {
  const { ask } = await api(t)
  const views = viewsIn(FROM, TO, [])
  const ratio = (a: keyof ViewRow, ...b: readonly (keyof ViewRow)[]) =>
    (100 * sum(views, a)) / b.reduce((total, column) => total + sum(views, column), 0)
  for (const [definition, expected] of [
    ['cta-2066', ratio('stalled_ms', 'watched_ms')],
    ['mux', ratio('mux_stalled_ms', 'mux_watch_ms')],
    ['conviva', ratio('connection_stalled_ms', 'playing_ms', 'stalled_ms')],
    ['puffer', ratio('puffer_stalled_ms', 'puffer_ms')],
  ] as const) {
    const answer = await ask<Overview>(
      'overview',
      ...asked(FROM, TO, []),
      ['definition', definition],
      ...metrics('rebuffer_percent', 'average_bitrate_kbps'),
    )
    near(answer.values.rebuffer_percent, expected, definition)
    assert.equal(answer.definitions.rebuffer_percent, definition)
    assert.equal(answer.definitions.average_bitrate_kbps, definition === 'mux' ? 'mux' : 'cta-2066')
  }
})

test('the distribution of startups holds every one of them, in few bins', async (t) => {
  const { ask } = await api(t)
  for (const filters of [[], ['cdn:akamai'], ['cdn:akamai', 'os:ios']]) {
    const answer = await ask<{
      bins: { fromMs: number; toMs: number; views: number }[]
      percentiles: Record<string, number>
      sample: { startups: number }
    }>('distribution', ...asked(FROM, TO, filters))
    const started = viewsIn(FROM, TO, filters).filter((view) => view.startups === 1)
    assert.ok(answer.bins.length <= 60)
    for (const { fromMs, toMs, views } of answer.bins) {
      const inside = started.filter((view) => view.startup_ms > fromMs && view.startup_ms <= toMs)
      assert.equal(views, inside.length, `${fromMs}..${toMs}`)
    }
    assert.equal(sum(answer.bins, 'views'), started.length)
    const sorted = started.map((view) => view.startup_ms).sort((a, b) => a - b)
    const exact = sorted[Math.ceil(0.95 * sorted.length) - 1] as number
    assert.ok(Math.abs((answer.percentiles.p95 as number) - exact) <= 0.0101 * exact + 1)
  }
})

test('whatever is asked for, every way to it comes to the same numbers', async (t) => {
  const { ask } = await api(t)
  const minute = fc.integer({ min: 0, max: (4 * DAY) / MINUTE })
  const dimension = fc.constantFrom('cdn', 'country', 'title_id', 'region', 'asn', 'os', 'error_code', 'environment')
  const filter = fc
    .tuple(fc.boolean(), dimension, fc.nat(899))
    .map(([not, name, i]) => `${not ? '!' : ''}${name}:${valueIn((standing[i] as Played).view, name)}`)
  const question = fc.tuple(minute, minute, fc.array(filter, { maxLength: 4 }), dimension)
  await fc.assert(
    fc.asyncProperty(question, async ([a, b, filters, by]) => {
      const [from, to] = [FROM + Math.min(a, b) * MINUTE, FROM + (Math.max(a, b) + 1) * MINUTE]
      const words = [
        ...asked(from, to, filters),
        ...metrics('views', 'ebvs_percent', 'rebuffer_percent', 'startup_p50_ms'),
      ]
      const expected = expectedOf(viewsIn(from, to, filters))
      const { values } = await ask<Overview>('overview', ...words)
      for (const name of ['views', 'ebvs_percent', 'rebuffer_percent', 'startup_p50_ms'] as const) {
        near(values[name], expected[name], name)
      }
      const rows = await ask<Breakdown>('breakdown', ...words, ['by', by], ['limit', 1_000])
      assert.equal(sum(rows.rows, 'views'), expected.views)
    }),
    { numRuns: 40 },
  )
})
