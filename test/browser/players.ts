/**
 * Pages that play a clip with a player as npm has it, and measure on their own clock what they see: the truth that the
 * engine's numbers are held against. The code that makes and configures a player is the one that docs/players.md shows.
 */
import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import type { MediaServer } from './media-server.ts'

/** Shorter ones are how a browser counts time. */
const STALL_MIN_MS = 150

/** Shaka's minified files lose the state of the player when they are built; its debug files don't. */
export type PlayerName = keyof typeof PLAYERS

interface HowTo {
  /** The heading in docs/players.md whose first piece of code makes the player. */
  readonly heading: string
  readonly script?: string
  /** Small buffers, so that a line that is cut is felt soon; and where a fatal error is told. */
  readonly prepare: string
}

const HLS = `player.config.maxBufferLength = player.config.maxMaxBufferLength = 3
player.on(Hls.Events.ERROR, (_, data) => data.fatal && onError(data.details))`
const DASH = `const least = { bufferTimeDefault: 3, bufferTimeAtTopQuality: 3, bufferTimeAtTopQualityLongForm: 3 }
player.updateSettings({ streaming: { buffer: least } })
player.on('error', ({ error }) => onError(error.code))`
const SHAKA = `player.configure({ streaming: { bufferingGoal: 3 } })
player.addEventListener('error', ({ detail }) => onError(detail))`
const SHAKA_FILES = '/modules/shaka-player/dist/shaka-player.compiled'

const PLAYERS = {
  'hls.js': { heading: '## hls.js', script: '/modules/hls.js/dist/hls.min.js', prepare: HLS },
  'dash.js': { heading: '## dash.js', script: '/modules/dashjs/dist/modern/umd/dash.all.min.js', prepare: DASH },
  shaka: { heading: '## Shaka Player', script: `${SHAKA_FILES}.debug.js`, prepare: SHAKA },
  'shaka-minified': { heading: '## Shaka Player', script: `${SHAKA_FILES}.js`, prepare: SHAKA },
  'hls.js, request mode': {
    heading: '### hls.js, in the query',
    script: '/modules/hls.js/dist/hls.min.js',
    prepare: HLS,
  },
  'dash.js, request mode': {
    heading: '### dash.js, in headers',
    script: '/modules/dashjs/dist/modern/umd/dash.all.min.js',
    prepare: DASH,
  },
  'video element': { heading: '### A plain video element', prepare: '' },
} as const satisfies Readonly<Record<string, HowTo>>

/** What the page saw; milliseconds of Date.now(), taken from performance.now(). */
export interface Measured {
  readonly playAtMs: number
  readonly firstFrameAtMs: number
  /** The position stood, after the first frame, and neither a seek nor a pause was why. */
  readonly stalls: readonly { readonly fromMs: number; readonly toMs: number }[]
  /** 0: it does not stall now. */
  readonly stallingSinceMs: number
  readonly seeks: readonly { readonly fromMs: number; readonly toMs: number }[]
  readonly pauses: readonly { readonly fromMs: number; readonly toMs: number }[]
  /** Heights of the picture, in the order in which they were seen. */
  readonly heights: readonly number[]
  readonly endedAtMs: number
  readonly positionMs: number
  /** Of the video element, to see why it stands. */
  readonly element: string
  readonly error: string
}

export interface Wish {
  readonly sessionId: string
  readonly titleId: string
  /** Where reports go; none in request mode. */
  readonly collector?: string
}

export async function playWith(page: Page, server: MediaServer, name: PlayerName, wish: Wish): Promise<void> {
  server.addPage('play.html', html(PLAYERS[name]))
  await page.goto(`${server.url}/play.html`)
  const given = { ...wish, media: `${server.url}/clip`, and: wish.collector?.includes('?') ? '&' : '?' }
  await page.evaluate((g) => (globalThis as unknown as PageWindow).play(g), given)
}

export interface PageWindow {
  play(given: Readonly<Record<string, unknown>>): Promise<void>
  readonly measured: Measured
  leave(): unknown
  readonly player: unknown
  readonly video: { currentTime: number; pause(): void; play(): unknown }
}

