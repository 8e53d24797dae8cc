import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { ask, READER, sql, startServer, type TestServer, WRITER } from './server.ts'

let server: TestServer
before(async () => {
  server = await startServer()
  await sql(server, 'CREATE DATABASE http')
})
after(() => server.stop())

test('ping needs no user', async () => {
  const answer = await fetch(`${server.url}/ping`)
  assert.equal(await answer.text(), 'Ok.\n')
  assert.equal(await (await fetch(`${server.url}/replicas_status`)).text(), 'Ok.\n')
})

test('an unknown path, a wrong method and OPTIONS are answered without the engine', async () => {
  assert.equal((await fetch(`${server.url}/nothing`)).status, 404)
  assert.equal((await fetch(server.url, { method: 'PUT', body: 'x' })).status, 501)
  assert.equal((await fetch(server.url, { method: 'OPTIONS' })).status, 204)
})

test('every way to say who one is works', async () => {
  const basic = Buffer.from(`${READER.name}:${READER.password}`).toString('base64')
  const ways: Record<string, string>[] = [
    { Authorization: `Basic ${basic}` },
    { Authorization: `Bearer ${READER.password}` },
    { 'X-ClickHouse-User': READER.name, 'X-ClickHouse-Key': READER.password },
  ]
  for (const headers of ways) {
    const answer = await fetch(server.url, { method: 'POST', body: 'SELECT 1', headers })
    assert.equal(await answer.text(), '1\n')
  }
  const query = new URLSearchParams({ user: READER.name, password: READER.password, query: 'SELECT 2' })
  assert.equal(await (await fetch(`${server.url}/?${query}`)).text(), '2\n')
})

test('nobody, a wrong password and a wrong name are refused', async () => {
  const nobody = await fetch(server.url, { method: 'POST', body: 'SELECT 1' })
  assert.equal(nobody.status, 401)
  assert.equal(nobody.headers.get('X-ClickHouse-Exception-Code'), '194')
  const claims = [
    { 'X-ClickHouse-User': WRITER.name, 'X-ClickHouse-Key': READER.password },
    { 'X-ClickHouse-User': WRITER.name, 'X-ClickHouse-Key': '' },
    { Authorization: 'Bearer ' },
    { Authorization: 'Bearer wrong' },
  ]
  for (const headers of claims) {
    const answer = await fetch(server.url, {
      method: 'POST',
      body: 'SELECT 1',
      headers: headers as Record<string, string>,
    })
    const text = await answer.text()
    assert.equal(answer.status, 403)
    assert.match(text, /^Code: 516\. DB::Exception: .*Authentication failed/)
    assert.ok(!text.includes(WRITER.password) && !text.includes(READER.password))
  }
})

test('SQL in the URL, in the body, and begun in one and ended in the other', async () => {
  assert.equal(await sql(server, 'SELECT 1', { method: 'GET' }), '1\n')
  assert.equal(await sql(server, 'SELECT 1'), '1\n')
  assert.equal(await sql(server, 'SELECT 1 +', { body: '2' }), '3\n')
})

test('GET and HEAD change nothing, even for a writer', async () => {
  const answer = await ask(server, 'CREATE TABLE http.g (a Int8) ENGINE = Memory', { method: 'GET' })
  assert.equal(answer.status, 403)
  assert.match(answer.text, /^Code: 164/)
  assert.equal((await ask(server, 'SELECT 1', { method: 'HEAD' })).status, 200)
})

test('the format comes from the statement, the parameter, the header, in this order', async () => {
  const params = { default_format: 'JSONEachRow' }
  const headers = { 'X-ClickHouse-Format': 'CSV' }
  const one = await ask(server, 'SELECT 1 AS a FORMAT JSONCompactEachRow', { params, headers })
  assert.equal(one.text, '[1]\n')
  assert.equal(one.headers.get('X-ClickHouse-Format'), 'JSONCompactEachRow')
  assert.equal((await ask(server, 'SELECT 1 AS a', { params, headers })).text, '{"a":1}\n')
  assert.equal((await ask(server, "SELECT 'x' AS a", { headers })).text, '"x"\n')
  const native = await fetch(server.url, {
    method: 'POST',
    body: 'SELECT 1 AS a FORMAT Native',
    headers: { Authorization: `Bearer ${READER.password}` },
  })
  assert.deepEqual(Buffer.from(await native.arrayBuffer()), Buffer.from('\x01\x01\x01a\x05UInt8\x01', 'latin1'))
})

test("the answer's headers are ClickHouse's", async () => {
  const answer = await ask(server, 'SELECT number FROM numbers(3)', { params: { query_id: 'my-query' } })
  assert.equal(answer.headers.get('X-ClickHouse-Query-Id'), 'my-query')
  assert.ok(answer.headers.get('X-ClickHouse-Timezone'))
  assert.ok(answer.headers.get('X-ClickHouse-Server-Display-Name'))
  const summary = JSON.parse(answer.headers.get('X-ClickHouse-Summary') ?? '{}') as Record<string, string>
  assert.equal(summary.read_rows, '3')
})

