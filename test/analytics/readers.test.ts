/** What neither a reader nor (mostly) a writer can do: each attempt that would have worked on the bare engine, and its kin. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ask, READER, sql, startServer, type TestServer, WRITER } from './server.ts'

let server: TestServer
let trap: Server
let trapHits = 0
let trapUrl = ''
before(async () => {
  server = await startServer({
    reader: {
      executionSeconds: 1,
      memoryBytes: 200_000_000,
      resultRows: 100_000,
      resultBytes: 10_000_000,
      threads: 2,
      nice: 10,
    },
  })
  trap = createServer((_, response) => {
    trapHits += 1
    response.end('a\n1\n')
  })
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve))
  trapUrl = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/x.csv`
  await sql(server, 'CREATE TABLE kept (a Int64) ENGINE = MergeTree ORDER BY a')
  await sql(server, 'INSERT INTO kept VALUES (1)')
})
after(async () => {
  trap.close()
  await server.stop()
})

/** A file of the engine's own, that every attempt tries to read. */
const SECRET = () => join(server.dataDir, 'engine', 'status')

const FILES = [
  "SELECT * FROM file('$F', 'LineAsString')",
  "SELECT * FROM `file`('$F', 'LineAsString')",
  "SELECT * FROM \"fi\\x6ce\"('$F', 'LineAsString')",
  "SELECT file('$F')",
  "SELECT `file`('$F')",
  "SELECT /* x */ file /* y /* z */ */ ('$F')",
  "SELECT * APPLY(file) FROM (SELECT '$F')",
  "SELECT * APPLY file FROM (SELECT '$F')",
  "SELECT arrayMap(file, ['$F'])",
  "SELECT arrayMap(`file`, ['$F'])",
  "SELECT 1e1--1\n, file('$F')",
  "SELECT 'x' AS \u2018a\u2019, file('$F')",
  "DESCRIBE TABLE file('$F', 'CSV')",
  "DESCRIBE file('$F')",
  "SELECT * FROM format(Values, 'a String', $$(file('$F'))$$)",
  "SELECT * FROM values('a String', (file('$F')))",
  "EXPLAIN SELECT file('$F')",
  "SELECT * FROM viewExplain('EXPLAIN', '', (SELECT file('$F')))",
  "SELECT * FROM merge('default', 'kept') WHERE file('$F') != ''",
  "SELECT * FROM fileCluster('c', '$F', 'LineAsString')",
  "SELECT * FROM executable('cat', 'TSV', 'a String')",
  "SELECT * FROM sqlite('$F', 't')",
  "SELECT * FROM filesystem('$F')",
  "SELECT * FROM eval('SELECT file(''$F'')')",
  "SELECT * FROM fuzzQuery('SELECT 1')",
  "SELECT * FROM icebergLocal('$F')",
  "SELECT * FROM input('a String')",
  "SELECT catboostEvaluate('$F', 1)",
  "SELECT * FROM dictionary('$F')",
  "SELECT 1 INTO OUTFILE '$O'",
  "SELECT 1 INTO/**/OUTFILE '$O' TRUNCATE FORMAT TSV",
  "SELECT 1 into outfile '$O' and stdout",
  "EXPLAIN SELECT 1 INTO OUTFILE '$O'",
  "SHOW TABLES INTO OUTFILE '$O'",
  'SELECT 1 INTO OUTFILE $$$O$$',
  "(SELECT 1) INTO OUTFILE '$O'",
]

const NETWORK = [
  "SELECT * FROM url('$U', 'CSV', 'a Int8')",
  "DESCRIBE TABLE url('$U', 'CSV')",
  "DESCRIBE url('$U')",
  "EXPLAIN SELECT * FROM url('$U', 'CSV')",
  "SELECT * FROM urlCluster('c', '$U', 'CSV', 'a Int8')",
  "SELECT * FROM s3('$U', 'CSV', 'a Int8')",
  "DESCRIBE s3('$U', 'CSV')",
  "SELECT * FROM gcs('$U', 'CSV')",
  "SELECT * FROM remote('127.0.0.1', 'system.one')",
  "SELECT * FROM remoteSecure('127.0.0.1', 'system.one')",
  "SELECT * FROM cluster('default', 'system.one')",
  "SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
  "SELECT * FROM postgresql('127.0.0.1:1', 'd', 't', 'u', 'p')",
  "SELECT * FROM mongodb('127.0.0.1:1', 'd', 't', 'u', 'p', 'a Int8')",
  "SELECT * FROM redis('127.0.0.1:1', 'k', 'k String')",
  "SELECT * FROM hdfs('hdfs://127.0.0.1:1/x', 'CSV')",
  "SELECT * FROM jdbc('x', 'y')",
  "SELECT * FROM odbc('x', 'y')",
  "SELECT * FROM iceberg('$U')",
  "SELECT * FROM deltaLake('$U')",
  "SELECT * FROM azureBlobStorage('$U', 'c', 'p')",
  "SELECT aiGenerate('x', 'y')",
]

