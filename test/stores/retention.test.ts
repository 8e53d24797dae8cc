/** How long ClickHouse keeps rows: by the time in the row, changed only where it differs. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AGED_BY, type AgedTable, applyRetention } from '../../stores/clickhouse/retention.ts'
import { type Engine, QoeTables, startEngine, view, viewId } from './qoe-support.ts'

let engine: Engine
before(async () => {
  engine = await startEngine()
})
after(() => engine.stop())

const DAY_MS = 86_400_000

async function left(t: QoeTables): Promise<number> {
  const [row] = await t.store.query<{ n: number }>(`SELECT toInt64(sum(sign)) AS n FROM ${t.database}.views`)
  return Number(row?.n)
}

test('rows older than the days asked for go, younger ones stay; 0 keeps all', async () => {
  const t = await QoeTables.make(engine.store, 'views_v1_kept')
  const row = (n: number, days: number) => ({
    ...{ version: 1, sign: 1 as const },
    row: view({ view_id: viewId(n), started_at: Date.now() - days * DAY_MS }),
  })
  await t.views([row(1, 100), row(2, 20), row(3, 1)])
  assert.deepEqual(await applyRetention(t.store, t.database, { views: 30 }), ['views'])
  await t.store.command(`OPTIMIZE TABLE ${t.database}.views FINAL`)
  assert.equal(await left(t), 2)
  assert.deepEqual(await applyRetention(t.store, t.database, { views: 0 }), ['views'])
  await t.views([row(4, 100)])
  await t.store.command(`OPTIMIZE TABLE ${t.database}.views FINAL`)
  assert.equal(await left(t), 3)
})

test('every table of the views can be given its days, and what is so already is not touched', async () => {
  const t = await QoeTables.make(engine.store, 'views_v1_every')
  const names = (Object.keys(AGED_BY) as AgedTable[]).filter((name) => name !== 'events' && name !== 'cdn_requests')
  const days = Object.fromEntries(names.map((name, i) => [name, 10 + i]))
  assert.deepEqual((await applyRetention(t.store, t.database, days)).sort(), names.sort())
  assert.deepEqual(await applyRetention(t.store, t.database, days), [])
  assert.deepEqual(await applyRetention(t.store, t.database, { ...days, view_slices: 99 }), ['view_slices'])
  assert.deepEqual((await applyRetention(t.store, t.database, {})).sort(), names.sort())
  assert.deepEqual(await applyRetention(t.store, t.database, {}), [])
})

test('journals can be given theirs, and days that are none are refused', async () => {
  const { store } = engine
  const events = await store.prepareGeneration('events_v1_kept', 'events_v1')
  const requests = await store.prepareGeneration('cdn_requests_v1_kept', 'cdn_requests_v1')
  assert.deepEqual(await applyRetention(store, events, { events: 7, cdn_requests: 8 }), ['events'])
  assert.deepEqual(await applyRetention(store, requests, { events: 7, cdn_requests: 8 }), ['cdn_requests'])
  for (const wrong of [-1, 1.5, Number.NaN, 1e9]) {
    await assert.rejects(applyRetention(store, events, { events: wrong }), { code: 'STORE_REFUSED' })
  }
})
