/** What the tests of players share: one clip for all of them, sessions as a customer's backend opens them, and the view. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Browser } from 'playwright-core'
import { findFfmpeg, makeClip } from '../../cli/demo/clip.ts'
import { openBrowser, openContext } from './browser.ts'
import { type Engine, startEngine } from './engine.ts'
import { startMediaServer } from './media-server.ts'
import { type PlayerName, playWith, type Wish } from './players.ts'

/** Enough for the middle rendition and not for the largest with its audio. */
export const LINE_BYTES_PER_SECOND = 250_000
/**
 * The player reports the moment of a media event; the page sees the next frame that is drawn. Between them lie a frame,
 * and on a busy machine the page's turn. On an idle one they differ by 15 ms.
 */
const CLOSE_MS = 400
const TOLERATED = [/Possible encoding problem detected/, /status of 404/, /failed fetch and append/]

export interface Stage {
  readonly engine: Engine
  readonly browser: Browser
  readonly clip: string
}

const POLL_MS = 200
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** Undefined, with the test marked as skipped, where there is no browser or nothing to make the clip with. */
export async function openStage(t: TestContext, clipSeconds: number): Promise<Stage | undefined> {
  const browser = await openBrowser(t)
  const clip = browser && (await clipOf(t, clipSeconds))
  if (browser === undefined || clip === undefined) return undefined
  return { browser, clip, engine: await startEngine(t) }
}

/** A page for the player, a line of its own, and a session as a customer's backend opens it. */
export async function open(t: TestContext, { engine, browser, clip }: Stage, name: PlayerName) {
  const server = await startMediaServer(t, clip)
  const context = await openContext(t, browser, { tolerate: TOLERATED })
  const page = await context.newPage()
  const wish = await openSession(engine, `viewer of ${name}`, 'film-1')
  const play = () => playWith(page, server, name, wish)
  return { server, page, sessionId: wish.sessionId, play }
}

/** Undefined, with the test marked as skipped, where no ffmpeg can make it. */
export async function clipOf(t: TestContext, seconds: number): Promise<string | undefined> {
  const ffmpeg = await findFfmpeg(process.env)
  if (ffmpeg === undefined) {
    t.skip('no ffmpeg to make the clip: name one in FFMPEG_PATH')
    return undefined
  }
  const folder = mkdtempSync(join(tmpdir(), 'playhead-clip-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return (await makeClip({ ffmpeg, dir: join(folder, 'clip'), seconds })).dir
}

export async function openSession(engine: Engine, profile: string, titleId: string): Promise<Wish> {
  const token = await engine.token(profile)
  const answer = await fetch(`${engine.api}/v1/playback/start`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    // The player tells of its start itself.
    body: JSON.stringify({ titleId, deviceId: `device of ${profile}`, events: 'sdk' }),
  })
  const body = (await answer.json()) as { sessionId: string; playbackToken: string }
  if (answer.status !== 201) throw new Error(`no session: ${answer.status} ${JSON.stringify(body)}`)
  return { sessionId: body.sessionId, titleId, collector: `${engine.api}/v1/cmcd/${body.playbackToken}` }
}

export type Row = Readonly<Record<string, number | string>>

export interface StoredView {
  readonly state: string
  readonly row: Row
  readonly explanation: { readonly differences: readonly unknown[]; readonly behind: string | null } | null
}

export interface Story {
  readonly views: readonly StoredView[]
  readonly events: readonly { readonly type: string; readonly fields: Readonly<Record<string, unknown>> }[]
}

/** The one view of a session, once it is as it should be. */
export async function viewOf(
  engine: Engine,
  sessionId: string,
  ready: (view: StoredView) => boolean,
  timeoutMs = 30_000,
): Promise<StoredView & { readonly story: Story }> {
  const endMs = Date.now() + timeoutMs
  for (;;) {
    const answer = await fetch(`${engine.api}/v1/qoe/views/${sessionId}`, {
      headers: { 'x-playhead-key': engine.keys.data },
    })
    const story = (await answer.json()) as Story
    const [view, ...others] = answer.ok ? story.views : []
    if (view !== undefined && others.length === 0 && ready(view)) return { ...view, story }
    if (Date.now() > endMs) {
      throw new Error(
        `the view of ${sessionId} is not as it should be: ${answer.status} ${JSON.stringify(story.views ?? story)}`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** Reads an access log into the engine, as an operator would; answers what the command says of it. */
export async function ingestLog(engine: Engine, path: string): Promise<Readonly<Record<string, unknown>>> {
  const env = { ...process.env, PLAYHEAD_DATA: engine.data }
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'ingest', 'cmcd-log', path, '--json'], { env })
  return JSON.parse(stdout) as Readonly<Record<string, unknown>>
}

/** Milliseconds. */
export function near(value: number | string | undefined, wanted: number, what: string): void {
  const off = Math.abs(Number(value) - wanted)
  assert.ok(off <= CLOSE_MS, `${what}: ${value} ms, and the page saw ${Math.round(wanted)} ms`)
}
