import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import { buildApi } from '../../api/server.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { createCodec } from '../../schemas/index.ts'
import { NOW_MS, verifier } from './support.ts'

const CLIP = Buffer.from(Array.from({ length: 1_000 }, (_, i) => i % 251))

/** An API with a built dashboard, an SDK and a clip; the demo's page is not built. */
async function startWeb(t: TestContext): Promise<{ app: FastifyInstance; dir: string; failures: object[] }> {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-web-'))
  const [assetsDir, mediaDir] = [join(dir, 'dist'), join(dir, 'media')]
  for (const folder of ['dist/web/dashboard', 'dist/sdk', 'media/360p'])
    mkdirSync(join(dir, folder), { recursive: true })
  writeFileSync(join(assetsDir, 'web/dashboard/index.html'), '<!doctype html><title>t</title>')
  writeFileSync(join(assetsDir, 'web/dashboard/main.js'), 'export {}')
  writeFileSync(join(assetsDir, 'sdk/playhead.js'), 'export const attach = 1')
  writeFileSync(join(assetsDir, 'secret.json'), '{}')
  writeFileSync(join(mediaDir, 'master.m3u8'), '#EXTM3U')
  writeFileSync(join(mediaDir, '360p/1.m4s'), CLIP)
  writeFileSync(join(mediaDir, 'clip.keys'), 'no type that is served')
  symlinkSync(join(assetsDir, 'secret.json'), join(mediaDir, 'link.map'))
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  const failures: object[] = []
  const app = await buildApi({
    log,
    codec: await createCodec(),
    keys: verifier,
    nowMs: () => NOW_MS,
    random: (bytes) => bytes,
    metrics: new Registry(),
    logger: { info: () => undefined, error: (fields) => failures.push(fields) },
    corsOrigins: ['https://listed.example'],
    complaints: async () => [],
    version: '0.0.0',
    servesSchemas: true,
    web: { assetsDir, mediaDir },
  })
  t.after(async () => {
    await app.close()
    await log.close()
    rmSync(dir, { recursive: true, force: true })
  })
  return { app, dir, failures }
}

test('a browser is led to the dashboard, a program is told what there is', async (t) => {
  const { app } = await startWeb(t)
  const page = await app.inject({ url: '/', headers: { accept: 'text/html,application/xhtml+xml' } })
  assert.deepEqual([page.statusCode, page.headers.location], [302, '/dashboard/'])
  assert.equal((await app.inject('/dashboard')).headers.location, '/dashboard/')
  assert.equal((await app.inject('/')).json<{ post: string }>().post, '/v1/events')
})

test('a page comes with its type, a policy without anything inline, and no key', async (t) => {
  const { app } = await startWeb(t)
  const page = await app.inject('/dashboard/')
  assert.equal(page.statusCode, 200)
  assert.equal(page.headers['content-type'], 'text/html; charset=utf-8')
  const policy = String(page.headers['content-security-policy'])
  assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/)
  assert.doesNotMatch(policy, /unsafe/)
  assert.equal(page.headers['x-content-type-options'], 'nosniff')
  const script = await app.inject('/dashboard/main.js')
  assert.equal(script.headers['content-type'], 'text/javascript; charset=utf-8')
})

test('what a browser has already is not sent again', async (t) => {
  const { app } = await startWeb(t)
  const first = await app.inject('/dashboard/main.js')
  const tag = String(first.headers.etag)
  const again = await app.inject({ url: '/dashboard/main.js', headers: { 'if-none-match': `"old", W/${tag}` } })
  assert.deepEqual([again.statusCode, again.body], [304, ''])
  const other = await app.inject({ url: '/dashboard/main.js', headers: { 'if-none-match': '"old"' } })
  assert.deepEqual([other.statusCode, other.body], [200, 'export {}'])
})

test('the SDK is for pages of any origin, also where events are not', async (t) => {
  const { app } = await startWeb(t)
  const { headers, statusCode } = await app.inject({
    url: '/sdk/playhead.js',
    headers: { origin: 'https://x.example' },
  })
  assert.equal(statusCode, 200)
  assert.equal(headers['access-control-allow-origin'], '*')
  assert.equal(headers['cross-origin-resource-policy'], 'cross-origin')
})

