/** `export views` on the real engine: what the files say after corrections, interrupts and erasures is what stands. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isWhole } from '../../cli/export/formats.ts'
import { currentSet } from '../../cli/export/set.ts'
import type { ViewsSource } from '../../cli/export/source.ts'
import { VIEW_COLUMNS } from '../../projections/views/row.ts'
import {
  exported,
  filesIn,
  GENERATION,
  madeUp,
  rowsIn,
  type TestView,
  type ViewsTable,
  viewsTable,
} from './export-support.ts'
import { tempFolder } from './playhead.ts'

let table: ViewsTable
before(async () => {
  table = await viewsTable()
})
after(() => table.close())

let made = 0
/** Views of three days that no other test has. */
function threeDays(): readonly [TestView, TestView, TestView, TestView] {
  const month = String((made++ % 12) + 1).padStart(2, '0')
  const view = (name: string, day: number, stalledMs: number, version: number): TestView => ({
    id: `${name}${month}`,
    startedAt: `2025-${month}-0${day} 23:30:00.000`,
    stalledMs,
    version,
  })
  return [view('a', 1, 10, 1), view('b', 1, 20, 2), view('c', 2, 30, 3), view('d', 3, 40, 4)]
}
const rangeOf = ([{ startedAt }]: readonly [TestView]) => ({
  from: startedAt.slice(0, 10).replace(/..$/, '01'),
  to: startedAt.slice(0, 10).replace(/..$/, '28'),
})

/** What a reader of the files sees, in words of the test. */
function seen(dir: string): readonly string[] {
  return rowsIn(dir).map((row) => `${row.view_id} ${row.stalled_ms} ${String(row.started_at).slice(0, 10)}`)
}

test('an export has each view once, with every column', async (t) => {
  const dir = tempFolder(t)
  const [a, b, c, d] = threeDays()
  await table.change([], [a, b, c, d])
  const outcome = await exported({ source: table.source, dir, ...rangeOf([a]) })
  assert.deepEqual([outcome.complete, outcome.written.length, outcome.rows, outcome.unchanged], [true, 3, 4, 0])
  assert.deepEqual(
    rowsIn(dir).map(({ view_id }) => view_id),
    [a.id, b.id, c.id, d.id],
  )
  const [row] = rowsIn(dir)
  assert.deepEqual(Object.keys(row!), Object.keys(VIEW_COLUMNS))
  assert.deepEqual([row!.watched_from, row!.stalled_ms, row!.country], [[0, 60], 10, 'DE'])
  assert.equal(row!.started_at, `${a.startedAt.replace(' ', 'T')}Z`)
})

test('corrections between two exports: the files of both together are what stands, and only changed days are written', async (t) => {
  const dir = tempFolder(t)
  const [a, b, c, d] = threeDays()
  await table.change([], [a, b, c, d])
  const range = rangeOf([a])
  await exported({ source: table.source, dir, ...range })
  const untouched = statSync(join(dir, GENERATION, filesIn(dir)[1]!))
  // Late: a had stalled longer; d began a day earlier than was known, in another file.
  const late = { ...a, stalledMs: 5_000, version: 9 }
  const moved = { ...d, startedAt: d.startedAt.replace('-03 ', '-04 '), version: 10 }
  await table.change([a, d], [late, moved])
  const outcome = await exported({ source: table.source, dir, ...range })
  const day = (view: TestView) => view.startedAt.slice(0, 10)
  assert.deepEqual(
    outcome.written.map(({ day: name, corrected }) => [name, corrected]),
    [
      [day(a), true],
      [day(moved), false],
    ],
  )
  assert.deepEqual([outcome.removed, outcome.unchanged], [[day(d)], 1])
  assert.deepEqual(seen(dir), [
    `${a.id} 5000 ${day(a)}`,
    `${b.id} 20 ${day(b)}`,
    `${c.id} 30 ${day(c)}`,
    `${d.id} 40 ${day(moved)}`,
  ])
  const kept = statSync(join(dir, GENERATION, `day=${day(c)}/views.ndjson`))
  assert.deepEqual([kept.ino, kept.mtimeMs], [untouched.ino, untouched.mtimeMs])
  const third = await exported({ source: table.source, dir, ...range })
  assert.deepEqual([third.written, third.unchanged], [[], 3])
})

