/**
 * The analytics role: ClickHouse's own HTTP interface, on loopback, over the engine in this process.
 *
 * A request goes: who is it (auth) → its SQL (statement) → may it run (gate) → its rows to a file (bodies) → a free
 * slot (queue) → a connection with all settings set anew (execute) → the result's file to the client (response).
 *
 * States: serving → draining (no new request is taken; running queries may finish for `drainMs`, then they are
 * cancelled) → closed (the engine's connections are closed, the directory is free).
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type AnalyticsUser, createAuthenticator } from './auth.ts'
import { openTemporaryFiles } from './bodies.ts'
import { openEngine } from './engine.ts'
import { fromEngine } from './errors.ts'
import { createExecutor } from './execute.ts'
import { createGate, type Role } from './gate.ts'
import { ANALYTICS_LIMITS, type AnalyticsLimits } from './limits.ts'
import { createQueue, type Queue } from './queue.ts'
import { type Handling, handleQuery } from './request.ts'
import { commonHeaders, sendError } from './response.ts'
import { createSessions } from './sessions.ts'

export interface AnalyticsOptions {
  readonly dataDir: string
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly users: readonly AnalyticsUser[]
  readonly limits?: Partial<AnalyticsLimits>
  /** A line for each failed request; never its SQL's data, never a password. */
  readonly log?: (line: {
    readonly msg: string
    readonly queryId: string
    readonly user?: string
    readonly code?: number
    readonly elapsedMs?: number
  }) => void
}

export interface Analytics {
  readonly port: number
  readonly version: string
  /** Running and waiting queries, for metrics. */
  load(): Readonly<Record<Role, { running: number; waiting: number }>>
  close(): Promise<void>
}

/** Queries run on libuv's threads; one is left for files and for cancelling. */
function slots(limits: AnalyticsLimits): Record<Role, number> {
  const threads = Number(process.env.UV_THREADPOOL_SIZE) || 4
  const total = Math.max(2, Math.min(limits.queriesMax, threads - 1))
  const writer = Math.max(1, Math.floor(total / 2))
  return { writer, reader: Math.max(1, total - writer) }
}

const SWEEP_MS = 20

export async function startAnalytics(options: AnalyticsOptions): Promise<Analytics> {
  const limits: AnalyticsLimits = { ...ANALYTICS_LIMITS, ...options.limits }
  const report = (error: unknown) => {
    options.log?.({ msg: `failed: ${error instanceof Error ? error.message : String(error)}`, queryId: '' })
  }
  const engine = await openEngine(join(options.dataDir, 'engine'), report)
  const files = openTemporaryFiles(join(options.dataDir, 'bodies'))
  const size = slots(limits)
  const queues: Record<Role, Queue> = {
    writer: createQueue(size.writer, limits.queueMax, limits.queueWaitMs),
    reader: createQueue(size.reader, limits.queueMax, limits.queueWaitMs),
  }
  const sessions = createSessions(() => engine.connect(), limits.sessionsMax)
  const handling: Handling = {
    authenticate: createAuthenticator(options.users),
    gate: createGate(engine.tableFunctions),
    executor: createExecutor(engine, files, limits),
    queues,
    sessions,
    files,
    limits,
  }
  const running = new Set<AbortController>()

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (respondPlainly(request, response, url.pathname)) return
    const queryId = (url.searchParams.get('query_id') ?? '').slice(0, 256).replace(/[^\x21-\x7e]/g, '') || randomUUID()
    for (const [name, value] of Object.entries(commonHeaders(engine, queryId))) response.setHeader(name, value)
    const controller = new AbortController()
    running.add(controller)
    response.once('close', () => {
      if (!response.writableFinished) controller.abort()
    })
    const started = performance.now()
    try {
      await handleQuery(handling, request, response, url.searchParams, controller.signal)
    } catch (error) {
      const failure = fromEngine(error)
      options.log?.({
        msg: 'query failed',
        queryId,
        code: failure.code,
        elapsedMs: Math.round(performance.now() - started),
      })
      sendError(response, failure, engine.version)
      drain(request, limits.sqlBytesMax)
    } finally {
      running.delete(controller)
    }
  }

  const server = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
    },
    (request, response) => {
      serve(request, response).catch((error: unknown) => {
        report(error)
        response.destroy()
      })
    },
  )
  server.maxConnections = limits.connectionsMax
  try {
    await listen(server, options.host, options.port)
  } catch (error) {
    await engine.close()
    throw error
  }

  let closing: Promise<void> | undefined
  const close = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    // A connection goes idle when its answer is out, and would be kept for the next request.
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS)
    const cancel = setTimeout(() => {
      for (const controller of running) controller.abort()
      server.closeAllConnections()
    }, limits.drainMs)
    await closed
    clearInterval(sweep)
    clearTimeout(cancel)
    sessions.closeAll()
    await engine.close()
  }

  return {
    port: (server.address() as AddressInfo).port,
    version: engine.version,
    load: () => ({
      writer: { running: queues.writer.running, waiting: queues.writer.waiting },
      reader: { running: queues.reader.running, waiting: queues.reader.waiting },
    }),
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** What needs neither a user nor the engine. */
function respondPlainly(request: IncomingMessage, response: ServerResponse, path: string): boolean {
  if (request.method === 'OPTIONS') {
    response.writeHead(204, { Allow: 'GET, HEAD, POST, OPTIONS' }).end()
    return true
  }
  if (path === '/ping' || path === '/replicas_status') {
    response
      .writeHead(200, { 'Content-Type': 'text/html; charset=UTF-8' })
      .end(request.method === 'HEAD' ? undefined : 'Ok.\n')
    return true
  }
  if (path !== '/') {
    response
      .writeHead(404, { 'Content-Type': 'text/plain; charset=UTF-8' })
      .end(`There is no handle ${path.slice(0, 64)}\n\nUse / or /ping for health checks.\n`)
    request.resume()
    return true
  }
  if (!['GET', 'HEAD', 'POST'].includes(request.method ?? '')) {
    response.writeHead(501, { 'Content-Type': 'text/plain; charset=UTF-8' }).end('Use GET, HEAD or POST.\n')
    request.resume()
    return true
  }
  return false
}

/** Reads on a little after a refusal, so that the client gets to read the answer; then hangs up. */
function drain(request: IncomingMessage, bytesMax: number): void {
  let left = bytesMax
  request.unpipe()
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) request.destroy()
  })
  request.resume()
}
