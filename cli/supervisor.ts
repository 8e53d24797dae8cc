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
 * A role may *want* others, so many of a kind (the consumers want builders while there is something to build): those are
 * started and drained as it says. Nothing else depends on them: one that fails again and again is tried on and on.
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
  /** By its kind; undefined: always. */
  readonly wantedAs: string | undefined
  state: State
  child: ChildProcess | undefined
  failures: number
  startedAtMs: number
  pause: NodeJS.Timeout | undefined
  lastWords: string[]
}

export class Supervisor {
  readonly #roles: Role[]
  readonly #onDemand: ReadonlyMap<string, RoleSpec>
  readonly #ports: SupervisorPorts
  readonly #facts = new Map<string, Facts>()
  #stopping: Promise<void> | undefined
  #outcome: Outcome = {}
  /** Woken at every change of any role's state. */
  #waiters: (() => void)[] = []

  /** `onDemand`: those that run only while another role wants them. */
  constructor(specs: readonly RoleSpec[], ports: SupervisorPorts, onDemand: readonly RoleSpec[] = []) {
    this.#ports = ports
    this.#roles = specs.map((spec) => waiting(spec))
    this.#onDemand = new Map(onDemand.map((spec) => [spec.name, spec]))
  }

  /** Starts the roles one after the other, each when the one before is ready. False if that came to nothing. */
  async start(): Promise<boolean> {
    for (const role of [...this.#roles]) {
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
      for (const [kind, many] of wantsOf(message)) this.#want(kind, many)
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

  /** As many of the kind as are wanted now. */
  #want(kind: string, many: number): void {
    const spec = this.#onDemand.get(kind)
    if (spec === undefined || this.#stopping !== undefined) return
    const running = this.#roles.filter(({ wantedAs, state }) => wantedAs === kind && state !== 'stopping')
    for (const role of running.slice(many)) this.#letGo(role)
    for (let i = running.length; i < Math.min(many, CLI_LIMITS.wantedRolesMax); i++) {
      const role = waiting(spec, kind)
      this.#roles.push(role)
      this.#launch(role)
    }
  }

  #letGo(role: Role): void {
    clearTimeout(role.pause)
    if (role.child === undefined) this.#roles.splice(this.#roles.indexOf(role), 1)
    else void this.#drain(role, role.child)
  }

  #ended(role: Role, code: number | null, signal: NodeJS.Signals | null): void {
    const wasTold = role.state === 'stopping'
    role.child = undefined
    const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`
    if (wasTold || this.#stopping !== undefined) role.state = 'ended'
    else this.#judge(role, code, how)
    if (wasTold && role.wantedAs !== undefined) this.#roles.splice(this.#roles.indexOf(role), 1)
    this.#changed()
  }

  #judge(role: Role, code: number | null, how: string): void {
    const upMs = this.#ports.nowMs() - role.startedAtMs
    const verdict = afterEnding({ code, upMs }, role.failures)
    if (verdict.restart) {
      role.failures = verdict.failures
      this.#again(role, how, verdict.pauseMs)
    } else if (role.wantedAs !== undefined) {
      this.#again(role, how, CLI_LIMITS.restartCeilingMs)
    } else {
      role.state = 'given up'
      this.#say('error', `${role.spec.name} ${how}, ${verdict.why}: stopping everything`)
      this.#outcome = { gaveUp: { role: role.spec.name, why: `${how}, ${verdict.why}`, lastWords: role.lastWords } }
      void this.stop()
    }
  }

  #again(role: Role, how: string, pauseMs: number): void {
    role.state = 'pausing'
    this.#say('warn', `${role.spec.name} ${how}: started again in ${pauseMs} ms`)
    role.pause = setTimeout(() => this.#launch(role), pauseMs)
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

function waiting(spec: RoleSpec, wantedAs?: string): Role {
  const nothing = { child: undefined, failures: 0, startedAtMs: 0, pause: undefined, lastWords: [] }
  return { spec, wantedAs, state: 'waiting', ...nothing }
}

/** What a role says it wants: of which kind how many. */
function wantsOf(message: unknown): readonly (readonly [string, number])[] {
  if (typeof message !== 'object' || message === null || !('wants' in message)) return []
  const { wants } = message
  if (typeof wants !== 'object' || wants === null) return []
  return Object.entries(wants).filter(([, many]) => Number.isSafeInteger(many) && Number(many) >= 0)
}

function readyFacts(message: unknown): Facts | undefined {
  if (typeof message !== 'object' || message === null || !('ready' in message)) return undefined
  const { ready } = message
  return typeof ready === 'object' && ready !== null ? (ready as Facts) : undefined
}
