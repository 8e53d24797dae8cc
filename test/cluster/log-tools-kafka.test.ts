/** `playhead log copy|stats|tail` between a folder and a real Kafka, there and back. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { createCodec } from '../../schemas/index.ts'
import { playhead, tempFolder } from '../cli/playhead.ts'
import { heartbeat, idOf } from '../consumers/events.ts'
import { ownKafka } from './servers.ts'

const EVENTS = 300

test('a log is copied from a folder into Kafka and back; stats and tail read it there', async (t) => {
  const broker = await ownKafka()
  t.after(() => broker.close())
  const kafka = `kafka://${broker.host}:${broker.port}`
  const [here, back] = [join(tempFolder(t), 'log'), join(tempFolder(t), 'log')]
  const codec = await createCodec({})
  const log = await openEmbeddedLog({ dir: here })
  await log.ensureTopics([{ topic: 'playback-events', partitions: 3 }])
  await log.append(
    Array.from({ length: EVENTS }, (_, n) => {
      const profileId = `p${n % 11}`
      const value = codec.encode(heartbeat({ profileId, eventId: idOf(n), positionMs: n, atMs: 1_700_000_000_000 + n }))
      return { topic: 'playback-events', key: profileId, value, timestampMs: 1_700_000_000_000 + n }
    }),
  )
  await log.close()
  const env = { PLAYHEAD_DATA: tempFolder(t), PLAYHEAD_LOG: kafka }
  for (const [from, to] of [
    [here, kafka],
    [kafka, back],
  ] as const) {
    const copied = await playhead(t, env, 'log', 'copy', from, to, '--json')
    assert.equal(copied.code, 0, copied.err)
  }
  const stats = await playhead(t, env, 'log', 'stats')
  assert.match(stats.out, new RegExp(`\\b${EVENTS} records`), stats.err)
  const tail = await playhead(t, env, 'log', 'tail', '--from', 'start', '--no-follow', '--json')
  const keys = tail.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { key: string; timestampMs: number })
  assert.equal(keys.length, EVENTS, tail.err)
  const again = await openEmbeddedLog({ dir: back })
  t.after(() => again.close())
  let records = 0
  const last = new Map<string, number>()
  for (const { topic, partition, start } of await again.bounds('playback-events')) {
    const answer = await again.read({ topic, partition, from: start, recordsMax: 10_000, bytesMax: 1e7, waitMs: 0 })
    for (const { key, timestampMs } of answer.records) {
      records++
      assert.ok((last.get(key ?? '') ?? 0) < timestampMs, 'in the order of its key, with its time')
      last.set(key ?? '', timestampMs)
    }
  }
  assert.equal(records, EVENTS)
})
