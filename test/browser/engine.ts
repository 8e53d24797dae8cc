/** The engine as it is built, on free ports and a folder of its own, for tests that drive it from a browser. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export interface Keys {
  readonly admin: string
  readonly publishable: string
  readonly data: string
}

export interface Engine {
  readonly api: string
  readonly clickhouse: string
  readonly keys: Keys
  readonly data: string
  /** A profile's token, as a customer's backend would mint it. */
  token(profile: string, account?: string): Promise<string>
  /** Rows of a statement, read with the data key. */
  query<Row>(sql: string): Promise<readonly Row[]>
  /** Ends it and starts it again on the same ports and folder. `kill` ends it without a word. */
  restart(how?: { readonly kill?: boolean; readonly awayMs?: number }): Promise<void>
}

type Env = Readonly<Record<string, string>>

export async function startEngine(t: TestContext, env: Env = {}): Promise<Engine> {
  const home = mkdtempSync(join(tmpdir(), 'playhead-browser-'))
  const data = join(home, 'data')
  const base: Env = {
    PLAYHEAD_DATA: data,
    PLAYHEAD_PORT: '0',
    PLAYHEAD_ANALYTICS_PORT: '0',
    PLAYHEAD_CONSUMERS_HEALTH_PORT: '0',
    PLAYHEAD_ANALYTICS_HEALTH_PORT: '0',
    PLAYHEAD_CORS_ORIGINS: '*',
    ...env,
  }
  let running: ChildProcess | undefined
  t.after(async () => {
    await stop(running, 'SIGTERM')
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  })
  const started = await start(base)
  running = started.child
  const { api, clickhouse } = started
  const keys = JSON.parse(readFileSync(join(data, 'keys.json'), 'utf8')) as Keys
  const again: Env = { ...base, PLAYHEAD_PORT: new URL(api).port, PLAYHEAD_ANALYTICS_PORT: new URL(clickhouse).port }
  return {
    api,
    clickhouse,
    keys,
    data,
    token: (profile, account = `account of ${profile}`) => mintToken(again, profile, account),
    query: async <Row>(sql: string) => {
      const headers = { authorization: `Bearer ${keys.data}` }
      const answer = await fetch(`${clickhouse}/?default_format=JSON`, { method: 'POST', headers, body: sql })
      const text = await answer.text()
      if (!answer.ok) throw new Error(text)
      return (JSON.parse(text) as { data: Row[] }).data
    },
    restart: async ({ kill = false, awayMs = 0 } = {}) => {
      await stop(running, kill ? 'SIGKILL' : 'SIGTERM')
      await new Promise((resolve) => setTimeout(resolve, awayMs))
      running = (await start(again)).child
    },
  }
}

async function start(env: Env): Promise<{ child: ChildProcess; api: string; clickhouse: string }> {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('PLAYHEAD_')))
  const child = spawn(process.execPath, [MAIN, 'up'], {
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const urls = new Map<string, string>()
  let said = ''
  // Read to its end, or the pipe would fill and the engine stand.
  const lines = createInterface({ input: child.stdout! })
  return await new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`the engine ended at its start: ${said}`)))
    lines.on('line', (line) => {
      if (urls.size === 2) return
      said += `${line}\n`
      const { role, msg, url } = JSON.parse(line) as { role?: string; msg?: string; url?: string }
      if (msg === 'ready' && url !== undefined && (role === 'api' || role === 'analytics')) urls.set(role, url)
      if (urls.size === 2) resolve({ child, api: urls.get('api')!, clickhouse: urls.get('analytics')! })
    })
  })
}

async function stop(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

async function mintToken(env: Env, profile: string, account: string): Promise<string> {
  const child = spawn(process.execPath, [MAIN, 'token', '--profile', profile, '--account', account, '--json'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk
  })
  await once(child, 'close')
  return (JSON.parse(out) as { token: string }).token
}
