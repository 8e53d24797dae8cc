/** The analytics store on the real engine: owners, tokens, migrations, audits. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { rowHash } from '../../consumers/hash.ts'
import { LandingBody } from '../../consumers/rows.ts'
import { eventsV1 } from '../../projections/events/v1.ts'
import type { Cell } from '../../projections/projection.ts'
import type { LandingInsert } from '../../stores/analytics.ts'
import { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import type { CommitKey } from '../../stores/state.ts'
import { type AnalyticsProcess, startAnalyticsProcess } from '../consumers/analytics-process.ts'

const { landing } = eventsV1(['t']).journal!
const GENERATION = 'events_v1_test'

let dir: string
let process_: AnalyticsProcess
let store: ClickHouse
let database: string

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'playhead-clickhouse-'))
  process_ = await startAnalyticsProcess(join(dir, 'analytics'))
  store = new ClickHouse({ ...process_.access, database: 'playhead' })
  await store.prepare()
  database = await store.prepareGeneration(GENERATION, 'events_v1')
})
after(async () => {
  await store.close()
  await process_.stop()
  await rm(dir, { recursive: true, force: true })
})

let topics = 0
function newOwner(): CommitKey {
  return { generation: GENERATION, topic: `topic-${topics++}`, partition: 0 }
}

function insertOf(
  owner: CommitKey,
  term: bigint,
  token: string,
  positions: readonly bigint[],
  month = 0,
): LandingInsert {
  const body = new LandingBody(landing, term)
  for (const position of positions) {
    const at = Date.UTC(2020, month === 0 ? 0 : Number(position) % 300, 2)
    const cells: Cell[] = [owner.topic, owner.partition, position, 'folded', 'Heartbeat']
    cells.push('0190a0b0-0000-7000-8000-000000000001', at, at, 'sdk', 'app', 'test', 'key', 'p', 's', 't', 1)
    body.add([...cells, '{"note":"a blank line\\n\\nSELECT 1"}'])
  }
  const { columns, rows } = body
  return { table: `${database}.${landing.name}`, owner, term, token, columns, body: body.bytes(), rows }
}

const standing = async (owner: CommitKey) => (await store.audit(`${database}.events`, owner, 0n, 10_000n)).rows

test('a repeated token is dropped, another one is not', async () => {
  const owner = newOwner()
  await store.own(owner, 1n)
  assert.equal(await store.insert(insertOf(owner, 1n, `${owner.topic}/0-2`, [0n, 1n, 2n])), 'inserted')
  assert.equal(await store.insert(insertOf(owner, 1n, `${owner.topic}/0-2`, [0n, 1n, 2n])), 'inserted')
  assert.equal(await standing(owner), 3n)
  assert.equal(await store.insert(insertOf(owner, 1n, `${owner.topic}/3-4`, [3n, 4n])), 'inserted')
  assert.equal(await standing(owner), 5n)
})

test('a heir that repeats a batch under a higher term repeats its token too, and it is dropped', async () => {
  const owner = newOwner()
  await store.own(owner, 1n)
  await store.insert(insertOf(owner, 1n, `${owner.topic}/0-1`, [0n, 1n]))
  await store.own(owner, 2n)
  assert.equal(await store.insert(insertOf(owner, 2n, `${owner.topic}/0-1`, [0n, 1n])), 'inserted')
  assert.equal(await standing(owner), 2n)
})

test('rows of a replaced owner are refused, and so is a term that was passed', async () => {
  const owner = newOwner()
  assert.equal(await store.own(owner, 2n), 'owned')
  assert.equal(await store.own(owner, 1n), 'refused')
  assert.equal(await store.insert(insertOf(owner, 1n, `${owner.topic}/0-0`, [0n])), 'refused')
  assert.equal(await standing(owner), 0n)
  assert.equal(
    await store.insert(insertOf(owner, 2n, `${owner.topic}/0-0`, [0n])),
    'inserted',
    'the refusal left no token',
  )
  assert.equal(await standing(owner), 1n)
})

test('rows of three hundred months in one insert are one batch: a repeat is dropped in every one of them', async () => {
  const owner = newOwner()
  await store.own(owner, 1n)
  const positions = Array.from({ length: 300 }, (_, i) => BigInt(i))
  const insert = insertOf(owner, 1n, `${owner.topic}/0-299`, positions, 1)
  await store.insert(insert)
  await store.insert(insert)
  assert.equal(await standing(owner), 300n)
})

test('ClickHouse sums the same hashes as the runtime', async () => {
  const owner = newOwner()
  await store.own(owner, 1n)
  await store.insert(insertOf(owner, 1n, `${owner.topic}/0-9`, [0n, 7n, 9n]))
  const expected = [0n, 7n, 9n].reduce((sum, p) => sum + rowHash(p.toString(), p), 0n)
  assert.deepEqual(await store.audit(`${database}.events`, owner, 0n, 100n), { rows: 3n, sum: expected })
  assert.equal((await store.audit(`${database}.events`, owner, 1n, 8n)).rows, 1n)
})

test('blocks count what went in, and do not fall when parts are merged', async () => {
  const owner = newOwner()
  await store.own(owner, 1n)
  const before = await store.blocks(`${database}.events`)
  for (let i = 0; i < 5; i++) await store.insert(insertOf(owner, 1n, `${owner.topic}/${i}-${i}`, [BigInt(i)]))
  const after = await store.blocks(`${database}.events`)
  assert.ok(after >= before + 5n, `${before} → ${after}`)
  await store.command(`OPTIMIZE TABLE ${database}.events FINAL`)
  assert.ok((await store.blocks(`${database}.events`)) >= after)
})

test('what an event holds comes back as it was, and people find it under the shared name', async () => {
  const owner = newOwner()
  await store.own(owner, 1n)
  await store.insert(insertOf(owner, 1n, `${owner.topic}/0-0`, [0n]))
  await store.alias('events', `${database}.events`)
  const rows = await store.query<{ note: string; received_at: string }>(
    `SELECT JSONExtractString(payload, 'note') AS note, received_at FROM playhead.events WHERE topic = {topic:String}`,
    { topic: owner.topic },
  )
  assert.deepEqual(rows, [{ note: 'a blank line\n\nSELECT 1', received_at: '2020-01-02 00:00:00.000' }])
})

test('migrations run once, in order, and a file that changed after it ran is refused', async () => {
  const folder = join(dir, 'numbered')
  await rm(folder, { recursive: true, force: true })
  const { mkdir } = await import('node:fs/promises')
  await mkdir(folder)
  const url = pathToFileURL(`${folder}/`)
  await writeFile(join(folder, '0001_first.sql'), 'CREATE TABLE {{db}}.first (n UInt8) ENGINE = Memory;\n')
  await store.prepareGeneration('numbered', url)
  await writeFile(join(folder, '0002_second.sql'), 'INSERT INTO {{db}}.first SELECT 1;\n')
  await store.prepareGeneration('numbered', url)
  await store.prepareGeneration('numbered', url)
  assert.deepEqual(await store.query('SELECT count() AS n FROM playhead_numbered.first'), [{ n: 1 }])
  await writeFile(join(folder, '0001_first.sql'), 'CREATE TABLE {{db}}.first (n UInt16) ENGINE = Memory;\n')
  await assert.rejects(store.prepareGeneration('numbered', url), {
    code: 'STORE_REFUSED',
    message: /0001_first\.sql was changed after it ran.*add a new numbered file/,
  })
})

test('a server that is away is worth another try; a query that is wrong is not', async () => {
  const away = new ClickHouse({
    url: 'http://127.0.0.1:9',
    username: 'u',
    password: 'very-secret',
    database: 'playhead',
  })
  await assert.rejects(away.query('SELECT 1'), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'STORE_UNAVAILABLE')
    assert.match(error.message, /127\.0\.0\.1:9/)
    assert.doesNotMatch(error.message, /very-secret/)
    return true
  })
  await away.close()
  await assert.rejects(store.query('SELECT nonsense FROM nowhere.at_all'), { code: 'STORE_REFUSED' })
})
