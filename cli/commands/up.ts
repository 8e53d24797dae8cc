/** `playhead up`: everything on this machine, supervised. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, relative } from 'node:path'
import { EXIT_INCURABLE } from '../backoff.ts'
import type { Command, Io } from '../command.ts'
import { loadConfig } from '../config.ts'
import { foldersOf } from '../engines.ts'
import { orNameSetting } from '../incurable.ts'
import { ensureKeyFile, keysPath, readKeyFile } from '../keys.ts'
import { CLI_LIMITS } from '../limits.ts'
import { lockDataFolder } from '../lock.ts'
import { LEVELS, type LogLine, toJson, toText } from '../output.ts'
import { type Config, SETTINGS, type SettingName } from '../settings.ts'
import { type Outcome, type RoleSpec, Supervisor } from '../supervisor.ts'
import { welcome } from '../welcome.ts'

export const up: Command = {
  name: 'up',
  about: `Starts analytics, consumers and the API, each in a process of its own, restarts what fails, and shows
their logs in one stream; builders join them while there are tables to build (\`playhead rebuild\`). Ctrl-C drains
and ends them; a second Ctrl-C ends them at once.
Data goes to ${SETTINGS.data.default} unless PLAYHEAD_DATA says otherwise; the first start makes keys there.`,
  examples: ['playhead up', 'PLAYHEAD_PORT=9000 PLAYHEAD_DATA=/srv/playhead playhead up'],
  run: (_args, io) => runUp(io),
}

async function runUp(io: Io): Promise<number> {
  const { config, warnings } = loadConfig(io.env)
  const emit = emitter(io)
  const say = (level: string, msg: string) => emit({ level: LEVELS[level] ?? 30, time: Date.now(), role: 'up', msg })
  for (const warning of warnings) say('warn', warning)
  const folders = foldersOf(config)
  mkdirSync(folders.data, { recursive: true, mode: 0o700 })
  const lock = await lockDataFolder(folders.data, Date.now)
  if (!lock.ok) {
    io.err(
      `playhead: ${folders.data} is in use by another \`playhead up\` (process ${lock.holder.pid} on ${lock.holder.host}).\n`,
    )
    io.err('End that one first, or give this one a folder of its own with PLAYHEAD_DATA.\n')
    return EXIT_INCURABLE
  }
  try {
    await checkPorts(config)
    forgetNotes(folders.run)
    const keysFile = keysPath(config)
    const { created } = ensureKeyFile(keysFile, (bytes) => globalThis.crypto.getRandomValues(bytes))
    if (created) say('info', `made the keys: ${keysFile}`)
    const keys = readKeyFile(keysFile)
    const names = config.analytics.engine === 'embedded' ? ['analytics', 'consumers', 'api'] : ['consumers', 'api']
    const ports = { nowMs: Date.now, emit }
    const supervisor = new Supervisor(roleSpecs(config, names), ports, roleSpecs(config, ['builder']))
    listenForEnd(supervisor, say)
    if (await supervisor.start()) {
      const where = { facts: supervisor.facts(), config, keys, keysFile, command: ownCommand() }
      if (io.tty) io.out(welcome(where))
      else say('info', `up: ${supervisor.facts().get('api')?.url} · keys in ${keysFile}`)
    }
    return verdict(await supervisor.over(), io)
  } finally {
    await lock.release()
  }
}

/** A free port is taken once and kept over restarts, so that what others were told stays true. */
/** A batch's events outlive V8's usual young generation: with more room for it, half of the garbage collection goes. */
export const FOLDING = ['--max-semi-space-size=64']

function roleSpecs(config: Config, names: readonly string[]): readonly RoleSpec[] {
  const entry = process.argv[1] ?? ''
  return names.map((name) => ({
    name,
    command: process.execPath,
    args: [...process.execArgv, ...(name === 'consumers' || name === 'builder' ? FOLDING : []), entry, name],
    env: (facts) => ({
      // The engine's queries run on these threads; with the default of four, two readers would wait for each other.
      ...(name === 'analytics' && { UV_THREADPOOL_SIZE: process.env.UV_THREADPOOL_SIZE ?? '16' }),
      // What is built beside disturbs nobody in a process of its own, which is there only while there is something to build.
      ...(name === 'consumers' && { [SETTINGS.builds.key]: config.builds ?? 'apart' }),
      ...portOf(SETTINGS.analyticsPort.key, facts.get('analytics')?.port),
      ...portOf(SETTINGS.port.key, facts.get('api')?.port),
    }),
  }))
}

function portOf(key: string, port: string | number | undefined): Readonly<Record<string, string>> {
  return port === undefined ? {} : { [key]: String(port) }
}

/** Before anything starts: a clear word beats three processes that fail. */
async function checkPorts(config: Config): Promise<void> {
  const embedded = config.analytics.engine === 'embedded'
  const wanted: readonly (readonly [string, SettingName & `${string}ort`])[] = [
    [config.host, 'port'],
    ...(embedded ? ([[config.analyticsHost, 'analyticsPort']] as const) : []),
    ...(embedded ? ([[config.healthHost, 'analyticsHealthPort']] as const) : []),
    [config.healthHost, 'consumersHealthPort'],
  ]
  for (const [host, name] of wanted) {
    const port = config[name]
    if (port !== 0) await orNameSetting(host, port, SETTINGS[name].key, () => tryPort(host, port))
  }
}

async function tryPort(host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, host, () => server.close(() => resolve()))
  })
}

/** Roles of a former run that was killed left notes of themselves. */
function forgetNotes(runDir: string): void {
  for (const name of readdirSync(runDir)) {
    if (name.endsWith('.json')) rmSync(join(runDir, name), { force: true })
  }
}

function listenForEnd(supervisor: Supervisor, say: (level: string, msg: string) => void): void {
  let firstAtMs: number | undefined
  const end = (signal: string) => {
    const nowMs = Date.now()
    if (firstAtMs === undefined) {
      firstAtMs = nowMs
      say('info', signal === 'SIGINT' ? 'draining; Ctrl-C again ends everything at once' : `draining (${signal})`)
      void supervisor.stop()
    } else if (signal === 'SIGINT' && nowMs - firstAtMs > CLI_LIMITS.interruptEchoMs) {
      supervisor.kill()
      process.exitCode = 130
    }
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(signal))
}

function verdict({ gaveUp }: Outcome, io: Io): number {
  if (process.exitCode === 130) return 130
  if (gaveUp === undefined) return 0
  io.err(`\nplayhead: gave up, because ${gaveUp.role} ${gaveUp.why}.\n`)
  if (gaveUp.lastWords.length > 0) io.err(`Its last words:\n${gaveUp.lastWords.map((line) => `  ${line}\n`).join('')}`)
  io.err('`playhead doctor` looks for the cause.\n')
  return 1
}

function emitter(io: Io): (line: LogLine) => void {
  return (line) => io.out(`${io.tty ? toText(line, io.env.NO_COLOR === undefined) : toJson(line)}\n`)
}

/** How to call this command again from here. */
function ownCommand(): string {
  const entry = process.argv[1] ?? 'playhead'
  return entry.endsWith('.js') ? `node ${relative(process.cwd(), entry)}` : 'playhead'
}
