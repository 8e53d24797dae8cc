/** Servers that go away in mid-stream: a broker that restarts, a Cassandra that is dead for twenty seconds. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type AnalyticsProcess, startAnalyticsProcess } from '../consumers/analytics-process.ts'
import { end, openPlay, type Play } from '../consumers/play.ts'
import { ownCassandra, ownKafka } from './servers.ts'

const AWAY_MS = 20_000

let dir: string
let analytics: AnalyticsProcess
let broker: Awaited<ReturnType<typeof ownKafka>>
let store: Awaited<ReturnType<typeof ownCassandra>>
let play: Play

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'playhead-away-'))
  analytics = await startAnalyticsProcess(join(dir, 'analytics'))
  ;[broker, store] = await Promise.all([ownKafka(), ownCassandra()])
  play = await openPlay({
    log: { brokers: [`${broker.host}:${broker.port}`], sessionTimeoutMs: 6_000 },
    state: { host: store.host, port: store.port, keyspace: 'away' },
    analytics: analytics.access,
  })
})
after(async () => {
  await play?.close()
  await Promise.all([broker?.close(), store?.close(), analytics?.stop()])
  await rm(dir, { recursive: true, force: true })
})

test('a broker that restarts in mid-stream: what was acknowledged is there, once in every table', async () => {
  const child = await play.start()
  await play.post(200)
  const restarting = broker.server.restart()
  const posting = Promise.all([play.post(200), play.post(200)])
  await restarting
  await posting
  await play.assertExactlyOnce()
  await end(child, 'SIGTERM')
})

test('a Cassandra that is killed and away for twenty seconds: consumers wait and go on, nothing is lost or doubled', async () => {
  const child = await play.start()
  await play.post(200)
  await store.server.kill()
  await play.post(200)
  await delay(AWAY_MS)
  assert.equal(child.exitCode, null, 'the consumers wait')
  await play.post(200)
  await store.server.restart()
  await play.assertExactlyOnce()
  await end(child, 'SIGTERM')
})

test('ClickHouse away for twenty seconds: the same', async () => {
  const child = await play.start()
  await play.post(200)
  await analytics.kill()
  await play.post(200)
  await delay(AWAY_MS)
  await play.post(200)
  await analytics.start()
  await play.assertExactlyOnce()
  await end(child, 'SIGTERM')
})
