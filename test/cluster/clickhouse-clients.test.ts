/** Others' ClickHouse clients, unchanged, against the embedded ClickHouse: Python, Go over HTTP, JDBC, curl. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { READER, startServer, type TestServer, WRITER } from '../analytics/server.ts'
import { ensurePython } from './python.ts'

const run = promisify(execFile)
const CLIENTS = join(import.meta.dirname, 'clients')
/** The first run on a machine downloads the clients. */
const FETCH = { timeout: 400_000 }
const CLIENT_TIMEOUT_MS = 120_000

let server: TestServer
let built: string
let port: string
before(async () => {
  server = await startServer()
  built = await mkdtemp(join(tmpdir(), 'playhead-clients-'))
  port = String(server.analytics.port)
})
after(async () => {
  await rm(built, { recursive: true, force: true })
  await server.stop()
})

/** A client's program says "ok", or why not. */
async function succeeds(program: string, ...args: string[]): Promise<void> {
  const { stdout } = await run(program, args, { timeout: CLIENT_TIMEOUT_MS })
  assert.equal(stdout.trim(), 'ok')
}

test('clickhouse-connect (Python), with every compression it has by default and without', FETCH, async () => {
  const python = await ensurePython(['clickhouse-connect[lz4]==1.12.0'])
  const script = join(CLIENTS, 'clickhouse_connect_client.py')
  for (const compression of ['default', 'none', 'gzip', 'lz4']) {
    await succeeds(python, script, port, WRITER.name, WRITER.password, compression)
  }
})

test('clickhouse-go over HTTP, without compression, with gzip and with lz4', FETCH, async () => {
  const program = join(built, 'go-client')
  await run('go', ['build', '-o', program, '.'], { cwd: join(CLIENTS, 'go'), timeout: FETCH.timeout })
  for (const compression of ['none', 'gzip', 'lz4']) {
    await succeeds(program, `127.0.0.1:${port}`, WRITER.name, WRITER.password, compression)
  }
})

test('JDBC, as it is by default, with and without compression', FETCH, async () => {
  const jars = join(built, 'jars')
  const goal = ['dependency:copy-dependencies', '-DexcludeTransitive=true', `-DoutputDirectory=${jars}`]
  await run('mvn', ['-q', '-B', ...goal], { cwd: join(CLIENTS, 'jdbc'), timeout: FETCH.timeout })
  const program = join(CLIENTS, 'jdbc', 'JdbcClient.java')
  for (const compress of ['default', 'true', 'false']) {
    await succeeds('java', '-cp', join(jars, '*'), program, port, WRITER.name, WRITER.password, compress)
  }
})

test('curl, with a password, a bearer token, data from a pipe, gzip and a bad query', async () => {
  const curl = async (...args: string[]) => (await run('curl', ['-sS', ...args])).stdout
  const writer = ['--user', `${WRITER.name}:${WRITER.password}`]
  const reader = ['-H', `Authorization: Bearer ${READER.password}`]
  const query = (text: string) => `${server.url}/?query=${encodeURIComponent(text)}`
  await curl(...writer, server.url, '--data-binary', 'CREATE TABLE curl (a UInt8, s String) ENGINE = Memory')
  await curl(...writer, query('INSERT INTO curl FORMAT CSV'), '--data-binary', '1,"x\n\ny"\n2,z\n')
  await curl(...writer, server.url, '--data-binary', 'INSERT INTO curl FORMAT TSV\n3\tt\n')
  assert.equal(await curl(...reader, query('SELECT * FROM curl ORDER BY a FORMAT TSV')), '1\tx\\n\\ny\n2\tz\n3\tt\n')
  assert.equal(
    await curl(...reader, '--compressed', `${query('SELECT count() FROM curl')}&enable_http_compression=1`),
    '3\n',
  )
  const status = await curl(...reader, '-o', join(built, 'error'), '-w', '%{http_code}', query('SELECT nope FROM curl'))
  assert.equal(status, '404')
  assert.equal(await curl(`${server.url}/ping`), 'Ok.\n')
})
