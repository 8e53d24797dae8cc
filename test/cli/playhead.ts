/** The `playhead` command as a process, for tests: its own data folder, free ports, and no way to outlive the test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Lines of standard output so far. */
  lines(): readonly string[]
  /** The first line that fits, now or later; rejects if the process ends without it. */
  line(fits: (line: string) => boolean, what: string): Promise<string>
}

export type Env = Readonly<Record<string, string>>

/** How what a test started is ended. */
const endings = new WeakMap<TestContext, (() => Promise<unknown>)[]>()

export function tempFolder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-cli-'))
  t.after(async () => {
    // What was started after this still runs: hooks are called in their order.
    await Promise.all((endings.get(t) ?? []).map((end) => end()))
    // The roles end once they see that their supervisor is gone.
    await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  })
  return dir
}

export function freePorts(data: string): Env {
  return {
    PLAYHEAD_DATA: data,
    PLAYHEAD_PORT: '0',
    PLAYHEAD_ANALYTICS_PORT: '0',
    PLAYHEAD_CONSUMERS_HEALTH_PORT: '0',
    PLAYHEAD_ANALYTICS_HEALTH_PORT: '0',
  }
}

export function start(t: TestContext, env: Env, ...words: readonly string[]): Running {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('PLAYHEAD_')))
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...words], {
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  let changed: () => void = () => undefined
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk
    changed()
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk
  })
  let over = false
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => {
      over = true
      changed()
      resolve({ code, out, err })
    })
  })
  const end = async () => {
    child.kill('SIGKILL')
    await ended
  }
  endings.set(t, [...(endings.get(t) ?? []), end])
  t.after(end)
  const lines = () => out.split('\n')
  const line = async (fits: (line: string) => boolean, what: string): Promise<string> => {
    for (;;) {
      const found = lines().slice(0, -1).find(fits)
      if (found !== undefined) return found
      if (over) throw new Error(`${what} never came; ${out}${err}`)
      await new Promise<void>((resolve) => {
        changed = resolve
      })
    }
  }
  return { child, ended, lines, line }
}

export function playhead(t: TestContext, env: Env, ...words: readonly string[]): Promise<Ended> {
  return start(t, env, ...words).ended
}
