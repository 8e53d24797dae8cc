import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { IMPORT_LIMITS } from '../../cli/import/limits.ts'
import { titlesImport } from '../../cli/import/title-rows.ts'
import { LogBusy, LogUnavailable } from '../../log/errors.ts'
import { copiesOf, desk, NOW_MS, QUIET, rowsOf, withAppend } from './import-support.ts'

const HEADER = 'profileId,titleId,positionMs,durationMs,updatedAt,watched,deviceId'
const T0 = Date.UTC(2026, 4, 1)

function csv(count: number): string {
  const row = (i: number) => `p${i % 97},t${i},${i * 10},600000,${T0 + i},${i % 5 === 0},${i % 3 === 0 ? 'tv' : ''}`
  return `${[HEADER, ...Array.from({ length: count }, (_, i) => row(i))].join('\n')}\n`
}

test('each row becomes an event that says what the row says, at the row’s own time, and a mark where it was watched', async (t) => {
  const d = await desk(t)
  const path = d.write(
    'a.csv',
    `${HEADER},seriesId,season,episode\nann,t1,61500,600000,${T0},no,tv,s1,1,2\nbob,t2,,,${T0},yes,,,,\n`,
  )
  const outcome = await d.run(path)
  assert.deepEqual([outcome.ended, outcome.counts], ['complete', { rows: 2, events: 2, rejected: 0 }])
  const events = await d.events()
  const report = events.find((e) => e.type === 'ProgressReported')
  assert.ok(report?.type === 'ProgressReported')
  assert.deepEqual(
    [report.profileId, report.titleId, report.positionMs, report.durationMs, report.personal?.deviceId],
    ['ann', 't1', 61_500, 600_000, 'tv'],
  )
  assert.deepEqual([report.facts?.seriesId, report.facts?.season, report.facts?.episode], ['s1', 1, 2])
  const { occurredAt, receivedAt, source, clock, eventId } = report.meta
  assert.deepEqual([occurredAt, receivedAt, source, clock], [T0, NOW_MS, 'import', 'trusted'])
  assert.match(eventId, /^[0-9a-f-]{14}8/)
  assert.deepEqual(
    events.filter((e) => e.type === 'MarkedWatched').map((e) => e.type === 'MarkedWatched' && [e.profileId, e.watched]),
    [['bob', true]],
  )
})

test('a row with a position that was watched is completed in the table, and a time that has not come yet is now', async (t) => {
  const d = await desk(t)
  const path = d.write(
    'a.csv',
    `${HEADER}\nann,t1,100,600000,${T0},yes,\nann,t2,100,600000,${NOW_MS + 60_000},yes,\nann,t3,100,600000,${NOW_MS + 60_000},no,\n`,
  )
  await d.run(path)
  const events = await d.events()
  assert.ok(events.every(({ meta }) => meta.occurredAt <= NOW_MS))
  const completed = rowsOf(events).map((row) => (JSON.parse(row.slice(row.indexOf(' '))) as unknown[])[3])
  assert.deepEqual(completed, [true, true, false])
})

test('any order and repetition of a file’s lines, in one file or several, ends in the same rows', async (t) => {
  const d = await desk(t)
  const line = fc.record({
    profileId: fc.constantFrom('ann', 'bob'),
    titleId: fc.constantFrom('t1', 't2'),
    positionMs: fc.nat(50),
    updatedAt: fc.integer({ min: T0, max: T0 + 3 }),
    watched: fc.boolean(),
  })
  const cases = fc.array(line, { minLength: 1, maxLength: 12 }).chain((rows) =>
    fc.record({
      rows: fc.constant(rows),
      more: fc.shuffledSubarray([...rows, ...rows]),
      shuffled: fc.shuffledSubarray(rows, { minLength: rows.length, maxLength: rows.length }),
      cutAt: fc.nat(2 * rows.length),
    }),
  )
  await fc.assert(
    fc.asyncProperty(cases, async ({ rows, more, shuffled, cutAt }) => {
      const once = await d.captured([rows])
      const many = [...more, ...shuffled]
      const again = await d.captured([many.slice(0, cutAt), many.slice(cutAt)])
      assert.deepEqual(rowsOf(again), rowsOf(once))
      const ids = (events: typeof once) => new Set(events.map(({ meta }) => meta.eventId))
      assert.deepEqual(ids(again), ids(once))
    }),
    { numRuns: 300 },
  )
})

