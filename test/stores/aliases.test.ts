/** The plain views that people query: right by construction, and as cheap as the tables behind them. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ALIASES, applyAliases } from '../../stores/clickhouse/aliases.ts'
import { type Engine, QoeTables, slice, startEngine, view, viewId } from './qoe-support.ts'

const MONTHS = 6
let engine: Engine
let tables: QoeTables
before(async () => {
  engine = await startEngine()
  tables = await QoeTables.make(engine.store, 'views_v1_shown')
  for (let month = 0; month < MONTHS; month++) {
    const rows = Array.from({ length: 50 }, (_, n) => {
      const started_at = Date.UTC(2026, month, 10, n % 20)
      const of = { view_id: viewId(month * 50 + n), profile_id: `p${n % 7}`, started_at, cdn: n % 2 ? 'one' : 'two' }
      return { ...of, title_id: `t${n % 3}`, stalled_ms: n, watched_ms: 1_000 }
    })
    const signed = <R>(row: R) => ({ row, version: 1, sign: 1 as const })
    await tables.views(rows.map((row) => signed(view(row))))
    await tables.slices(rows.map((row) => signed(slice({ ...row, minute: row.started_at, playing_ms: 60_000 }))))
  }
  await applyAliases(engine.store, 'views', tables.database)
})
after(() => engine.stop())

const count = async (sql: string) => Number((await engine.store.query<{ n: number }>(sql))[0]?.n)

test('a plain count counts what stands; a corrected view is one view', async () => {
  const old = { view_id: viewId(0), profile_id: 'p0', started_at: Date.UTC(2026, 0, 10), cdn: 'two', title_id: 't0' }
  const row = view({ ...old, stalled_ms: 0, watched_ms: 1_000 })
  await tables.views([
    { row, version: 1, sign: -1 },
    { row: { ...row, stalled_ms: 500 }, version: 2, sign: 1 },
  ])
  assert.equal(await count('SELECT count() AS n FROM playhead.qoe_views'), MONTHS * 50)
  assert.equal(await count('SELECT count() AS n FROM playhead.qoe_slices'), MONTHS * 50)
  assert.equal(await count(`SELECT stalled_ms AS n FROM playhead.qoe_views WHERE view_id = '${viewId(0)}'`), 500)
  const truth = await count('SELECT sum(stalled_ms) AS n FROM playhead.qoe_views')
  for (const dim of ['all', 'cdn', 'title_id']) {
    assert.equal(await count(`SELECT sum(stalled_ms) AS n FROM playhead.qoe_by_hour WHERE dim = '${dim}'`), truth, dim)
  }
})

const WINDOW = { start: '2026-03-10 05:00:00', end: '2026-03-10 06:00:00' }
for (const [name, column] of [
  ['qoe_views', 'started_at'],
  ['qoe_slices', 'minute'],
  ['qoe_by_minute', 'minute'],
  ['qoe_by_hour', 'hour'],
] as const) {
  test(`a condition on ${column} goes through ${name} to the parts it needs`, async () => {
    const where = `${column} >= '${WINDOW.start}' AND ${column} < '${WINDOW.end}'`
    const [all] = await parts(`SELECT * FROM playhead.${name}`)
    const [few] = await parts(`SELECT * FROM playhead.${name} WHERE ${where}`)
    assert.ok(Number(all) >= MONTHS, `${all} parts in all`)
    assert.ok(few === 1 || few === 2, `${few} parts of one month, which two inserts fed`)
    assert.ok((await count(`SELECT count() AS n FROM playhead.${name} WHERE ${where}`)) > 0)
  })
}

test('a condition on the day goes through viewer_days, and a profile is counted once', async () => {
  const [few] = await parts(`SELECT * FROM playhead.viewer_days WHERE day = '2026-03-10'`)
  assert.equal(Number(few), 1)
  assert.equal(await count(`SELECT viewers AS n FROM playhead.unique_viewers_by_day WHERE day = '2026-03-10'`), 7)
})

async function parts(sql: string): Promise<readonly number[]> {
  const rows = await engine.store.query<{ parts: number }>(`EXPLAIN ESTIMATE ${sql}`)
  return rows.map((row) => Number(row.parts))
}

test('shown again nothing changes, and another set of tables stands beside the first', async () => {
  const strict = await QoeTables.make(engine.store, 'views_v1_strict')
  await applyAliases(engine.store, 'views', tables.database)
  const names = await applyAliases(engine.store, 'views', strict.database, 'strict')
  assert.deepEqual(
    names,
    ALIASES.views?.map(({ name }) => `${name}_strict`),
  )
  assert.equal(await count('SELECT count() AS n FROM playhead.qoe_views_strict'), 0)
  assert.equal(await count('SELECT count() AS n FROM playhead.qoe_views'), MONTHS * 50)
  assert.deepEqual(await applyAliases(engine.store, 'progress', tables.database), [])
})

test('whoever asks the engine for the columns finds their definitions', async () => {
  const columns = await engine.store.query<{ name: string; comment: string }>(
    `SELECT concat(table, '.', name) AS name, comment FROM system.columns WHERE database = 'playhead' AND table LIKE 'qoe_%'`,
  )
  assert.ok(columns.length > 300)
  assert.deepEqual(
    columns.filter(({ comment }) => comment.length < 5),
    [],
  )
})