test('errors have their code, status and text', async () => {
  const cases: [string, number, number][] = [
    ['SELECT * FROM http.nowhere', 60, 404],
    ['SELEC 1', 62, 400],
    ['SELECT nope', 47, 404],
    ['SELECT 1 FORMAT Nope', 73, 404],
    ['SELECT * FROM nowhere.t', 81, 404],
    ["SELECT throwIf(1, 'mine')", 395, 500],
    ['SELECT count() FROM numbers(1e12)', 159, 408],
  ]
  for (const [text, code, status] of cases) {
    const answer = await ask(server, text, { params: { max_execution_time: '0.5' } })
    assert.match(answer.text, new RegExp(`^Code: ${code}\\. DB::Exception: (?!Code:)`), text)
    assert.equal(answer.headers.get('X-ClickHouse-Exception-Code'), String(code))
    assert.equal(answer.status, status, text)
    assert.ok(!answer.text.includes(server.dataDir) && !answer.text.includes('OUTFILE'), answer.text)
  }
})

test('parameters are values, never SQL', async () => {
  const evil = "x' OR 1; DROP TABLE t -- \\"
  const text = await sql(
    server,
    'SELECT {s:String} AS s, {n:UInt8} + 1 AS n, {a:Array(String)} AS a, {z:Nullable(Int8)} AS z FORMAT JSONEachRow',
    {
      params: { param_s: evil.replace('\\', '\\\\'), param_n: '5', param_a: "['p','q']", param_z: '\\N' },
    },
  )
  assert.deepEqual(JSON.parse(text), { s: evil, n: 6, a: ['p', 'q'], z: null })
  assert.equal((await ask(server, 'SELECT {n:UInt8}', { params: { param_n: '1 + 1' } })).status, 400)
  assert.match((await ask(server, 'SELECT {n:UInt8}')).text, /^Code: 456/)
})

test('parameters of one request are unknown to the next', async () => {
  await sql(server, 'SELECT {leak:UInt8}', { params: { param_leak: '1' } })
  for (let attempt = 0; attempt < 4; attempt += 1)
    assert.match((await ask(server, 'SELECT {leak:UInt8}')).text, /^Code: 456/)
})

test('a setting of one request does not act in the next', async () => {
  const params = { max_block_size: '7', max_execution_time: '1', join_use_nulls: '1' }
  const read = "SELECT getSetting('max_block_size'), getSetting('join_use_nulls')"
  assert.equal(await sql(server, read, { params }), '7\ttrue\n')
  for (let attempt = 0; attempt < 6; attempt += 1) {
    for (const as of [WRITER, READER]) assert.notEqual((await sql(server, read, { as })).split('\t')[0], '7')
  }
})

test('the database is taken from the URL or the header, for one request', async () => {
  assert.equal(await sql(server, 'SELECT currentDatabase()', { params: { database: 'http' } }), 'http\n')
  assert.equal(
    await sql(server, 'SELECT currentDatabase()', { headers: { 'X-ClickHouse-Database': 'http' } }),
    'http\n',
  )
  assert.equal(await sql(server, 'SELECT currentDatabase()'), 'default\n')
  assert.match((await ask(server, 'SELECT 1', { params: { database: 'no`pe' } })).text, /^Code: 81/)
})

test('answers are compressed only when asked for', async () => {
  const plain = await raw({ 'Accept-Encoding': 'gzip' }, '')
  assert.equal(plain.encoding, undefined)
  const gzip = await raw({ 'Accept-Encoding': 'gzip, deflate' }, '&enable_http_compression=1')
  assert.equal(gzip.encoding, 'gzip')
  assert.equal(gunzipSync(gzip.body).toString(), plain.body.toString())
  const br = await raw({ 'Accept-Encoding': 'br' }, '&enable_http_compression=1')
  assert.equal(brotliDecompressSync(br.body).toString(), plain.body.toString())
  const refused = await raw({ 'Accept-Encoding': 'gzip;q=0' }, '&enable_http_compression=1')
  assert.equal(refused.encoding, undefined)
})

function raw(headers: Record<string, string>, more: string): Promise<{ encoding: string | undefined; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const query = encodeURIComponent('SELECT number FROM numbers(100000)')
    const url = `${server.url}/?query=${query}${more}`
    const call = request(url, { headers: { ...headers, Authorization: `Bearer ${READER.password}` } }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ encoding: response.headers['content-encoding'], body: Buffer.concat(chunks) }))
    })
    call.on('error', reject)
    call.end()
  })
}

test('a large result goes through a file and leaves none behind', async () => {
  const text = await sql(server, 'SELECT number FROM numbers(300000)')
  assert.equal(text.length, 1_988_890)
  assert.deepEqual(await server.leftovers(), [])
})

