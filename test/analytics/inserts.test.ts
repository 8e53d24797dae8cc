import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { after, before, test } from 'node:test'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { ask, READER, sql, startServer, type TestServer, WRITER } from './server.ts'

let server: TestServer
before(async () => {
  server = await startServer({ bodyBytesMax: 64 * 1024 * 1024 })
})
after(async () => {
  const left = await server.leftovers()
  await server.stop()
  assert.deepEqual(left, [])
})

let tables = 0
/** A table that remembers tokens, as every landing target does. */
async function table(columns = 'a UInt64, b String'): Promise<string> {
  tables += 1
  const name = `t${tables}`
  await sql(
    server,
    `CREATE TABLE ${name} (${columns}) ENGINE = MergeTree ORDER BY tuple() SETTINGS non_replicated_deduplication_window = 100`,
  )
  return name
}

function parts(name: string): Promise<string> {
  return sql(server, `SELECT count(), sum(rows) FROM system.parts WHERE active AND table = '${name}'`)
}

const rows = (count: number) =>
  Array.from({ length: count }, (_, index) => JSON.stringify({ a: index, b: `row ${index} `.repeat(8) })).join('\n')

test('an insert of 100,000 rows is one block and one part, and its token drops a repetition', async () => {
  const name = await table()
  const body = rows(100_000)
  const params = { insert_deduplication_token: 'generation/topic/0/0-99999' }
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await sql(server, `INSERT INTO ${name} (a, b) FORMAT JSONEachRow`, { body, params })
    assert.equal(await parts(name), '1\t100000\n')
  }
  await sql(server, `INSERT INTO ${name} (a, b) FORMAT JSONEachRow`, {
    body,
    params: { insert_deduplication_token: 'next' },
  })
  assert.equal(await parts(name), '2\t200000\n')
})

test('100,000 wide rows are one block too', async () => {
  const name = await table()
  const body = Array.from({ length: 100_000 }, (_, index) => `${index}\t${'x'.repeat(500)}`).join('\n')
  await sql(server, `INSERT INTO ${name} FORMAT TSV`, { body, params: { insert_deduplication_token: 'wide' } })
  await sql(server, `INSERT INTO ${name} FORMAT TSV`, { body, params: { insert_deduplication_token: 'wide' } })
  assert.equal(await parts(name), '1\t100000\n')
})

test('a repeated token is dropped behind materialized views too', async () => {
  await sql(server, 'CREATE TABLE landing (a UInt64) ENGINE = Null')
  const base = await table('a UInt64')
  const rollup = await table('n UInt64')
  await sql(server, `CREATE MATERIALIZED VIEW to_base TO ${base} AS SELECT a FROM landing`)
  await sql(server, `CREATE MATERIALIZED VIEW to_rollup TO ${rollup} AS SELECT count() AS n FROM landing`)
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await sql(server, 'INSERT INTO landing FORMAT TSV', {
      body: '1\n2\n3\n',
      params: { insert_deduplication_token: 'm', deduplicate_blocks_in_dependent_materialized_views: '1' },
    })
  }
  assert.equal(await sql(server, `SELECT (SELECT count() FROM ${base}), (SELECT sum(n) FROM ${rollup})`), '3\t3\n')
})

test('a token of one request does not drop the rows of the next', async () => {
  const name = await table()
  await sql(server, `INSERT INTO ${name} FORMAT TSV`, {
    body: '1\tx',
    params: { insert_deduplication_token: 'only-mine' },
  })
  for (let index = 0; index < 5; index += 1)
    await sql(server, `INSERT INTO ${name} FORMAT TSV`, { body: `${index}\ty${index}` })
  assert.equal(await sql(server, `SELECT count() FROM ${name}`), '6\n')
})

test('a failing insert stores nothing, and its repetition with the same token is taken', async () => {
  const name = await table()
  const params = { insert_deduplication_token: 'retry' }
  const bad = await ask(server, `INSERT INTO ${name} FORMAT JSONEachRow`, { body: '{"a":1}\n{"a":"no"}', params })
  assert.equal(bad.status, 400)
  assert.equal(await sql(server, `SELECT count() FROM ${name}`), '0\n')
  await sql(server, `INSERT INTO ${name} FORMAT JSONEachRow`, { body: '{"a":1}\n{"a":2}', params })
  assert.equal(await sql(server, `SELECT count() FROM ${name}`), '2\n')
})

test('omitted columns get their defaults, listed ones their order', async () => {
  const name = await table(
    "a UInt64, b String DEFAULT concat('d', toString(a)), m UInt64 MATERIALIZED a * 2, n Nullable(Int8)",
  )
  await sql(server, `INSERT INTO ${name} (n, a) FORMAT CSV\n7,1\n\\N,2`)
  await sql(server, `INSERT INTO ${name} (* EXCEPT (b)) FORMAT JSONEachRow\n{"a":3}`)
  await sql(server, `INSERT INTO ${name} (a) VALUES (4), (5);`)
  assert.equal(
    await sql(server, `SELECT a, b, m, n FROM ${name} ORDER BY a`),
    '1\td1\t2\t7\n2\td2\t4\t\\N\n3\td3\t6\t\\N\n4\td4\t8\t\\N\n5\td5\t10\t\\N\n',
  )
})

