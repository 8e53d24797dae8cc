/** The tables of views on the real engine: columns, tokens, signs, audits, months, sizes. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { rowHash } from '../../consumers/hash.ts'
import { SLICE_COLUMNS, VIEW_COLUMNS } from '../../projections/views/row.ts'
import { applyAliases } from '../../stores/clickhouse/aliases.ts'
import {
  type Engine,
  QoeTables,
  type Signed,
  START_MS,
  slice,
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

let generations = 0
const tables = () => QoeTables.make(engine.store, `views_v1_t${generations++}`)

/** Count and Σ views of every table that an insert into views reaches. */
async function totals({ store, database }: QoeTables): Promise<Record<string, number>> {
  const [row] = await store.query<Record<string, number>>(
    `SELECT (SELECT sum(sign) FROM ${database}.views) AS views,
       (SELECT sum(sign) FROM ${database}.view_slices) AS slices,
       (SELECT sum(views) FROM ${database}.qoe_minute WHERE dim = 'all') AS minute,
       (SELECT sum(at_slices) FROM ${database}.qoe_minute WHERE dim = 'cdn') AS minute_slices,
       (SELECT sum(views) FROM ${database}.qoe_hour WHERE dim = 'title_id') AS hour,
       (SELECT sum(at_slices) FROM ${database}.qoe_hour WHERE dim = 'title_id') AS hour_slices,
       (SELECT sum(views) FROM ${database}.viewer_days) AS days,
       (SELECT sum(views) FROM ${database}.view_keys) AS keys`,
  )
  return Object.fromEntries(Object.entries(row as Record<string, number>).map(([k, v]) => [k, Number(v)]))
}

const every = (n: number, slices = n) => ({
  ...{ views: n, minute: n, hour: n, days: n, keys: n },
  ...{ slices, minute_slices: slices, hour_slices: slices },
})

const KINDS: Readonly<Record<string, string>> = {
  i: 'Int64',
  t: "DateTime64(3, 'UTC')",
  s: 'String',
  w: 'LowCardinality(String)',
  ints: 'Array(UInt32)',
}

for (const [table, columns] of [
  ['views', VIEW_COLUMNS],
  ['view_slices', SLICE_COLUMNS],
] as const) {
  test(`${table} and its landing table have the columns of the row, in order and kind, each with its definition`, async () => {
    const { store, database } = await tables()
    for (const name of [table, `landing_${table}`]) {
      const found = await store.query<{ name: string; type: string; comment: string }>(
        `SELECT name, type, comment FROM system.columns WHERE database = {database:String} AND table = {name:String} ORDER BY position`,
        { database, name },
      )
      const own = found.slice(found.length - Object.keys(columns).length)
      assert.deepEqual(
        own.map((c) => c.name),
        Object.keys(columns),
      )
      own.forEach(({ name, type, comment }, i) => {
        const kind = Object.values(columns)[i] as string
        if (kind === 'u') assert.match(type, /^UInt(16|32|64)$/, name)
        else assert.equal(type, KINDS[kind], name)
        if (!found.some((c) => c.name === 'term')) assert.ok(comment.length > 5, `${name} has no comment`)
      })
    }
  })
}

test('a repeated token is dropped in every table it went to', async () => {
  const t = await tables()
  const rows: Signed<ReturnType<typeof view>>[] = [1, 2, 3].map((n) => ({
    ...{ version: 5, sign: 1 },
    row: view({ view_id: viewId(n), profile_id: `p${n}`, title_id: 'x' }),
  }))
  const minutes = rows.map(({ row }) => ({
    ...{ version: 5, sign: 1 as const },
    row: slice({ view_id: row.view_id, minute: START_MS }),
  }))
  for (let i = 0; i < 3; i++) {
    assert.equal(await t.views(rows, 'same'), 'inserted')
    assert.equal(await t.slices(minutes, 'same'), 'inserted')
    assert.deepEqual(await totals(t), every(3))
  }
})

test('a replaced owner reaches none of them', async () => {
  const t = await tables()
  await t.store.own(t.owner, 2n)
  const row = view({ view_id: viewId(1) })
  assert.equal(await t.views([{ row, version: 1, sign: 1 }]), 'refused')
  assert.equal(await t.slices([{ row: slice({}), version: 1, sign: 1 }]), 'refused')
  assert.deepEqual(await totals(t), every(0))
})