const CHANGES = [
  'CREATE TABLE evil (a Int8) ENGINE = Memory',
  'CREATE TEMPORARY TABLE evil (a Int8)',
  'CREATE DATABASE evil',
  'DROP TABLE kept',
  'TRUNCATE TABLE kept',
  'ALTER TABLE kept DELETE WHERE 1',
  'DELETE FROM kept WHERE 1',
  'UPDATE kept SET a = 2 WHERE 1',
  'OPTIMIZE TABLE kept',
  'RENAME TABLE kept TO lost',
  'INSERT INTO kept VALUES (2)',
  'KILL QUERY WHERE 1',
  'SYSTEM SHUTDOWN',
  'SYSTEM FLUSH LOGS',
  'SET readonly = 0',
  'SET max_execution_time = 100',
  'SELECT 1 SETTINGS readonly = 0',
  'SELECT 1 SETTINGS max_memory_usage = 0',
  'SELECT (SELECT 1 SETTINGS readonly = 0)',
  'SELECT 1; DROP TABLE kept',
  'GRANT ALL ON *.* TO default',
  'CREATE USER x',
  "BACKUP TABLE kept TO File('x')",
  'ATTACH TABLE x',
  'USE system',
  'CHECK TABLE kept',
]

function fill(text: string): string {
  return text.replaceAll('$F', SECRET()).replaceAll('$O', join(server.dataDir, 'out')).replaceAll('$U', trapUrl)
}

for (const text of FILES) {
  test(`nobody touches a file with ${text}`, async () => {
    for (const as of [READER, WRITER]) {
      const answer = await ask(server, fill(text), { as })
      assert.notEqual(answer.status, 200, answer.text)
      assert.ok(!answer.text.includes('PID:'), answer.text)
    }
    assert.ok(!existsSync(join(server.dataDir, 'out')))
  })
}

for (const text of NETWORK) {
  test(`nobody opens a connection with ${text}`, async () => {
    for (const as of [READER, WRITER]) {
      const answer = await ask(server, fill(text), { as })
      assert.notEqual(answer.status, 200, answer.text)
      assert.match(answer.text, /^Code: (497|164|62|46)\./, 'the engine itself must not have tried')
    }
    assert.equal(trapHits, 0)
  })
}

for (const text of CHANGES) {
  test(`a reader can't ${text}`, async () => {
    const answer = await ask(server, text, { as: READER })
    assert.notEqual(answer.status, 200, answer.text)
    assert.match(answer.text, /^Code: (164|497|62)\./)
    assert.equal(await sql(server, 'SELECT count(), sum(a) FROM kept'), '1\t1\n')
    assert.equal(await sql(server, 'EXISTS TABLE evil'), '0\n')
  })
}

test('a parameter is no way to name a function', async () => {
  for (const text of [
    "SELECT arrayMap({f:Identifier}, ['$F'])",
    "SELECT {f:Identifier}('$F')",
    "SELECT * FROM {f:Identifier}('$F')",
  ]) {
    for (const as of [READER, WRITER]) {
      const answer = await ask(server, fill(text), { as, params: { param_f: 'file' } })
      assert.notEqual(answer.status, 200, answer.text)
    }
  }
  assert.equal(await sql(server, 'SELECT a FROM {t:Identifier}', { as: READER, params: { param_t: 'kept' } }), '1\n')
})

test("a reader's settings can't lift a limit, and the dangerous ones are not passed on", async () => {
  const params = {
    readonly: '0',
    max_execution_time: '1000',
    max_memory_usage: '0',
    max_result_rows: '0',
    allow_ddl: '1',
    dialect: 'kusto',
    format_schema: '/etc/passwd',
    additional_result_filter: "file('/etc/passwd') = ''",
    allow_introspection_functions: '1',
    unknown_thing: '1',
  }
  const names = [
    'readonly',
    'max_execution_time',
    'max_memory_usage',
    'max_result_rows',
    'allow_introspection_functions',
  ]
  const read = `SELECT ${names.map((name) => `toString(getSetting('${name}'))`).join(', ')}`
  assert.equal(await sql(server, read, { as: READER, params }), '1\t1\t200000000\t100000\tfalse\n')
  const lower = await sql(server, read, { as: READER, params: { max_execution_time: '0.5', max_result_rows: '5' } })
  assert.equal(lower, '1\t0.5\t200000000\t5\tfalse\n')
})

