/** A log that reads on in its archive answers as if nothing had been removed from it. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { withArchive } from '../../log/archive/archived.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import type { EventLog, LogRecord, Position } from '../../log/log.ts'
import { allOf, archiveOf, DAY_MS, FIRST_DAY_MS, fill, folder, recordsOf, shown } from './archive-support.ts'

const PLACE = { topic: 'playback-events', partition: 0 }

async function scene(t: TestContext, records: readonly LogRecord[]) {
  const dir = join(folder(t), 'log')
  await fill(dir, [{ topic: PLACE.topic, partitions: 1 }], [{ ...PLACE, records }])
  const log = await openEmbeddedLog({ dir })
  t.after(() => log.close())
  return { log, archive: folder(t) }
}

async function reads(log: EventLog, from: Position, to: Position | undefined, recordsMax: number) {
  const end = to === undefined ? {} : { to }
  const answer = await log.read({ ...PLACE, from, ...end, recordsMax, bytesMax: 2_000, waitMs: 0 })
  return answer.records.map(shown)
}

test('wherever one reads, and whatever was removed, the records are those that were there', async (t) => {
  const records = recordsOf(6, 300)
  const { log, archive } = await scene(t, records)
  const before = await allOf(log)
  await archiveOf(log, archive, { untilMs: FIRST_DAY_MS + 5 * DAY_MS })
  const both = await withArchive(log, archive, () => 0)
  const cut = records.find(({ timestampMs }) => timestampMs > FIRST_DAY_MS + 3.4 * DAY_MS)!.position
  await log.trim(PLACE, cut)
  assert.deepEqual(await allOf(both), before)
  const last = records.at(-1)!.position
  const position = fc.bigInt({ min: 0n, max: last })
  await fc.assert(
    fc.asyncProperty(
      position,
      fc.option(position, { nil: undefined }),
      fc.integer({ min: 1, max: 40 }),
      async (from, to, most) => {
        const found = await reads(both, from, to, most)
        const wanted = records.filter((r) => r.position >= from && (to === undefined || r.position <= to)).map(shown)
        assert.deepEqual(found, wanted.slice(0, found.length))
        assert.equal(found.length === 0, wanted.length === 0)
        assert.ok(found.length <= most)
      },
    ),
    { numRuns: 200, endOnFailure: true },
  )
})

test('what is archived and removed while one reads is found, and what is in neither is refused', async (t) => {
  const records = recordsOf(4, 100)
  const { log, archive } = await scene(t, records)
  // Nothing is archived yet: a folder that was named too early is an empty archive.
  const both = await withArchive(log, archive, () => 0)
  const before = await allOf(log)
  await archiveOf(log, archive, { untilMs: FIRST_DAY_MS + 2 * DAY_MS })
  assert.deepEqual(await allOf(both), before)
  await log.trim(PLACE, 50n)
  assert.deepEqual(await allOf(both), before)
  await archiveOf(log, archive)
  await log.trim(PLACE, records.at(-1)!.position)
  assert.deepEqual(await allOf(both), before)
  await log.append([{ topic: PLACE.topic, key: 'k', value: Buffer.from('new'), timestampMs: 1 }])
  const [bounds] = await log.bounds(PLACE.topic)
  await log.trim(PLACE, bounds!.end)
  await assert.rejects(reads(both, bounds!.end - 1n, undefined, 1), /LOG_RETENTION|removed by retention|in neither/)
  // There is a hole between the files and the log: the log's own start is told.
  assert.equal((await both.bounds(PLACE.topic))[0]!.start, bounds!.end)
})

test('another log’s archive is refused when it is opened', async (t) => {
  const [one, two] = [await scene(t, recordsOf(1, 5)), await scene(t, recordsOf(1, 5))]
  await archiveOf(one.log, one.archive)
  await assert.rejects(
    withArchive(two.log, one.archive, () => 0),
    /archive of another log/,
  )
})
