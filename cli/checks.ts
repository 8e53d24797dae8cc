/** What `playhead doctor` looks at. Each check answers ✓ or ✗ with what to do; none changes anything. */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import { freeBytes, humanBytes } from './disk.ts'
import { foldersOf, openAnalytics, openCodec, openLogAt, openState } from './engines.ts'
import { keysPath, readKeyFile } from './keys.ts'
import { CLI_LIMITS } from './limits.ts'
import { liveRoles } from './live-roles.ts'
import { type Config, SETTINGS } from './settings.ts'

export interface Finding {
  readonly check: string
  readonly ok: boolean
  readonly found: string
  readonly remedy?: string
}

export async function allFindings(config: Config): Promise<readonly Finding[]> {
  const running = liveRoles(foldersOf(config).run).length > 0
  return [
    nodeVersion(process.versions.node),
    dataFolder(config),
    diskSpace(config),
    keysFile(config),
    ...(await ports(config, running)),
    await eventLog(config),
    await stateStore(config),
    await analytics(config, running),
    await reachable('schema registry', config.schemaRegistryUrl === undefined ? 'built in' : 'external', async () => {
      await openCodec(config)
    }),
  ]
}

export function nodeVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const ok = (major === 20 && minor >= 19) || (major > 20 && major < 25)
  return finding('Node.js', ok, version, 'Install Node.js 20.19 or later, up to 24.')
}

function dataFolder(config: Config): Finding {
  const { data } = foldersOf(config)
  let place = data
  while (!existsSync(place)) place = dirname(place)
  try {
    accessSync(place, constants.R_OK | constants.W_OK | constants.X_OK)
    return finding('data folder', true, place === data ? data : `${data} (will be made)`)
  } catch (error) {
    const remedy = `Make ${place} writable for this user, or set ${SETTINGS.data.key}.`
    return finding('data folder', false, (error as Error).message, remedy)
  }
}

function diskSpace(config: Config): Finding {
  let place = foldersOf(config).data
  while (!existsSync(place)) place = dirname(place)
  const free = freeBytes(place)
  const remedy = `Have ${humanBytes(CLI_LIMITS.diskFreeBytesMin)} free, or set ${SETTINGS.data.key} to a larger disk.`
  return finding('disk', free >= CLI_LIMITS.diskFreeBytesMin, `${humanBytes(free)} free`, remedy)
}

function keysFile(config: Config): Finding {
  const path = keysPath(config)
  if (!existsSync(path)) return finding('keys', true, `${path} (will be made)`)
  try {
    readKeyFile(path)
  } catch (error) {
    return finding('keys', false, (error as Error).message, 'Repair the file, or move it away: a new one is made.')
  }
  const open = (statSync(path).mode & 0o077) !== 0 && process.platform !== 'win32' && config.keysFile === undefined
  return finding('keys', !open, open ? `${path} can be read by others` : path, `chmod 600 ${path}`)
}

/** Opening an embedded engine makes its folder, and a check changes nothing. */
async function eventLog(config: Config): Promise<Finding> {
  if (config.log.engine === 'embedded' && !existsSync(foldersOf(config).log)) {
    return finding('event log', true, 'embedded (will be made)')
  }
  return await reachable('event log', config.log.engine, async () => (await openLogAt(config, config.log)).close())
}

async function stateStore(config: Config): Promise<Finding> {
  if (config.store.engine === 'embedded' && !existsSync(foldersOf(config).state)) {
    return finding('state store', true, 'embedded (will be made)')
  }
  return await reachable('state store', config.store.engine, async () => {
    const state = await openState(config)
    await state.ping().finally(() => state.close())
  })
}

/** A running `up` holds the ports itself: then they are as they should be. */
async function ports(config: Config, running: boolean): Promise<readonly Finding[]> {
  if (running) return [finding('ports', true, 'held by the roles that run')]
  const wanted = [
    [config.host, config.port, SETTINGS.port.key],
    [config.analyticsHost, config.analyticsPort, SETTINGS.analyticsPort.key],
    [config.healthHost, config.consumersHealthPort, SETTINGS.consumersHealthPort.key],
    [config.healthHost, config.analyticsHealthPort, SETTINGS.analyticsHealthPort.key],
  ] as const
  return await Promise.all(
    wanted.map(async ([host, port, key]) => {
      const trouble = port === 0 ? undefined : await bindTrouble(host, port)
      const found = trouble ?? `${host}:${port} is free`
      return finding(`port ${port}`, trouble === undefined, found, `Set ${key} to another port, or end what uses it.`)
    }),
  )
}

async function bindTrouble(host: string, port: number): Promise<string | undefined> {
  return await new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve(error.message))
    server.listen(port, host, () => server.close(() => resolve(undefined)))
  })
}

async function analytics(config: Config, running: boolean): Promise<Finding> {
  if (config.analytics.engine === 'embedded' && !running) {
    return finding('ClickHouse', true, 'embedded, not running')
  }
  const path = keysPath(config)
  // The port that it has: a free one is not in the settings.
  const port = liveRoles(foldersOf(config).run).find((note) => note.role === 'analytics')?.facts.port
  const analyticsPort = typeof port === 'number' ? port : config.analyticsPort
  const store = openAnalytics({ ...config, analyticsPort }, existsSync(path) ? readKeyFile(path).admin : '')
  const begunAtMs = Date.now()
  try {
    await within(store.ping())
    const [row] = await store.query<{ now: string }>('SELECT toString(toUnixTimestamp64Milli(now64(3))) AS now', {})
    const skewMs = Math.abs(Number(row?.now) - (begunAtMs + Date.now()) / 2)
    const ok = skewMs <= CLI_LIMITS.clockSkewMaxMs
    return finding(
      'ClickHouse',
      ok,
      ok ? 'answers, clocks agree' : `its clock differs by ${Math.round(skewMs)} ms`,
      'Run NTP on both machines.',
    )
  } catch (error) {
    return finding(
      'ClickHouse',
      false,
      (error as Error).message,
      `Check ${SETTINGS.analytics.key}, the server, and the network between.`,
    )
  } finally {
    await store.close()
  }
}

async function reachable(check: string, engine: string, open: () => Promise<void>): Promise<Finding> {
  try {
    await within(open())
    return finding(check, true, engine)
  } catch (error) {
    return finding(
      check,
      false,
      `${engine}: ${(error as Error).message}`,
      'Check its address in `playhead config`, and that it runs.',
    )
  }
}

async function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), CLI_LIMITS.engineProbeTimeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function finding(check: string, ok: boolean, found: string, remedy?: string): Finding {
  return { check, ok, found, ...(!ok && remedy !== undefined && { remedy }) }
}
