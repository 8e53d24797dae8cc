/** Rows as text, read back by the real engine: whatever a string holds, it comes back as it was. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { LandingBody } from '../../consumers/rows.ts'
import { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import { type AnalyticsProcess, startAnalyticsProcess } from '../consumers/analytics-process.ts'

let dir: string
let process_: AnalyticsProcess
let store: ClickHouse

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'playhead-rows-'))
  process_ = await startAnalyticsProcess(join(dir, 'analytics'))
  store = new ClickHouse({ ...process_.access, database: 'playhead' })
  await store.prepare()
  await store.command(
    `CREATE TABLE playhead.rows (term UInt64, n UInt32, text String, list Array(String), maybe Nullable(Int64))
     ENGINE = MergeTree ORDER BY n`,
  )
})
after(async () => {
  await store.close()
  await process_.stop()
  await rm(dir, { recursive: true, force: true })
})

const landing = { name: 'rows', target: 'rows', columns: ['n', 'text', 'list', 'maybe'] }
const nasty = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.string({ unit: fc.constantFrom('\\', '\t', '\n', '\r', "'", '"', '\0', 'N', ']', ',', 'é', '😀'), maxLength: 12 }),
)

test('strings, arrays of strings and nulls come back as they were', async () => {
  const cells = fc.sample(fc.tuple(nasty, fc.array(nasty, { maxLength: 4 }), fc.option(fc.maxSafeInteger())), 1_000)
  const body = new LandingBody(landing, 1n)
  for (const [n, [text, list, maybe]] of cells.entries()) body.add([n, text, list, maybe])
  const owner = { generation: 'g', topic: 't', partition: 0 }
  const { columns, rows } = body
  await store.insert({ table: 'playhead.rows', owner, term: 1n, token: 'rows', columns, body: body.bytes(), rows })
  const found = await store.query<{ text: string; list: string[]; maybe: string | null }>(
    'SELECT text, list, toString(maybe) AS maybe FROM playhead.rows ORDER BY n',
  )
  assert.equal(found.length, cells.length)
  cells.forEach(([text, list, maybe], n) => {
    const wanted = { text, list, maybe: maybe === null ? null : String(maybe) }
    assert.deepEqual(found[n], wanted, `row ${n}: ${JSON.stringify(text)}`)
  })
})
