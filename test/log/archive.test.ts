/** A log as files, and the log again: whatever is in it, and wherever the writer is killed. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { restoreToFolder } from '../../cli/archive/restore.ts'
import { manifestOf, verifyArchive } from '../../log/archive/verify.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import type { EventLog, LogRecord } from '../../log/log.ts'
import { allOf, archiveOf, DAY_MS, FIRST_DAY_MS, fill, folder, NOW_MS, recordsOf } from './archive-support.ts'

const SPECS = [
  { topic: 'engine-events', partitions: 1 },
  { topic: 'playback-events', partitions: 2 },
]
const quiet = { signal: new AbortController().signal, progress: () => undefined, command: 'log restore' }

async function logOf(t: TestContext, parts: readonly (readonly LogRecord[])[]): Promise<EventLog> {
  const dir = join(folder(t), 'log')
  const places = [
    { topic: 'playback-events', partition: 0 },
    { topic: 'playback-events', partition: 1 },
    { topic: 'engine-events', partition: 0 },
  ]
  await fill(
    dir,
    SPECS,
    places.map((place, i) => ({ ...place, records: parts[i] ?? [] })),
  )
  const log = await openEmbeddedLog({ dir })
  t.after(() => log.close())
  return log
}

async function restored(t: TestContext, archive: string): Promise<EventLog> {
  const dir = join(folder(t), 'data', 'log')
  const outcome = await restoreToFolder(dir, { ...quiet, folder: archive })
  assert.deepEqual([outcome.complete, outcome.samePositions], [true, true])
  const log = await openEmbeddedLog({ dir })
  t.after(() => log.close())
  return log
}

const odd = fc.record({
  skip: fc.integer({ min: 0, max: 3 }),
  aheadMs: fc.integer({ min: -2 * DAY_MS, max: DAY_MS }),
  key: fc.option(fc.string({ unit: 'grapheme', maxLength: 20 })),
  value: fc.uint8Array({ maxLength: 400 }),
  headers: fc.dictionary(
    fc.string({ minLength: 1, maxLength: 8 }).filter((s) => s !== '__proto__'),
    fc.string({ maxLength: 12 }),
    {
      maxKeys: 3,
    },
  ),
})

function toRecords(given: readonly (typeof odd extends fc.Arbitrary<infer T> ? T : never)[]): LogRecord[] {
  let position = -1n
  let ms = FIRST_DAY_MS
  return given.map(({ skip, aheadMs, key, value, headers }) => {
    position += BigInt(skip) + 1n
    ms += DAY_MS / 3
    return {
      position,
      timestampMs: Math.min(ms + aheadMs, NOW_MS - 1),
      key,
      value: Buffer.from(value),
      headers: { ...headers },
    }
  })
}

test('whatever records there are and wherever its writer is killed: the log that is restored is the log', async () => {
  const part = fc.array(odd, { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(
      part,
      part,
      fc.array(fc.integer({ min: 0, max: 25 }), { maxLength: 6 }),
      async (one, two, kills) => {
        const ends: (() => unknown)[] = []
        const scope = { after: (end: () => unknown) => void ends.unshift(end) } as TestContext
        const log = await logOf(scope, [toRecords(one), toRecords(two)])
        const archive = folder(scope)
        for (const kill of kills) await killedAt(log, archive, kill)
        await archiveOf(log, archive)
        const { files } = await manifestOf(archive)
        assert.deepEqual(avroFiles(archive), files.map(({ path }) => path).sort())
        const verified = await verifyArchive({ ...quiet, folder: archive, log })
        assert.deepEqual(
          [verified.damaged, verified.records, verified.compared],
          [[], one.length + two.length, one.length + two.length],
        )
        assert.deepEqual(withRecords(await allOf(await restored(scope, archive))), withRecords(await allOf(log)))
        for (const end of ends) await end()
      },
    ),
    { numRuns: 12, endOnFailure: true },
  )
})

/** Ends a run at its n-th step, as a killed process would; what is noted by then is sound. */
async function killedAt(log: EventLog, archive: string, step: number): Promise<void> {
  let left = step
  const at = () => {
    if (left-- === 0) throw new Error('killed')
  }
  // Every file is noted by itself, so that there is much between two steps.
  let nowMs = NOW_MS
  const clock = () => {
    nowMs += 10_000
    return nowMs
  }
  await archiveOf(log, archive, { at, nowMs: clock }).catch((error: Error) => assert.equal(error.message, 'killed'))
  const text = readdirSync(archive).includes('archive.json')
  if (text) assert.deepEqual((await verifyArchive({ ...quiet, folder: archive, log })).damaged, [])
}

function avroFiles(dir: string): string[] {
  const all = readdirSync(dir, { recursive: true, encoding: 'utf8' })
  return all
    .filter((name) => /\.avro/.test(name))
    .map((name) => name.replaceAll('\\', '/'))
    .sort()
}

function withRecords(all: Record<string, readonly string[]>) {
  return Object.fromEntries(Object.entries(all).filter(([, records]) => records.length > 0))
}

