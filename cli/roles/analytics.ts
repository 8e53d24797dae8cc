/** The role `analytics`: ClickHouse's HTTP interface over the embedded engine. Its users' passwords are keys. */
import { mkdirSync } from 'node:fs'
import { startAnalytics } from '../../analytics/server.ts'
import { ANALYTICS_READER, ANALYTICS_WRITER, foldersOf } from '../engines.ts'
import { Incurable, orNameSetting } from '../incurable.ts'
import { allKeys, type KeyFile } from '../key-file.ts'
import { CLI_LIMITS } from '../limits.ts'
import { SETTINGS } from '../settings.ts'
import type { RoleContext, RoleSpecification, Running } from './role.ts'

export const analyticsRole: RoleSpecification = {
  name: 'analytics',
  health: { port: 'analyticsHealthPort' },
  start: startAnalyticsRole,
}

async function startAnalyticsRole({ config, keys, logger, restart }: RoleContext): Promise<Running> {
  if (config.analytics.engine !== 'embedded') {
    throw new Incurable('PLAYHEAD_ANALYTICS names a ClickHouse server: there is nothing for this role to do.')
  }
  const dataDir = foldersOf(config).analytics
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const { analyticsHost: host, analyticsPort: port } = config
  const users = usersOf(keys().current())
  const server = await orNameSetting(host, port, SETTINGS.analyticsPort.key, () =>
    startAnalytics({ dataDir, host, port, users }),
  )
  const watch = setInterval(() => {
    // Users are read at start only.
    if (JSON.stringify(usersOf(keys().current())) !== JSON.stringify(users)) restart('the keys have changed')
  }, CLI_LIMITS.keysReloadMs)
  logger.debug({ users: users.length }, 'users of the ClickHouse interface')
  return {
    facts: { url: `http://${host.includes(':') ? `[${host}]` : host}:${server.port}`, port: server.port },
    complaints: async () => [],
    status: () => ({}),
    close: async () => {
      clearInterval(watch)
      await server.close()
    },
  }
}

/** Writers hold an admin key, readers a data key; each key answers to its own name too. */
function usersOf(file: KeyFile) {
  return allKeys(file).flatMap(({ name, kind, secret }) => {
    if (kind === 'publishable') return []
    const role = kind === 'admin' ? ('writer' as const) : ('reader' as const)
    const common = role === 'writer' ? ANALYTICS_WRITER : ANALYTICS_READER
    return [...new Set([name, common])].map((user) => ({ name: user, password: secret, role }))
  })
}