test('a row and its removal end right in any order of arrival, merged or not, also when its begin moves to another month', async () => {
  const t = await tables()
  await applyAliases(t.store, 'views', t.database, 'order')
  const old = view({ view_id: viewId(1), profile_id: 'p', started_at: Date.UTC(2026, 2, 1), stalled_ms: 7 })
  const moved = { ...old, started_at: Date.UTC(2026, 1, 28, 23), stalled_ms: 5 }
  await t.views([{ row: moved, version: 9, sign: 1 }])
  await t.views([{ row: old, version: 4, sign: -1 }])
  await t.views([{ row: old, version: 4, sign: 1 }])
  const look = () => t.store.query('SELECT started_at, stalled_ms, count() OVER () AS n FROM playhead.qoe_views_order')
  const standing = [{ started_at: '2026-02-28 23:00:00.000', stalled_ms: 5, n: 1 }]
  assert.deepEqual(await look(), standing)
  for (const name of ['views', 'viewer_days', 'view_keys', 'qoe_minute', 'qoe_hour']) {
    await t.store.command(`OPTIMIZE TABLE ${t.database}.${name} FINAL`)
  }
  assert.deepEqual(await look(), standing)
  assert.equal((await totals(t)).minute, 1)
  const keys = `SELECT started_at, sum(views) AS n FROM ${t.database}.view_keys GROUP BY started_at HAVING n > 0`
  assert.deepEqual(await t.store.query(keys), [{ started_at: '2026-02-28 23:00:00.000', n: 1 }])
  const days = await t.store.query('SELECT day, viewers FROM playhead.unique_viewers_by_day_order')
  assert.deepEqual(days, [{ day: '2026-02-28', viewers: 1 }])
})

test('100,000 rows of two months and as many titles are one block: its repeat is dropped everywhere', async () => {
  const t = await tables()
  const rows = Array.from({ length: 100_000 }, (_, n) => {
    const started_at = Date.UTC(2026, 2, 1) + (n - 50_000) * 10_000
    const row = slice({
      view_id: viewId(n),
      minute: started_at - (started_at % 60_000),
      started_at,
      title_id: `t${n}`,
    })
    return { row, version: 1, sign: 1 as const }
  })
  await t.slices(rows, 'large')
  await t.slices(rows, 'large')
  assert.deepEqual(await totals(t), every(0, 100_000))
  const [blocks] = await t.store.query<{ n: string }>(
    `SELECT toString(max(max_block_number)) AS n FROM system.parts WHERE database = {database:String} AND table = 'view_slices' AND level = 0`,
    { database: t.database },
  )
  assert.ok(Number(blocks?.n ?? 0) <= 2, 'one block in each month')
})

test('the audit sums what the runtime sums, rows that were replaced left out', async () => {
  const t = await tables()
  const row = (n: number, stalls = 0) => view({ view_id: viewId(n), stalls })
  const first = [1, 2, 3].map((n) => ({ row: row(n), version: 10, sign: 1 as const }))
  await t.views(first)
  await t.views([
    { row: row(2), version: 10, sign: -1 },
    { row: row(2, 4), version: 20, sign: 1 },
  ])
  const expected = [[1, 10n] as const, [3, 10n] as const, [2, 20n] as const]
  const sum = expected.reduce((total, [n, version]) => total + rowHash(viewKey(row(n)), version), 0n)
  assert.deepEqual(await t.store.audit(`${t.database}.views`, t.owner, 0n, 100n), { rows: 3n, sum })
  const minute = slice({ view_id: viewId(1), minute: START_MS })
  await t.slices([{ row: minute, version: 10, sign: 1 }])
  assert.deepEqual(await t.store.audit(`${t.database}.view_slices`, t.owner, 0n, 100n), {
    rows: 1n,
    sum: rowHash(`s/${viewId(1)}/${START_MS}`, 10n),
  })
})

test('every dimension of the cubes adds up to all of them, and a region has its country before it', async () => {
  const t = await tables()
  const where = {
    country: 'DE',
    region: 'BY',
    asn: 3320,
    cdn: 'one',
    error_code: 'E1',
    title_id: 'dune',
    series_id: 's',
  }
  await t.views([
    { row: view({ view_id: viewId(1), ...where, app_id: 'tv', watched_ms: 10 }), version: 1, sign: 1 },
    { row: view({ view_id: viewId(2), watched_ms: 5 }), version: 1, sign: 1 },
  ])
  const rows = await t.store.query<{ dim: string; of: Record<string, number> }>(
    `SELECT dim, CAST((groupArray(value), groupArray(watched_ms)), 'Map(String, Int64)') AS of
     FROM (SELECT dim, value, sum(q.watched_ms) AS watched_ms FROM ${t.database}.qoe_hour AS q GROUP BY dim, value) GROUP BY dim`,
  )
  const found = new Map(
    rows.map(({ dim, of }) => [dim, Object.fromEntries(Object.entries(of).map(([k, v]) => [k, Number(v)]))]),
  )
  assert.equal(found.size, 22)
  assert.deepEqual(found.get('all'), { '': 15 })
  assert.deepEqual(found.get('region'), { 'DE-BY': 10, '': 5 })
  assert.deepEqual(found.get('asn'), { '3320': 10, '': 5 })
  assert.deepEqual(found.get('app_id'), { tv: 10, '': 5 })
  assert.deepEqual(found.get('error_code'), { E1: 10, '': 5 })
  assert.deepEqual(found.get('browser'), { '': 15 })
  for (const [dim, values] of found) {
    assert.equal(
      Object.values(values).reduce((a, b) => a + b),
      15,
      dim,
    )
  }
})
