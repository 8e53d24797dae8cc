/**
 * Which engine stands behind each port, by configuration: the only place that knows. An engine's code is loaded when it
 * is chosen, so that one machine pays for no cluster driver's memory.
 */
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { EventLog } from '../log/log.ts'
import { createCodec, type EventCodec, TOPICS } from '../schemas/index.ts'
import { ClickHouse, type ClickHouseOptions } from '../stores/clickhouse/clickhouse.ts'
import type { StateStore } from '../stores/state.ts'
import type { MovableVault } from '../stores/vault/movable.ts'
import type { KeyVault } from '../stores/vault.ts'
import type { LogAddress, StoreAddress } from './addresses.ts'
import { readingOn } from './archive/reading-on.ts'
import { guarded } from './migrate/gate.ts'
import type { Config } from './settings.ts'

/** Names of the users that the embedded ClickHouse interface knows; their passwords are keys. */
export const ANALYTICS_WRITER = 'admin'
export const ANALYTICS_READER = 'data'
const EMBEDDED_DATABASE = 'playhead'

export interface Folders {
  readonly data: string
  readonly log: string
  readonly state: string
  readonly vault: string
  readonly analytics: string
  readonly run: string
  /** The demo's clip. */
  readonly media: string
}

export function foldersOf(config: Pick<Config, 'data'>): Folders {
  const data = resolve(config.data)
  return {
    data,
    log: join(data, 'log'),
    state: join(data, 'state'),
    vault: join(data, 'vault'),
    analytics: join(data, 'analytics'),
    run: join(data, 'run'),
    media: join(data, 'media'),
  }
}

export async function openLog(config: Config): Promise<EventLog> {
  const log = await openLogAt(config, config.log)
  await log.ensureTopics(Object.entries(TOPICS).map(([topic, { partitions }]) => ({ topic, partitions })))
  // It refuses appends while a migration takes it elsewhere, and after.
  return await readingOn(config, guarded(log))
}

/** Without its topics; `address` may be another log than the configured one (a copy). */
export async function openLogAt(config: Config, address: LogAddress, dir = foldersOf(config).log): Promise<EventLog> {
  if (address.engine === 'embedded') {
    const { openEmbeddedLog } = await import('../log/embedded/index.ts')
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    return await openEmbeddedLog({ dir })
  }
  const { openKafkaLog } = await import('../log/kafka/index.ts')
  const password = config.logPassword ?? address.password
  return await openKafkaLog({
    brokers: address.brokers.map(hostPort),
    clientId: 'playhead',
    replicationFactor: config.logReplication,
    ...((config.logTls || config.logCaFile !== undefined) && {
      tls: {
        ...(config.logCaFile !== undefined && { caFile: config.logCaFile }),
        ...certificate(config.logCertFile, config.logCertKeyFile),
      },
    }),
    ...(address.username !== undefined && {
      sasl: { mechanism: config.logSaslMechanism, username: address.username, password: password ?? '' },
    }),
  })
}

export async function openState(config: Config): Promise<StateStore> {
  const { store } = config
  if (store.engine === 'cassandra') return await openCassandra(config, store)
  const { openEmbeddedState } = await import('../stores/embedded/index.ts')
  const dir = foldersOf(config).state
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  return await openEmbeddedState({ dir, clock: Date.now })
}

/** The keys of personal fields, beside the states: they are truth, and are backed up with the log. */
export function openVault(config: Config): Promise<KeyVault & { close(): Promise<void> }> {
  return openMovableVault(config)
}

export async function openMovableVault(config: Config): Promise<MovableVault> {
  const { store } = config
  if (store.engine === 'cassandra') {
    const { openCassandraVault } = await import('../stores/cassandra/vault.ts')
    return await openCassandraVault(cassandraOptions(config, store))
  }
  const { openEmbeddedVault } = await import('../stores/vault/embedded.ts')
  const { data, vault } = foldersOf(config)
  mkdirSync(data, { recursive: true, mode: 0o700 })
  return await openEmbeddedVault({ dir: vault })
}

async function openCassandra(
  config: Config,
  store: Extract<StoreAddress, { engine: 'cassandra' }>,
): Promise<StateStore> {
  const { openCassandraState } = await import('../stores/cassandra/index.ts')
  return await openCassandraState({ ...cassandraOptions(config, store), clock: Date.now })
}

function cassandraOptions(config: Config, store: Extract<StoreAddress, { engine: 'cassandra' }>) {
  const password = config.storePassword ?? store.password
  return {
    contactPoints: store.contactPoints.map(({ host }) => host),
    port: store.contactPoints[0]?.port ?? 9042,
    keyspace: store.keyspace,
    ...replicationOf(config),
    ...(config.storeDc !== undefined && { localDataCenter: config.storeDc }),
    ...(store.username !== undefined && { username: store.username, password: password ?? '' }),
    ...(config.storeCaFile !== undefined && {
      tls: {
        caFile: config.storeCaFile,
        ...certificate(config.storeCertFile, config.storeCertKeyFile),
      },
    }),
  }
}

function replicationOf({ storeDc, storeReplication }: Config): {
  replication?: Readonly<Record<string, string | number>>
} {
  if (storeReplication === undefined) return {}
  return { replication: { class: 'NetworkTopologyStrategy', [storeDc ?? 'replication_factor']: storeReplication } }
}

/** The writer's connection. */
export function openAnalytics(config: Config, adminKey: string): ClickHouse {
  return new ClickHouse(analyticsAccess(config, adminKey))
}

/** Where ClickHouse is, for who may write; the embedded interface takes keys for passwords: the admin key for a writer's. */
export function analyticsAccess(config: Config, key: string, user = ANALYTICS_WRITER): ClickHouseOptions {
  const { analytics } = config
  if (analytics.engine === 'embedded') {
    const url = `http://${hostPort({ host: config.analyticsHost, port: config.analyticsPort })}`
    return { url, username: user, password: key, database: EMBEDDED_DATABASE }
  }
  return {
    url: analytics.url,
    username: analytics.username ?? 'default',
    password: config.analyticsPassword ?? analytics.password ?? '',
    database: analytics.database,
    ...(config.analyticsCaFile !== undefined && { tls: { caFile: config.analyticsCaFile } }),
  }
}

export async function openCodec(config: Config): Promise<EventCodec> {
  if (config.schemaRegistryUrl === undefined) return await createCodec()
  const url = new URL(config.schemaRegistryUrl)
  const { username, password } = url
  url.username = ''
  url.password = ''
  const auth = { username: decodeURIComponent(username), password: decodeURIComponent(password) }
  return await createCodec({ registryUrl: url.href, ...(username !== '' && { auth }) })
}

function hostPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Ours, where the other side asks for one. */
function certificate(certFile: string | undefined, keyFile: string | undefined) {
  return { ...(certFile !== undefined && { certFile }), ...(keyFile !== undefined && { keyFile }) }
}
