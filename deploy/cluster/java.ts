/**
 * Java servers as children of this process.
 *
 * States of one server: *down* → (start) *starting* → (ready answered true) *up* → (stop, kill, or its own death) *down*;
 * an up server may be *paused*. `restart` brings it up again on the same data and port, whatever state it was in.
 * Owner: the process that started it. If that process exits, its servers are killed with it (data folders of tests are
 * throw-away, so nothing is lost by that); only a signal that the owner does not handle leaves them behind.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

const JAVA_LIMITS = {
  readyTimeoutMs: 90_000,
  readyPollMs: 50,
  /** After SIGTERM; then SIGKILL. */
  stopTimeoutMs: 15_000,
  toolTimeoutMs: 60_000,
  logTailLines: 25,
} as const

/** A server of the cluster, running on loopback. */
export interface Server {
  readonly host: string
  readonly port: number
  /** Of the running process; another after a restart. */
  readonly pid: number
  /** What goes in PLAYHEAD_LOG or PLAYHEAD_STORE. */
  readonly url: string
  /** SIGTERM, then SIGKILL when it takes too long. Done when the process is gone. */
  stop(): Promise<void>
  /** SIGKILL: a crash. Done when the process is gone. */
  kill(): Promise<void>
  /** Same data, same port; stops it first when it runs. Done when it is ready. */
  restart(): Promise<void>
  /** SIGSTOP: it keeps its connections and answers nothing. */
  pause(): void
  resume(): void
}

export interface JavaServerSpec {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly url: string
  /** The working directory; the log goes to `${dir}/${name}.log`. */
  readonly dir: string
  /** Everything after `java`: options, `-cp`, main class, arguments. */
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Asked again and again until true; a throw counts as not yet. */
  ready(): Promise<boolean>
  readonly readyTimeoutMs?: number
}

/** The path of a Java of version 17 or newer; throws with what to install. */
export async function findJava(): Promise<string> {
  const home = process.env.JAVA_HOME
  const java = home ? join(home, 'bin', 'java') : 'java'
  const how =
    'Install a Java 17 or newer (Debian/Ubuntu: apt install openjdk-17-jre-headless; macOS: brew install openjdk@17) or set JAVA_HOME.'
  const banner = await run(java, ['-version']).then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: NodeJS.ErrnoException) => {
      throw new Error(`Java is missing: ${java} could not be run (${error.code ?? error.message}). ${how}`)
    },
  )
  const major = Number(/version "(?:1\.)?(\d+)/.exec(banner)?.[1])
  if (!(major >= 17)) throw new Error(`Java is too old: ${java} is version ${major || 'unknown'}. ${how}`)
  return java
}

/** Runs a Java tool to its end; throws with its output when it fails. */
export async function runJava(args: readonly string[], dir: string): Promise<string> {
  try {
    const { stdout } = await run(await findJava(), [...args], { cwd: dir, timeout: JAVA_LIMITS.toolTimeoutMs })
    return stdout
  } catch (error) {
    const failed = error as Error & { stdout?: string; stderr?: string }
    if (failed.stderr === undefined) throw error
    throw new Error(`a Java tool failed:\n${failed.stdout ?? ''}${failed.stderr}`, { cause: error })
  }
}

/** A port of loopback that nobody listens on at the moment of the call. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject).listen(0, host, resolve)
  })
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return address.port
}

export async function startJavaServer(spec: JavaServerSpec): Promise<Server> {
  const java = await findJava()
  await mkdir(spec.dir, { recursive: true })
  let child = await up(java, spec)
  return {
    host: spec.host,
    port: spec.port,
    url: spec.url,
    get pid() {
      return child.pid ?? 0
    },
    stop: () => down(child, 'SIGTERM'),
    kill: () => down(child, 'SIGKILL'),
    async restart() {
      await down(child, 'SIGTERM')
      child = await up(java, spec)
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  }
}

async function up(java: string, spec: JavaServerSpec): Promise<ChildProcess> {
  const log = join(spec.dir, `${spec.name}.log`)
  const file = openSync(log, 'a')
  const env = { ...process.env, ...spec.env }
  const child = spawn(java, [...spec.args], { cwd: spec.dir, env, stdio: ['ignore', file, file] })
  closeSync(file)
  let failure: Error | undefined
  child.once('error', (error) => {
    failure = error
  })
  killWithUs(child)

  const deadline = Date.now() + (spec.readyTimeoutMs ?? JAVA_LIMITS.readyTimeoutMs)
  while (!(await spec.ready().catch(() => false))) {
    const late = Date.now() > deadline
    if (gone(child) || failure || late) {
      const why =
        failure?.message ?? (late ? 'was not ready in time' : `exited with ${child.exitCode ?? child.signalCode}`)
      await down(child, 'SIGKILL')
      throw new Error(`${spec.name} ${why}. The end of ${log}:\n${await tail(log)}`)
    }
    await delay(JAVA_LIMITS.readyPollMs)
  }
  return child
}

async function down(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (gone(child) || child.pid === undefined) return
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill(signal)
  // A paused process sees SIGTERM only when it runs again.
  if (signal === 'SIGTERM') child.kill('SIGCONT')
  const timer = setTimeout(() => child.kill('SIGKILL'), JAVA_LIMITS.stopTimeoutMs)
  await exited
  clearTimeout(timer)
}

function gone(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

function killWithUs(child: ChildProcess): void {
  const onExit = () => void child.kill('SIGKILL')
  process.once('exit', onExit)
  child.once('exit', () => process.off('exit', onExit))
}

async function tail(log: string): Promise<string> {
  const lines = (await readFile(log, 'utf8')).trimEnd().split('\n')
  return lines.slice(-JAVA_LIMITS.logTailLines).join('\n')
}
