/**
 * One connection to a Cassandra cluster, and how each kind of statement runs on it.
 *
 * States: *open* → (close) *closed*; a closed one refuses every call. The driver keeps the connections alive and goes
 * round nodes that are down; what it can't hide comes out as StoreUnavailable (the same call may be made again) or
 * StoreRefused. Reads and writes wait for a quorum; with a data centre given, for a quorum of that one.
 */
import { readFile } from 'node:fs/promises'
import { type ConnectionOptions, checkServerIdentity } from 'node:tls'
import { Client, type ClientOptions, policies, types } from 'cassandra-driver'
import { StoreRefused } from '../errors.ts'
import { storeError } from './errors.ts'
import { closeHalfOpen, loadBalancing, watchHosts } from './hosts.ts'
import { CASSANDRA_LIMITS } from './limits.ts'

export interface CassandraTls {
  readonly caFile: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly rejectUnauthorized?: boolean
}

export interface CassandraPlace {
  readonly contactPoints: readonly string[]
  readonly port: number
  readonly keyspace: string
  /** Without it every node counts as near, and a quorum is one of all data centres. */
  readonly localDataCenter?: string
  readonly username?: string
  readonly password?: string
  readonly tls?: CassandraTls
  /** Instead of the limits' own. */
  readonly timeouts?: { readonly requestMs?: number }
}

export type Row = types.Row
export interface Page {
  readonly rows: readonly Row[]
  readonly next: string | undefined
}
export interface Statement {
  readonly query: string
  readonly params: readonly unknown[]
}

export interface Session {
  readonly keyspace: string
  /** Where the cluster is, for messages. */
  readonly place: string
  read(query: string, params: readonly unknown[]): Promise<readonly Row[]>
  readPage(query: string, params: readonly unknown[], from: string | undefined, rows: number): Promise<Page>
  /** After this no swap that was under way before can still take effect unseen. */
  readSerial(query: string, params: readonly unknown[]): Promise<readonly Row[]>
  /** Statements that may be sent twice; several are one unlogged batch. */
  write(statements: readonly Statement[]): Promise<void>
  /** A conditional statement: true if it was applied. Never sent twice by the driver. */
  swap(query: string, params: readonly unknown[]): Promise<boolean>
  /** A statement about keyspaces or tables; done when all nodes agree. */
  define(query: string): Promise<void>
  nodes(): readonly { readonly dataCenter: string }[]
  close(): Promise<void>
}

export async function openSession(place: CassandraPlace): Promise<Session> {
  if (!/^[a-z][a-z0-9_]{0,47}$/.test(place.keyspace)) {
    throw new StoreRefused(`keyspace ${place.keyspace}: lower case, digits and underscores, at most 48 characters`)
  }
  const where = `${place.contactPoints.join(',')}:${place.port}`
  const client = new Client(await clientOptions(place))
  const closeHosts = watchHosts(client)
  let closing: Promise<void> | undefined

  async function guarded<T>(run: () => Promise<T>): Promise<T> {
    if (closing !== undefined) throw new StoreRefused('this state store is closed')
    try {
      return await run()
    } catch (error) {
      throw storeError(error, where)
    }
  }
  const execute = (query: string, params: readonly unknown[], options: object) =>
    guarded(() => client.execute(query, params, { prepare: true, isIdempotent: true, ...options }))

  try {
    await guarded(() => client.connect())
  } catch (error) {
    await closeHalfOpen(client)
    throw error
  }

  return {
    keyspace: place.keyspace,
    place: where,
    read: async (query, params) => (await execute(query, params, { fetchSize: 0 })).rows,
    async readPage(query, params, from, rows) {
      const result = await execute(query, params, { fetchSize: rows, ...(from && { pageState: from }) })
      return { rows: result.rows, next: result.pageState ?? undefined }
    },
    async readSerial(query, params) {
      const consistency = place.localDataCenter ? types.consistencies.localSerial : types.consistencies.serial
      return (await execute(query, params, { consistency })).rows
    },
    async write(statements) {
      const [first] = statements
      if (!first) return
      if (statements.length === 1) await execute(first.query, first.params, {})
      else {
        const batch = statements.map(({ query, params }) => ({ query, params: [...params] }))
        await guarded(() => client.batch(batch, { prepare: true, logged: false, isIdempotent: true }))
      }
    },
    swap: async (query, params) => (await execute(query, params, { isIdempotent: false })).wasApplied(),
    async define(query) {
      await execute(query, [], { prepare: false, readTimeout: CASSANDRA_LIMITS.schemaTimeoutMs })
    },
    nodes: () =>
      client
        .getState()
        .getConnectedHosts()
        .map(({ datacenter }) => ({ dataCenter: datacenter })),
    close() {
      closing ??= client.shutdown().then(closeHosts)
      return closing
    },
  }
}

async function clientOptions(place: CassandraPlace): Promise<ClientOptions> {
  const local = place.localDataCenter
  const { reconnectMinMs, reconnectMaxMs } = CASSANDRA_LIMITS
  return {
    contactPoints: [...place.contactPoints],
    // Offered a newer version first, the driver (4.10) goes down to this one and then, over TLS, mixes two answers up.
    protocolOptions: { port: place.port, maxVersion: types.protocolVersion.v4 },
    ...(local && { localDataCenter: local }),
    policies: {
      loadBalancing: loadBalancing(local),
      reconnection: new policies.reconnection.ExponentialReconnectionPolicy(reconnectMinMs, reconnectMaxMs, false),
    },
    ...(place.username !== undefined && { credentials: { username: place.username, password: place.password ?? '' } }),
    ...(place.tls && { sslOptions: await tlsOptions(place.tls, place.contactPoints) }),
    encoding: { useBigIntAsLong: true, useBigIntAsVarint: true },
    queryOptions: {
      consistency: local ? types.consistencies.localQuorum : types.consistencies.quorum,
      serialConsistency: local ? types.consistencies.localSerial : types.consistencies.serial,
    },
    socketOptions: {
      connectTimeout: CASSANDRA_LIMITS.connectTimeoutMs,
      readTimeout: place.timeouts?.requestMs ?? CASSANDRA_LIMITS.requestTimeoutMs,
    },
  }
}

async function tlsOptions(tls: CassandraTls, names: readonly string[]): Promise<ConnectionOptions> {
  return {
    ca: await readFile(tls.caFile),
    ...(tls.certFile && { cert: await readFile(tls.certFile) }),
    ...(tls.keyFile && { key: await readFile(tls.keyFile) }),
    // The driver's own default is false.
    rejectUnauthorized: tls.rejectUnauthorized ?? true,
    // The driver connects to addresses; a certificate may have only the names that were configured.
    checkServerIdentity(address, certificate) {
      const mismatch = checkServerIdentity(address, certificate)
      return names.some((name) => checkServerIdentity(name, certificate) === undefined) ? undefined : mismatch
    },
  }
}