test('nothing but built files of known types is served, whatever the path says', async (t) => {
  const { app, failures } = await startWeb(t)
  const paths = [
    '/dashboard/../secret.json',
    '/dashboard/%2e%2e/%2e%2e/secret.json',
    '/dashboard/..%2f..%2fsecret.json',
    '/dashboard//etc/passwd',
    '/dashboard/.map',
    '/dashboard/a%00.js',
    '/dashboard/main.js/x.js',
    '/sdk/..%5c..%5csecret.json',
    '/demo/media/link.map',
    '/demo/media/clip.keys',
    '/demo/media/360p',
    '/demo/media/a/b/c/d/e.m4s',
    `/demo/media/${'a'.repeat(300)}.m4s`,
  ]
  for (const url of paths) {
    const answer = await app.inject(url)
    assert.equal(answer.statusCode, 404, url)
    assert.equal(answer.json<{ code: string }>().code, 'NOT_FOUND', url)
  }
  assert.deepEqual(failures, [])
})

test('a page that is not built says how it is built', async (t) => {
  const { app } = await startWeb(t)
  const answer = await app.inject('/demo/')
  assert.equal(answer.statusCode, 404)
  assert.match(answer.json<{ detail: string }>().detail, /npm run build/)
})

test('a clip is sent in the parts that a player asks for', async (t) => {
  const { app } = await startWeb(t)
  const part = async (range: string, more: Record<string, string> = {}) =>
    app.inject({ url: '/demo/media/360p/1.m4s', headers: { range, ...more } })
  const cases = [
    ['bytes=0-99', 0, 99],
    ['bytes=900-', 900, 999],
    ['bytes=-10', 990, 999],
    ['bytes=990-2000', 990, 999],
    ['bytes=-5000', 0, 999],
  ] as const
  for (const [range, from, to] of cases) {
    const answer = await part(range)
    assert.equal(answer.statusCode, 206, range)
    assert.equal(answer.headers['content-range'], `bytes ${from}-${to}/1000`, range)
    assert.equal(answer.headers['content-length'], String(to - from + 1), range)
    assert.deepEqual(answer.rawPayload, CLIP.subarray(from, to + 1), range)
  }
  for (const range of ['bytes=1000-', 'bytes=-0']) {
    const answer = await part(range)
    assert.equal(answer.statusCode, 416, range)
    assert.equal(answer.headers['content-range'], 'bytes */1000', range)
  }
  for (const range of ['bytes=5-2', 'bytes=0-1,4-5', 'lines=1-2', 'bytes=-']) {
    const answer = await part(range)
    assert.deepEqual([answer.statusCode, answer.rawPayload.length], [200, 1_000], range)
  }
  const tag = String((await part('bytes=0-1')).headers.etag)
  assert.equal((await part('bytes=0-1', { 'if-range': tag })).statusCode, 206)
  assert.equal((await part('bytes=0-1', { 'if-range': '"of another clip"' })).statusCode, 200)
})

test('a HEAD tells how long the clip is and sends none of it', async (t) => {
  const { app } = await startWeb(t)
  const answer = await app.inject({ method: 'HEAD', url: '/demo/media/360p/1.m4s' })
  assert.deepEqual([answer.statusCode, answer.headers['content-length'], answer.body], [200, '1000', ''])
})

test('pages are not in the document of the API', async (t) => {
  const { app } = await startWeb(t)
  const { paths } = (await app.inject('/openapi.json')).json<{ paths: Record<string, unknown> }>()
  assert.deepEqual(
    Object.keys(paths).filter((path) => /dashboard|demo|sdk/.test(path)),
    [],
  )
})

test('a server with a download that nobody reads closes all the same', { timeout: 10_000 }, async (t) => {
  const { app, dir } = await startWeb(t)
  writeFileSync(join(dir, 'media/long.m4s'), Buffer.alloc(64 * 1024 * 1024))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.write('GET /demo/media/long.m4s HTTP/1.1\r\nhost: x\r\n\r\n')
  await new Promise((resolve) => socket.once('readable', resolve))
  const head = connect(port, '127.0.0.1')
  t.after(() => head.destroy())
  head.write('HEAD /demo/media/long.m4s HTTP/1.1\r\nhost: x\r\n\r\n')
  await new Promise((resolve) => head.once('data', resolve))
  await app.close()
})
