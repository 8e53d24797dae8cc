/** Starts child.ts and keeps what it says. Whatever happens in a test, its children end with it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Say } from './child.ts'
import { until } from './contract-support.ts'

const READY_MS = 20_000

export interface Child {
  readonly process: ChildProcess
  readonly said: Say[]
  /** kill -9, and gone when it resolves. */
  kill(): Promise<void>
}

export interface Playground {
  readonly dir: string
  start(what: 'append' | 'tail' | 'member', topic: string, name: string): Promise<Child>
  /** Blocks this process until the child has ended. */
  startAndWait(what: 'once', topic: string, name: string): void
  /** Fills the log of `dir`; no file it writes may become larger than this. */
  fill(topic: string, fileBytesMax: number): Promise<Child>
}

export async function playground(play: (playground: Playground) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'playhead-log-'))
  const children: Child[] = []
  const start = async (shell: string, args: readonly string[]) => {
    const child = startChild(shell, dir, args)
    children.push(child)
    await until('the child is ready', READY_MS, () => child.said.some((s) => s.say === 'ready'))
    return child
  }
  try {
    await play({
      dir,
      start: (...args) => start('', args),
      startAndWait: (...args) => void execFileSync(process.execPath, childArgs(dir, args), { timeout: READY_MS }),
      // In POSIX's blocks of 512 bytes. Node ignores the signal that comes with it, so that writing fails instead.
      fill: (topic, fileBytesMax) => start(`ulimit -f ${Math.floor(fileBytesMax / 512)} &&`, ['fill', topic]),
    })
  } finally {
    await Promise.all(children.map((child) => child.kill()))
    await rm(dir, { recursive: true, force: true })
  }
}

function childArgs(dir: string, [what, ...rest]: readonly string[]): string[] {
  return ['--import', 'tsx', fileURLToPath(new URL('child.ts', import.meta.url)), what!, dir, ...rest]
}

function startChild(shell: string, dir: string, args: readonly string[]): Child {
  const said: Say[] = []
  // LMDB's driver prints failed commits on its own account; the test judges what the log says.
  const child = spawn('sh', ['-c', `${shell} exec "$@"`, 'sh', process.execPath, ...childArgs(dir, args)], {
    stdio: ['ignore', 'inherit', shell === '' ? 'inherit' : 'ignore', 'ipc'],
  })
  child.on('message', (message) => said.push(message as Say))
  const exited = once(child, 'exit')
  return {
    process: child,
    said,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
