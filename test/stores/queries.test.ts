/** The ready queries of docs/queries, on a small audience, against numbers counted here without any SQL. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { LandingBody } from '../../consumers/rows.ts'
import type { Cell } from '../../projections/projection.ts'
import type { ViewRow } from '../../projections/views/row.ts'
import { applyAliases } from '../../stores/clickhouse/aliases.ts'
import { idOf } from '../consumers/events.ts'
import { type Engine, QoeTables, startEngine } from './qoe-support.ts'
import { DAY_MS, HOUR_MS, type World, worldAt } from './queries-world.ts'

const FOLDER = new URL('../../docs/queries/', import.meta.url)
const nowMs = Date.now()
const { views, slices }: World = worldAt(nowMs)

let engine: Engine
before(async () => {
  engine = await startEngine()
  const t = await QoeTables.make(engine.store, 'views_v1_queries')
  const signed = <R>(row: R) => ({ row, version: 1, sign: 1 as const })
  await t.views(views.map(signed))
  await t.slices(slices.map(signed))
  await applyAliases(engine.store, 'views', t.database)
  await titlesAndProgress()
  await requests()
})
after(() => engine.stop())

/** Rows straight into a target: what a landing table does is tested elsewhere. */
async function put(
  projection: string,
  table: string,
  columns: readonly string[],
  rows: readonly Cell[][],
): Promise<void> {
  const { store } = engine
  const database = await store.prepareGeneration(`${projection}_v1_queries`, `${projection}_v1`)
  const owner = { generation: `${projection}_v1_queries`, topic: 't', partition: 0 }
  await store.own(owner, 1n)
  const body = new LandingBody({ name: table, target: table, columns }, 1n)
  for (const row of rows) body.add(row)
  const insert = { owner, term: 1n, token: projection, columns: body.columns, body: body.bytes(), rows: body.rows }
  await store.insert({ ...insert, table: `${database}.landing_${table}` })
  await applyAliases(store, projection, database)
}

const RUNTIME = ['topic', 'partition', 'version', 'sign']
const DURATION_MS = 3_000_000

async function titlesAndProgress(): Promise<void> {
  const title = (id: string): Cell[] => ['t', 0, 1, 1, id, `Name of ${id}`, DURATION_MS]
  const columns = [...RUNTIME, 'title_id', 'name', 'duration_ms']
  await put('title_rows', 'titles', columns, ['t0', 't1', 't2'].map(title))
  const rows = Array.from({ length: 20 }, (_, n): Cell[] => ['t', 0, 1, 1, `p${n}`, `t${n % 3}`, n % 2 === 0])
  await put('progress_rows', 'progress', [...RUNTIME, 'profile_id', 'title_id', 'completed'], rows)
}

async function requests(): Promise<void> {
  const columns = [
    'topic',
    'partition',
    'position',
    'event_id',
    'occurred_at',
    'session_id',
    'cdn',
    'cache_status',
    'first_byte_ms',
  ]
  const rows = views.slice(0, 100).flatMap((v, n) =>
    Array.from({ length: 5 }, (_, k): Cell[] => {
      const status = k < n % 6 ? 'hit' : 'miss'
      return [
        't',
        0,
        n * 10 + k,
        idOf(n * 10 + k),
        v.started_at,
        v.session_id,
        v.cdn,
        status,
        k === 0 ? null : 10 + n + k,
      ]
    }),
  )
  await put('cdn_requests', 'cdn_requests', columns, rows)
}

type Row = Readonly<Record<string, string | number | null>>

async function ask(name: string, parameters: Record<string, string> = {}): Promise<readonly Row[]> {
  return engine.store.query<Row>(readFileSync(new URL(`${name}.sql`, FOLDER), 'utf8'), parameters)
}

/** Numbers may differ in what was rounded; all else may not. */
function same(found: readonly Row[], expected: readonly Row[], share = 0.0005): void {
  assert.deepEqual(
    found.map((row) => Object.keys(row)),
    expected.map((row) => Object.keys(row)),
  )
  expected.forEach((row, i) => {
    for (const [name, value] of Object.entries(row)) {
      const told = found[i]?.[name]
      if (typeof value !== 'number') assert.equal(told, value, `${name} in row ${i}`)
      else {
        const near = Math.abs(Number(told) - value) <= Math.max(0.06, Math.abs(value) * share)
        assert.ok(near, `${name} in row ${i}: ${told}, in truth ${value}`)
      }
    }
  })
}

