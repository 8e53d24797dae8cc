/** The reader on the real engine: read only, bounded in time, memory, rows and number. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { asProblem } from '../../api/problems.ts'
import { analyticsReader } from '../../api/readers/analytics.ts'
import { ClickHouseReader, QueryTooHeavy, ReadersBusy } from '../../stores/clickhouse/reader.ts'
import { READER_LIMITS } from '../../stores/clickhouse/reader-limits.ts'
import { type AnalyticsProcess, startAnalyticsProcess } from '../consumers/analytics-process.ts'

let dir: string
let engine: AnalyticsProcess
let reader: ClickHouseReader
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'playhead-reader-'))
  engine = await startAnalyticsProcess(join(dir, 'analytics'))
  reader = new ClickHouseReader({ url: engine.access.url, username: 'reader', password: 'reader-secret' })
})
after(async () => {
  await reader.close()
  await engine.stop()
  await rm(dir, { recursive: true, force: true })
})

test('values are parameters: what comes back is what was sent', async () => {
  const words = ["'", '\\', '\n\nSELECT 1', '\0', '{a:String}', "o'neil", 'ünï', '\\N', '']
  for (const word of words) {
    const rows = await reader.query('SELECT {a:String} AS a, {b:Array(String)} AS b, {c:Int64} AS c', {
      a: word,
      b: [word, 'x'],
      c: -1,
    })
    assert.deepEqual(rows, [{ a: word, b: [word, 'x'], c: -1 }])
  }
})

test('a parameter may be longer than a URL', async () => {
  const ids = Array.from({ length: 5_000 }, (_, i) => `an id's ${i} \\ \t of some length, ünï`)
  const rows = await reader.query('SELECT length({ids:Array(String)}) AS n, {ids:Array(String)}[4321] AS one', { ids })
  assert.deepEqual(rows, [{ n: 5_000, one: ids[4_320] }])
})

test('a query that takes too long, reads too much or answers too much is ended, and the caller is told what to ask', async () => {
  const heavy = [
    'SELECT count() FROM numbers_mt(40000000) WHERE NOT ignore(sipHash128(number, repeat(toString(number), 50)))',
    `SELECT count() FROM numbers(${READER_LIMITS.rowsReadMax * 4})`,
    `SELECT number FROM numbers(${READER_LIMITS.resultRowsMax + 1})`,
    'SELECT length(groupArray(repeat(toString(number), 100))) FROM numbers(40000000)',
  ]
  for (const sql of heavy) {
    const begun = Date.now()
    await assert.rejects(reader.query(sql, {}, 1_000), QueryTooHeavy, sql)
    assert.ok(Date.now() - begun < 8_000, sql)
  }
  const analytics = analyticsReader(reader, () => ({ views: 'playhead_views', shared: 'playhead' }))
  await assert.rejects(
    analytics.query(heavy[1] as string, {}, { timeoutMs: 1_000 }),
    (error) => asProblem(error).code === 'QUERY_TOO_HEAVY' && /shorter window/.test(asProblem(error).message),
  )
  assert.deepEqual(await reader.query('SELECT 1 AS n', {}), [{ n: 1 }])
})

test('a reader changes nothing and reaches nothing outside', async () => {
  const harmful = [
    'CREATE DATABASE mine',
    'DROP DATABASE default',
    'INSERT INTO system.one VALUES (1)',
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT 1 INTO OUTFILE '/tmp/playhead-reader'",
  ]
  for (const sql of harmful) await assert.rejects(reader.query(sql, {}), { code: 'STORE_REFUSED' }, sql)
})

test('so many queries run at once, so many wait, the others are turned away', async () => {
  const { queriesAtOnceMax, waitingMax } = READER_LIMITS
  const asked = queriesAtOnceMax + waitingMax + 20
  const answers = await Promise.allSettled(
    Array.from({ length: asked }, (_, i) => reader.query('SELECT {i:UInt32} AS i', { i })),
  )
  const away = answers.filter((one) => one.status === 'rejected')
  assert.equal(away.length, 20)
  const analytics = analyticsReader({ query: () => Promise.reject(away[0]?.reason) }, () => ({
    views: 'v',
    shared: 's',
  }))
  // No fault of ClickHouse's: a breaker in front of it does not count it.
  await assert.rejects(analytics.query('SELECT 1', {}), (error) => asProblem(error).code === 'ANALYTICS_BUSY')
  for (const { reason } of away) assert.ok(reason instanceof ReadersBusy)
  assert.deepEqual(await reader.query('SELECT 1 AS n', {}), [{ n: 1 }])
})

test('tables that are not made yet are a problem that passes, and no fault of ours', async () => {
  const analytics = analyticsReader(reader, () => ({ views: 'playhead_views_none', shared: 'playhead' }))
  for (const table of ['playhead_views_none.views', 'default.views']) {
    await assert.rejects(analytics.query(`SELECT 1 FROM ${table}`, {}), (error) => {
      const problem = asProblem(error)
      return problem.code === 'STORE_UNAVAILABLE' && problem.message.includes('not made yet')
    })
  }
})

test('a server that lets readers set nothing is asked without limits from then on', async () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const { url = '' } = request
    asked.push(url)
    request.resume()
    if (!url.includes('max_execution_time')) return response.end('{"n":1}\n')
    response.writeHead(500, { 'x-clickhouse-exception-code': '164' })
    return response.end("Code: 164. DB::Exception: Cannot modify 'max_threads' setting in readonly mode. (READONLY)")
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const strict = new ClickHouseReader({ url: `http://127.0.0.1:${port}`, username: 'r', password: 'p' })
  try {
    assert.deepEqual(await strict.query('SELECT 1 AS n', {}), [{ n: 1 }])
    assert.deepEqual(await strict.query('SELECT 1 AS n', {}), [{ n: 1 }])
    assert.deepEqual(
      asked.map((url) => url.includes('max_execution_time')),
      [true, false, false],
    )
  } finally {
    await strict.close()
    await new Promise((resolve) => server.close(resolve))
  }
})

test('a server that is away is worth another try, and its password is in no message', async () => {
  const away = new ClickHouseReader({ url: 'http://127.0.0.1:9', username: 'u', password: 'very-secret' })
  await assert.rejects(away.query('SELECT 1', {}), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'STORE_UNAVAILABLE')
    assert.doesNotMatch(error.message, /very-secret/)
    return true
  })
  await away.close()
})