test('statement and rows may be in URL and body, or both in the body, or all in the URL', async () => {
  const name = await table()
  await sql(server, `INSERT INTO ${name} FORMAT TSV`, { body: '1\tx\n' })
  await sql(server, `INSERT INTO ${name} FORMAT TSV\n2\ty\n`)
  await sql(server, `INSERT INTO ${name}`, { body: 'FORMAT TSV\n3\tz\n' })
  await sql(server, `INSERT INTO ${name} VALUES (4, 'v')`, { body: '' })
  await sql(server, `INSERT INTO ${name} SELECT number, 's' FROM numbers(5, 1)`)
  await sql(server, `INSERT INTO ${name} SELECT a + 1, 'i' FROM input('a UInt64') FORMAT CSV\n5\n`)
  await sql(server, `INSERT INTO {t:Identifier} (a) FORMAT TSV`, { body: '7', params: { param_t: name } })
  assert.equal(await sql(server, `SELECT groupArray(a) FROM (SELECT a FROM ${name} ORDER BY a)`), '[1,2,3,4,5,6,7]\n')
})

test('settings in the statement act on it', async () => {
  const name = await table()
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await sql(server, `INSERT INTO ${name} (a) SETTINGS insert_deduplication_token = 's' FORMAT TSV\n${attempt}`)
  }
  assert.equal(await sql(server, `SELECT count() FROM ${name}`), '1\n')
})

test('an insert without rows is fine and stores nothing', async () => {
  const name = await table()
  await sql(server, `INSERT INTO ${name} FORMAT JSONEachRow\n`)
  await sql(server, `INSERT INTO ${name} FORMAT JSONEachRow`, { method: 'POST' })
  assert.equal(await sql(server, `SELECT count() FROM ${name}`), '0\n')
})

const INJECTIONS: readonly (readonly [string, string])[] = [
  ['JSONEachRow', '{"a":1,"b":"x"}\n\nCREATE TABLE injected (a Int8) ENGINE = Memory'],
  ['JSONEachRow', '{"a":1,"b":"x\\n\\nCREATE TABLE injected (a Int8) ENGINE = Memory"}\n'],
  ['TSV', '1\tx\n\nCREATE TABLE injected (a Int8) ENGINE = Memory\n'],
  ['CSV', '1,"x\n\n;CREATE TABLE injected (a Int8) ENGINE = Memory"\n'],
  ['Values', "(1, 'x'); CREATE TABLE injected (a Int8) ENGINE = Memory"],
  ['Values', "(1, 'x')\n\nCREATE TABLE injected (a Int8) ENGINE = Memory"],
  ['LineAsString', '\n\nCREATE TABLE injected (a Int8) ENGINE = Memory;'],
  ['JSONEachRow', 'SETTINGS max_threads = 1\n{"a":1}; CREATE TABLE injected (a Int8) ENGINE = Memory'],
]

for (const [format, body] of INJECTIONS) {
  test(`rows never run as SQL: ${format} ${JSON.stringify(body.slice(0, 30))}…`, async () => {
    const name = format === 'LineAsString' ? await table('b String') : await table()
    for (const options of [{ body }, {}]) {
      const text = `INSERT INTO ${name} FORMAT ${format}${'body' in options ? '' : `\n${body}`}`
      await ask(server, text, options)
      assert.equal(await sql(server, 'EXISTS TABLE injected'), '0\n')
    }
  })
}

test('rows in Values may be expressions, but none that reaches outside', async () => {
  const name = await table()
  await sql(server, `INSERT INTO ${name} VALUES (1 + 1, concat('a', 'file(1)')), (3, 'x');`)
  assert.equal(await sql(server, `SELECT * FROM ${name} ORDER BY a`), '2\tafile(1)\n3\tx\n')
  const outside = [
    "file('/etc/hostname')",
    "`file`('/etc/hostname')",
    "(SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString'))",
    "arrayMap(file, ['/etc/hostname'])[1]",
    "/* \\' */ file('/etc/hostname') /* ' */",
  ]
  for (const expression of outside) {
    for (const options of [{}, { body: `(1, ${expression})` }]) {
      const answer = await ask(
        server,
        `INSERT INTO ${name} VALUES${'body' in options ? '' : ` (1, ${expression})`}`,
        options,
      )
      assert.notEqual(answer.status, 200, expression)
    }
  }
  assert.equal(await sql(server, `SELECT count() FROM ${name}`), '2\n')
})

test('many rows in Values go in, as expressions up to a size', async () => {
  const name = await table()
  const values = (count: number, row: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => row(index)).join(',')
  await sql(server, `INSERT INTO ${name} VALUES ${values(40_000, (index) => `(${index} + 0, 'some text ${index}')`)}`)
  await sql(server, `INSERT INTO ${name} VALUES ${values(400_000, (index) => `(${index}, 'some text ${index}')`)}`)
  assert.equal(await sql(server, `SELECT count() FROM ${name}`), '440000\n')
})