test('a file that is cut off anywhere goes on there: nothing is lost, nothing is read twice', async (t) => {
  const d = await desk(t)
  const path = d.write('a.csv', csv(3 * IMPORT_LIMITS.batchRowsMax))
  const abort = new AbortController()
  const first = await d.run(path, { signal: abort.signal, report: { ...QUIET, show: () => abort.abort() } })
  assert.equal(first.ended, 'interrupted')
  assert.ok(first.counts.rows >= IMPORT_LIMITS.batchRowsMax && first.counts.rows < 3 * IMPORT_LIMITS.batchRowsMax)
  const second = await d.run(path)
  assert.deepEqual(
    [second.ended, second.counts.rows, second.before],
    ['complete', 3 * IMPORT_LIMITS.batchRowsMax, first.counts],
  )
  const { ids, records } = await copiesOf(d.log)
  assert.equal(ids, records)
  assert.equal(ids, second.counts.events)
  const third = await d.run(path)
  assert.deepEqual([third.ended, third.counts], ['complete', second.counts])
  assert.equal((await copiesOf(d.log)).records, records)
})

test('lines that are appended to an imported file are imported alone', async (t) => {
  const d = await desk(t)
  const path = d.write('a.csv', csv(10))
  await d.run(path)
  d.append('a.csv', `zoe,t1,5,,${T0},no,\n`)
  const again = await d.run(path)
  assert.equal(again.counts.rows, 11)
  assert.equal((await d.events()).filter((e) => 'profileId' in e && e.profileId === 'zoe').length, 1)
})

test('a file whose imported part has changed is refused, and so are other flags and another kind of import', async (t) => {
  const d = await desk(t)
  const path = d.write('a.csv', csv(10))
  await d.run(path)
  await assert.rejects(d.run(path, { appId: 'other' }), /other flags/)
  await assert.rejects(
    d.run(path, { kind: titlesImport(d.codec), maps: ['titleId=name'] } as object),
    /no column titleId/,
  )
  d.write('a.csv', csv(10).replace('p1,', 'p2,'))
  await assert.rejects(d.run(path), /not what it was.*Remove the state file/)
  d.write('a.csv', csv(2))
  await assert.rejects(d.run(path), /not what it was/)
  d.write('a.csv.playhead-import.json', '{"version":7}')
  await assert.rejects(d.run(path), /is no state of an import/)
})

test('a bad row costs itself only, and is kept with its line, its field and the remedy', async (t) => {
  const d = await desk(t)
  const path = d.write(
    'a.csv',
    `${HEADER}\nann,t1,abc,,${T0},no,\nann,t1,5,,,no,\n,t1,5,,${T0},no,\nann,t1\nann,t1,5,,${T0},no,\n`,
  )
  const shown: number[] = []
  const { counts, ended } = await d.run(path, {
    report: { ...QUIET, rejected: ({ line }: { line: number }) => shown.push(line) },
  })
  assert.deepEqual([ended, counts], ['complete', { rows: 1, events: 1, rejected: 4 }])
  const kept = readFileSync(`${path}.rejected.ndjson`, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { line: number; field: string; remedy: string; row: string })
  assert.deepEqual(
    kept.map(({ line, field, row }) => [line, field, row]),
    [
      [2, 'positionMs', `ann,t1,abc,,${T0},no,`],
      [3, 'updatedAt', 'ann,t1,5,,,no,'],
      [4, 'profileId', `,t1,5,,${T0},no,`],
      [5, '', 'ann,t1'],
    ],
  )
  assert.ok(kept.every(({ remedy }) => remedy.length > 10))
  assert.deepEqual(shown, [2, 3, 4, 5])
})

test('more bad rows than allowed end the import, and it goes on with a larger number', async (t) => {
  const d = await desk(t)
  const path = d.write('a.csv', `${HEADER}\n${'x,y,z,,,,\n'.repeat(5)}ann,t1,5,,${T0},no,\n`)
  const first = await d.run(path, { errorsMax: 3 })
  assert.deepEqual([first.ended, first.counts.rejected, first.counts.rows], ['too-many-errors', 4, 0])
  const second = await d.run(path, { errorsMax: 5 })
  assert.deepEqual([second.ended, second.counts], ['complete', { rows: 1, events: 1, rejected: 5 }])
  assert.equal(readFileSync(`${path}.rejected.ndjson`, 'utf8').trimEnd().split('\n').length, 5)
})

test('a log that is busy or away is tried again with the same events', async (t) => {
  const troubles = [new LogBusy('full', 1), new LogUnavailable('gone'), new LogBusy('full', 1)]
  const d = await desk(t, (log) =>
    withAppend(log, async (records) => {
      // What was stored before the answer was lost is stored again.
      if (troubles.length === 2) await log.append(records)
      const trouble = troubles.pop()
      if (trouble !== undefined) throw trouble
      return await log.append(records)
    }),
  )
  const { counts } = await d.run(d.write('a.csv', csv(10)))
  const { ids, records, apartMax } = await copiesOf(d.log)
  assert.deepEqual([counts.rows, ids, records], [10, 12, 24])
  assert.ok(apartMax <= 24)
})