test('a file holds one day of the log’s clock; days that are not over stay out, and come later', async (t) => {
  const log = await logOf(t, [recordsOf(4, 50)])
  const archive = folder(t)
  const third = FIRST_DAY_MS + 2 * DAY_MS
  await archiveOf(log, archive, { untilMs: third })
  const days = async () => (await manifestOf(archive)).files.map(({ path }) => path.split('/')[1])
  assert.deepEqual(await days(), ['2026-11-01', '2026-11-02'])
  const again = await archiveOf(log, archive, { untilMs: third })
  assert.deepEqual([again.files, again.before], [0, 2])
  const rest = await archiveOf(log, archive)
  assert.deepEqual([rest.files, rest.before], [2, 2])
  assert.deepEqual(await days(), ['2026-11-01', '2026-11-02', '2026-11-03', '2026-11-04'])
})

test('what a killed run left behind is taken away, also where nothing takes its place', async (t) => {
  const log = await logOf(t, [recordsOf(3, 10)])
  const archive = folder(t)
  const killed = (step: string) => assert.notEqual(step, 'drafted')
  await assert.rejects(archiveOf(log, archive, { at: killed }))
  assert.equal(avroFiles(archive).length, 3)
  await archiveOf(log, archive, { untilMs: FIRST_DAY_MS + DAY_MS })
  assert.deepEqual(
    avroFiles(archive),
    (await manifestOf(archive)).files.map(({ path }) => path),
  )
  assert.equal(avroFiles(archive).length, 1)
})

test('one record from the future does not take the days that follow with it', async (t) => {
  const records = recordsOf(3, 10).map((record, i) =>
    i === 4 ? { ...record, timestampMs: NOW_MS + 900 * DAY_MS } : record,
  )
  const log = await logOf(t, [records])
  const archive = folder(t)
  await archiveOf(log, archive)
  const { files } = await manifestOf(archive)
  assert.deepEqual(
    files.map(({ path }) => path.split('/')[1]),
    ['2026-11-01', '2026-11-02', '2026-11-03'],
  )
})

test('a byte that changed is found and its file named; a restore refuses it and leaves nothing', async (t) => {
  const log = await logOf(t, [recordsOf(2, 400), recordsOf(2, 30, 9)])
  const archive = folder(t)
  await archiveOf(log, archive)
  const { files } = await manifestOf(archive)
  for (const [n, at] of [0.01, 0.5, 0.999].entries()) {
    const { path } = files[n]!
    const full = join(archive, path)
    const bytes = readFileSync(full)
    const changed = Buffer.from(bytes)
    changed[Math.floor(bytes.length * at)]! ^= 0x10
    writeFileSync(full, changed)
    const { damaged } = await verifyArchive({ ...quiet, folder: archive, log: undefined })
    assert.deepEqual(
      damaged.map((d) => d.path),
      [path],
    )
    const data = folder(t)
    await assert.rejects(restoreToFolder(join(data, 'log'), { ...quiet, folder: archive }), new RegExp(path))
    assert.deepEqual(
      readdirSync(data).filter((name) => name === 'log'),
      [],
    )
    writeFileSync(full, bytes)
  }
  rmSync(join(archive, files[0]!.path))
  const { damaged } = await verifyArchive({ ...quiet, folder: archive, log })
  assert.deepEqual(
    damaged.map((d) => d.path),
    [files[0]!.path],
  )
})

test('a file that is sound in itself and not what the log has is found, too', async (t) => {
  const records = recordsOf(1, 60)
  const archive = folder(t)
  const dir = join(folder(t), 'log')
  await fill(dir, SPECS, [{ topic: 'playback-events', partition: 0, records }])
  const log = await openEmbeddedLog({ dir })
  t.after(() => log.close())
  const other = records.map((r, i) => (i === 41 ? { ...r, value: Buffer.from('another') } : r))
  const page = async (request: Parameters<EventLog['read']>[0]) => {
    const answer = await log.read(request)
    return { ...answer, records: answer.records.map((r) => other.find((o) => o.position === r.position)!) }
  }
  await archiveOf({ ...log, read: page }, archive)
  assert.deepEqual((await verifyArchive({ ...quiet, folder: archive, log: undefined })).damaged, [])
  const { damaged } = await verifyArchive({ ...quiet, folder: archive, log })
  assert.match(damaged[0]!.problem, new RegExp(`see position ${records[41]!.position} of playback-events/0`))
})

test('an archive is one log’s: another log is refused, and so is a restore over records', async (t) => {
  const [one, two] = [await logOf(t, [recordsOf(1, 5)]), await logOf(t, [recordsOf(1, 5)])]
  const archive = folder(t)
  await archiveOf(one, archive)
  await assert.rejects(archiveOf(two, archive), /archive of another log/)
  const dir = join(folder(t), 'log')
  await fill(dir, SPECS, [{ topic: 'engine-events', partition: 0, records: recordsOf(1, 2) }])
  await assert.rejects(restoreToFolder(dir, { ...quiet, folder: archive }), /holds records of engine-events already/)
})
