import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { LOG_LIMITS } from '../../log/limits.ts'
import { type AnalyticsProcess, startAnalyticsProcess } from './analytics-process.ts'
import { killSuite } from './kill-suite.ts'
import { end, openPlay, type Play } from './play.ts'

let dir: string
let analytics: AnalyticsProcess
let play: Play

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'playhead-kill-'))
  analytics = await startAnalyticsProcess(join(dir, 'analytics'))
  play = await openPlay({
    log: { dir: join(dir, 'log') },
    state: { dir: join(dir, 'state') },
    analytics: analytics.access,
  })
})
after(async () => {
  await play.close()
  await analytics.stop()
  await rm(dir, { recursive: true, force: true })
})

killSuite(() => play, { stopAtRest: true, sessionTimeoutMs: LOG_LIMITS.sessionTimeoutMs })

test('the analytics process killed and away for a while: consumers wait, and nothing is lost or doubled', async () => {
  const child = await play.start()
  await play.post(100)
  await analytics.kill()
  await play.post(100)
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  await play.post(100)
  await analytics.start()
  await play.assertExactlyOnce()
  await end(child, 'SIGTERM')
})
