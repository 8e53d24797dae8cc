/** The tables of views on the real engine, for tests: rows made of a few fields, sent as the runtime sends them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LandingBody } from '../../consumers/rows.ts'
import type { Cell, Landing } from '../../projections/projection.ts'
import { SLICE_COLUMNS, type SliceRow, VIEW_COLUMNS, type ViewRow } from '../../projections/views/row.ts'
import { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import type { CommitKey } from '../../stores/state.ts'
import { startAnalyticsProcess } from '../consumers/analytics-process.ts'

export interface Engine {
  readonly store: ClickHouse
  stop(): Promise<void>
}

export async function startEngine(): Promise<Engine> {
  const dir = await mkdtemp(join(tmpdir(), 'playhead-tables-'))
  const analytics = await startAnalyticsProcess(join(dir, 'analytics'))
  const store = new ClickHouse({ ...analytics.access, database: 'playhead' })
  await store.prepare()
  return {
    store,
    stop: async () => {
      await store.close()
      await analytics.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

const RUNTIME = ['topic', 'partition', 'row_key', 'version', 'sign']
export const VIEWS: Landing = {
  name: 'landing_views',
  target: 'views',
  columns: [...RUNTIME, ...Object.keys(VIEW_COLUMNS)],
}
export const SLICES: Landing = {
  name: 'landing_view_slices',
  target: 'view_slices',
  columns: [...RUNTIME, ...Object.keys(SLICE_COLUMNS)],
}

export const START_MS = Date.UTC(2026, 2, 10, 12)
const EMPTY = { i: 0, u: 0, t: START_MS, s: '', w: '', ints: [] } as const

function blank(columns: Readonly<Record<string, keyof typeof EMPTY>>): Record<string, Cell> {
  return Object.fromEntries(Object.entries(columns).map(([name, kind]) => [name, EMPTY[kind]]))
}

export function viewId(n: number): string {
  return n.toString(16).padStart(8, '0').repeat(4)
}

export function view(fields: Partial<ViewRow>): ViewRow {
  return { ...blank(VIEW_COLUMNS), views: 1, ...fields } as unknown as ViewRow
}

export function slice(fields: Partial<SliceRow>): SliceRow {
  return { ...blank(SLICE_COLUMNS), slices: 1, ...fields } as unknown as SliceRow
}

/** A row and how it stands: its version, and whether it comes or goes. */
export interface Signed<R> {
  readonly row: R
  readonly version: number
  readonly sign: 1 | -1
}

export function viewKey({ view_id }: ViewRow): string {
  return `v/${view_id}`
}

export function sliceKey({ view_id, minute }: SliceRow): string {
  return `s/${view_id}/${minute}`
}

/** One generation of the tables, with an owner for its one partition. */
export class QoeTables {
  readonly store: ClickHouse
  readonly database: string
  readonly owner: CommitKey
  #tokens = 0

  private constructor(store: ClickHouse, database: string, owner: CommitKey) {
    this.store = store
    this.database = database
    this.owner = owner
  }

  static async make(store: ClickHouse, generation: string): Promise<QoeTables> {
    const database = await store.prepareGeneration(generation, 'views_v1')
    const owner = { generation, topic: 'playback-events', partition: 0 }
    await store.own(owner, 1n)
    return new QoeTables(store, database, owner)
  }

  views(rows: readonly Signed<ViewRow>[], token?: string): Promise<'inserted' | 'refused'> {
    return this.#insert(VIEWS, rows, viewKey, token)
  }

  slices(rows: readonly Signed<SliceRow>[], token?: string): Promise<'inserted' | 'refused'> {
    return this.#insert(SLICES, rows, sliceKey, token)
  }

  #insert<R extends ViewRow | SliceRow>(
    landing: Landing,
    rows: readonly Signed<R>[],
    keyOf: (row: R) => string,
    token = `test/${this.#tokens++}`,
  ): Promise<'inserted' | 'refused'> {
    const { store, database, owner } = this
    const body = new LandingBody(landing, 1n)
    for (const { row, version, sign } of rows) {
      const named = row as Readonly<Record<string, Cell>>
      const cells = landing.columns.slice(RUNTIME.length).map((column) => named[column] as Cell)
      body.add([owner.topic, owner.partition, keyOf(row), version, sign, ...cells])
    }
    const { columns } = body
    const table = `${database}.${landing.name}`
    return store.insert({ table, owner, term: 1n, token, columns, body: body.bytes(), rows: body.rows })
  }
}
