/**
 * What every role's process does: read the settings, log JSON lines, answer for its health, drain when told to, and
 * never outlive the supervisor that started it.
 *
 * States: *starting* (health answers, readiness is red) → *running* → *draining* → ended. Told to drain by SIGTERM, by
 * SIGINT when nobody supervises it (a terminal sends Ctrl-C to the whole group, and the supervisor has an order to
 * keep), or by the loss of its supervisor's channel; the last leaves little time.
 *
 * Exit codes: 0 drained · 1 failed · 70 an invariant broke · 78 a setting is wrong and a restart would not help.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pino, { type Logger } from 'pino'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { LogUnavailable } from '../../log/errors.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import { EXIT_INCURABLE } from '../backoff.ts'
import { loadConfig } from '../config.ts'
import { foldersOf } from '../engines.ts'
import { type HealthServer, serveHealth } from '../health.ts'
import { isIncurable, orNameSetting } from '../incurable.ts'
import { ensureKeyFile, type Keys, keysPath, openKeys } from '../keys.ts'
import { CLI_LIMITS } from '../limits.ts'
import type { RoleNote } from '../live-roles.ts'
import type { Config, SettingName } from '../settings.ts'
import { SETTINGS } from '../settings.ts'
import type { Facts } from '../supervisor.ts'

export const ROLE_NAMES = ['analytics', 'consumers', 'builder', 'api'] as const
/** `transcode` will be one more. */
export type RoleName = (typeof ROLE_NAMES)[number]

export interface RoleContext {
  readonly config: Config
  /** Opened when first asked for: a role that needs no key needs no keys file. */
  keys(): Keys
  readonly logger: Logger
  readonly metrics: Registry
  /** Repeats `open` while its engine can't be reached, and says so where people look. */
  reach<T>(what: string, open: () => Promise<T>): Promise<T>
  /** Drains the role, which is then started anew: for what is only read at start. */
  restart(why: string): void
  /** Whoever supervises this process is to run so many of that role. Without a supervisor nothing comes of it. */
  want(role: RoleName, many: number): void
}

export interface Running {
  /** What others need to know of it, such as the port it got. */
  readonly facts: Facts
  complaints(): Promise<readonly string[]>
  status(): unknown
  close(): Promise<void>
}

export interface RoleSpecification {
  readonly name: RoleName
  /** Settings of the health port; the API answers for its health on its own port. */
  readonly health?: { readonly port: 'consumersHealthPort' | 'analyticsHealthPort' | 'builderHealthPort' }
  start(context: RoleContext): Promise<Running>
}

/** Answers the exit code when the role has ended. */
export async function runRole(role: RoleSpecification): Promise<number> {
  const logger = pino({ base: { role: role.name } }, pino.destination({ fd: 1, sync: true }))
  const stop = stopSignal(logger)
  try {
    return await live(role, logger, stop)
  } catch (error) {
    if (isIncurable(error)) logger.fatal(error.message)
    else logger.fatal({ err: error }, `the ${role.name} role failed: ${(error as Error).message}`)
    return isIncurable(error) ? EXIT_INCURABLE : 1
  }
}

async function live(role: RoleSpecification, logger: Logger, stop: StopSignal): Promise<number> {
  const { config, warnings } = loadConfig(process.env)
  logger.level = config.logLevel
  for (const warning of warnings) logger.warn(warning)
  let opened: Keys | undefined
  const keys = () => {
    opened ??= keysOf(config, logger)
    return opened
  }
  const metrics = new Registry()
  metrics.setDefaultLabels({ role: role.name })
  collectDefaultMetrics({ register: metrics })

  const here: { running?: Running; waitingFor?: string } = {}
  const complaints = async () => {
    if (stop.requested) return ['draining']
    if (here.running === undefined) return [here.waitingFor ?? 'starting']
    return await here.running.complaints()
  }
  const status = () => here.running?.status() ?? {}
  const health = await healthOf(role, config, metrics, complaints, status)
  const noteFile = join(foldersOf(config).run, `${role.name}.${process.pid}.json`)
  try {
    const reach = reacher(logger, stop, (what) => {
      if (what === undefined) delete here.waitingFor
      else here.waitingFor = what
    })
    const running = await role.start({
      config,
      keys,
      logger,
      metrics,
      reach,
      restart: (why) => stop.request(why),
      want,
    })
    here.running = running
    writeNote(noteFile, role.name, health?.url ?? String(running.facts.url ?? ''), running.facts, logger)
    logger.info(running.facts, 'ready')
    process.send?.({ ready: running.facts })
    await stop.wanted
    return (await drained(running, stop, logger)) ? 0 : 1
  } finally {
    rmSync(noteFile, { force: true })
    await health?.close()
  }
}