test('views that were erased are in no file after the next export', async (t) => {
  const dir = tempFolder(t)
  const [a, b, c, d] = threeDays()
  await table.change([], [a, b, c, d])
  const range = rangeOf([a])
  await exported({ source: table.source, dir, ...range })
  await table.change([b, c], [])
  const outcome = await exported({ source: table.source, dir, ...range })
  assert.deepEqual(outcome.removed, [c.startedAt.slice(0, 10)])
  const text = filesIn(dir).map((file) => readFileSync(join(dir, GENERATION, file), 'utf8'))
  assert.ok(!text.join('').includes(b.id) && !text.join('').includes(c.id))
  assert.equal(rowsIn(dir).length, 2)
})

test('an export that is interrupted leaves whole files only, and goes on where it was', async (t) => {
  const dir = tempFolder(t)
  const [a, b, c, d] = threeDays()
  await table.change([], [a, b, c, d])
  const range = rangeOf([a])
  const stop = new AbortController()
  // The second day's bytes stop in the midst.
  let asked = 0
  const halting: ViewsSource = {
    ...table.source,
    dump: async (days, format, signal) => {
      if (++asked < 2) return await table.source.dump(days, format, signal)
      return Readable.from(
        (async function* () {
          yield '{"view_id":"half'
          stop.abort()
          throw new Error('aborted')
        })(),
      )
    },
  }
  const cut = await exported({ source: halting, dir, ...range, signal: stop.signal })
  assert.deepEqual([cut.complete, cut.written.length], [false, 1])
  assert.equal(filesIn(dir).length, 1)
  assert.deepEqual(readdirSync(join(dir, GENERATION)).sort(), ['_playhead.json', `day=${a.startedAt.slice(0, 10)}`])
  const rest = await exported({ source: table.source, dir, ...range })
  assert.deepEqual([rest.complete, rest.written.length, rest.unchanged], [true, 2, 1])
  assert.equal(rowsIn(dir).length, 4)
})

test('a file that ClickHouse did not finish is no file', async (t) => {
  const dir = tempFolder(t)
  const [a] = threeDays()
  await table.change([], [a])
  const torn: ViewsSource = { ...table.source, dump: async () => Readable.from(['PAR1 and then nothing']) }
  await assert.rejects(exported({ source: torn, dir, format: 'parquet', ...rangeOf([a]) }), /is not whole/)
  assert.deepEqual(readdirSync(join(dir, GENERATION)), [])
})

test('files that were taken away or cut short by somebody are written again', async (t) => {
  const dir = tempFolder(t)
  const [a, b, c, d] = threeDays()
  await table.change([], [a, b, c, d])
  const range = rangeOf([a])
  await exported({ source: table.source, dir, ...range })
  const [first, second] = filesIn(dir).map((file) => join(dir, GENERATION, file))
  rmSync(first!)
  writeFileSync(second!, 'x')
  const again = await exported({ source: table.source, dir, ...range })
  assert.deepEqual([again.written.length, again.unchanged], [2, 1])
  assert.equal(rowsIn(dir).length, 4)
})

test('Parquet files are whole, and the same rows are the same bytes', async (t) => {
  const [one, two] = [tempFolder(t), tempFolder(t)]
  const [a, b, c, d] = threeDays()
  await table.change([], [a, b, c, d])
  const bytesOf = async (dir: string) => {
    await exported({ source: table.source, dir, format: 'parquet', ...rangeOf([a]) })
    const path = join(dir, GENERATION, filesIn(dir)[0]!)
    assert.ok(path.endsWith('/views.parquet') && (await isWhole(path, 'parquet')))
    return readFileSync(path)
  }
  assert.deepEqual(await bytesOf(one), await bytesOf(two))
})

