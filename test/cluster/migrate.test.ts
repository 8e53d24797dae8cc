/** `playhead migrate` on real servers: from one machine to Kafka and Cassandra, and back, while viewers post. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import type { EventLog } from '../../log/log.ts'
import { createCodec } from '../../schemas/index.ts'
import {
  allOnce,
  migrate,
  migrateUntil,
  pausedMs,
  settingsBeside,
  startEngine,
  startWriter,
  urlOf,
} from '../cli/migrate-suite.ts'
import { start } from '../cli/playhead.ts'
import { cassandra, ownKafka } from './servers.ts'

/** What is promised. */
const PAUSE_MAX_MS = 30_000

test('an engine goes to Kafka and Cassandra under load, killed on the way, and back to a folder: nothing acknowledged is lost', async (t) => {
  const [broker, store] = await Promise.all([ownKafka(), cassandra()])
  t.after(() => Promise.all([broker.close(), store.close()]))
  const old = await startEngine(t)
  const cluster = settingsBeside(t, old, {
    PLAYHEAD_LOG: `kafka://${broker.host}:${broker.port}`,
    PLAYHEAD_STORE: `cassandra://${store.host}:${store.port}/migrate_${process.pid}`,
  })
  let there: string | undefined
  const writer = startWriter(t, old, [() => old.api, () => there])
  await writer.atLeast(200)
  await migrateUntil(t, old.env, cluster.file, /^fold: /)
  const api = start(t, cluster.env, 'api')
  there = await urlOf(api, 'api')
  const went = await migrate(t, old.env, cluster.file)
  assert.equal(went.code, 0, went.out + went.err)
  assert.match(went.out, /✓ progress: the same, [1-9]/)
  assert.ok(pausedMs(went.out) < PAUSE_MAX_MS, went.out)
  t.diagnostic(`longest time between two acknowledgements: ${writer.longestGapMs()} ms`)
  const consumers = start(t, cluster.env, 'consumers')
  await consumers.line((l) => l.includes('"msg":"ready"'), 'consumers')
  await writer.atLeast(50)
  await allOnce(old, writer)

  const folder = settingsBeside(t, old, {})
  const back = await migrate(t, cluster.env, folder.file)
  assert.equal(back.code, 0, back.out + back.err)
  assert.match(back.out, /✓ progress: the same, [1-9]/)
  assert.ok(pausedMs(back.out) < PAUSE_MAX_MS, back.out)
  await writer.stop()
  const log = await openEmbeddedLog({ dir: join(folder.env.PLAYHEAD_DATA!, 'log') })
  t.after(() => log.close())
  const held = await idsIn(log)
  const lost = [...writer.acknowledged].filter((id) => !held.has(id))
  assert.deepEqual(lost, [])
})

async function idsIn(log: EventLog): Promise<ReadonlySet<string>> {
  const codec = await createCodec({})
  const ids = new Set<string>()
  for (const { topic, partition, start: from, end } of await log.bounds('playback-events')) {
    for (let at = from; at < end; ) {
      const answer = await log.read({ topic, partition, from: at, recordsMax: 2_000, bytesMax: 1e7, waitMs: 0 })
      for (const { value } of answer.records) {
        const decoded = codec.decode(value)
        if (decoded.ok) ids.add(decoded.event.meta.eventId)
      }
      at = answer.next
    }
  }
  return ids
}
