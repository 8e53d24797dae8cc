/**
 * Roll-ups after any sequence of late corrections equal what is counted over the views that stand in the end: sums to
 * the last digit, percentiles within 1 %. Corrections change any measure, any dimension, and when a view began; views
 * are taken back; batches arrive in any order.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { bucketOf } from '../../projections/histogram.ts'
import { SLICE_COLUMNS, type SliceRow, VIEW_COLUMNS, type ViewRow } from '../../projections/views/row.ts'
import { applyAliases } from '../../stores/clickhouse/aliases.ts'
import { numbers, shuffled } from '../projections/support.ts'
import {
  type Engine,
  QoeTables,
  type Signed,
  START_MS,
  slice,
  sliceKey,
  startEngine,
  view,
  viewId,
  viewKey,
} from './qoe-support.ts'

let engine: Engine
before(async () => {
  engine = await startEngine()
})
after(() => engine.stop())

const NOT_SUMMED = new Set([
  ...['furthest_ms', 'longest_stall_ms', 'title_duration_ms', 'peak_kbps', 'upscale_max_permille', 'position_ms'],
])
const sumsOf = (columns: Readonly<Record<string, string>>) =>
  Object.keys(columns).filter((name) => columns[name] === 'i' && !NOT_SUMMED.has(name))
const VIEW_SUMS = sumsOf(VIEW_COLUMNS)
const SLICE_SUMS = sumsOf(SLICE_COLUMNS)

const BY_MINUTE = [
  ...['app_id', 'country', 'cdn', 'device_type', 'os', 'player', 'player_version', 'app_version'],
  ...['network_type', 'protocol', 'stream_type', 'content_type'],
]
const BY_HOUR = [
  ...BY_MINUTE,
  ...['region', 'isp', 'asn', 'browser', 'title_id', 'series_id', 'error_code', 'environment', 'source'],
]

type Next = (below: number) => number

function someDimensions(next: Next): Record<string, string | number> {
  const dims: Record<string, string | number> = {}
  for (const name of BY_HOUR) dims[name] = name === 'asn' ? next(3) : next(3) === 0 ? '' : `${name}-${next(3)}`
  return dims
}

function someView(n: number, next: Next): ViewRow {
  const sums = Object.fromEntries(VIEW_SUMS.map((name) => [name, next(4) === 0 ? 0 : next(900_000)]))
  const startup_ms = 1 + next(next(5) === 0 ? 60_000 : 4_000)
  const startups = next(5) === 0 ? 0 : 1
  return view({
    ...{ ...someDimensions(next), ...sums, view_id: viewId(n), profile_id: `p${n % 20}`, views: 1 },
    ...{ started_at: START_MS + next(7_200_000), bits: next(2 ** 31) * 100, startups },
    ...{ startup_ms: startups * startup_ms, startup_bucket: startups * bucketOf(startup_ms) },
  })
}

function someSlice(n: number, next: Next): SliceRow {
  const sums = Object.fromEntries(SLICE_SUMS.map((name) => [name, next(4) === 0 ? 0 : next(60_000)]))
  const minute = START_MS + Math.floor(n / 40) * 60_000
  return slice({ ...someDimensions(next), title_id: `t${n % 3}`, ...sums, view_id: viewId(n % 40), minute, slices: 1 })
}

interface Story<R> {
  readonly batches: readonly Signed<R>[][]
  readonly standing: readonly R[]
}

/** A few hundred corrections, and what stands after them. */
function story<R>(next: Next, some: (n: number, next: Next) => R, keyOf: (row: R) => string): Story<R> {
  const standing = new Map<string, { row: R; version: number }>()
  const batches = Array.from({ length: 12 }, (_, i) => {
    const batch = new Map<string, Signed<R>[]>()
    for (let k = 0; k < 30; k++) {
      const row = some(next(120), next)
      const key = keyOf(row)
      if (batch.has(key)) continue
      const held = standing.get(key)
      const rows: Signed<R>[] = held === undefined ? [] : [{ ...held, sign: -1 }]
      standing.delete(key)
      if (held === undefined || next(6) > 0) {
        rows.push({ row, version: i, sign: 1 })
        standing.set(key, { row, version: i })
      }
      batch.set(key, rows)
    }
    return [...batch.values()].flat()
  })
  return { batches: shuffled(batches, next), standing: [...standing.values()].map(({ row }) => row) }
}

type Sums = Map<string, number[]>

/** dim, value and time → sums, as a person would add them up. */
function addUp(
  rows: readonly object[],
  at: string,
  stepMs: number,
  dims: readonly string[],
  sums: readonly string[],
): Sums {
  const totals: Sums = new Map()
  for (const row of rows as readonly Record<string, string | number>[]) {
    const ms = row[at] as number
    for (const dim of ['all', ...dims]) {
      const key = JSON.stringify([dim, dim === 'all' ? '' : shownValue(row, dim), ms - (ms % stepMs)])
      const total = totals.get(key) ?? sums.map(() => 0)
      totals.set(
        key,
        total.map((sum, i) => sum + (row[sums[i] as string] as number)),
      )
    }
  }
  return totals
}

