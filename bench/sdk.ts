/**
 * What the SDK costs a page: main thread time for a heartbeat, from the tick that makes it to the answer that confirms
 * it, with one request for each. Chromium's own account of a page's scripts, with the SDK and without, in turns; the
 * player is a stub, so that decoding is in neither. What the browser itself does for the request and for the store is
 * told beside it. Left out where there is no Chromium.
 */

import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type Browser, chromium } from 'playwright-core'
// @ts-expect-error: a build script without types
import { bundle } from '../deploy/bundle.mjs'
import { chromePath } from '../test/browser/browser.ts'
import { type BenchOptions, type Measured, median } from './bench.ts'

const ROUNDS = 3
const BEATS = 40
const WARM_BEATS = 10
/** Longer than what the SDK gathers into one request. */
const EVERY_MS = 300
const SPENT_MAX_MS = 0.5
const BYTES_MAX = 8_192

const PAGE = `<!doctype html><title>bench</title><video id="video"></video><script type="module">
import { attach } from '/playhead.js'
const video = document.getElementById('video')
let position = 0
Object.defineProperties(video, {
  paused: { get: () => false },
  duration: { get: () => 3600 },
  currentTime: { get: () => position },
  readyState: { get: () => 4 },
})
// A heartbeat a tick.
window.begin = () => attach(video, { url: location.origin, key: 'k', titleId: 't', heartbeatMs: 1 })
window.beats = async (count, everyMs) => {
  for (let i = 0; i < count; i++) {
    position += everyMs / 1000
    video.dispatchEvent(new Event('timeupdate'))
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
</script>`

export async function run({ quick }: BenchOptions): Promise<readonly Measured[]> {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-bench-sdk-'))
  try {
    await bundle(dir)
    const module = readFileSync(join(dir, 'sdk/playhead.js'))
    const bytes = gzipSync(module, { level: 9 }).length
    const size: Measured = {
      name: 'sdk: module',
      unit: 'bytes gzipped',
      ours: bytes,
      bar: { atMost: BYTES_MAX, of: 'ours' },
    }
    const executablePath = chromePath()
    if (executablePath === undefined) {
      console.log('  sdk: no Chromium to measure heartbeats in; name one in CHROME_PATH')
      return [size]
    }
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
    try {
      return [await heartbeats(browser, module, quick), size]
    } finally {
      await browser.close()
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

interface Spent {
  readonly scriptMs: number
  readonly taskMs: number
}

async function heartbeats(browser: Browser, module: Buffer, quick: boolean): Promise<Measured> {
  const served = await serve(module)
  const beats = quick ? 3 : BEATS
  const costs: Spent[] = []
  let told = 0
  for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
    let before = 0
    const bare = await spent(browser, served.url, beats, false, () => undefined)
    const ours = await spent(browser, served.url, beats, true, () => {
      before = served.beats()
    })
    told = served.beats() - before
    costs.push({ scriptMs: (ours.scriptMs - bare.scriptMs) / told, taskMs: (ours.taskMs - bare.taskMs) / told })
  }
  await served.close()
  return {
    name: 'sdk: main thread for a heartbeat',
    unit: 'ms',
    ours: median(costs.map(({ scriptMs }) => scriptMs)),
    bar: { atMost: SPENT_MAX_MS, of: 'ours' },
    note: `${median(costs.map(({ taskMs }) => taskMs)).toFixed(2)} ms with the browser's own work for request and store`,
  }
}

async function spent(browser: Browser, url: string, beats: number, withSdk: boolean, begun: () => void) {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(url)
  await page.waitForFunction('window.beats')
  const session = await context.newCDPSession(page)
  // Time of the processor and not of the wall: others may want it too.
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  const now = async (): Promise<Spent> => {
    const { metrics } = await session.send('Performance.getMetrics')
    const msOf = (wanted: string) => metrics.find(({ name }) => name === wanted)!.value * 1_000
    return { scriptMs: msOf('ScriptDuration'), taskMs: msOf('TaskDuration') }
  }
  if (withSdk) await page.evaluate('void begin()')
  // What is compiled and opened once is no heartbeat's.
  await page.evaluate(`beats(${WARM_BEATS}, ${EVERY_MS})`)
  const before = await now()
  begun()
  await page.evaluate(`beats(${beats}, ${EVERY_MS})`)
  const after = await now()
  await context.close()
  return { scriptMs: after.scriptMs - before.scriptMs, taskMs: after.taskMs - before.taskMs }
}

/** The page, the module, and a service that takes everything. */
async function serve(module: Buffer) {
  let beats = 0
  const server = createServer(async (request, response) => {
    if (request.url === '/playhead.js') return response.setHeader('content-type', 'text/javascript').end(module)
    if (request.method !== 'POST') return response.setHeader('content-type', 'text/html').end(PAGE)
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const { events } = JSON.parse(body) as { events: { type: string }[] }
    beats += events.filter(({ type }) => type === 'Heartbeat').length
    return response.writeHead(202).end(JSON.stringify({ accepted: events.length, rejected: 0, results: [] }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    beats: () => beats,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
