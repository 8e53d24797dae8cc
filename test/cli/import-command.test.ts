/** The command as people call it, as a process; and killed in the midst. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { createCodec } from '../../schemas/index.ts'
import { copiesOf, eventsOf, rowsOf } from './import-support.ts'
import { freePorts, playhead, start, tempFolder } from './playhead.ts'

const ROWS = 60_000
const T0 = Date.UTC(2026, 4, 1)

function bigFile(): string {
  const lines = Array.from({ length: ROWS }, (_, i) => `p${i % 50},t${i % 1_000},${i},600000,${T0 + i},${i % 10 === 0}`)
  return `profileId,titleId,positionMs,durationMs,updatedAt,watched\n${lines.join('\n')}\n`
}

test('killed in the midst and called again, an import has every row once', async (t) => {
  const dir = tempFolder(t)
  const env = freePorts(join(dir, 'data'))
  const file = join(dir, 'a.csv')
  writeFileSync(file, bigFile())
  const state = `${file}.playhead-import.json`
  const running = start(t, env, 'import', 'progress', file)
  // Once it has noted a batch it is in the midst: the file has thirty.
  while (!existsSync(state)) await Promise.race([running.ended.then(() => assert.fail('it was too quick')), sleep(1)])
  running.child.kill('SIGKILL')
  await running.ended
  const killedAt = JSON.parse(readFileSync(state, 'utf8')) as { counts: { rows: number }; done: boolean }
  assert.ok(!killedAt.done && killedAt.counts.rows < ROWS, 'it was too quick')
  const again = await playhead(t, env, 'import', 'progress', file, '--json')
  assert.equal(again.code, 0, again.err)
  const outcome = JSON.parse(again.out) as {
    ended: string
    counts: { rows: number; events: number }
    before: { rows: number }
  }
  assert.deepEqual([outcome.ended, outcome.counts.rows], ['complete', ROWS])
  assert.equal(outcome.before.rows, killedAt.counts.rows)
  const log = await openEmbeddedLog({ dir: join(dir, 'data', 'log') })
  t.after(() => log.close())
  const { ids, records, apartMax } = await copiesOf(log)
  assert.equal(ids, ROWS + ROWS / 10)
  assert.equal(outcome.counts.events, ids)
  // What was written and not noted is there twice, within the window of duplicates that every reader keeps.
  assert.ok(records - ids <= 4_000 && apartMax < 8_192, `${records} records, ${apartMax} apart`)
  assert.equal(rowsOf(await eventsOf(log, await createCodec(), 'playback-events')).length, 1_000)
})

test('standard input is read with --format, and leaves nothing beside it', async (t) => {
  const dir = tempFolder(t)
  const env = freePorts(join(dir, 'data'))
  const running = start(t, env, 'import', 'progress', '-', '--format', 'ndjson', '--json')
  const ended = await running.ended
  assert.equal(ended.code, 0, ended.err)
  assert.equal((JSON.parse(ended.out) as { counts: { rows: number } }).counts.rows, 0)
  assert.deepEqual(readdirSync(dir), ['data'])
})

test('what is wrong with a call is said, with what to do', async (t) => {
  const dir = tempFolder(t)
  const env = freePorts(join(dir, 'data'))
  const file = join(dir, 'a.csv')
  writeFileSync(file, 'user,video\nann,t1\n')
  const cases = [
    [['import', 'progress'], /wants FILE/],
    [['import', 'progress', join(dir, 'none.csv')], /There is no file/],
    [['import', 'progress', dir, '--format', 'csv'], /is a folder/],
    [['import', 'progress', join(dir, 'a.txt')], /--format csv or --format ndjson/],
    [['import', 'progress', '-'], /Standard input needs --format/],
    [['import', 'progress', file, '--format', 'xml'], /neither csv nor ndjson/],
    [['import', 'progress', file], /no column profileId.*--map theirs=profileId/],
    [['import', 'progress', file, '--map', 'user=profilId'], /Did you mean profileId/],
    [['import', 'progress', file, '--max-errors', 'many'], /no whole number/],
    [['import', 'progress', file, '--app', 'a b'], /--app: 1 to 64/],
    [['import', 'progress', file, '--state', file, '--rejected', file], /same file/],
    [['import', 'progres', file], /Did you mean `playhead import progress`/],
  ] as const
  await Promise.all(
    cases.map(async ([words, wanted]) => {
      const { code, err } = await playhead(t, env, ...words)
      assert.equal(code, 2, `${words.join(' ')}: ${err}`)
      assert.match(err, wanted)
    }),
  )
  assert.deepEqual(
    readdirSync(dir).filter((name) => name !== 'data'),
    ['a.csv'],
  )
})
