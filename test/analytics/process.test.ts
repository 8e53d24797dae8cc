/** The role as a process: one owner of a data directory, a bounded queue, a clean end, and what kill -9 leaves. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { ask, sql, startServer, type TestServer, WRITER } from './server.ts'

const LIMITS = { queriesMax: 2, queueMax: 2, queueWaitMs: 60_000, drainMs: 500 }
const SERVER = new URL('../../analytics/server.ts', import.meta.url).href

let dataDir: string
const children = new Set<ChildProcess>()
before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'playhead-analytics-'))
})
after(async () => {
  for (const child of children) child.kill('SIGKILL')
  await rm(dataDir, { recursive: true, force: true })
})

interface Child {
  readonly process: ChildProcess
  readonly server: TestServer
}

/** A server in a process of its own; SIGTERM closes it. */
async function spawnServer(): Promise<Child | string> {
  const source = `
    import { startAnalytics } from ${JSON.stringify(SERVER)}
    const options = ${JSON.stringify({ dataDir, host: '127.0.0.1', port: 0, users: [WRITER], limits: { ...LIMITS, queriesMax: 4 } })}
    try {
      const analytics = await startAnalytics(options)
      process.once('SIGTERM', () => analytics.close().then(() => console.log('closed')))
      console.log('port ' + analytics.port + ' ' + Math.round(process.memoryUsage().rss / 1e6))
    } catch (error) {
      console.log('failed ' + error.message)
    }`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '8' },
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  const [line] = (await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line')) as [string]
  if (line.startsWith('failed')) return line
  const [, port = '', megabytes = ''] = line.split(' ')
  assert.ok(Number(megabytes) < 450, `${megabytes} MB`)
  const server = { url: `http://127.0.0.1:${port}`, dataDir, leftovers: () => readdir(join(dataDir, 'bodies')) }
  return { process: child, server: server as unknown as TestServer }
}

async function started(): Promise<Child> {
  const child = await spawnServer()
  if (typeof child === 'string') throw new Error(child)
  return child
}

async function stop(child: Child, signal: NodeJS.Signals): Promise<number | null> {
  const exited = once(child.process, 'exit')
  child.process.kill(signal)
  const [code] = (await exited) as [number | null]
  return code
}

test('it keeps its rows over a clean end and over kill -9, and clears what requests left', async () => {
  let child = await started()
  await sql(
    child.server,
    'CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 100',
  )
  const params = { insert_deduplication_token: 'kept' }
  await sql(child.server, 'INSERT INTO t FORMAT TSV', { body: '1\n2\n', params })
  assert.equal(await stop(child, 'SIGTERM'), 0)
  child = await started()
  await sql(child.server, 'INSERT INTO t FORMAT TSV', { body: '3\n' })
  await stop(child, 'SIGKILL')
  await writeFile(join(dataDir, 'bodies', 'left-by-a-crash'), 'x')
  child = await started()
  await sql(child.server, 'INSERT INTO t FORMAT TSV', { body: '1\n2\n', params })
  assert.equal(await sql(child.server, 'SELECT groupArray(a) FROM (SELECT a FROM t ORDER BY a)'), '[1,2,3]\n')
  assert.deepEqual(await child.server.leftovers(), [])
  await stop(child, 'SIGTERM')
})

test('a data directory in use is refused with a clear word', async () => {
  const child = await started()
  const second = await spawnServer()
  assert.match(String(second), /failed the analytics data in .* is in use by another process/)
  assert.equal(await sql(child.server, 'SELECT 1'), '1\n')
  await stop(child, 'SIGTERM')
})

test('on close running queries may finish, then they are cancelled, and the process ends by itself', async () => {
  const child = await started()
  const short = ask(child.server, 'SELECT sleep(0.3)')
  const second = await ask(child.server, 'SELECT 1')
  assert.equal(second.status, 200)
  const closing = stop(child, 'SIGTERM')
  assert.equal((await short).status, 200)
  assert.equal(await closing, 0)
  const other = await started()
  const endless = ask(other.server, 'SELECT count() FROM numbers(1e14)').then(
    (answer) => answer.status,
    () => 'cut off',
  )
  await until(
    async () =>
      (await sql(
        other.server,
        "SELECT count() FROM system.processes WHERE query LIKE '%1e14%' AND query NOT LIKE '%processes%'",
        { method: 'GET' },
      )) !== '0\n',
  )
  assert.equal(await stop(other, 'SIGTERM'), 0)
  assert.notEqual(await endless, 200)
})

test('a full queue answers 503 with Retry-After and code 202', async () => {
  const server = await startServer({ ...LIMITS, queueWaitMs: 200 })
  try {
    const many = Array.from({ length: 8 }, () => ask(server, 'SELECT sleep(0.5)'))
    const answers = await Promise.all(many)
    const refused = answers.filter((answer) => answer.status === 503)
    assert.equal(answers.filter((answer) => answer.status === 200).length + refused.length, 8)
    assert.ok(refused.length >= 5, `${refused.length} were refused`)
    for (const answer of refused) {
      assert.match(answer.text, /^Code: 202\. DB::Exception: Too many simultaneous queries/)
      assert.equal(answer.headers.get('Retry-After'), '1')
    }
    assert.equal(await sql(server, 'SELECT 1'), '1\n')
  } finally {
    await server.stop()
  }
})

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, 'the condition never came true')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
