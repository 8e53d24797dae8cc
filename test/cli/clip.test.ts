import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Ffmpeg, findFfmpeg, makeClip, RENDITIONS, searchFfmpeg } from '../../cli/demo/clip.ts'
import { tempFolder } from './playhead.ts'

const SECONDS = 4

async function ffmpegOrSkip(t: TestContext): Promise<Ffmpeg | undefined> {
  const found = await findFfmpeg(process.env)
  if (found === undefined) t.skip('no ffmpeg: the package for this platform was left out and none is on the PATH')
  return found
}

/** A program that answers ffmpeg's questions as it is told to. */
function pretend(dir: string, { encoders = 'libx264 aac' } = {}): string {
  const lists = { encoders, filters: 'testsrc2 sine split scale null', formats: 'lavfi dash mp4' }
  const cases = Object.entries(lists).map(([name, words]) => {
    const lines = words.split(' ').map((word) => `echo ' E  ${word}   words about it'`)
    return `-${name}) ${lines.join('; ')} ;;`
  })
  const path = join(dir, 'ffmpeg')
  mkdirSync(dir, { recursive: true })
  writeFileSync(path, `#!/bin/sh\ncase "$2" in\n-version) echo 'ffmpeg version ${dir}' ;;\n${cases.join('\n')}\nesac\n`)
  chmodSync(path, 0o755)
  return path
}

test('an ffmpeg is chosen by what it can do: one that was named and lacks an encoder is told and passed over', async (t) => {
  const folder = tempFolder(t)
  const poor = pretend(join(folder, 'poor'), { encoders: 'aac' })
  const { ffmpeg, refused } = await searchFfmpeg({ FFMPEG_PATH: poor, PATH: join(folder, 'none') })
  assert.deepEqual(refused, [{ path: poor, missing: 'libx264' }])
  assert.notEqual(ffmpeg?.path, poor)
})

test('FFMPEG_PATH comes before all others, and one that is not there is told', async (t) => {
  const folder = tempFolder(t)
  const good = pretend(join(folder, 'good'))
  assert.equal((await findFfmpeg({ ...process.env, FFMPEG_PATH: good }))?.path, good)
  const { refused } = await searchFfmpeg({ FFMPEG_PATH: join(folder, 'gone'), PATH: '' })
  assert.equal(refused[0]?.path, join(folder, 'gone'))
  assert.match(refused[0]!.missing, /ENOENT/)
})

test('packages that carry one come before the PATH, which is looked through in its order', async (t) => {
  const folder = tempFolder(t)
  const [poor, good] = [pretend(join(folder, 'poor'), { encoders: 'libx264' }), pretend(join(folder, 'good'))]
  const PATH = [join(folder, 'poor'), join(folder, 'good')].join(delimiter)
  const { ffmpeg, refused } = await searchFfmpeg({ PATH })
  const packaged = ffmpeg?.path.includes('node_modules') === true
  if (packaged) assert.deepEqual(refused, [])
  else assert.deepEqual([ffmpeg?.path, refused], [good, [{ path: poor, missing: 'aac' }]])
})

test('a clip has three renditions cut at the same times, a tone, and both manifests over the same files', async (t) => {
  const ffmpeg = await ffmpegOrSkip(t)
  if (ffmpeg === undefined) return
  const dir = join(tempFolder(t), 'media', 'clip')
  const shares: number[] = []
  const clip = await makeClip({ ffmpeg, dir, seconds: SECONDS, onProgress: (share) => shares.push(share) })
  assert.equal(clip.cached, false)
  assert.ok(shares.length > 0 && shares.every((share) => share >= 0 && share <= 1))

  const master = readFileSync(join(dir, clip.hls), 'utf8')
  const sizes = [...master.matchAll(/RESOLUTION=(\d+)x(\d+)/g)].map(([, width, height]) => [
    Number(width),
    Number(height),
  ])
  assert.deepEqual(
    sizes,
    RENDITIONS.map(({ width, height }) => [width, height]),
  )
  assert.match(master, /#EXT-X-INDEPENDENT-SEGMENTS/)
  const playlists = [...master.matchAll(/^(media_\d\.m3u8)$/gm), ...master.matchAll(/URI="([^"]+)"/g)].map(
    ([, name]) => name!,
  )
  assert.equal(playlists.length, 4)
  for (const name of playlists) {
    const text = readFileSync(join(dir, name), 'utf8')
    assert.match(text, /#EXT-X-PLAYLIST-TYPE:VOD/)
    assert.match(text, /#EXT-X-ENDLIST/)
    assert.doesNotMatch(text, /PROGRAM-DATE-TIME/)
    const lengths = [...text.matchAll(/#EXTINF:([\d.]+)/g)].map(([, length]) => Number(length))
    assert.ok(Math.abs(lengths.reduce((sum, length) => sum + length, 0) - SECONDS) < 0.1)
    for (const [, file] of text.matchAll(/^(\d-\d+\.m4s)$/gm)) assert.ok(statSync(join(dir, file!)).size > 0)
  }
  const videos = playlists
    .filter((name) => name !== 'media_3.m3u8')
    .map((name) => readFileSync(join(dir, name), 'utf8'))
  assert.equal(new Set(videos.map((text) => [...text.matchAll(/#EXTINF:.+/g)].join())).size, 1)

  const dash = readFileSync(join(dir, clip.dash), 'utf8')
  assert.match(dash, /type="static"/)
  assert.equal([...dash.matchAll(/<Representation /g)].length, 4)
})

test('a clip is made once, again when a file of it is lost, and never over something else', async (t) => {
  const ffmpeg = await ffmpegOrSkip(t)
  if (ffmpeg === undefined) return
  const folder = tempFolder(t)
  const wanted = { ffmpeg, dir: join(folder, 'clip'), seconds: 2 }
  // Two at a time: both end with a whole one, and nothing is left beside it.
  const both = await Promise.all([makeClip(wanted), makeClip(wanted)])
  assert.ok(both.every((clip) => existsSync(join(clip.dir, clip.hls))))
  assert.deepEqual(readdirSync(folder), ['clip'])
  assert.equal((await makeClip(wanted)).cached, true)
  rmSync(join(wanted.dir, '0-00001.m4s'))
  assert.equal((await makeClip(wanted)).cached, false)
  assert.ok(existsSync(join(wanted.dir, '0-00001.m4s')))

  const taken = join(folder, 'photos')
  mkdirSync(taken)
  writeFileSync(join(taken, 'cat.jpg'), '')
  await assert.rejects(makeClip({ ...wanted, dir: taken }), { code: 'CLIP_FOLDER_TAKEN' })
  assert.deepEqual(readdirSync(taken), ['cat.jpg'])
})

test('an ffmpeg that fails is an error that repeats its words, and leaves no folder', async (t) => {
  const folder = tempFolder(t)
  const path = join(folder, 'ffmpeg')
  writeFileSync(path, '#!/bin/sh\necho "no room left" >&2\nexit 3\n')
  chmodSync(path, 0o755)
  const wanted = { ffmpeg: { path, version: 'none' }, dir: join(folder, 'clip'), seconds: 2 }
  await assert.rejects(makeClip(wanted), { code: 'CLIP_NOT_MADE', message: /ended with 3: no room left/ })
  assert.deepEqual(readdirSync(folder), ['ffmpeg'])
})
