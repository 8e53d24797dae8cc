/** An analytics server for one test file: the engine takes one data directory per process, so a file has one server. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AnalyticsLimits } from '../../analytics/limits.ts'
import { type Analytics, startAnalytics } from '../../analytics/server.ts'

export const WRITER = { name: 'writer', password: 'writer secret', role: 'writer' } as const
export const READER = { name: 'reader', password: 'reader-secret', role: 'reader' } as const

export interface TestServer {
  readonly url: string
  readonly analytics: Analytics
  readonly dataDir: string
  /** Files of requests that are still there. */
  leftovers(): Promise<string[]>
  stop(): Promise<void>
}

export async function startServer(limits: Partial<AnalyticsLimits> = {}): Promise<TestServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'playhead-analytics-'))
  const analytics = await startAnalytics({ dataDir, host: '127.0.0.1', port: 0, users: [WRITER, READER], limits })
  return {
    url: `http://127.0.0.1:${analytics.port}`,
    analytics,
    dataDir,
    leftovers: () => readdir(join(dataDir, 'bodies')),
    async stop() {
      await analytics.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

export interface Ask {
  readonly as?: typeof WRITER | typeof READER
  readonly method?: string
  readonly body?: string | Buffer
  readonly headers?: Record<string, string>
  readonly params?: Record<string, string>
}

/** One request as curl would send it: SQL in the body, or in `params.query` with data in the body. */
export async function ask(server: TestServer, sql: string | undefined, options: Ask = {}): Promise<Answer> {
  const as = options.as ?? WRITER
  const url = new URL(server.url)
  for (const [name, value] of Object.entries(options.params ?? {})) url.searchParams.set(name, value)
  const hasBody = options.method === undefined || options.method === 'POST'
  if (sql !== undefined && (options.body !== undefined || !hasBody)) url.searchParams.set('query', sql)
  const response = await fetch(url, {
    method: options.method ?? 'POST',
    headers: { 'X-ClickHouse-User': as.name, 'X-ClickHouse-Key': as.password, ...options.headers },
    ...(hasBody ? { body: options.body ?? sql ?? '' } : {}),
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** The answer's text; throws if the statement failed. */
export async function sql(server: TestServer, text: string | undefined, options: Ask = {}): Promise<string> {
  const answer = await ask(server, text, options)
  if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text}`)
  return answer.text
}
