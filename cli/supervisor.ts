/**
 * Keeps a set of roles running, each a child process.
 *
 * States of a role: *waiting* → *starting* → *ready* → *stopping* → *ended*. From starting or ready, when its process
 * ends unasked: *pausing* (back-off), then starting again; or *given up*, and with it everything is stopped.
 *
 * Who owns what: the supervisor owns the processes and nobody else signals them; a role owns its data and its drain. A
 * role is ready when it says so over the channel; a role that loses the channel ends itself (roles/role.ts), so none
 * outlives a supervisor that was killed.
 *
 * What can fail: a role that does not become ready in time, or does not end in time, is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { afterEnding } from './backoff.ts'
import { CLI_LIMITS } from './limits.ts'
import { LEVELS, type LogLine, lineSplitter, readLine } from './output.ts'

/** What a ready role tells of itself, such as the port it got. */
export type Facts = Readonly<Record<string, string | number>>

export interface RoleSpec {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** Variables for its process, from what the roles that are ready have told. */
  readonly env: (facts: ReadonlyMap<string, Facts>) => Readonly<Record<string, string | undefined>>
}

export interface SupervisorPorts {
  readonly nowMs: () => number
  readonly emit: (line: LogLine) => void
  readonly readyTimeoutMs?: number
  readonly drainTimeoutMs?: number
}

type State = 'waiting' | 'starting' | 'ready' | 'pausing' | 'stopping' | 'ended' | 'given up'

export interface Outcome {
  readonly gaveUp?: { readonly role: string; readonly why: string; readonly lastWords: readonly string[] }
}

interface Role {
  readonly spec: RoleSpec
  state: State
  child: ChildProcess | undefined
  failures: number
  startedAtMs: number
  pause: NodeJS.Timeout | undefined
  lastWords: string[]
}

export class Supervisor {
  readonly #roles: readonly Role[]
  readonly #ports: SupervisorPorts
  readonly #facts = new Map<string, Facts>()
  #stopping: Promise<void> | undefined
  #outcome: Outcome = {}
  /** Woken at every change of any role's state. */
  #waiters: (() => void)[] = []

  constructor(specs: readonly RoleSpec[], ports: SupervisorPorts) {
    this.#ports = ports
    this.#roles = specs.map((spec) => ({
      spec,
      state: 'waiting',
      child: undefined,
      failures: 0,
      startedAtMs: 0,
      pause: undefined,
      lastWords: [],
    }))
  }

  /** Starts the roles one after the other, each when the one before is ready. False if that came to nothing. */
  async start(): Promise<boolean> {
    for (const role of this.#roles) {
      if (this.#stopping !== undefined) return false
      this.#launch(role)
      await this.#until(() => role.state === 'ready' || this.#stopping !== undefined)
    }
    return this.#stopping === undefined
  }

  facts(): ReadonlyMap<string, Facts> {
    return this.#facts
  }

  states(): Readonly<Record<string, State>> {
    return Object.fromEntries(this.#roles.map((role) => [role.spec.name, role.state]))
  }

  /** Resolves when every role has ended, because `stop` was called or a role was given up. */
  async over(): Promise<Outcome> {
    await this.#until(() => this.#stopping !== undefined)
    await this.#stopping
    return this.#outcome
  }

  /** Drains the roles, the last started first. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll()
    this.#changed()
    return this.#stopping
  }

  /** Ends every role at once, drained or not. */
  kill(): void {
    void this.stop()
    for (const role of this.#roles) role.child?.kill('SIGKILL')
  }

  async #stopAll(): Promise<void> {
    for (const role of this.#roles) clearTimeout(role.pause)
    for (const role of [...this.#roles].reverse()) {
      if (role.child === undefined) {
        if (role.state !== 'given up') role.state = 'ended'
        continue
      }
      await this.#drain(role, role.child)
    }
  }

  async #drain(role: Role, child: ChildProcess): Promise<void> {
    const begunAtMs = this.#ports.nowMs()
    role.state = 'stopping'
    this.#say('info', `draining ${role.spec.name}`)
    child.kill('SIGTERM')
    const deadline = setTimeout(() => {
      this.#say('error', `${role.spec.name} did not drain in time: killed`)
      child.kill('SIGKILL')
    }, this.#ports.drainTimeoutMs ?? CLI_LIMITS.drainTimeoutMs)
    await this.#until(() => role.child === undefined)
    clearTimeout(deadline)
    this.#say('info', `${role.spec.name} stopped after ${this.#ports.nowMs() - begunAtMs} ms`)
  }

  #launch(role: Role): void {
    const { name, command, args, env } = role.spec
    role.state = 'starting'
    role.startedAtMs = this.#ports.nowMs()
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...env(this.#facts) },
    })
    role.child = child
    const patience = setTimeout(() => {
      this.#say('error', `${name} was not ready in time: killed`)
      child.kill('SIGKILL')
    }, this.#ports.readyTimeoutMs ?? CLI_LIMITS.readyTimeoutMs)
    for (const stream of [child.stdout, child.stderr]) this.#listen(role, stream)
    child.on('message', (message) => {
      const facts = readyFacts(message)
      if (facts === undefined || role.child !== child) return
      clearTimeout(patience)
      this.#facts.set(name, facts)
      if (role.state === 'starting') role.state = 'ready'
      this.#changed()
    })
    child.on('error', (error) => this.#say('error', `${name} can't be started: ${error.message}`))
    child.on('close', (code, signal) => {
      clearTimeout(patience)
      this.#ended(role, code, signal)
    })
  }

  #listen(role: Role, stream: NodeJS.ReadableStream | null): void {
    const lines = lineSplitter((text) => {
      const line = readLine(role.spec.name, text, this.#ports.nowMs())
      if (line.level >= 40) role.lastWords = [...role.lastWords, line.msg].slice(-CLI_LIMITS.lastWordsLinesMax)
      this.#ports.emit(line)
    })
    stream?.setEncoding('utf8')
    stream?.on('data', (chunk: string) => lines.push(chunk))
    stream?.on('end', () => lines.end())
  }

  #ended(role: Role, code: number | null, signal: NodeJS.Signals | null): void {
    role.child = undefined
    const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`
    if (this.#stopping === undefined) this.#judge(role, code, how)
    else role.state = 'ended'
    this.#changed()
  }

  #judge(role: Role, code: number | null, how: string): void {
    const upMs = this.#ports.nowMs() - role.startedAtMs
    const verdict = afterEnding({ code, upMs }, role.failures)
    if (verdict.restart) {
      role.state = 'pausing'
      role.failures = verdict.failures
      this.#say('warn', `${role.spec.name} ${how}: started again in ${verdict.pauseMs} ms`)
      role.pause = setTimeout(() => this.#launch(role), verdict.pauseMs)
    } else {
      role.state = 'given up'
      this.#say('error', `${role.spec.name} ${how}, ${verdict.why}: stopping everything`)
      this.#outcome = { gaveUp: { role: role.spec.name, why: `${how}, ${verdict.why}`, lastWords: role.lastWords } }
      void this.stop()
    }
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve)
      })
    }
  }

  #changed(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }

  #say(level: string, msg: string): void {
    this.#ports.emit({ level: LEVELS[level] ?? 30, time: this.#ports.nowMs(), role: 'up', msg })
  }
}

function readyFacts(message: unknown): Facts | undefined {
  if (typeof message !== 'object' || message === null || !('ready' in message)) return undefined
  const { ready } = message
  return typeof ready === 'object' && ready !== null ? (ready as Facts) : undefined
}