test('a reader is stopped at its time, memory and result limits', async () => {
  const cases: [string, number][] = [
    ['SELECT count() FROM numbers(1e13)', 159],
    ['SELECT (SELECT count() FROM numbers(1e13))', 159],
    ['SELECT groupArray(number) FROM numbers(100000000)', 241],
    ['SELECT * FROM numbers(1000000)', 396],
    ["SELECT repeat('x', 1000) FROM numbers(50000)", 396],
  ]
  for (const [text, code] of cases) {
    const started = performance.now()
    const answer = await ask(server, text, { as: READER })
    assert.match(answer.text.slice(0, 200), new RegExp(`^Code: ${code}\\.`), text)
    assert.ok(performance.now() - started < 8_000, text)
  }
})

test("a writer can't leave the data directory either", async () => {
  const texts = [
    "CREATE TABLE x (a String) ENGINE = File(CSV, '$F')",
    'CREATE TABLE x (a String) ENGINE=`File`(CSV)',
    'CREATE TABLE x (a String) ENGINE File(CSV)',
    "CREATE TABLE x (a String) ENGINE = URL('$U', 'CSV')",
    "CREATE TABLE x (a String) ENGINE = S3('$U', 'CSV')",
    "CREATE TABLE x (a String) ENGINE = Distributed('c', 'd', 't')",
    "CREATE TABLE x (a String) ENGINE = Executable('x.sh', TSV)",
    "CREATE TABLE x AS file('$F', 'LineAsString')",
    "CREATE TABLE x ENGINE = MergeTree ORDER BY tuple() AS SELECT file('$F') AS a",
    "CREATE TABLE x (a String DEFAULT file('$F')) ENGINE = Memory",
    "CREATE TABLE x (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = 'local', path = '$O/')",
    "CREATE DATABASE x ENGINE = MySQL('127.0.0.1:1', 'd', 'u', 'p')",
    "CREATE DATABASE x ENGINE = Filesystem('/')",
    "CREATE DICTIONARY x (a Int8) PRIMARY KEY a SOURCE(FILE(path '$F' format 'CSV')) LAYOUT(FLAT()) LIFETIME(0)",
    'CREATE FUNCTION f AS (x) -> x',
    'CREATE NAMED COLLECTION c AS a = 1',
    "ATTACH TABLE x FROM '$O' (a Int8) ENGINE = MergeTree ORDER BY a",
    "INSERT INTO FUNCTION file('$O', 'CSV') SELECT 1",
    "INSERT INTO TABLE FUNCTION url('$U', 'CSV', 'a Int8') VALUES (1)",
    "INSERT INTO kept FROM INFILE '$F' FORMAT CSV",
    "BACKUP TABLE kept TO File('$O')",
    'SYSTEM SHUTDOWN',
    'SYSTEM KILL',
    "SELECT 1 SETTINGS log_comment = 'x'",
    "SET format_schema = '$F'",
  ]
  for (const text of texts) {
    const answer = await ask(server, fill(text), { as: WRITER })
    assert.match(answer.text, /^Code: 497\./, text)
  }
  assert.equal(trapHits, 0)
  assert.ok(!readdirSync(server.dataDir).includes('out'))
  for (const name of [
    'format_schema',
    'default_table_engine',
    'dialect',
    's3_x',
    'additional_result_filter',
    'rename_files_after_processing',
  ]) {
    assert.match((await ask(server, 'SELECT 1', { params: { [name]: 'x' } })).text, /^Code: 497/)
  }
})

test('ordinary names and queries are not in the way', async () => {
  const texts = [
    'SELECT t.file FROM (SELECT 1 AS a, 2 AS url, 3 AS remote) AS t(file)',
    "SELECT format('{} {}', 'a', 'b'), url FROM (SELECT 'u' AS url, 1 AS s3)",
    "SELECT 'INTO OUTFILE', 'file(1)' AS `s3`",
    'SELECT count() FROM numbers(10) WHERE number IN (SELECT number FROM numbers(3))',
    'WITH x AS (SELECT 1 AS a) SELECT a FROM x',
    "SHOW TABLES LIKE 'k%'",
    'DESCRIBE TABLE kept',
    'EXPLAIN SELECT * FROM kept',
    'EXISTS TABLE kept',
    'SHOW CREATE TABLE kept',
    '(SELECT 1) UNION ALL (SELECT 2)',
    "SELECT name FROM system.columns WHERE table = 'kept'",
    'SELECT number FROM system.numbers LIMIT 3',
    "SELECT toString(1) AS readonly WHERE readonly = '1'",
  ]
  for (const text of texts.slice(1)) assert.equal((await ask(server, text, { as: READER })).status, 200, text)
})

test('nobody sees a password or where the files of requests are', async () => {
  const text = await sql(server, 'SELECT * FROM system.processes FORMAT JSON', { as: READER })
  const settings = await sql(server, 'SELECT * FROM system.settings FORMAT JSON', { as: READER })
  for (const seen of [text, settings]) assert.ok(!seen.includes(WRITER.password) && !seen.includes(READER.password))
})
