/** What the fold says of views arrives in ClickHouse as it was said, column by column, after hundreds of corrections. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rowHash } from '../../consumers/hash.ts'
import type { Cell, SignedRow } from '../../projections/projection.ts'
import { SLICE_COLUMNS, type SliceRow, VIEW_COLUMNS, type ViewRow } from '../../projections/views/row.ts'
import { viewsV1 } from '../../projections/views/v1.ts'
import { applyAliases } from '../../stores/clickhouse/aliases.ts'
import { progressLog } from '../projections/progress-log.ts'
import { QoeTables, type Signed, startEngine } from './qoe-support.ts'

const projection = viewsV1()
const { keyed } = projection

interface Standing {
  readonly row: SignedRow
  readonly version: number
}

type Rows = ReadonlyMap<string, Standing>
type Change = Standing & { readonly sign: 1 | -1 }

/** The rows of one batch for one of the two tables, as objects by column. */
function named<R>(rows: readonly Change[], target: string): Signed<R>[] {
  const names = Object.keys(target === 'views' ? VIEW_COLUMNS : SLICE_COLUMNS)
  return rows
    .filter(({ row }) => row.landing.target === target)
    .map(({ row, version, sign }) => {
      const cells = Object.fromEntries(names.map((name, i) => [name, row.cells[i] as Cell]))
      return { row: cells as R, version, sign }
    })
}

/** As the runtime exchanges the rows of a state: what is as it was stays under its version. */
function exchange(old: Rows, now: readonly SignedRow[], version: number): { rows: Rows; changes: Change[] } {
  const rows = new Map<string, Standing>()
  const changes: Change[] = []
  for (const row of now) {
    const held = old.get(row.rowKey)
    const same = held !== undefined && JSON.stringify(held.row.cells) === JSON.stringify(row.cells)
    if (!same) changes.push({ row, version, sign: 1 })
    rows.set(row.rowKey, same ? held : { row, version })
  }
  for (const [key, held] of old) if (rows.get(key) !== held) changes.push({ ...held, sign: -1 })
  return { rows, changes }
}

test('every cell of the views and minutes that stand is in the tables, and the audit agrees', async (t) => {
  const engine = await startEngine()
  t.after(() => engine.stop())
  const tables = await QoeTables.make(engine.store, 'views_v1_fold')
  await applyAliases(engine.store, 'views', tables.database)
  const states = new Map<string, { state: ReturnType<typeof keyed.fold>; rows: Rows }>()
  const log = progressLog(300)
  for (let from = 0, version = 1; from < log.length; from += 60, version++) {
    const touched = new Set<string>()
    for (const event of log.slice(from, from + 60)) {
      const key = keyed.key(event)
      if (key === undefined) continue
      const name = JSON.stringify(key)
      const held = states.get(name)
      states.set(name, { state: keyed.fold(held?.state, event), rows: held?.rows ?? new Map() })
      touched.add(name)
    }
    const changes: Change[] = []
    for (const name of touched) {
      const { state, rows } = states.get(name) as { state: ReturnType<typeof keyed.fold>; rows: Rows }
      const after = exchange(rows, keyed.rows(state), version)
      states.set(name, { state, rows: after.rows })
      changes.push(...after.changes)
    }
    await tables.views(named<ViewRow>(changes, 'views'))
    await tables.slices(named<SliceRow>(changes, 'view_slices'))
  }
  const standing = [...states.values()].flatMap(({ rows }) => [...rows.values()])

  for (const [alias, target, columns] of [
    ['qoe_views', 'views', VIEW_COLUMNS],
    ['qoe_slices', 'view_slices', SLICE_COLUMNS],
  ] as const) {
    const rows = standing.filter(({ row }) => row.landing.target === target)
    assert.ok(rows.length > 20, `${rows.length} rows in ${target}`)
    const shown = Object.entries(columns).map(([n, kind]) =>
      kind === 't' ? `toUnixTimestamp64Milli(${n}) AS ${n}` : n,
    )
    const found = await tables.store.query<Record<string, Cell>>(`SELECT ${shown.join(', ')} FROM playhead.${alias}`)
    const text = (lists: readonly (readonly Cell[])[]) => lists.map((cells) => JSON.stringify(cells)).sort()
    assert.deepEqual(text(found.map((row) => Object.values(row))), text(rows.map(({ row }) => row.cells)))
    const sum = rows.reduce((total, { row, version }) => total + rowHash(row.rowKey, BigInt(version)), 0n)
    const audited = await tables.store.audit(`${tables.database}.${target}`, tables.owner, 0n, 1_000n)
    assert.deepEqual(audited, { rows: BigInt(rows.length), sum })
  }
})