test('binary rows with blank lines and zeros arrive unchanged', async () => {
  const name = await table('s String')
  const other = await table('s String')
  const value = Buffer.from('a\n\n\0;\'"`\xff\xfe\n\n', 'latin1')
  const body = Buffer.concat([Buffer.from([value.length]), value])
  await sql(server, `INSERT INTO ${name} FORMAT RowBinary`, { body })
  await sql(server, undefined, { body: Buffer.concat([Buffer.from(`INSERT INTO ${other} FORMAT RowBinary\n`), body]) })
  const expected = `${value.toString('hex').toUpperCase()}\n`
  assert.equal(
    await sql(server, `SELECT hex(s) FROM ${name} UNION ALL SELECT hex(s) FROM ${other}`),
    expected + expected,
  )
})

test('compressed bodies are taken, with the statement inside or outside', async () => {
  const name = await table('s String')
  const encodings = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync }
  for (const [encoding, compress] of Object.entries(encodings)) {
    const headers = { 'Content-Encoding': encoding }
    await sql(server, `INSERT INTO ${name} FORMAT TSV`, { body: compress(`${encoding} 1`), headers })
    await sql(server, undefined, { body: compress(`INSERT INTO ${name} FORMAT TSV\n${encoding} 2`), headers })
  }
  assert.equal(await sql(server, `SELECT count(), uniq(s) FROM ${name}`), '6\t6\n')
  const unknown = await ask(server, `INSERT INTO ${name} FORMAT TSV`, {
    body: 'x',
    headers: { 'Content-Encoding': 'snappy' },
  })
  assert.equal(unknown.status, 501)
  const broken = await ask(server, `INSERT INTO ${name} FORMAT TSV`, {
    body: 'not gzip',
    headers: { 'Content-Encoding': 'gzip' },
  })
  assert.equal(broken.status, 400)
})

test('a body beyond its limit is refused, whatever it is compressed to', async () => {
  const name = await table('s String')
  const body = gzipSync(Buffer.alloc(80 * 1024 * 1024, 'x'))
  const answer = await ask(server, `INSERT INTO ${name} FORMAT LineAsString`, {
    body,
    headers: { 'Content-Encoding': 'gzip' },
  })
  assert.match(answer.text, /^Code: 131/)
  assert.equal(await sql(server, `SELECT count() FROM ${name}`), '0\n')
})

test('a large body streams to its file, not to memory', async () => {
  const name = await table('s String')
  const line = Buffer.from(`${'y'.repeat(1023)}\n`)
  const memory = process.memoryUsage().arrayBuffers
  let most = 0
  await stream(`INSERT INTO ${name} FORMAT TSV`, async function* () {
    for (let index = 0; index < 48 * 1024; index += 1) {
      most = Math.max(most, process.memoryUsage().arrayBuffers - memory)
      yield line
    }
  })
  assert.equal(await sql(server, `SELECT count(), sum(length(s)) FROM ${name}`), `${48 * 1024}\t${48 * 1024 * 1023}\n`)
  assert.ok(most < 16 * 1024 * 1024, `${most} bytes were held`)
})

test('a client that goes away in mid-body stores nothing and leaves no file', async () => {
  const name = await table('s String')
  const sending = stream(`INSERT INTO ${name} FORMAT TSV`, async function* () {
    yield Buffer.alloc(4 * 1024 * 1024, 'z\n')
    await until(async () => (await server.leftovers()).length === 1)
    throw new Error('gone')
  })
  await assert.rejects(sending, /gone/)
  await until(async () => (await server.leftovers()).length === 0)
  assert.equal(await sql(server, `SELECT count() FROM ${name}`), '0\n')
})

async function stream(text: string, body: () => AsyncGenerator<Buffer>): Promise<void> {
  const url = `${server.url}/?query=${encodeURIComponent(text)}`
  const headers = { 'X-ClickHouse-User': WRITER.name, 'X-ClickHouse-Key': WRITER.password }
  const call = request(url, { method: 'POST', headers })
  const answer = once(call, 'response') as Promise<[IncomingMessage]>
  await Promise.all([answer, pipeline(Readable.from(body(), { objectMode: false }), call)])
  const [response] = await answer
  response.resume()
  assert.equal(response.statusCode, 200)
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, 'the condition never came true')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test('a reader inserts nothing', async () => {
  const name = await table()
  for (const text of [
    `INSERT INTO ${name} FORMAT TSV\n1\tx`,
    `INSERT INTO ${name} SELECT 1, 'x'`,
    `WITH 1 AS x INSERT INTO ${name} SELECT x, 'x'`,
  ]) {
    const answer = await ask(server, text, { as: READER })
    assert.match(answer.text, /^Code: 164/)
  }
  assert.equal(await sql(server, `SELECT count() FROM ${name}`), '0\n')
})
