/** A page that plays a clip with the SDK attached, and what the engine made of it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { findFfmpeg, makeClip } from '../../cli/demo/clip.ts'
import type { PlayheadOptions, PlayheadSession, RemoteProgress, SdkProblem } from '../../sdk/types.ts'
import type { Engine } from './engine.ts'
import { type MediaServer, startMediaServer } from './media-server.ts'

export type SdkPlayer = 'hls.js' | 'dash.js' | 'shaka'

const SDK = new URL('../../dist/sdk/playhead.js', import.meta.url)
const POLL_MS = 100

const SCRIPTS: Readonly<Record<SdkPlayer, string>> = {
  'hls.js': '/modules/hls.js/dist/hls.min.js',
  'dash.js': '/modules/dashjs/dist/modern/umd/dash.all.min.js',
  shaka: '/modules/shaka-player/dist/shaka-player.compiled.js',
}

/** Each gives the player's instance to `attached`, and only then its media, as an application would. */
const STARTS: Readonly<Record<SdkPlayer, string>> = {
  'hls.js': `async (video, media, attached) => {
    const player = new Hls({ startLevel: 0, capLevelToPlayerSize: false })
    attached(player)
    player.attachMedia(video)
    player.loadSource(media + 'master.m3u8')
  }`,
  'dash.js': `async (video, media, attached) => {
    const player = dashjs.MediaPlayer().create()
    attached(player)
    // The element lets go of what it was asked before it was given its source.
    const loads = new Promise((resolve) => video.addEventListener('loadstart', resolve, { once: true }))
    player.initialize(video, media + 'manifest.mpd', false)
    await loads
  }`,
  shaka: `async (video, media, attached) => {
    shaka.polyfill.installAll()
    const player = new shaka.Player()
    await player.attach(video)
    attached(player)
    await player.load(media + 'manifest.mpd')
  }`,
}

/** What crosses into the page: no functions. `remote` makes it listen to other devices. */
export type SdkOptions = Omit<PlayheadOptions, 'onProblem' | 'onRemoteProgress' | 'player'> & { remote?: boolean }

export interface SdkWindow {
  watch(options: SdkOptions): Promise<void>
  readonly session: PlayheadSession
  readonly video: { currentTime: number; playbackRate: number; play(): Promise<void>; pause(): void }
  readonly problems: SdkProblem[]
  readonly remote: RemoteProgress[]
  readonly resumedAt: number
}

