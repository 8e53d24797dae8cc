/** `@clickhouse/client`, unchanged, as every part of the engine uses it. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { READER, startServer, type TestServer, WRITER } from './server.ts'

let server: TestServer
let writer: ClickHouseClient
let reader: ClickHouseClient
before(async () => {
  server = await startServer()
  const quiet = { level: ClickHouseLogLevel.OFF }
  writer = createClient({
    url: server.url,
    username: WRITER.name,
    password: WRITER.password,
    log: quiet,
    compression: { request: true, response: true },
  })
  reader = createClient({ url: server.url, access_token: READER.password, log: quiet })
  await writer.command({
    query:
      'CREATE TABLE t (id UInt64, at DateTime64(3), name String, tags Array(String), more Map(String, Int64)) ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 100',
  })
})
after(async () => {
  await writer.close()
  await reader.close()
  await server.stop()
})

test('it pings, with and without a query', async () => {
  assert.equal((await writer.ping()).success, true)
  assert.equal((await reader.ping({ select: true })).success, true)
  const nobody = createClient({ url: server.url, log: { level: ClickHouseLogLevel.OFF } })
  assert.equal((await nobody.ping({ select: true })).success, false)
  await nobody.close()
})

test('rows come back as they went in, blank lines, quotes and zeros included', async () => {
  const rows = ['plain', 'a\n\nDROP TABLE t', 'it\'s "`\\', 'zero\0end', '\u{1f3ac}', ''].map((name, index) => ({
    id: String(2n ** 63n + BigInt(index)),
    at: 1_700_000_000_123 + index,
    name,
    tags: [name, 'x'],
    more: { [name]: '-5' },
  }))
  const result = await writer.insert({ table: 't', values: rows, format: 'JSONEachRow' })
  assert.equal(result.summary?.written_rows, String(rows.length))
  const found = await reader.query({
    query: 'SELECT id, toUnixTimestamp64Milli(at) AS at, name, tags, more FROM t ORDER BY id',
    format: 'JSONEachRow',
    clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
  })
  assert.deepEqual(
    await found.json(),
    rows.map((row) => ({ ...row, at: String(row.at) })),
  )
  await writer.command({ query: 'TRUNCATE TABLE t' })
})

test('a repeated token is dropped', async () => {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await writer.insert({
      table: 't',
      columns: ['id'],
      values: [{ id: 1 }],
      format: 'JSONEachRow',
      clickhouse_settings: { insert_deduplication_token: 'generation/topic/0/1-1' },
    })
  }
  const found = await reader.query({ query: 'SELECT count() AS n FROM t', format: 'JSONEachRow' })
  assert.deepEqual(await found.json(), [{ n: 1 }])
})

test('streams go in and come out', async () => {
  const lines = Readable.from(
    Array.from({ length: 10_000 }, (_, index) => `${index},n${index}\n`),
    { objectMode: false },
  )
  await writer.command({ query: 'CREATE TABLE csv (a UInt64, b String) ENGINE = Memory' })
  await writer.insert({ table: 'csv', values: lines, format: 'CSV' })
  const objects = Readable.from(Array.from({ length: 1_000 }, (_, index) => ({ a: index, b: 'o' })))
  await writer.insert({ table: 'csv', values: objects, format: 'JSONEachRow' })
  const found = await writer.query({ query: 'SELECT * FROM csv ORDER BY a, b', format: 'JSONCompactEachRow' })
  let count = 0
  for await (const batch of found.stream()) count += batch.length
  assert.equal(count, 11_000)
})

test('parameters are typed values', async () => {
  const query_params = {
    s: "x' OR 1\n\t\\",
    n: 5,
    list: ['a', "b'"],
    at: new Date(1_700_000_000_000),
    none: null,
    flag: true,
  }
  const found = await reader.query({
    query:
      'SELECT {s:String} AS s, {n:UInt8} + 1 AS n, {list:Array(String)} AS list, toUnixTimestamp({at:DateTime}) AS at, {none:Nullable(Int8)} AS none, {flag:Bool} AS flag',
    query_params,
    format: 'JSONEachRow',
  })
  assert.deepEqual(await found.json(), [
    { s: query_params.s, n: 6, list: query_params.list, at: 1_700_000_000, none: null, flag: true },
  ])
})

test('large parameters may come as multipart', async () => {
  const found = await reader.query({
    query: 'SELECT length({s:String}) AS n',
    query_params: { s: 'y'.repeat(10_000) },
    use_multipart_params: true,
    format: 'JSONEachRow',
  })
  assert.deepEqual(await found.json(), [{ n: 10_000 }])
})

test('exec with values, command, and errors with their code', async () => {
  const { stream } = await writer.exec({
    query: 'INSERT INTO csv FORMAT CSV',
    values: Readable.from(['1,exec\n'], { objectMode: false }),
  })
  stream.resume()
  await assert.rejects(
    reader.query({ query: 'SELECT * FROM nowhere' }),
    (error) => error instanceof ClickHouseError && error.code === '60' && error.type === 'UNKNOWN_TABLE',
  )
  await assert.rejects(
    reader.command({ query: 'DROP TABLE t' }),
    (error) => error instanceof ClickHouseError && error.code === '164',
  )
  await assert.rejects(
    writer.insert({ table: 't', values: [{ id: 'x' }], format: 'JSONEachRow' }),
    (error) => error instanceof ClickHouseError && error.code === '27',
  )
})

test('a session keeps its temporary table', async () => {
  const session_id = randomUUID()
  await writer.command({ query: 'CREATE TEMPORARY TABLE mine (a Int8)', session_id })
  await writer.insert({ table: 'mine', values: [{ a: 1 }], format: 'JSONEachRow', session_id })
  const found = await writer.query({ query: 'SELECT a FROM mine', session_id, format: 'JSONEachRow' })
  assert.deepEqual(await found.json(), [{ a: 1 }])
})

test('an aborted query ends in the engine too', async () => {
  const controller = new AbortController()
  const query = reader.query({ query: 'SELECT count() FROM numbers(1e13)', abort_signal: controller.signal })
  const deadline = Date.now() + 10_000
  while (server.analytics.load().reader.running === 0) {
    assert.ok(Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  controller.abort()
  await assert.rejects(query)
  while (server.analytics.load().reader.running > 0) {
    assert.ok(Date.now() < deadline, 'the query went on')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
})