function want(role: RoleName, many: number): void {
  process.send?.({ wants: { [role]: many } })
}

async function drained(running: Running, stop: StopSignal, logger: Logger): Promise<boolean> {
  const patienceMs = stop.orphaned ? CLI_LIMITS.orphanTimeoutMs : CLI_LIMITS.drainTimeoutMs
  const ended = await Promise.race([running.close().then(() => true), afterMs(patienceMs)])
  if (ended !== true) logger.error(`not drained after ${patienceMs} ms: ending all the same`)
  return ended === true
}

async function healthOf(
  role: RoleSpecification,
  config: Config,
  metrics: Registry,
  complaints: () => Promise<readonly string[]>,
  status: () => unknown,
): Promise<HealthServer | undefined> {
  if (role.health === undefined) return undefined
  const setting: SettingName = role.health.port
  const [host, port] = [config.healthHost, config[role.health.port]]
  return await orNameSetting(host, port, SETTINGS[setting].key, () =>
    serveHealth({ host, port, metrics, complaints, status }),
  )
}

/** The first start makes keys, whichever role it is; a file that was named must be there. */
function keysOf(config: Config, logger: Logger): Keys {
  const path = keysPath(config)
  if (
    config.keysFile === undefined &&
    ensureKeyFile(path, (bytes) => globalThis.crypto.getRandomValues(bytes)).created
  ) {
    logger.info(`made the keys: ${path}`)
  }
  return openKeys(path, { nowMs: Date.now, warn: (message) => logger.warn(message) })
}

/** For `playhead status`, which looks here for the roles of this data folder. A pod may have none it can write to. */
function writeNote(path: string, role: string, url: string, facts: Facts, logger: Logger): void {
  const note: RoleNote = { role, pid: process.pid, url, facts, startedAt: new Date().toISOString() }
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(path, JSON.stringify(note), { mode: 0o600 })
  } catch (error) {
    logger.warn(`\`playhead status\` will not see this role: ${(error as Error).message}`)
  }
}

function reacher(logger: Logger, stop: StopSignal, waitFor: (what: string | undefined) => void) {
  return async <T>(what: string, open: () => Promise<T>): Promise<T> => {
    for (let pauseMs = 250; ; pauseMs = Math.min(5_000, pauseMs * 2)) {
      try {
        const opened = await open()
        waitFor(undefined)
        return opened
      } catch (error) {
        if (!(error instanceof LogUnavailable || error instanceof StoreUnavailable)) throw error
        waitFor(`waiting for ${what}: ${error.message}`)
        logger.warn({ code: error.code }, `${what} can't be reached, trying again: ${error.message}`)
        await Promise.race([afterMs(pauseMs), stop.wanted])
        if (stop.requested) throw error
      }
    }
  }
}

interface StopSignal {
  readonly wanted: Promise<void>
  readonly requested: boolean
  readonly orphaned: boolean
  request(why: string): void
}

function stopSignal(logger: Logger): StopSignal {
  let resolve: () => void = () => undefined
  const wanted = new Promise<void>((done) => {
    resolve = done
  })
  const signal = { wanted, requested: false, orphaned: false, request }
  function request(why: string): void {
    if (!signal.requested) logger.info(`draining: ${why}`)
    signal.requested = true
    resolve()
  }
  process.on('SIGTERM', () => request('told to end'))
  const supervised = process.send !== undefined
  process.on('SIGINT', () => {
    if (!supervised) request('interrupted')
  })
  process.on('disconnect', () => {
    // Nobody reads our log any more, and writing to it would end us in mid-drain.
    logger.level = 'silent'
    signal.orphaned = true
    // Not by an exit: that waits for LMDB's write thread, which may wait for a call of ours that never comes.
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), CLI_LIMITS.orphanTimeoutMs)
    request('the supervisor is gone')
  })
  return signal
}

function afterMs(ms: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms, undefined)
  })
}
