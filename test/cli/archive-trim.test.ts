/** What a trim refuses: anything that would be missed. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Folded, type TrimRun, trimLog } from '../../cli/archive/trim.ts'
import { whatIsGone } from '../../cli/archive/whole.ts'
import { withArchive } from '../../log/archive/archived.ts'
import { manifestOf } from '../../log/archive/verify.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { archiveOf, DAY_MS, FIRST_DAY_MS, fill, folder, recordsOf } from '../log/archive-support.ts'

const TOPIC = 'playback-events'
const day = (n: number) => FIRST_DAY_MS + n * DAY_MS

/** Five days of two partitions, of which three are archived. */
async function scene(t: TestContext) {
  const dir = join(folder(t), 'log')
  const places = [0, 1].map((partition) => ({ topic: TOPIC, partition, records: recordsOf(5, 60, partition) }))
  await fill(dir, [{ topic: TOPIC, partitions: 2 }], places)
  const log = await openEmbeddedLog({ dir })
  t.after(() => log.close())
  const archive = folder(t)
  await archiveOf(log, archive, { untilMs: day(3) })
  const upTo = (checkpoint: bigint): Folded[] =>
    [0, 1].map((partition) => ({ generation: 'views_v1_0', topic: TOPIC, partition, checkpoint }))
  const trim = (beforeMs: number, more: Partial<TrimRun> = {}) =>
    trimLog({
      ...{ log, folder: archive, beforeMs, dryRun: false, command: 'log trim' },
      ...{ signal: new AbortController().signal, progress: () => undefined, folded: async () => upTo(10_000n) },
      ...more,
    })
  const starts = async () => (await log.bounds(TOPIC)).map(({ start }) => start)
  return { log, archive, trim, starts, upTo, files: (await manifestOf(archive)).files }
}

test('whole files of the archive that are before the moment go, and nothing else', async (t) => {
  const { trim, starts, files, log, archive } = await scene(t)
  assert.deepEqual((await trim(day(2), { dryRun: true })).length, 2)
  assert.deepEqual(await starts(), [0n, 0n])
  // In the middle of the second day: its file holds what is after, too.
  await trim(day(1) + DAY_MS / 2)
  const ends = (at: number) => [0, 1].map((p) => files.filter(({ partition }) => partition === p)[at]!.next)
  assert.deepEqual(await starts(), ends(0))
  await trim(day(3))
  assert.deepEqual(await starts(), ends(2))
  assert.deepEqual(await trim(day(3)), [])
  // A rebuild of what is left alone would be a table of less; with the archive it sees everything.
  assert.match((await whatIsGone(log, [TOPIC])) ?? '', /begins at position \d+ of playback-events\/0/)
  assert.equal(await whatIsGone(await withArchive(log, archive, () => 0), [TOPIC]), undefined)
})

test('what is in no file, or not folded by who runs, stays, all of it', async (t) => {
  const { trim, starts, upTo, files } = await scene(t)
  await assert.rejects(trim(day(4)), /position \d+ of playback-events\/0, received 2026-11-04\S+, is in no archive/)
  const behind = files.at(-1)!.next - 1n
  await assert.rejects(
    trim(day(3), { folded: async () => upTo(behind) }),
    new RegExp(`views_v1_0 has folded playback-events/\\d up to ${behind}`),
  )
  assert.deepEqual(await starts(), [0n, 0n])
})

test('a file that is damaged keeps everything in the log', async (t) => {
  const { trim, starts, files, archive } = await scene(t)
  writeFileSync(join(archive, files[1]!.path), 'Obj')
  await assert.rejects(trim(day(3)), new RegExp(`Nothing was removed: .*${files[1]!.path}`))
  assert.deepEqual(await starts(), [0n, 0n])
  await trim(day(1))
  assert.ok((await starts()).every((start) => start > 0n))
})
