/** `playhead demo`: an engine, an audience that is made up, a page to look at it and a player to take part in it. */
import { resolve } from 'node:path'
import { type Args, UsageError } from '../args.ts'
import type { Command, Io } from '../command.ts'
import { loadConfig } from '../config.ts'
import { demoAudience, liveDemoAudience, writeDemoHistory } from '../demo/audience.ts'
import { makeClip, searchFfmpeg } from '../demo/clip.ts'
import { startDemoEngine } from '../demo/engine.ts'
import { keepDemoNote, openDemoFolder, planned } from '../demo/folder.ts'
import { DEMO_LIMITS } from '../demo/limits.ts'
import { canOpenBrowser, openBrowser } from '../demo/open-browser.ts'
import { demoToken } from '../demo/token.ts'
import { dashboardText, demoUrls, playerText } from '../demo/words.ts'
import { foldersOf } from '../engines.ts'
import { keysPath, readKeyFile } from '../keys.ts'
import { lockDataFolder } from '../lock.ts'
import type { Config } from '../settings.ts'

const FOLDER = './data-demo'

export const demo: Command = {
  name: 'demo',
  about: `Starts everything in a folder of its own (${FOLDER}, or PLAYHEAD_DATA), with an hour of an audience that is made
up and goes on live, and shows where to look: a dashboard, and a player whose second device resumes where the first one
is. Twice in the hour a CDN goes bad. The player needs a clip, which an ffmpeg makes once; without one the rest runs.
Ctrl-C ends it; the next start goes on where this one ended.`,
  flags: [
    { name: 'views', value: 'N', help: `Views that begin in an hour [${DEMO_LIMITS.viewsAnHour}]` },
    { name: 'seed', value: 'TEXT', help: 'Another audience; the same text gives the same one [demo]' },
    { name: 'no-open', help: 'Open no browser.' },
  ],
  examples: ['playhead demo', 'PLAYHEAD_PORT=9000 playhead demo --views 20000 --no-open'],
  run: runDemo,
}

async function runDemo(args: Args, io: Io): Promise<number> {
  const views = args.integer('views', DEMO_LIMITS.viewsAnHour)
  if (views < 1 || views > DEMO_LIMITS.viewsAnHourMax) {
    throw new UsageError(`--views: 1 to ${DEMO_LIMITS.viewsAnHourMax}.`, 'demo')
  }
  const env = { ...io.env, PLAYHEAD_DATA: resolve(io.env.PLAYHEAD_DATA ?? FOLDER) }
  // The roles are processes of their own, and are told by it.
  process.env.PLAYHEAD_DATA = env.PLAYHEAD_DATA
  const { config } = loadConfig(env)
  const { data } = foldersOf(config)
  const noted = openDemoFolder(data)
  io.out(`\n  Playhead demo\n\n  data       ${data}\n`)
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.abort())
  const { signal } = ending

  const nowMs = Date.now()
  const note = planned(noted, args.value('seed') ?? 'demo', views, nowMs)
  const { audience, nextFault } = demoAudience(note, nowMs)
  // In use by another: `up` says so, with a remedy, and nothing is written before.
  if (!(await isInUse(data))) await history(io, config, { audience, untilMs: nowMs, signal })
  if (signal.aborted) return 130

  const clip = clipFor(io, config, signal)
  const engine = startDemoEngine(args, { ...io, env }, (line) => io.err(`  engine     ${line}\n`))
  const url = await engine.ready
  if (url === undefined) return await engine.over
  // Ctrl-C before `up` listened for it.
  if (signal.aborted) process.kill(process.pid, 'SIGTERM')
  const keys = readKeyFile(keysPath(config))
  const token = demoToken(config, 'you', Date.now())
  const urls = demoUrls(url, keys, token)
  io.out(dashboardText(urls, keysPath(config), nextFault))
  openPage(args, io, urls.dashboard)

  const save = (reachedMs: number) => keepDemoNote(data, { ...note, reachedMs })
  save(nowMs)
  const show = liveLine(io)
  const live = liveDemoAudience({
    audience,
    url,
    key: keys.publishable,
    signal,
    onProgress: (counts) => {
      save(counts.reachedMs)
      show(audience.watching, counts.accepted)
    },
  }).catch((error: unknown) => {
    if (!signal.aborted) io.err(`\n  audience   ended: ${error instanceof Error ? error.message : String(error)}\n`)
  })
  const made = await Promise.race([clip, engine.over.then(() => false)])
  if (!signal.aborted) {
    io.out(playerText(urls, made))
    if (made && urls.player !== undefined) openPage(args, io, urls.player)
  }
  const code = await engine.over
  ending.abort()
  await live
  io.out('\n')
  return code
}

async function isInUse(data: string): Promise<boolean> {
  const lock = await lockDataFolder(data, Date.now)
  if (lock.ok) await lock.release()
  return !lock.ok
}

type Wanted = Pick<Parameters<typeof writeDemoHistory>[0], 'audience' | 'untilMs' | 'signal'>

async function history(io: Io, config: Config, wanted: Wanted): Promise<void> {
  const begun = performance.now()
  const events = await writeDemoHistory({
    ...wanted,
    config,
    onProgress: (count) => {
      if (io.tty) io.err(`\r\u001b[K  audience   ${count} events of history`)
    },
  })
  if (io.tty) io.err('\r\u001b[K')
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1)
  io.out(`  audience   ${events.toLocaleString('en')} events of history, written in ${seconds} s\n`)
}

/** Whether there is a clip to play. That there is none ends nothing. */
async function clipFor(io: Io, config: Config, signal: AbortSignal): Promise<boolean> {
  const { ffmpeg, refused } = await searchFfmpeg(io.env as NodeJS.ProcessEnv)
  if (ffmpeg === undefined) {
    const why = refused.map(({ path, missing }) => `; ${path}: ${missing}`).join('')
    io.out(`  player     left out: no ffmpeg to make a clip with (set FFMPEG_PATH)${why}\n`)
    return false
  }
  try {
    const { media: dir } = foldersOf(config)
    const begun = performance.now()
    const { cached } = await makeClip({ ffmpeg, dir, seconds: DEMO_LIMITS.clipSeconds, signal })
    const how = cached ? 'is there from before' : `made in ${((performance.now() - begun) / 1_000).toFixed(1)} s`
    io.out(`  clip       ${how}\n`)
    return true
  } catch (error) {
    if (signal.aborted) return false
    io.err(`  player     left out: ${error instanceof Error ? error.message : String(error)}\n`)
    return false
  }
}

function openPage(args: Args, io: Io, url: string): void {
  if (args.has('no-open') || !io.tty || !canOpenBrowser(io.env, process.platform)) return
  openBrowser(url, process.platform)
}

/** One line that is drawn again at a terminal, and nothing elsewhere. */
function liveLine(io: Io): (watching: number, accepted: number) => void {
  let drawnAtMs = 0
  return (watching, accepted) => {
    if (!io.tty || Date.now() - drawnAtMs < DEMO_LIMITS.drawEveryMs) return
    drawnAtMs = Date.now()
    io.err(`\r\u001b[K  live       ${watching} watching · ${accepted.toLocaleString('en')} events sent`)
  }
}