const since = (ms: number) => views.filter((v) => v.started_at >= nowMs - ms)
const sum = (rows: readonly ViewRow[], of: (v: ViewRow) => number) => rows.reduce((total, v) => total + of(v), 0)
const people = (rows: readonly ViewRow[]) => new Set(rows.map((v) => v.profile_id)).size
const rebuffer = (rows: readonly ViewRow[]) => (100 * sum(rows, (v) => v.stalled_ms)) / sum(rows, (v) => v.watched_ms)
const bitrate = (rows: readonly ViewRow[]) => sum(rows, (v) => v.bits) / sum(rows, (v) => v.bits_media_ms)
const left = (v: ViewRow) => v.ended_before_start + v.open_unstarted

function groups<K>(rows: readonly ViewRow[], keyOf: (v: ViewRow) => K): [K, ViewRow[]][] {
  const found = new Map<K, ViewRow[]>()
  for (const row of rows) found.set(keyOf(row), [...(found.get(keyOf(row)) ?? []), row])
  return [...found]
}

const by =
  (...of: ((row: Row) => number | string)[]) =>
  (a: Row, b: Row) =>
    of.reduce((order, f) => order || (f(a) < f(b) ? -1 : f(a) > f(b) ? 1 : 0), 0)

test('concurrent viewers', async () => {
  const minutes = new Map<number, number>()
  for (const s of slices) {
    minutes.set(s.minute, (minutes.get(s.minute) ?? 0) + (s.playing_ms + s.stalled_ms + s.ad_ms) / 60_000)
  }
  const expected = [...minutes]
    .sort(([a], [b]) => a - b)
    .map(([ms, n]) => ({ minute: new Date(ms).toISOString().slice(0, 19).replace('T', ' '), concurrent_viewers: n }))
  same(await ask('concurrent-viewers'), expected)
})

test('startup by device', async () => {
  const started = since(7 * DAY_MS).filter((v) => v.startups === 1)
  const expected = groups(started, (v) => v.device_type).map(([device_type, rows]) => {
    const ms = rows.map((v) => v.startup_ms).sort((a, b) => a - b)
    const rank = (share: number) => ms[Math.ceil(share * ms.length) - 1] as number
    return { device_type, starts: ms.length, p50_ms: rank(0.5), p95_ms: rank(0.95) }
  })
  const found = [...(await ask('startup-by-device'))]
  const order = by((r) => r.device_type as string)
  same(found.sort(order), expected.sort(order), 0.0101)
})

test('worst titles', async () => {
  const expected = groups(since(DAY_MS), (v) => v.title_id)
    .filter(([, rows]) => rows.length >= 20)
    .map(([title_id, rows]) => {
      const stalls_per_view = sum(rows, (v) => v.stalls) / rows.length
      return { title_id, views: rows.length, rebuffer_percent: rebuffer(rows), stalls_per_view }
    })
  assert.ok(expected.length > 3)
  same(await ask('worst-titles'), expected.sort(by((r) => -Number(r.rebuffer_percent))))
})

test('CDN comparison', async () => {
  const expected = groups(since(DAY_MS), (v) => v.cdn).map(([cdn, rows]) => ({
    ...{ cdn, views: rows.length, rebuffer_percent: rebuffer(rows) },
    failure_percent: (100 * sum(rows, (v) => v.failures)) / rows.length,
    average_bitrate_kbps: bitrate(rows),
    first_byte_ms: sum(rows, (v) => v.delivery_first_byte_ms) / sum(rows, (v) => v.delivery_requests),
    throughput_kbps: (8 * sum(rows, (v) => v.delivery_bytes)) / sum(rows, (v) => v.delivery_transfer_ms),
  }))
  same(await ask('cdn-comparison'), expected.sort(by((r) => -Number(r.views))))
})

test('failure codes', async () => {
  const failed = since(DAY_MS).filter((v) => v.failures === 1)
  const expected = groups(failed, (v) => v.error_code).map(([error_code, rows]) => {
    const at_startup = sum(rows, (v) => v.startup_failures)
    return { error_code, failed_views: rows.length, at_startup, in_playback: 0, people: people(rows) }
  })
  const found = (await ask('failure-codes')).map(({ title_most_hit, ...rest }) => {
    assert.match(String(title_most_hit), /^t\d$/)
    return rest
  })
  assert.ok(expected.length > 1)
  same(
    found,
    expected.sort(
      by(
        (r) => -Number(r.failed_views),
        (r) => String(r.error_code),
      ),
    ),
  )
})

