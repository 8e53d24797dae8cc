/**
 * Request mode: players that send CMCD with their media requests, where the server of the media writes it into its access
 * log, and `playhead ingest cmcd-log` reads that. hls.js as it is by default (v1 in the query), dash.js with headers,
 * and a video element.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { openContext } from './browser.ts'
import type { Engine } from './engine.ts'
import { type MediaServer, startMediaServer } from './media-server.ts'
import { inPage, type PlayerName, playWith, until } from './players.ts'
import { ingestLog, openStage } from './players-support.ts'

const CLIP_SECONDS = 6

interface Line {
  readonly session_id: string
  readonly title_id: string
  readonly object_type: string
  readonly status: number
  readonly bytes: string
  readonly bitrate_kbps: number
  readonly url: string
}

test('what players send with media requests comes from access logs to cdn_requests', {
  concurrency: true,
}, async (t) => {
  const stage = await openStage(t, CLIP_SECONDS)
  if (stage === undefined) return
  const { engine, browser, clip } = stage
  const query = t.test('hls.js in the query, from a log in the combined format', async (t) => {
    const server = await startMediaServer(t, clip)
    await plays(t, browser, server, 'hls.js, request mode', 'sid-in-query')
    await arrives(engine, server, join(clip, '..', 'access.log'), server.combinedLog(), 'sid-in-query')
  })
  const headers = t.test('dash.js in headers, from a log in JSON', async (t) => {
    const server = await startMediaServer(t, clip)
    await plays(t, browser, server, 'dash.js, request mode', 'sid-in-headers')
    assert.ok(server.served.every(({ url }) => !url.includes('CMCD=')))
    await arrives(engine, server, join(clip, '..', 'access.ndjson'), server.jsonLog(), 'sid-in-headers')
  })
  const plain = t.test('a plain video element, whose address the page has given what it knows', async (t) => {
    const server = await startMediaServer(t, clip)
    const parts = readdirSync(clip).filter((file) => /^(init-2\.mp4|2-\d+\.m4s)$/.test(file))
    // The first part of it first, then the segments by their numbers.
    const whole = parts.sort((a, b) => Number(b.startsWith('init')) - Number(a.startsWith('init')) || (a < b ? -1 : 1))
    writeFileSync(join(clip, 'whole.mp4'), Buffer.concat(whole.map((file) => readFileSync(join(clip, file)))))
    await plays(t, browser, server, 'video element', 'sid-of-video')
    const path = join(clip, '..', 'plain.log')
    writeFileSync(path, server.combinedLog())
    await ingestLog(engine, path)
    const [row] = await rowsOf(engine, 'sid-of-video', 1)
    assert.deepEqual([row?.title_id, row?.url, row?.status], ['film-1', '/clip/whole.mp4', 200])
  })
  await Promise.all([query, headers, plain])
})

async function plays(
  t: TestContext,
  browser: Browser,
  server: MediaServer,
  name: PlayerName,
  sid: string,
): Promise<void> {
  const page = await (await openContext(t, browser)).newPage()
  await playWith(page, server, name, { sessionId: sid, titleId: 'film-1' })
  await until(page, (m) => m.endedAtMs > 0, 30_000, 'end')
  await page.evaluate(inPage.leave)
}

async function arrives(engine: Engine, server: MediaServer, path: string, log: string, sid: string): Promise<void> {
  writeFileSync(path, log)
  const outcome = await ingestLog(engine, path)
  const rows = await rowsOf(engine, sid, server.served.length)
  assert.equal(rows.length, server.served.length, JSON.stringify(outcome))
  assert.ok(rows.every((row) => row.title_id === 'film-1' && row.status === 200 && !row.url.includes('?')))
  const bytes = server.served.reduce((sum, line) => sum + line.bytes, 0)
  assert.equal(
    rows.reduce((sum, row) => sum + Number(row.bytes), 0),
    bytes,
  )
  const video = rows.filter((row) => row.object_type === 'v')
  assert.ok(video.length >= CLIP_SECONDS / 2)
  assert.ok(
    video.every((row) => row.bitrate_kbps >= 300),
    JSON.stringify(video),
  )
}

/** Once they are there; the consumers need a moment. */
async function rowsOf(engine: Engine, sid: string, wanted: number): Promise<readonly Line[]> {
  const endMs = Date.now() + 30_000
  for (;;) {
    const rows = await engine.query<Line>(`SELECT * FROM playhead.cdn_requests WHERE session_id = '${sid}'`)
    if (rows.length >= wanted || Date.now() > endMs) return rows
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
