/** Exported Parquet as others read it: DuckDB and Arrow see the rows that stand, with their types, after corrections too. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { exported, GENERATION, type ViewsTable, viewsTable } from '../cli/export-support.ts'
import { tempFolder } from '../cli/playhead.ts'
import { ensurePython } from './python.ts'

const READ = `
import duckdb, json, sys
import pyarrow.dataset
glob = sys.argv[1] + '/current/*/*.parquet'
con = duckdb.connect()
con.execute("SET TimeZone = 'UTC'")
rows = con.execute(f"""SELECT view_id, stalled_ms, strftime(started_at, '%Y-%m-%d %H:%M:%S'), country, watched_from, CAST(day AS VARCHAR)
  FROM read_parquet('{glob}', hive_partitioning = true) ORDER BY view_id""").fetchall()
types = dict(con.execute(f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet('{glob}'))").fetchall())
arrow = pyarrow.dataset.dataset(sys.argv[1] + '/' + sys.argv[2], format='parquet', partitioning='hive').to_table()
print(json.dumps({
  'rows': rows,
  'types': {name: types[name] for name in ('view_id', 'stalled_ms', 'started_at', 'watched_from', 'country')},
  'arrow': {'rows': arrow.num_rows, 'stalled': sum(arrow['stalled_ms'].to_pylist()), 'started_at': str(arrow.schema.field('started_at').type)},
}))
`

let table: ViewsTable
let python: string
before(async () => {
  python = await ensurePython(['duckdb==2.0.0', 'pyarrow==26.0.1'])
  table = await viewsTable()
})
after(() => table?.close())

interface Read {
  readonly rows: readonly (readonly unknown[])[]
  readonly types: Readonly<Record<string, string>>
  readonly arrow: { readonly rows: number; readonly stalled: number; readonly started_at: string }
}

async function read(dir: string): Promise<Read> {
  const { stdout } = await promisify(execFile)(python, ['-c', READ, dir, GENERATION], { timeout: 60_000 })
  return JSON.parse(stdout) as Read
}

test('DuckDB and Arrow read what stands, without knowing of signs or versions', async (t) => {
  const dir = tempFolder(t)
  const view = (id: string, startedAt: string, stalledMs: number, version: number) => ({
    id,
    startedAt,
    stalledMs,
    version,
  })
  const [a, b] = [view('a', '2025-03-01 23:59:59.000', 10, 1), view('b', '2025-03-02 00:00:00.000', 20, 2)]
  await table.change([], [a, b])
  const source = table.source
  await exported({ source, dir, format: 'parquet' })
  const first = await read(dir)
  assert.deepEqual(first.rows, [
    ['a', 10, '2025-03-01 23:59:59', 'DE', [0, 60], '2025-03-01'],
    ['b', 20, '2025-03-02 00:00:00', 'DE', [0, 60], '2025-03-02'],
  ])
  assert.deepEqual(
    [first.types.view_id, first.types.stalled_ms, first.types.country, first.types.watched_from],
    ['VARCHAR', 'BIGINT', 'VARCHAR', 'UINTEGER[]'],
  )
  assert.match(first.types.started_at!, /^TIMESTAMP/)
  assert.match(first.arrow.started_at, /^timestamp\[ms/)

  await table.change([a, b], [{ ...a, stalledMs: 500, version: 7 }])
  await exported({ source, dir, format: 'parquet' })
  const second = await read(dir)
  assert.deepEqual(
    second.rows.map(([id, stalledMs]) => [id, stalledMs]),
    [['a', 500]],
  )
  assert.deepEqual([second.arrow.rows, second.arrow.stalled], [1, 500])
})