/** A media server with the clip, or undefined with the test skipped where there is no ffmpeg. */
export async function clipServer(t: TestContext, seconds = 60): Promise<MediaServer | undefined> {
  const ffmpeg = await findFfmpeg(process.env)
  if (ffmpeg === undefined) {
    t.skip('no ffmpeg: name one in FFMPEG_PATH')
    return undefined
  }
  const dir = mkdtempSync(join(tmpdir(), 'playhead-sdk-clip-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  await makeClip({ ffmpeg, dir: join(dir, 'clip'), seconds })
  return await startMediaServer(t, join(dir, 'clip'))
}

/** Opens the page and lets it watch. */
export async function watch(
  context: BrowserContext,
  server: MediaServer,
  player: SdkPlayer,
  options: SdkOptions,
): Promise<Page> {
  const page = await openPage(context, server, player)
  await page.evaluate((given) => (globalThis as unknown as SdkWindow).watch(given), options)
  return page
}

export async function openPage(context: BrowserContext, server: MediaServer, player: SdkPlayer): Promise<Page> {
  server.addPage(`sdk-${player}.html`, await html(player))
  const page = await context.newPage()
  await page.goto(`${server.url}/sdk-${player}.html`)
  await page.waitForFunction(() => 'watch' in globalThis)
  return page
}

async function html(player: SdkPlayer): Promise<string> {
  const sdk = (await readFile(SDK)).toString('base64')
  return `<!doctype html><meta charset="utf-8"><title>SDK with ${player}</title>
<video id="video" muted playsinline width="854" height="480"></video>
<script src="${SCRIPTS[player]}"></script>
<script type="module">
import { attach } from 'data:text/javascript;base64,${sdk}'
const start = ${STARTS[player]}
window.video = document.getElementById('video')
window.attach = attach
window.problems = []
const seen = { playAt: 0, frameAt: 0, waitedAt: 0, wentOnAt: 0, endedAt: 0 }
window.seen = seen
video.requestVideoFrameCallback((now) => { seen.frameAt = now })
video.addEventListener('waiting', () => { if (seen.frameAt > 0 && !video.seeking) seen.waitedAt ||= performance.now() })
video.addEventListener('playing', () => { if (seen.waitedAt > 0) seen.wentOnAt ||= performance.now() })
video.addEventListener('ended', () => { seen.endedAt ||= performance.now() })
window.remote = []
window.watch = async (options) => {
  await start(video, location.origin + '/clip/', (player) => {
    window.player = player
    window.session = attach(video, {
      ...options,
      player,
      onProblem: (problem) => problems.push(problem),
      ...(options.remote && { onRemoteProgress: (progress) => remote.push(progress) }),
    })
  })
  window.resumedAt = (await session.ready).resumePositionMs
  seen.playAt = performance.now()
  await video.play()
}
</script>`
}

/** Waits until the player stands at or behind a position. */
export async function playedTo(page: Page, positionMs: number, timeoutMs = 30_000): Promise<void> {
  await page.waitForFunction((ms) => (globalThis as unknown as SdkWindow).video.currentTime * 1_000 >= ms, positionMs, {
    timeout: timeoutMs,
  })
}

/** Waits until the service has confirmed everything. */
export async function confirmed(page: Page, timeoutMs = 30_000): Promise<void> {
  await page.waitForFunction(() => (globalThis as unknown as SdkWindow).session.pending().queued === 0, undefined, {
    timeout: timeoutMs,
  })
}

export function sessionIdOf(page: Page): Promise<string> {
  return page.evaluate(() => (globalThis as unknown as SdkWindow).session.sessionId)
}

export function positionOf(page: Page): Promise<number> {
  return page.evaluate(() => (globalThis as unknown as SdkWindow).video.currentTime * 1_000)
}

/** Every event of the session that counts, in the player's order. */
export async function eventsOf(engine: Engine, sessionId: string): Promise<readonly Said[]> {
  const rows = await engine.query<{ type: string; said: string; at: string }>(
    `SELECT type, payload AS said, toUnixTimestamp64Milli(occurred_at) AS at FROM playhead.events
     WHERE session_id = '${sessionId}' AND fate = 'folded' AND topic = 'playback-events'`,
  )
  return rows
    .map(({ type, said, at }) => ({ ...(JSON.parse(said) as Said), type, at: Number(at) }))
    .sort((a, b) => a.sequence - b.sequence)
}

export interface Said {
  readonly type: string
  readonly at: number
  readonly sequence: number
  readonly positionMs: number
  readonly [field: string]: unknown
}

export async function eventually<T>(
  ask: () => Promise<T>,
  fits: (value: T) => boolean,
  words: string,
  timeoutMs = 20_000,
): Promise<T> {
  const endMs = Date.now() + timeoutMs
  for (;;) {
    const value = await ask()
    if (fits(value)) return value
    if (Date.now() > endMs) throw new Error(`no ${words} within ${timeoutMs} ms: ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

type ViewRow = Readonly<Record<string, number | string>>

/** The row of the only view of a session, once it is over. */
export async function viewOf(engine: Engine, sessionId: string): Promise<ViewRow> {
  const sql = `SELECT * FROM playhead.qoe_views WHERE session_id = '${sessionId}'`
  const rows = await eventually(
    () => engine.query<ViewRow>(sql),
    (all) => all.length > 0 && all.every((view) => view.ended === 1),
    'view that is over',
  )
  assert.equal(rows.length, 1, 'views of the session')
  return rows[0]!
}

/** Every sequence from 0 on, each once; none is missing and none is there twice. */
export function assertWhole(events: readonly Said[]): void {
  assert.deepEqual(
    events.map(({ sequence }) => sequence),
    events.map((_, i) => i),
  )
}

/** Waits for the end of a session in the tables; all its events are there then. */
export async function ended(engine: Engine, sessionId: string): Promise<readonly Said[]> {
  return await eventually(
    () => eventsOf(engine, sessionId),
    (events) => events.some(({ type }) => type === 'PlaybackEnded'),
    'end of the session',
  )
}
