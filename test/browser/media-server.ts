/**
 * What a CDN does, as badly as a test wants it: serves a clip, players from node_modules and the pages that play, no
 * faster than it is told to, or not at all, and keeps an access log.
 *
 * The line is one for all requests of media, as a household's is: what one takes the other waits for. `bytesPerSecond`
 * may change at any time and counts from then on, for answers under way too; 0 holds every answer where it stands.
 */
import { once } from 'node:events'
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url))
const CHUNK_BYTES = 4 * 1024
const HELD_POLL_MS = 20
const BODY_BYTES_MAX = 1024 * 1024

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.mpd': 'application/dash+xml',
  '.m4s': 'video/iso.segment',
  '.mp4': 'video/mp4',
}

/** One answer, as an access log has it. */
export interface Served {
  readonly atMs: number
  readonly method: string
  /** With its query. */
  readonly url: string
  readonly status: number
  readonly bytes: number
  readonly firstByteMs: number
  readonly totalMs: number
  readonly headers: Readonly<Record<string, string>>
}

/** What a player posted to `/collect`. */
export interface Posted {
  readonly atMs: number
  readonly url: string
  readonly type: string | undefined
  readonly body: string
}

export interface MediaServer {
  readonly url: string
  bytesPerSecond: number
  /** Media that fits is answered so, until it is undefined again. */
  fault: { readonly path: RegExp; readonly status: number } | undefined
  readonly served: readonly Served[]
  readonly posted: readonly Posted[]
  addPage(name: string, html: string): void
  /** The log of media requests in the combined format; what players sent as CMCD in the query is in the request line. */
  combinedLog(): string
  /** The same as JSON lines, with the four CMCD headers. */
  jsonLog(): string
}

export async function startMediaServer(t: TestContext, clipDir: string): Promise<MediaServer> {
  const pages = new Map<string, string>()
  const served: Served[] = []
  const posted: Posted[] = []
  const line = new Line()
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error))
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url!, 'http://localhost')
    if (pathname.startsWith('/collect')) return await collect(request, response)
    const page = pages.get(pathname)
    if (page !== undefined) return void response.writeHead(200, { 'content-type': TYPES['.html'] }).end(page)
    if (pathname.startsWith('/modules/')) return sendFile(response, MODULES, pathname.slice('/modules/'.length))
    if (pathname.startsWith('/clip/')) return await media(request, response, pathname.slice('/clip/'.length))
    response.writeHead(pathname === '/favicon.ico' ? 204 : 404).end()
  }

  async function collect(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) {
      body += chunk
      if (body.length > BODY_BYTES_MAX) throw new Error('a report is larger than a test may send')
    }
    posted.push({ atMs: Date.now(), url: request.url!, type: request.headers['content-type'], body })
    response.writeHead(204).end()
  }

  async function media(request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    const atMs = Date.now()
    let [status, bytes, firstByteMs] = [200, 0, 0]
    response.once('close', () => {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]))
      const totalMs = Date.now() - atMs
      served.push({ atMs, method: request.method!, url: request.url!, status, bytes, firstByteMs, totalMs, headers })
    })
    const path = inside(clipDir, name)
    const fault = path === undefined ? 404 : self.fault?.path.test(name) ? self.fault.status : undefined
    if (path === undefined || fault !== undefined) {
      status = fault ?? 404
      response.writeHead(status).end()
      return
    }
    const size = statSync(path).size
    response.writeHead(200, {
      'content-type': TYPES[extname(path)],
      'content-length': size,
      'cache-control': 'no-store',
    })
    const file = createReadStream(path, { highWaterMark: CHUNK_BYTES })
    // A browser that gave the request up must not be waited for.
    response.once('close', () => file.destroy())
    for await (const chunk of file as AsyncIterable<Buffer>) {
      await line.wait(chunk.length, () => response.destroyed)
      if (response.destroyed) return
      if (bytes === 0) firstByteMs = Date.now() - atMs
      bytes += chunk.length
      if (!response.write(chunk)) await Promise.race([once(response, 'drain'), once(response, 'close')])
    }
    response.end()
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const self: MediaServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get bytesPerSecond() {
      return line.bytesPerSecond
    },
    set bytesPerSecond(value) {
      line.bytesPerSecond = value
    },
    fault: undefined,
    served,
    posted,
    addPage: (name, html) => {
      pages.set(`/${name}`, html)
    },
    combinedLog: () => served.map(combined).join(''),
    jsonLog: () => served.map(json).join(''),
  }
  return self
}

/** Lets bytes through at its speed, in the order in which they asked. */
class Line {
  bytesPerSecond = Number.POSITIVE_INFINITY
  #freeAtMs = 0

  async wait(bytes: number, gone: () => boolean): Promise<void> {
    while (this.bytesPerSecond === 0) {
      if (gone()) return
      await sleep(HELD_POLL_MS)
    }
    const now = Date.now()
    this.#freeAtMs = Math.max(this.#freeAtMs, now) + (bytes * 1_000) / this.bytesPerSecond
    const waitMs = this.#freeAtMs - now
    if (waitMs >= 1) await sleep(waitMs)
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function inside(folder: string, name: string): string | undefined {
  const path = join(folder, normalize(`/${decodeURIComponent(name)}`))
  return existsSync(path) && statSync(path).isFile() ? path : undefined
}

function sendFile(response: ServerResponse, folder: string, name: string): void {
  const path = inside(folder, name)
  if (path === undefined) return void response.writeHead(404).end()
  response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' })
  createReadStream(path).pipe(response)
}

function combined({ atMs, method, url, status, bytes, headers }: Served): string {
  const [, month, day, year, time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(atMs).toUTCString())!
  const agent = headers['user-agent'] ?? '-'
  return `127.0.0.1 - - [${month}/${day}/${year}:${time} +0000] "${method} ${url} HTTP/1.1" ${status} ${bytes} "-" "${agent}"\n`
}

function json({ atMs, method, url, status, bytes, firstByteMs, totalMs, headers }: Served): string {
  const cmcd = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('cmcd-')))
  const time = new Date(atMs).toISOString()
  return `${JSON.stringify({ time, method, url, status, bytes, firstByteMs, totalMs, ...cmcd })}\n`
}