test('exits before start', async () => {
  const expected = groups(since(DAY_MS), (v) => v.player_version).map(([player_version, rows]) => {
    const exits = sum(rows, left)
    return { player: 'hls.js', player_version, views: rows.length, exits, ebvs_percent: (100 * exits) / rows.length }
  })
  same(
    await ask('exits-before-start'),
    expected.sort(
      by(
        (r) => -Number(r.ebvs_percent),
        (r) => String(r.player_version),
      ),
    ),
  )
})

test('bitrate by network', async () => {
  const expected = groups(since(7 * DAY_MS), (v) => v.isp).map(([isp, rows]) => ({
    ...{ isp, average_bitrate_kbps: bitrate(rows), watched_hours: sum(rows, (v) => v.watched_ms) / HOUR_MS },
    rebuffer_percent: rebuffer(rows),
  }))
  same(await ask('bitrate-by-isp'), expected.sort(by((r) => -Number(r.watched_hours))))
})

test('unique viewers', async () => {
  const dayOf = (v: ViewRow) => Math.floor(v.started_at / DAY_MS)
  const today = Math.floor(nowMs / DAY_MS)
  const known = views.filter((v) => dayOf(v) >= today - 14)
  const recent = known.filter((v) => dayOf(v) >= today - 7)
  const expected = groups(recent, dayOf).map(([day, rows]) => {
    const before = known.filter((v) => dayOf(v) < day && dayOf(v) >= day - 7)
    const back = rows.filter((v) => before.some((b) => b.profile_id === v.profile_id))
    const name = new Date(day * DAY_MS).toISOString().slice(0, 10)
    return { day: name, viewers: people(rows), of_them_back_within_7_days: people(back) }
  })
  same(await ask('unique-viewers'), expected.sort(by((r) => String(r.day))))
})

test('retention of a title', async () => {
  const watched = since(30 * DAY_MS).filter((v) => v.title_id === 't1')
  const at = (second: number) =>
    watched.filter((v) => v.watched_from.some((from, i) => from <= second && second < (v.watched_to[i] as number)))
      .length
  const edges = [...new Set(watched.flatMap((v) => [...v.watched_from, ...v.watched_to]))].sort((a, b) => a - b)
  const changes = edges.filter((second) => at(second) !== at(second - 1))
  const peak = Math.max(...changes.map(at))
  const expected = changes.map((second) => {
    return { second, watching: at(second), percent_of_peak: (100 * at(second)) / peak }
  })
  assert.ok(expected.length > 10)
  same(await ask('title-retention', { title_id: 't1' }), expected)
})

test('titles by name', async () => {
  const expected = groups(since(7 * DAY_MS), (v) => v.title_id).map(([id, rows]) => {
    const known = ['t0', 't1', 't2'].includes(id)
    const watched = (100 * sum(rows, (v) => v.unique_media_ms)) / (rows.length * DURATION_MS)
    const finished = Array.from({ length: 20 }, (_, n) => n).filter((n) => `t${n % 3}` === id && n % 2 === 0).length
    return {
      ...{ title: known ? `Name of ${id}` : id, views: rows.length, viewers: people(rows) },
      ...{ watched_hours: sum(rows, (v) => v.watched_ms) / HOUR_MS, watched_percent: known ? watched : null, finished },
    }
  })
  same(await ask('titles-by-name'), expected.sort(by((r) => -Number(r.watched_hours))))
})

test('delivery and stalls', async () => {
  const logged = views.slice(0, 100).map((v, n) => ({ v, n, mostly: Math.min(n % 6, 5) / 5 >= 0.8 }))
  const expected = ['one', 'two'].flatMap((cdn) =>
    [true, false].map((mostly) => {
      const mine = logged.filter((l) => l.v.cdn === cdn && l.mostly === mostly)
      const rows = mine.map((l) => l.v)
      const first = mine.reduce((total, { n }) => total + 4 * (10 + n) + 10, 0) / (4 * mine.length)
      const cache = mostly ? 'mostly hits' : 'mostly misses'
      return { cdn, cache, views: rows.length, rebuffer_percent: rebuffer(rows), first_byte_ms: first }
    }),
  )
  same(await ask('delivery-and-stalls'), expected.sort(by((r) => -Number(r.rebuffer_percent))))
})

test('every ready query is tested, and says first what it answers', () => {
  const files = readdirSync(FOLDER)
  const tests = readFileSync(new URL(import.meta.url), 'utf8')
  const asked = [...tests.matchAll(/ask\('([a-z-]+)'/g)].map(([, name]) => `${name}.sql`)
  assert.deepEqual(asked.sort(), files.sort())
  for (const file of files) assert.match(readFileSync(new URL(file, FOLDER), 'utf8'), /^-- [A-Z].*\?/, file)
})