function shownValue(row: Record<string, string | number>, dim: string): string {
  if (dim === 'asn') return row.asn === 0 ? '' : String(row.asn)
  if (dim !== 'region' || row.region === '' || row.country === '') return String(row[dim])
  return `${row.country}-${row.region}`
}

async function cube(t: QoeTables, grain: 'minute' | 'hour', sums: readonly string[], count: string): Promise<Sums> {
  const rows = await t.store.query<{ dim: string; value: string; ms: number; sums: number[] }>(
    `SELECT dim, value, toUnixTimestamp(${grain}) * 1000 AS ms, [${sums.map((s) => `sum(q.${s})`).join(', ')}] AS sums
     FROM ${t.database}.qoe_${grain} AS q GROUP BY dim, value, ${grain} HAVING sum(q.${count}) != 0`,
  )
  return new Map(rows.map(({ dim, value, ms, sums: s }) => [JSON.stringify([dim, value, Number(ms)]), s.map(Number)]))
}

const sorted = (sums: Sums) => [...sums].sort(([a], [b]) => (a < b ? -1 : 1))

async function compare(t: QoeTables, views: readonly ViewRow[], slices: readonly SliceRow[]): Promise<void> {
  const at = SLICE_SUMS.map((name) => `at_${name}`)
  for (const [grain, stepMs, dims] of [
    ['minute', 60_000, BY_MINUTE],
    ['hour', 3_600_000, BY_HOUR],
  ] as const) {
    const expected = addUp(views, 'started_at', stepMs, dims, VIEW_SUMS)
    assert.deepEqual(sorted(await cube(t, grain, VIEW_SUMS, 'views')), sorted(expected))
    const watched = addUp(slices, 'minute', stepMs, dims, SLICE_SUMS)
    assert.deepEqual(sorted(await cube(t, grain, at, 'at_slices')), sorted(watched))
  }
}

async function comparePercentiles(t: QoeTables, views: readonly ViewRow[], suffix: string): Promise<void> {
  const rows = await t.store.query<Record<string, number | string>>(
    `SELECT toUnixTimestamp(hour) * 1000 AS ms, startup_p50_ms, startup_p95_ms, startup_p99_ms
     FROM playhead.qoe_by_hour_${suffix} WHERE dim = 'all' AND startups > 0`,
  )
  assert.ok(rows.length > 0)
  for (const row of rows) {
    const ms = Number(row.ms)
    const inHour = views.filter((v) => v.startups === 1 && v.started_at >= ms && v.started_at < ms + 3_600_000)
    const exact = inHour.map((v) => v.startup_ms).sort((a, b) => a - b)
    for (const [name, share] of [
      ['startup_p50_ms', 0.5],
      ['startup_p95_ms', 0.95],
      ['startup_p99_ms', 0.99],
    ] as const) {
      const truth = exact[Math.ceil(share * exact.length) - 1] as number
      const told = Number(row[name])
      assert.ok(Math.abs(told - truth) <= Math.max(truth * 0.0101, 0.51), `${name}: ${told}, in truth ${truth}`)
    }
  }
}

test('roll-ups equal a count over the views that stand, after any corrections in any order', async () => {
  let generation = 0
  const property = fc.asyncProperty(fc.integer(), async (seed) => {
    const suffix = `r${generation++}`
    const t = await QoeTables.make(engine.store, `views_v1_${suffix}`)
    const next = numbers(seed)
    const views = story(next, someView, viewKey)
    const slices = story(next, someSlice, sliceKey)
    for (const batch of views.batches) await t.views(batch)
    for (const batch of slices.batches) await t.slices(batch)
    await compare(t, views.standing, slices.standing)
    await applyAliases(t.store, 'views', t.database, suffix)
    await comparePercentiles(t, views.standing, suffix)
    const [shown] = await t.store.query<{ n: number; ms: number; viewers: number; slices: number }>(
      `SELECT count() AS n, sum(watched_ms) AS ms, uniqExact(profile_id) AS viewers,
         (SELECT count() FROM playhead.qoe_slices_${suffix}) AS slices FROM playhead.qoe_views_${suffix}`,
    )
    assert.deepEqual(Object.values(shown ?? {}).map(Number), [
      views.standing.length,
      views.standing.reduce((sum, v) => sum + v.watched_ms, 0),
      new Set(views.standing.map((v) => v.profile_id)).size,
      slices.standing.length,
    ])
    const people = `SELECT count() AS n FROM (SELECT DISTINCT profile_id FROM playhead.viewer_days_${suffix})`
    const [days] = await t.store.query<{ n: number }>(people)
    assert.equal(Number(days?.n), new Set(views.standing.map((v) => v.profile_id)).size)
  })
  await fc.assert(property, { numRuns: 2 })
})