/** What a test does in the page; each runs there, with the page's own `window`. */
export const inPage = {
  pause: () => (globalThis as unknown as PageWindow).video.pause(),
  resume: async () => {
    await (globalThis as unknown as PageWindow).video.play()
  },
  seek: (seconds: number) => {
    ;(globalThis as unknown as PageWindow).video.currentTime = seconds
  },
  leave: async () => {
    await (globalThis as unknown as PageWindow).leave()
  },
}

export function measured(page: Page): Promise<Measured> {
  return page.evaluate(() => (globalThis as unknown as PageWindow).measured)
}

/** Waits until what the page measured is as it should be. */
export async function until(
  page: Page,
  what: (m: Measured) => boolean,
  timeoutMs: number,
  words: string,
): Promise<Measured> {
  const endMs = Date.now() + timeoutMs
  for (;;) {
    const seen = await measured(page)
    if (seen.error !== '') throw new Error(`the player failed: ${seen.error}`)
    if (what(seen)) return seen
    if (Date.now() > endMs) throw new Error(`no ${words} within ${timeoutMs} ms: ${JSON.stringify(seen)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function codeUnder(heading: string): string {
  const page = readFileSync(new URL('../../docs/players.md', import.meta.url), 'utf8')
  const from = page.indexOf(`\n${heading}\n`)
  const code = /```js\n(.*?)```/s.exec(page.slice(from))?.[1]
  if (from < 0 || code === undefined) throw new Error(`docs/players.md shows no code under "${heading}"`)
  return code
}

function html({ heading, script, prepare }: HowTo): string {
  return `<!doctype html><meta charset="utf-8"><title>${heading}</title>
<video id="video" muted playsinline width="854" height="480"></video>
${script === undefined ? '' : `<script src="${script}"></script>`}
<script>
const video = document.getElementById('video')
const now = () => performance.timeOrigin + performance.now()
const open = { stall: 0, seek: 0, pause: 0 }
const measured = { playAtMs: 0, firstFrameAtMs: 0, stalls: [], seeks: [], pauses: [], heights: [], endedAtMs: 0, error: '',
  get stallingSinceMs() { return open.stall },
  get element() {
    const { paused, seeking, readyState, playbackRate } = video
    return JSON.stringify({ paused, seeking, readyState, playbackRate })
  },
  get positionMs() { return video.currentTime * 1000 } }
const fail = (text) => { measured.error ||= text }
const close = (what, list) => { if (open[what] > 0) list.push({ fromMs: open[what], toMs: now() }); open[what] = 0 }
video.addEventListener('seeking', () => { if (measured.firstFrameAtMs > 0) open.seek ||= now() })
video.addEventListener('pause', () => { if (!video.ended) { close('stall', measured.stalls); open.pause = now() } })
video.addEventListener('play', () => { close('pause', measured.pauses); movedAt = now() })
video.addEventListener('ended', () => { measured.endedAtMs ||= now(); close('stall', measured.stalls); close('seek', measured.seeks) })
// Whether it moves is seen by the position alone: players that stall by a speed of 0 tell the page nothing.
let [position, movedAt] = [0, 0]
const look = () => {
  const idle = video.paused || video.ended || video.seeking || measured.firstFrameAtMs === 0
  if (idle) movedAt = now()
  else if (video.currentTime !== position) {
    close('stall', measured.stalls)
    close('seek', measured.seeks)
    movedAt = now()
  } else if (open.stall === 0 && open.seek === 0 && now() - movedAt > ${STALL_MIN_MS}) open.stall = movedAt
  position = video.currentTime
  requestAnimationFrame(look)
}
look()
const frame = (_, { height }) => {
  measured.firstFrameAtMs ||= now()
  if (measured.heights.at(-1) !== height) measured.heights.push(height)
  video.requestVideoFrameCallback(frame)
}
video.requestVideoFrameCallback(frame)
const onError = (error) => fail(String(error?.code ?? error))
const start = async ({ collector, and, sessionId, titleId, media }) => {
${codeUnder(heading)}
${prepare}
return player
}
window.measured = measured
window.video = video
window.play = async (given) => {
  const player = await start(given)
  window.leave = () => player.destroy?.()
  measured.playAtMs = now()
  video.play().catch((error) => { if (error.name !== 'AbortError') fail(error.message) })
}
</script>`
}
