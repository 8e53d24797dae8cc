/** Players that tell little: of a failure before the start, of one in mid-play, and of nothing but that they started. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { inPage, until } from './players.ts'
import { LINE_BYTES_PER_SECOND, near, open, openStage, type Stage, viewOf } from './players-support.ts'

const CLIP_SECONDS = 12

test('what stock players tell of failures, and one that tells no state', async (t) => {
  const stage = await openStage(t, CLIP_SECONDS)
  if (stage === undefined) return
  await t.test('hls.js: a clip that is not there is a failure before the start, by its code', (t) =>
    neverStarts(t, stage),
  )
  await t.test('shaka: segments that are not there are a failure, of which it tells no code', (t) =>
    breaksOff(t, stage),
  )
  await t.test('a minified Shaka tells of no state: its start is known by the time it took', (t) =>
    playsStateless(t, stage),
  )
})

async function playsStateless(t: TestContext, stage: Stage): Promise<void> {
  const { server, page, sessionId, play } = await open(t, stage, 'shaka-minified')
  server.bytesPerSecond = LINE_BYTES_PER_SECOND
  await play()
  const seen = await until(page, (m) => m.positionMs > 4_000, 30_000, 'playback')
  await page.evaluate(inPage.leave)
  const { row, state } = await viewOf(stage.engine, sessionId, ({ row }) => row.startups === 1)
  near(row.startup_ms, seen.firstFrameAtMs - seen.playAtMs, 'startup')
  assert.deepEqual([row.starts, row.stalls, row.clean_ends, row.failures, state], [1, 0, 0, 0, 'playing'])
}

async function neverStarts(t: TestContext, stage: Stage): Promise<void> {
  const { server, page, sessionId, play } = await open(t, stage, 'hls.js')
  server.fault = { path: /\.m3u8$/, status: 404 }
  await play()
  const { row, state } = await viewOf(stage.engine, sessionId, ({ row }) => row.error_code !== '')
  assert.deepEqual([row.startup_failures, row.starts, row.errors, state], [1, 0, 1, 'failed'])
  assert.equal(row.error_code, 'manifestLoadError')
  await page.evaluate(inPage.leave)
}

async function breaksOff(t: TestContext, stage: Stage): Promise<void> {
  const { server, page, sessionId, play } = await open(t, stage, 'shaka')
  server.bytesPerSecond = LINE_BYTES_PER_SECOND
  await play()
  await until(page, (m) => m.positionMs > 500, 30_000, 'playback')
  server.fault = { path: /\.m4s$/, status: 404 }
  const { row, state } = await viewOf(stage.engine, sessionId, ({ row }) => row.failures === 1)
  assert.deepEqual([row.playback_failures, row.starts, row.errors, row.error_code, state], [1, 1, 1, '', 'failed'])
  await page.evaluate(inPage.leave)
}