test('a folder of another format, or with a manifest of something else, is refused with what to do', async (t) => {
  const dir = tempFolder(t)
  const [a] = threeDays()
  await table.change([], [a])
  await exported({ source: table.source, dir, ...rangeOf([a]) })
  await assert.rejects(exported({ source: table.source, dir, format: 'csv' }), /holds ndjson files.*--format ndjson/)
  writeFileSync(join(dir, GENERATION, '_playhead.json'), '[]')
  await assert.rejects(exported({ source: table.source, dir }), /no manifest of an export/)
})

test('files with other columns than today are written again', async (t) => {
  const dir = tempFolder(t)
  const [a, b] = threeDays()
  await table.change([], [a, b])
  const range = rangeOf([a])
  const fewer = { ...table.source, columns: table.source.columns.slice(1) }
  await exported({ source: fewer, dir, ...range })
  assert.equal((await exported({ source: table.source, dir, ...range })).written.length, 1)
  assert.equal((await exported({ source: table.source, dir, ...range })).written.length, 0)
})

test('rebuilt tables make a set of their own, which is shown at once when it is complete', async (t) => {
  const dir = tempFolder(t)
  const [a, b, c, d] = threeDays()
  await table.change([], [a, b, c, d])
  const range = rangeOf([a])
  const whole: ViewsSource = { ...table.source, days: async () => await table.source.days(range) }
  assert.equal((await exported({ source: whole, dir })).shown, true)
  const rebuilt = { ...whole, generation: 'views_v2_0test000' }
  const some = await exported({ source: rebuilt, dir, from: range.from, to: a.startedAt.slice(0, 10) })
  assert.deepEqual([some.complete, some.shown, some.former, currentSet(dir)], [true, false, GENERATION, GENERATION])
  const all = await exported({ source: rebuilt, dir })
  assert.deepEqual([all.shown, currentSet(dir)], [true, rebuilt.generation])
  assert.deepEqual(rowsIn(dir, 'current'), rowsIn(dir, GENERATION))
  assert.deepEqual(readdirSync(dir).sort(), ['_playhead', 'current', GENERATION, rebuilt.generation].sort())
})

test('what ClickHouse forgets by its age stays in the files', async (t) => {
  const dir = tempFolder(t)
  await exported({ source: madeUp(), dir })
  const forgetful: ViewsSource = {
    ...madeUp(),
    keptFrom: '2025-01-02',
    days: async ({ from }) => (await madeUp().days({ from, to: undefined })).filter(({ day }) => day >= from!).slice(1),
  }
  const outcome = await exported({ source: forgetful, dir })
  assert.deepEqual([outcome.removed, outcome.frozen, outcome.unchanged], [['2025-01-02'], 1, 1])
  assert.deepEqual(
    rowsIn(dir).map(({ view_id }) => view_id),
    ['2025-01-01', '2025-01-03'],
  )
})

test('killed in the midst of a file, an export leaves whole files only, and the next one has each view once', async (t) => {
  const dir = tempFolder(t)
  const child = fork(fileURLToPath(new URL('./export-child.ts', import.meta.url)), [dir], {
    execArgv: ['--import', 'tsx'],
  })
  const ended = once(child, 'exit')
  t.after(() => child.kill('SIGKILL'))
  const [said] = (await Promise.race([once(child, 'message'), ended])) as [unknown]
  assert.equal(said, 'in the midst')
  child.kill('SIGKILL')
  await ended
  const set = readdirSync(join(dir, GENERATION))
  assert.ok(set.includes('_draft'), 'it was not in the midst')
  assert.deepEqual(rowsIn(dir), [{ view_id: '2025-01-01' }])
  const outcome = await exported({ source: madeUp(), dir })
  assert.deepEqual([outcome.written.length, outcome.unchanged], [2, 1])
  assert.deepEqual(
    rowsIn(dir).map(({ view_id }) => view_id),
    ['2025-01-01', '2025-01-02', '2025-01-03'],
  )
  assert.ok(!readdirSync(join(dir, GENERATION)).includes('_draft'))
})