test('a session keeps temporary tables, USE and SET for its writer, and only for it', async () => {
  const params = { session_id: 's1', session_timeout: '30' }
  await sql(server, 'CREATE TEMPORARY TABLE mine (a Int8)', { params })
  await sql(server, 'INSERT INTO mine FORMAT TSV\n1\n2\n', { params })
  await sql(server, 'SET max_block_size = 123', { params })
  await sql(server, 'USE http', { params })
  assert.equal(await sql(server, 'SELECT sum(a) FROM mine', { params }), '3\n')
  assert.equal(await sql(server, "SELECT getSetting('max_block_size'), currentDatabase()", { params }), '123\thttp\n')
  assert.match((await ask(server, 'SELECT * FROM mine')).text, /^Code: 60/)
  assert.match((await ask(server, 'SELECT * FROM mine', { params: { session_id: 's2' } })).text, /^Code: 60/)
})

test("a request's settings end with it, in a session too", async () => {
  const params = { session_id: 's3' }
  await sql(server, 'SET max_block_size = 123', { params })
  const read = "SELECT getSetting('max_block_size'), getSetting('join_use_nulls')"
  assert.equal(
    await sql(server, read, { params: { ...params, max_block_size: '9', join_use_nulls: '1' } }),
    '9\ttrue\n',
  )
  assert.equal(await sql(server, read, { params }), '123\tfalse\n')
})

test('a session whose first request fails still begins with the settings that every one has', async () => {
  const params = { session_id: 's4' }
  assert.equal((await ask(server, 'SELECT 1', { params: { ...params, database: 'nowhere' } })).status, 404)
  assert.equal(await sql(server, "SELECT getSetting('async_insert')", { params }), 'false\n')
})

test('what makes one insert one block may be said in a statement, and not unsaid', async () => {
  await sql(server, 'CREATE TABLE held (n UInt8) ENGINE = MergeTree ORDER BY n')
  const insert = (settings: string) => `INSERT INTO held SETTINGS ${settings} FORMAT TSV`
  const held = ['async_insert', 'input_format_parallel_parsing']
  for (const name of held) {
    assert.equal((await ask(server, insert(`${name} = 0`), { body: '1\n' })).status, 200, name)
    assert.equal((await ask(server, insert(`${name} = 1`), { body: '2\n' })).status, 403, name)
  }
  assert.equal(await sql(server, 'SELECT count() FROM held'), `${held.length}\n`)
})

test('a session is checked, locked and limited', async () => {
  assert.match(
    (await ask(server, 'SELECT 1', { params: { session_id: 'never', session_check: '1' } })).text,
    /^Code: 372/,
  )
  assert.match(
    (await ask(server, 'SELECT 1', { params: { session_id: 'x', session_timeout: '999999' } })).text,
    /^Code: 374/,
  )
  const params = { session_id: 'busy' }
  await sql(server, 'SELECT 1', { params })
  const answers = await Promise.all([1, 2, 3].map(() => ask(server, 'SELECT sleep(0.3)', { params })))
  assert.equal(answers.filter((answer) => answer.status === 200).length, 1)
  assert.equal(answers.filter((answer) => answer.text.startsWith('Code: 373')).length, 2)
})

test('a session is free as soon as its client has the answer', async () => {
  const params = { session_id: 'quick' }
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const answer = await ask(server, 'SELECT number FROM numbers(20000)', { params })
    assert.equal(answer.status, 200, answer.text.slice(0, 200))
  }
  assert.equal((await ask(server, 'SELECT number FROM numbers(300000)', { params })).status, 200)
  assert.equal((await ask(server, 'SELECT 1', { params })).status, 200)
})

test('a session ends when it has not been used for its timeout', async () => {
  const params = { session_id: 'short', session_timeout: '0.05' }
  await sql(server, 'SELECT 1', { params })
  const deadline = Date.now() + 5_000
  for (;;) {
    const answer = await ask(server, 'SELECT 1', { params: { ...params, session_timeout: '0.01', session_check: '1' } })
    if (answer.text.startsWith('Code: 372')) break
    assert.ok(Date.now() < deadline, 'the session never ended')
    await new Promise((resolve) => setTimeout(resolve, 60))
  }
})

test('a client that goes away takes its query with it', async () => {
  const controller = new AbortController()
  const gone = fetch(server.url, {
    method: 'POST',
    body: 'SELECT count() FROM numbers(1e13) SETTINGS max_execution_time = 60',
    headers: { 'X-ClickHouse-User': WRITER.name, 'X-ClickHouse-Key': WRITER.password },
    signal: controller.signal,
  })
  await until(() => server.analytics.load().writer.running === 1)
  controller.abort()
  await assert.rejects(gone)
  await until(() => server.analytics.load().writer.running === 0)
})

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'the condition never came true')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test('SQL beyond its limit and bytes that are no text are refused', async () => {
  const long = await ask(server, `SELECT '${'x'.repeat(1_200_000)}'`)
  assert.equal(long.status, 413)
  assert.match(long.text, /^Code: 168/)
  const bytes = await ask(server, undefined, { body: Buffer.from("SELECT '\xff'", 'latin1') })
  assert.equal(bytes.status, 400)
})
