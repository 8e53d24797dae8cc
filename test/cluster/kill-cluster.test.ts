import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { type AnalyticsProcess, startAnalyticsProcess } from '../consumers/analytics-process.ts'
import { killSuite } from '../consumers/kill-suite.ts'
import { openPlay, type Play } from '../consumers/play.ts'
import { cassandra, kafka } from './servers.ts'

/** Short, so that a dead member is missed soon. */
const SESSION_TIMEOUT_MS = 3_000

let dir: string
let analytics: AnalyticsProcess
let play: Play

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'playhead-kill-'))
  analytics = await startAnalyticsProcess(join(dir, 'analytics'))
  const [broker, store] = [await kafka(), await cassandra()]
  play = await openPlay({
    log: { brokers: [`${broker.host}:${broker.port}`], sessionTimeoutMs: SESSION_TIMEOUT_MS },
    state: { host: store.host, port: store.port, keyspace: `kill_${process.pid}` },
    analytics: analytics.access,
  })
})
after(async () => {
  await play.close()
  await analytics.stop()
  await rm(dir, { recursive: true, force: true })
})

killSuite(() => play, { stopAtRest: false, sessionTimeoutMs: SESSION_TIMEOUT_MS })