test('a log that stays away ends the import, and the next call goes on', async (t) => {
  let away = true
  const d = await desk(t, (log) =>
    withAppend(log, async (records) => {
      if (away) throw new LogUnavailable('gone')
      return await log.append(records)
    }),
  )
  const path = d.write('a.csv', csv(10))
  let now = NOW_MS
  const nowMs = () => (now += IMPORT_LIMITS.patienceMs)
  await assert.rejects(d.run(path, { nowMs }), LogUnavailable)
  away = false
  assert.equal((await d.run(path)).counts.rows, 10)
})

test('devices are sealed in one call for each batch, and stamped facts come from the catalogue', async (t) => {
  const d = await desk(t)
  const calls: number[] = []
  const sealed = { keyId: 'k1', nonce: Buffer.alloc(12), bytes: Buffer.alloc(20) }
  const ports = {
    ...d.ports,
    sealer: {
      seal: async (batch: readonly unknown[]) => {
        calls.push(batch.length)
        return batch.map(() => ({
          accountId: null,
          deviceId: null,
          userAgent: null,
          address: null,
          custom: {},
          sealed,
        }))
      },
    },
    factsOf: async () =>
      new Map([
        ['t3', { contentType: 'episode', durationMs: 9, creditsStartMs: 8, seriesId: 's', season: 1, episode: 2 }],
      ]),
  }
  Object.assign(d.ports, ports)
  await d.run(d.write('a.csv', csv(9)))
  assert.deepEqual(calls, [3])
  const events = await d.events()
  const reports = events.filter((e) => e.type === 'ProgressReported')
  assert.deepEqual(
    reports
      .map((e) => (e.type === 'ProgressReported' ? [e.titleId, e.personal?.sealed?.keyId, e.facts?.seriesId] : []))
      .sort(),
    Array.from({ length: 9 }, (_, i) => [`t${i}`, i % 3 === 0 ? 'k1' : undefined, i === 3 ? 's' : undefined]),
  )
})

test('a dry run reads everything and writes nothing', async (t) => {
  const d = await desk(t)
  const path = d.write('a.csv', `${csv(10)}bad,row\n`)
  const outcome = await d.dryRun(path)
  assert.deepEqual([outcome.ended, outcome.counts], ['complete', { rows: 10, events: 0, rejected: 1 }])
  assert.deepEqual(await d.events(), [])
  assert.deepEqual(readdirSync(d.dir).sort(), ['a.csv', 'log'])
})

test('titles come from NDJSON as they are, and from CSV with lists, maps and seconds', async (t) => {
  const d = await desk(t)
  const kind = titlesImport(d.codec)
  const text = [
    'titleId,name,kind,durationSeconds,genres,externalIds.imdb,manifests.hls,season,updatedAt',
    't1,"One, two",movie,90.5,drama|crime,tt1,https://cdn.example/m.m3u8,,',
    `t2,Two,episode,,,,,3,${T0}`,
    't3,Three,opera,,,,,,',
  ].join('\n')
  const first = await d.run(d.write('a.csv', text), { kind } as object)
  assert.deepEqual(first.counts, { rows: 2, events: 2, rejected: 1 })
  const line = {
    titleId: 't4',
    name: 'Four',
    images: { poster: 'https://cdn.example/p.jpg' },
    genres: ['x'],
    external_ids: { tvdb: '7' },
  }
  await d.run(d.write('b.ndjson', JSON.stringify(line)), { kind } as object)
  const found = new Map(
    (await d.events('ingest-events')).map((e) => [e.type === 'TitleRegistered' ? e.titleId : '', e]),
  )
  const [one, two, four] = ['t1', 't2', 't4'].map((id) => found.get(id))
  assert.ok(one?.type === 'TitleRegistered' && two?.type === 'TitleRegistered' && four?.type === 'TitleRegistered')
  assert.deepEqual(
    [one.name, one.durationMs, one.genres, { ...one.externalIds }, { ...one.manifests }],
    ['One, two', 90_500, ['drama', 'crime'], { imdb: 'tt1' }, { hls: 'https://cdn.example/m.m3u8' }],
  )
  assert.deepEqual([two.season, two.kind, two.meta.occurredAt, one.meta.occurredAt], [3, 'episode', T0, NOW_MS])
  assert.deepEqual(
    [{ ...four.images }, { ...four.externalIds }, four.genres],
    [{ poster: 'https://cdn.example/p.jpg' }, { tvdb: '7' }, ['x']],
  )
})
