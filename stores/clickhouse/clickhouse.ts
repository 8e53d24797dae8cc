/**
 * The analytics store on ClickHouse, through its own client over HTTP: the same for the embedded engine (analytics/)
 * and for a server. Protocol: see stores/analytics.ts. Settings stand in the statement, never on the connection, where
 * they would leak into the next request of the embedded engine.
 */
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import type { AnalyticsStore, AuditSum, LandingInsert } from '../analytics.ts'
import { STORE_LIMITS } from '../limits.ts'
import { type CommitKey, ownerName } from '../state.ts'
import { isStaleOwner, storeErrorOf } from './errors.ts'
import { migrate } from './migrate.ts'
import { identifier, qualified } from './sql.ts'

export interface ClickHouseOptions {
  readonly url: string
  readonly username: string
  readonly password: string
  /** Holds owners, migrations and the views that people query; each generation has a database of its own beside it. */
  readonly database: string
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string }
  readonly requestTimeoutMs?: number
}

/** One insert is one block or its token means nothing; no background batching; late rows of any month. */
const INSERT_SETTINGS = [
  'async_insert = 0',
  'input_format_parallel_parsing = 0',
  'insert_deduplicate = 1',
  'deduplicate_blocks_in_dependent_materialized_views = 1',
  'max_insert_block_size = 1048449',
  'min_insert_block_size_rows = 1048449',
  'min_insert_block_size_bytes = 268402944',
  'max_partitions_per_insert_block = 0',
  'optimize_on_insert = 0',
].join(', ')

export class ClickHouse implements AnalyticsStore {
  readonly engine = 'clickhouse'
  readonly database: string
  readonly #client: ClickHouseClient
  readonly #where: string

  constructor(options: ClickHouseOptions) {
    const { url, username, password, database } = options
    identifier(database)
    this.database = database
    this.#where = new URL(url).host
    this.#client = createClient({
      url,
      username,
      password,
      request_timeout: options.requestTimeoutMs ?? STORE_LIMITS.requestTimeoutMs,
      max_open_connections: STORE_LIMITS.analyticsConnectionsMax,
      keep_alive: { idle_socket_ttl: 2_500 },
      // Its log would show what we answer as values (a stale owner); real errors are thrown to the caller.
      log: { level: ClickHouseLogLevel.OFF },
      ...tlsOf(options.tls),
    })
  }

  /** Brings the shared database up to date. */
  async prepare(): Promise<void> {
    await migrate(this, 'base', this.database, {})
  }

  /** Brings a generation's own database up to date and answers its name. */
  async prepareGeneration(id: string, folder: string | URL): Promise<string> {
    const database = `${this.database}_${id}`
    await migrate(this, folder, database, {
      token_window: String(STORE_LIMITS.tokenWindowBlocks),
      generation: id,
    })
    return database
  }

  /** Drops all that a generation had; nothing if that is done. */
  async dropGeneration(id: string): Promise<void> {
    await this.command(`DROP DATABASE IF EXISTS ${identifier(`${this.database}_${id}`)} SYNC`)
  }

  /** Makes `name` in the shared database show a generation's table: what people query. */
  async alias(name: string, target: string): Promise<void> {
    await this.command(
      `CREATE OR REPLACE VIEW ${identifier(this.database)}.${identifier(name)} AS SELECT * FROM ${qualified(target)}`,
    )
  }

  async own(owner: CommitKey, term: bigint): Promise<'owned' | 'refused'> {
    const name = ownerName(owner)
    const owners = `${identifier(this.database)}.owners`
    if ((await this.#termOf(owners, name)) > term) return 'refused'
    await this.#attempt('owners', async () => {
      await this.#client.insert({
        table: `${this.database}.owners`,
        columns: ['owner', 'term'],
        values: [[name, term.toString()]],
        format: 'JSONCompactEachRow',
        clickhouse_settings: { async_insert: 0 },
      })
    })
    return (await this.#termOf(owners, name)) === term ? 'owned' : 'refused'
  }

  async insert(insert: LandingInsert): Promise<'inserted' | 'refused'> {
    const columns = insert.columns.map(identifier).join(', ')
    const token = insert.token.replace(/[^\w./-]/g, '_')
    const query =
      `INSERT INTO ${qualified(insert.table)} (${columns}) ` +
      `SETTINGS insert_deduplication_token = '${token}', ${INSERT_SETTINGS} FORMAT TabSeparated`
    try {
      const { stream } = await this.#client.exec({ query, values: Readable.from([insert.body], { objectMode: false }) })
      for await (const _ of stream);
      return 'inserted'
    } catch (error) {
      if (isStaleOwner(error)) return 'refused'
      throw storeErrorOf(error, insert.table, this.#where)
    }
  }

  /** Block numbers count every block that went into a table, merges aside; they never fall. */
  async blocks(table: string): Promise<bigint> {
    const [database = '', name = ''] = table.split('.')
    const rows = await this.query<{ blocks: string }>(
      `SELECT toString(max(max_block_number)) AS blocks FROM system.parts
       WHERE database = {database:String} AND table = {name:String}`,
      { database, name },
    )
    return BigInt(rows[0]?.blocks ?? 0)
  }

  async audit(table: string, owner: CommitKey, from: bigint, to: bigint): Promise<AuditSum> {
    const rows = await this.query<{ rows: string; sum: string }>(
      `SELECT toString(sum(sign)) AS rows,
              toString(sum(sign * toInt64(murmurHash3_32(concat(row_key, ':', toString(version)))))) AS sum
       FROM ${qualified(table)}
       WHERE topic = {topic:String} AND partition = {partition:UInt16} AND version BETWEEN {from:UInt64} AND {to:UInt64}`,
      { topic: owner.topic, partition: owner.partition, from: from.toString(), to: to.toString() },
    )
    return { rows: BigInt(rows[0]?.rows ?? 0), sum: BigInt(rows[0]?.sum ?? 0) }
  }

  async query<T>(query: string, parameters: Record<string, unknown> = {}): Promise<readonly T[]> {
    return this.#attempt('query', async () => {
      const result = await this.#client.query({ query, query_params: parameters, format: 'JSONEachRow' })
      return result.json<T>()
    })
  }

  async command(query: string): Promise<void> {
    await this.#attempt('command', async () => {
      await this.#client.command({ query })
    })
  }

  async ping(): Promise<void> {
    const answer = await this.#client.ping()
    if (!answer.success) throw storeErrorOf(answer.error, 'ping', this.#where)
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  async #termOf(owners: string, owner: string): Promise<bigint> {
    const rows = await this.query<{ term: string }>(
      `SELECT toString(max(term)) AS term FROM ${owners} WHERE owner = {owner:String}`,
      { owner },
    )
    return BigInt(rows[0]?.term ?? 0)
  }

  async #attempt<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt()
    } catch (error) {
      throw storeErrorOf(error, what, this.#where)
    }
  }
}

export function tlsOf(tls: ClickHouseOptions['tls']): { tls?: { ca_cert: Buffer; cert?: Buffer; key?: Buffer } } {
  if (tls?.caFile === undefined) return {}
  const ca_cert = readFileSync(tls.caFile)
  if (tls.certFile === undefined || tls.keyFile === undefined) return { tls: { ca_cert } }
  return { tls: { ca_cert, cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) } }
}
