import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { copyLog } from '../../cli/commands/log-copy.ts'
import { bar } from '../../cli/progress.ts'
import { reframer } from '../../cli/reframe.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import type { EventLog } from '../../log/log.ts'
import { createCodec, schemaIdOf } from '../../schemas/index.ts'
import { playhead, tempFolder } from './playhead.ts'

const SAME = reframer(new Map(), new Map())
const quiet = { show: () => undefined, end: () => undefined }
const options = { frames: SAME, append: false, signal: new AbortController().signal, progress: quiet }

async function logIn(t: TestContext, partitions: number): Promise<EventLog> {
  const log = await openEmbeddedLog({ dir: join(tempFolder(t), 'log') })
  await log.ensureTopics([{ topic: 'playback-events', partitions }])
  t.after(() => log.close())
  return log
}

async function fill(log: EventLog, count: number, first = 0): Promise<void> {
  await log.append(
    Array.from({ length: count }, (_, i) => ({
      topic: 'playback-events',
      key: `k${(first + i) % 7}`,
      value: Buffer.from(`v${first + i}`),
      timestampMs: 1_000 + first + i,
      headers: { n: `${first + i}` },
    })),
  )
}

async function byKey(log: EventLog): Promise<Map<string, string[]>> {
  const keys = new Map<string, string[]>()
  for (const { topic, partition, start } of await log.bounds('playback-events')) {
    const { records } = await log.read({ topic, partition, from: start, recordsMax: 10_000, bytesMax: 1e7, waitMs: 0 })
    for (const r of records) {
      const shown = `${r.value}/${r.timestampMs}/${r.headers.n}`
      keys.set(r.key ?? '', [...(keys.get(r.key ?? '') ?? []), shown])
    }
  }
  return keys
}

test('a copy holds every record, in the order of its key, with times and headers, whatever the partition counts', async (t) => {
  const [from, to] = [await logIn(t, 4), await logIn(t, 3)]
  await fill(from, 500)
  const outcome = await copyLog(from, to, options)
  assert.deepEqual([outcome.complete, outcome.copied, outcome.before], [true, 500n, 0n])
  assert.deepEqual(await byKey(to), await byKey(from))
  assert.equal((await to.topics()).find((s) => s.topic === 'playback-events')?.partitions, 3)
})

test('called again, a copy goes on where it was and copies nothing twice', async (t) => {
  const [from, to] = [await logIn(t, 2), await logIn(t, 2)]
  await fill(from, 100)
  await copyLog(from, to, options)
  await fill(from, 50, 100)
  const again = await copyLog(from, to, options)
  assert.deepEqual([again.copied, again.before], [50n, 100n])
  assert.deepEqual(await byKey(to), await byKey(from))
})

test('a copy that is cut off says so, and the next call completes it', async (t) => {
  const [from, to] = [await logIn(t, 4), await logIn(t, 4)]
  await fill(from, 200)
  const abort = new AbortController()
  const cut = { ...options, signal: abort.signal, progress: { ...quiet, show: () => abort.abort() } }
  const first = await copyLog(from, to, cut)
  assert.equal(first.complete, false)
  assert.ok(first.copied < 200n)
  const second = await copyLog(from, to, options)
  assert.equal(first.copied + second.copied, 200n)
  assert.deepEqual(await byKey(to), await byKey(from))
})

test('a target that holds other records is refused, and so is the same log', async (t) => {
  const [from, to] = [await logIn(t, 2), await logIn(t, 2)]
  await fill(from, 5)
  await fill(to, 5)
  await assert.rejects(copyLog(from, to, options), /--append/)
  await assert.rejects(copyLog(from, from, options), /the same log/)
})

test('schema ids are translated between registries; bytes of others are left and counted', async () => {
  const codec = await createCodec()
  const ours = codec.schemaIdOf('PlaybackPaused')
  const { reframe, strangers } = reframer(new Map([[ours, 100]]), new Map([[ours, 7]]))
  const framed = Buffer.from([0, 0, 0, 0, 100, 1, 2, 3])
  assert.equal(schemaIdOf(reframe(framed)), 7)
  assert.deepEqual([...reframe(framed).subarray(5)], [1, 2, 3])
  assert.equal(schemaIdOf(framed), 100)
  assert.equal(strangers(), 0)
  const foreign = Buffer.from([0, 0, 0, 0, 101, 9])
  assert.equal(reframe(foreign), foreign)
  assert.equal(reframe(Buffer.from('text')).toString(), 'text')
  assert.equal(strangers(), 2)
})

test('the command copies folders, and stats and tail read the copy', async (t) => {
  const dir = tempFolder(t)
  const from = await openEmbeddedLog({ dir: join(dir, 'from') })
  await from.ensureTopics([{ topic: 'playback-events', partitions: 4 }])
  await fill(from, 20)
  await from.close()
  const env = { PLAYHEAD_DATA: join(dir, 'data') }
  const copied = await playhead(t, env, 'log', 'copy', join(dir, 'from'), join(dir, 'data', 'log'), '--json')
  assert.equal(copied.code, 0, copied.err)
  assert.deepEqual(JSON.parse(copied.out), { complete: true, copied: '20', before: '0', withoutKey: 0, strangers: 20 })
  const stats = await playhead(t, env, 'log', 'stats')
  assert.match(stats.out, /: 20 records/)
  const tail = await playhead(t, env, 'log', 'tail', '--from', 'start', '--no-follow', '--key', 'k3')
  assert.equal(tail.out.trim().split('\n').length, 3)
  assert.match(tail.out, /UNDECODABLE/)
})

test('the bar shows share, rate and time to go', () => {
  assert.equal(bar(50n, 200n, 1_000), `${'█'.repeat(8)}${'░'.repeat(22)} 25% 50/200, 50/s, 3 s to go`)
  assert.match(bar(0n, 0n, 0), /100%/)
})
