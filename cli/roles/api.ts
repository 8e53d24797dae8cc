/** The role `api`: the HTTP API in its own process. */
import type { AddressInfo } from 'node:net'
import { buildApi } from '../../api/server.ts'
import { openCodec, openLog } from '../engines.ts'
import { orNameSetting } from '../incurable.ts'
import { SETTINGS } from '../settings.ts'
import { VERSION } from '../version.ts'
import { logComplaints } from './log-check.ts'
import type { RoleContext, RoleSpecification, Running } from './role.ts'

export const apiRole: RoleSpecification = { name: 'api', start: startApi }

async function startApi({ config, keys, logger, metrics, reach }: RoleContext): Promise<Running> {
  const codec = await openCodec(config)
  const log = await reach('the event log', () => openLog(config))
  const complaints = logComplaints(log, Date.now)
  const app = await buildApi({
    log,
    codec,
    keys: keys(),
    metrics,
    logger,
    complaints,
    nowMs: Date.now,
    random: (bytes) => globalThis.crypto.getRandomValues(bytes),
    corsOrigins: config.corsOrigins,
    version: VERSION,
    servesSchemas: config.schemaRegistryUrl === undefined,
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
      await log.close()
    },
  }
}
