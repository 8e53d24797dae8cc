/** The role `api`: the HTTP API in its own process. */
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Breakers } from '../../api/breaker.ts'
import { guardedAnalytics, guardedReaders, guardedSealer } from '../../api/guarded.ts'
import { buildApi, type ContextParts } from '../../api/server.ts'
import type { EventLog } from '../../log/log.ts'
import { createSealer } from '../../producers/personal.ts'
import { pooledRandom } from '../../producers/random.ts'
import type { EventCodec } from '../../schemas/index.ts'
import { openAdmission } from '../admission.ts'
import { rulesOf } from '../alerts.ts'
import { openAnalyticsReader } from '../analytics-reader.ts'
import { foldersOf, openCodec, openLog, openState, openVault } from '../engines.ts'
import { orNameSetting } from '../incurable.ts'
import { openPointers } from '../pointers.ts'
import { openReaders } from '../readers.ts'
import { openService } from '../replay/open-service.ts'
import { SETTINGS } from '../settings.ts'
import { VERSION } from '../version.ts'
import { logComplaints } from './log-check.ts'
import type { RoleContext, RoleSpecification, Running } from './role.ts'

export const apiRole: RoleSpecification = { name: 'api', start: startApi }

async function startApi(role: RoleContext): Promise<Running> {
  const { config, keys, logger, metrics, reach } = role
  const codec = await openCodec(config)
  const log = await reach('the event log', () => openLog(config))
  const complaints = logComplaints(log, Date.now)
  const parts = await openParts(role, log, codec)
  const app = await buildApi({
    log,
    codec,
    keys: keys(),
    metrics,
    logger,
    complaints,
    nowMs: Date.now,
    random,
    corsOrigins: config.corsOrigins,
    trustedProxies: config.trustedProxies,
    version: VERSION,
    servesSchemas: config.schemaRegistryUrl === undefined,
    context: parts.context,
    web: { assetsDir: ASSETS, mediaDir: foldersOf(config).media },
  })
  const { host, port } = config
  await orNameSetting(host, port, SETTINGS.port.key, () => app.listen({ host, port }))
  const address = app.server.address() as AddressInfo
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : address.family === 'IPv6' ? `[${host}]` : host
  return {
    facts: { url: `http://${shown}:${address.port}`, port: address.port },
    complaints,
    status: () => ({}),
    close: async () => {
      await app.close()
      await parts.close()
      await log.close()
    },
  }
}

/** What the routes of profiles, titles and playback stand on. The tables are behind breakers; the vault is not: nothing
 * personal may be written while it can't be reached. */
async function openParts(
  role: RoleContext,
  log: EventLog,
  codec: EventCodec,
): Promise<{ context: ContextParts; close(): Promise<void> }> {
  const { config, keys, logger, metrics, reach } = role
  const nowMs = Date.now
  const warn = (message: string) => logger.warn(message)
  const state = await reach('the state store', () => openState(config))
  const vault = await reach('the vault', () => openVault(config))
  const pointers = await reach('the state store', async () => openPointers(config, state, await log.incarnation()))
  pointers.follow({
    wentOver: (projection, from, to) => logger.info({ projection, from, to }, 'another generation is read'),
    failed: (error) => logger.warn({ err: error }, 'the book of generations: looked at again'),
  })
  const readers = openReaders(pointers)
  const breakers = new Breakers(metrics)
  const analytics = openAnalyticsReader(config, keys(), pointers)
  const { admission, close } = await openAdmission({ config, keys: keys(), breakers, metrics, nowMs, warn })
  const onChange = (service: string, now: string) =>
    logger.warn({ service, state: now }, 'a circuit breaker has changed')
  const guards = { breakers, nowMs, onChange }
  const guarded = guardedAnalytics(analytics.reader, guards)
  const asked = { config, codec, log, state, vault, analytics: guarded, logger, nowMs }
  const replay = await reach('the state store', () => openService(asked))
  return {
    context: {
      admission,
      ...guardedReaders(readers, guards),
      sealer: guardedSealer(createSealer({ vault, random, nowMs }), guards),
      profiles: { vault },
      analytics: guarded,
      live: config.live,
      incidents: { incidents: readers.incidents, rules: await rulesOf(config) },
      replay,
    },
    close: async () => {
      await replay.close()
      await close()
      await pointers.close()
      await Promise.all([analytics.close(), state.close(), vault.close()])
    },
  }
}

/** What the build bundles for browsers: in the folder of the compiled code, also where the sources run as they are. */
const ASSETS = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../../dist' : '../..', import.meta.url))

const random = pooledRandom((bytes) => void globalThis.crypto.getRandomValues(bytes))
