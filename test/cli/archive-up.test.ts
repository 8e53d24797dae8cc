/** As an operator: the log is archived and trimmed under a running engine, tables are rebuilt, and it is restored elsewhere. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { readKeyFile } from '../../cli/keys.ts'
import { type Env, freePorts, playhead, start, tempFolder } from './playhead.ts'

interface Engine {
  readonly env: Env
  rows(sql: string): Promise<string>
  stop(): Promise<void>
}

async function up(t: TestContext, env: Env): Promise<Engine> {
  const run = start(t, env, 'up')
  const line = await run.line((l) => l.includes('"role":"analytics"') && l.includes('"msg":"ready"'), 'analytics')
  const { url } = JSON.parse(line) as { url: string }
  await run.line((l) => l.includes('"msg":"up: '), 'the last word of the start')
  const key = readKeyFile(join(env.PLAYHEAD_DATA!, 'keys.json')).data
  return {
    // Commands have to be told of a port that was free at the start.
    env: { ...env, PLAYHEAD_ANALYTICS_PORT: new URL(url).port },
    rows: async (sql) => {
      const answer = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body: sql })
      return (await answer.text()).trim()
    },
    stop: async () => {
      run.child.kill('SIGTERM')
      await run.ended
    },
  }
}

async function said<T>(t: TestContext, env: Env, ...words: readonly string[]): Promise<T> {
  const { code, out, err } = await playhead(t, env, ...words, '--json')
  assert.equal(code, 0, `${words.join(' ')}: ${out}${err}`)
  return JSON.parse(out) as T
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + 120_000; !(await holds()); await delay(100)) {
    assert.ok(Date.now() < deadline, `never: ${what}`)
  }
}

const EVENTS = "SELECT count(), sum(cityHash64(*)) FROM playhead.events WHERE topic = 'playback-events'"
const VIEWS = 'SELECT count(), sum(cityHash64(*)) FROM playhead.qoe_views'

test('archived and trimmed while it runs: rebuilds are equal, and so is an engine that is made of the archive', async (t) => {
  const dir = tempFolder(t)
  const archive = join(dir, 'archive')
  const without = freePorts(join(dir, 'data'))
  const engine = await up(t, { ...without, PLAYHEAD_ARCHIVE: archive })
  const { env } = engine
  await said(t, env, 'simulate', '--to-log', '--views', '25', '--days', '3', '--seed', 'archive')
  const today = new Date().toISOString().slice(0, 10)
  const written = await said<{ files: number; records: number }>(t, env, 'log', 'archive', archive)
  assert.ok(written.files >= 6 && written.records > 200, JSON.stringify(written))

  await until(async () => {
    const { code, err } = await playhead(t, env, 'log', 'trim', archive, '--before', today)
    assert.ok(code === 0 || /has folded playback-events/.test(err), err)
    return code === 0
  }, 'all is folded')
  const partial = await playhead(t, { ...env, PLAYHEAD_ARCHIVE: '' }, 'rebuild', 'progress', '--detach')
  assert.deepEqual([partial.code, /a rebuild would lack it/.test(partial.err)], [2, true], partial.err)
  const { id } = await said<{ id: string }>(t, env, 'rebuild', 'views', '--name', 'again')
  await said(t, env, 'generations', 'compare', id)

  await said(t, env, 'log', 'archive', archive, '--partial')
  const verified = await said<{ damaged: unknown[] }>(t, env, 'log', 'archive', archive, '--verify')
  assert.deepEqual(verified.damaged, [])
  const { partitions } = await said<{ partitions: { topic: string; start: string; end: string }[] }>(
    ...([t, without, 'log', 'stats'] as const),
  )
  const own = partitions.filter(({ topic }) => topic === 'playback-events')
  assert.ok(own.some(({ start }) => Number(start) > 10))
  // A row for each position that there ever was.
  const total = own.reduce((sum, { end }) => sum + Number(end), 0)
  await until(async () => (await engine.rows(EVENTS)).startsWith(`${total}\t`), `${total} events`)
  const wanted = [await engine.rows(EVENTS), await engine.rows(VIEWS)]
  await engine.stop()

  const elsewhere = freePorts(join(dir, 'elsewhere'))
  const restored = await said<{ samePositions: boolean }>(t, elsewhere, 'log', 'restore', archive)
  assert.equal(restored.samePositions, true)
  const other = await up(t, elsewhere)
  const same = async () => (await Promise.all([EVENTS, VIEWS].map((sql) => other.rows(sql)))).join() === wanted.join()
  await until(same, wanted.join())
  for (const rows of wanted) assert.match(rows, /^[1-9]\d+\t\d+$/)
  await other.stop()
})
