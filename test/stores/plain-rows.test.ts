/** Titles, progress and CDN requests in ClickHouse: what the folds say is what people find under the plain names. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { rowHash } from '../../consumers/hash.ts'
import { LandingBody } from '../../consumers/rows.ts'
import { cdnRequestsV1 } from '../../projections/cdn-requests/v1.ts'
import { progressRowsV1 } from '../../projections/progress-rows/v1.ts'
import type { Cell, Entry, Landing, Projection, SignedRow } from '../../projections/projection.ts'
import { titleRowsV1 } from '../../projections/title-rows/v1.ts'
import type { EventOf, PlayheadEvent } from '../../schemas/index.ts'
import { applyAliases } from '../../stores/clickhouse/aliases.ts'
import { idOf } from '../consumers/events.ts'
import { progressLog } from '../projections/progress-log.ts'
import { beat, keyedOf, meta, START_MS } from '../projections/support.ts'
import { registered, withdrawn } from '../projections/titles.ts'
import { type Engine, startEngine } from './qoe-support.ts'

let engine: Engine
before(async () => {
  engine = await startEngine()
})
after(() => engine.stop())

/** The tables of a generation, shown under plain names with the generation's number behind them. */
class Tables {
  readonly #projection: Projection
  readonly #generation: string
  readonly #audit: bigint[] = []
  database = ''
  #tokens = 0

  constructor(projection: Projection, nonce: string) {
    this.#projection = projection
    this.#generation = `${projection.name}_v1_${nonce}`
  }

  async open(suffix: string): Promise<this> {
    const { name, foldVersion, topics } = this.#projection
    this.database = await engine.store.prepareGeneration(this.#generation, `${name}_v${foldVersion}`)
    await engine.store.own({ generation: this.#generation, topic: topics[0] as string, partition: 0 }, 1n)
    await applyAliases(engine.store, name, this.database, suffix)
    return this
  }

  /** As the runtime says it: topic, partition, key, version and sign before a signed row's own cells. */
  async signed(rows: readonly SignedRow[], version: bigint, sign: 1 | -1): Promise<void> {
    const [topic] = this.#projection.topics
    const [landing] = this.#projection.landings
    const cells = rows.map((row) => [topic as string, 0, row.rowKey, version, sign, ...row.cells])
    await this.insert(landing as Landing, cells)
    for (const { rowKey } of rows) this.#audit.push(BigInt(sign) * rowHash(rowKey, version))
  }

  async insert(landing: Landing, rows: readonly (readonly Cell[])[]): Promise<void> {
    const owner = { generation: this.#generation, topic: this.#projection.topics[0] as string, partition: 0 }
    const body = new LandingBody(landing, 1n)
    for (const cells of rows) body.add(cells)
    const insert = { owner, term: 1n, token: `t/${this.#tokens++}`, columns: body.columns, body: body.bytes() }
    const table = `${this.database}.${landing.name}`
    assert.equal(await engine.store.insert({ ...insert, table, rows: body.rows }), 'inserted')
    const { sum } = await engine.store.audit(`${this.database}.${landing.target}`, owner, 0n, 1_000_000n)
    this.audited = sum
  }

  audited = 0n
  expected(): bigint {
    return this.#audit.reduce((a, b) => a + b, 0n)
  }
}

/** Folds one event after the other and sends what changes, as a consumer would with batches of one. */
async function drive(tables: Tables, projection: Projection, batches: readonly PlayheadEvent[][]): Promise<void> {
  const keyed = keyedOf(projection)
  const states = new Map<string, { state: unknown; version: bigint }>()
  let version = 0n
  for (const batch of batches) {
    version++
    const gone: SignedRow[][] = [[], []]
    const before = new Map(states)
    for (const event of batch) {
      const key = JSON.stringify(keyed.key(event))
      states.set(key, { state: keyed.fold(states.get(key)?.state, event), version })
    }
    for (const [key, { state, version: now }] of states) {
      if (now !== version) continue
      const old = before.get(key)
      if (old !== undefined) await tables.signed(keyed.rows(old.state), old.version, -1)
      gone[1]?.push(...keyed.rows(state))
    }
    await tables.signed(gone[1] as SignedRow[], version, 1)
  }
  assert.equal(tables.audited, tables.expected(), 'the audit finds the rows that stand')
}

test('a title is shown once, as it was registered last; one that was only ever withdrawn is not', async () => {
  const projection = titleRowsV1()
  const tables = await new Tables(projection, 'a').open('a')
  const genres = ["a'b", 'tab\tbed', 'a,b']
  await drive(tables, projection, [
    [registered(START_MS, 1, { name: 'Old' }), withdrawn(START_MS, 2, 'never')],
    [registered(START_MS + 5, 3, { name: 'New\nline', durationMs: 1000, genres, images: { poster: 'p' } })],
    [withdrawn(START_MS + 9, 4), registered(START_MS, 5, { titleId: 'other', seriesId: 's', season: 1, episode: 2 })],
  ])
  const rows = await engine.store.query(
    'SELECT title_id, name, duration_ms, genres, images, withdrawn, updated_at, season FROM playhead.titles_a ORDER BY title_id',
  )
  const time = (ms: number) => new Date(ms).toISOString().replace('T', ' ').replace('Z', '')
  assert.deepEqual(rows, [
    {
      ...{ title_id: 'dune', name: 'New\nline', duration_ms: 1000, genres, images: '{"poster":"p"}' },
      ...{ withdrawn: true, updated_at: time(START_MS + 9), season: null },
    },
    {
      ...{ title_id: 'other', name: 'Dune', duration_ms: null, genres: [], images: '{}' },
      ...{ withdrawn: false, updated_at: time(START_MS), season: 1 },
    },
  ])
})

test('progress is shown once for each profile and title, and the audit agrees after hundreds of changes', async () => {
  const projection = progressRowsV1()
  const tables = await new Tables(projection, 'b').open('b')
  const log = progressLog(200)
  const keyed = keyedOf(projection)
  await drive(tables, projection, [log.slice(0, 120), log.slice(120, 190), log.slice(190)])
  const states = new Map<string, unknown>()
  for (const event of log) {
    const key = JSON.stringify(keyed.key(event))
    states.set(key, keyed.fold(states.get(key), event))
  }
  const expected = [...states.values()].flatMap((state) => keyed.rows(state)).map(({ cells }) => cells.slice(0, 7))
  const rows = await engine.store.query<Record<string, Cell>>(
    `SELECT profile_id, title_id, position_ms, duration_ms, completed, watched_ms, plays FROM playhead.progress_b`,
  )
  const text = (lists: readonly (readonly Cell[])[]) =>
    lists.map((list) => JSON.stringify(list, (_, v) => (typeof v === 'bigint' ? Number(v) : v))).sort()
  assert.deepEqual(text(rows.map((row) => Object.values(row))), text(expected))
  assert.ok(rows.length > 20)
})

test('a heartbeat moves a row of progress once a minute, not each time', () => {
  const keyed = keyedOf(progressRowsV1())
  let state: unknown
  const seen = new Set<string>()
  for (let i = 0; i < 60; i++) {
    const played = [{ fromMs: 0, toMs: i * 10_000 }]
    state = keyed.fold(state, beat(START_MS + i * 10_000, i, { positionMs: i * 10_000, durationMs: 6_000_000, played }))
    seen.add(JSON.stringify(keyed.rows(state)))
  }
  assert.ok(seen.size <= 11, `${seen.size} rows in ten minutes`)
})

function request(position: bigint, fields: Partial<EventOf<'CmcdRequest'>>, fate: Entry['fate'] = 'folded'): Entry {
  const none = { titleId: null, url: null, method: null, status: null, bytes: null, firstByteMs: null, totalMs: null }
  const more = { objectType: null, objectDurationMs: null, bitrateKbps: null, topBitrateKbps: null, bufferMs: null }
  const rest = { deadlineMs: null, throughputKbps: null, starved: null, startup: null, playbackRatePermille: null }
  const last = {
    streamType: 'unknown',
    protocol: null,
    cdn: null,
    edge: null,
    cacheStatus: null,
    keys: {},
    raw: null,
  } as const
  const event: EventOf<'CmcdRequest'> = {
    ...{ type: 'CmcdRequest', meta: meta(START_MS + Number(position), Number(position)), sessionId: 's' },
    ...{ ...none, ...more, ...rest, ...last, context: null, personal: null, ...fields },
  }
  return { ...{ topic: 'playback-events', partition: 0, position, timestampMs: 0, key: 's' }, fate, schemaId: 1, event }
}

test('media requests have a row each, duplicates and other events none, and what nobody said is null', async () => {
  const projection = cdnRequestsV1()
  const { journal } = projection
  const tables = await new Tables(projection, 'c').open('c')
  const entries = [
    request(1n, { cdn: 'one', status: 200, bytes: 10, starved: true, keys: { 'com.x': '1\t2' } }),
    request(2n, { cdn: 'one', status: 503, firstByteMs: 40, cacheStatus: 'miss' }),
    request(3n, { cdn: 'one' }, 'duplicate'),
    { ...request(4n, {}), event: beat(START_MS, 4) },
  ]
  const rows = entries.map((entry) => journal?.row(entry))
  assert.deepEqual(
    rows.map((row) => row !== undefined),
    [true, true, false, false],
  )
  await tables.insert(
    journal?.landing as Landing,
    rows.filter((row) => row !== undefined),
  )
  assert.equal(tables.audited, rowHash('1', 1n) + rowHash('2', 2n))
  const [sums] = await engine.store.query<object>(
    `SELECT count() AS n, avg(bytes) AS bytes, avg(first_byte_ms) AS first, countIf(starved) AS starved,
       any(toString(event_id)) AS id, anyIf(keys, position = 1) AS keys FROM playhead.cdn_requests_c WHERE cdn = 'one'`,
  )
  const expected = { n: 2, bytes: 10, first: 40, starved: 1, id: idOf(1), keys: '{"com.x":"1\\t2"}' }
  assert.deepEqual(sums, expected)
})

test('a log line that was read again long after is one request, also where time and session narrow the question', async () => {
  const { journal } = cdnRequestsV1()
  const tables = await new Tables(cdnRequestsV1(), 'd').open('d')
  const line = (position: bigint, n: number) =>
    request(position, { meta: meta(START_MS + n, n), cdn: 'two', cacheStatus: 'hit' })
  const again = [line(11n, 1), line(12n, 2), line(90_011n, 1), line(90_012n, 2), line(90_013n, 3)]
  await tables.insert(
    journal?.landing as Landing,
    again.map((entry) => journal?.row(entry) as readonly Cell[]),
  )
  const asked = `occurred_at >= toDateTime64(${START_MS / 1000}, 3) AND session_id = 's' AND cache_status = 'hit'`
  const count = async (table: string) =>
    (await engine.store.query<{ n: number }>(`SELECT count() AS n FROM playhead.${table} WHERE ${asked}`))[0]?.n
  assert.deepEqual([await count('cdn_requests_d'), await count('cdn_request_rows_d')], [3, 5])
})
