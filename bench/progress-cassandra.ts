/**
 * log → `progress` on Cassandra (if PLAYHEAD_BENCH_CASSANDRA names one): rows written by the delivery runtime, decoding,
 * folding and its commit records included, beside the bare driver writing rows of the same columns and bytes.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, types } from 'cassandra-driver'
import { openEmbeddedLog } from '../log/embedded/index.ts'
import { createCodec } from '../schemas/index.ts'
import { ByteWriter } from '../stores/bytes.ts'
import { writeBody } from '../stores/canonical.ts'
import { openCassandraState } from '../stores/cassandra/index.ts'
import type { ColumnType, ColumnValue, StateRow, StateTable } from '../stores/state.ts'
import { alternate, type BenchOptions, type Measured } from './bench.ts'
import { deliverBatches, fill, owner, START_MS, VIEWERS } from './progress-log.ts'

const keyspace = 'playhead_bench_progress'
/** What ours has under way at once, too. */
const driverRequests = 256
const eventsPerRow = 2

export async function runOnCassandra({ quick }: BenchOptions): Promise<Measured[]> {
  const [host, port] = (process.env.PLAYHEAD_BENCH_CASSANDRA ?? '').split(':')
  if (!host || !port) return []
  const rounds = quick ? 1 : 5
  const batch = VIEWERS * eventsPerRow
  const perRound = quick ? 1 : 6
  const dir = await mkdtemp(join(tmpdir(), 'playhead-bench-'))
  const log = await openEmbeddedLog({ dir })
  const state = await openCassandraState({ contactPoints: [host], port: Number(port), keyspace, clock: () => START_MS })
  const client = new Client({
    contactPoints: [host],
    localDataCenter: 'datacenter1',
    protocolOptions: { port: Number(port), maxVersion: types.protocolVersion.v4 },
    encoding: { useBigIntAsLong: true },
  })
  try {
    const codec = await createCodec({})
    await fill(log, codec, batch * perRound * (rounds + 1))
    const { delivery, table } = await owner(log, state, codec)
    const project = async () => {
      const began = performance.now()
      await deliverBatches(log, delivery, perRound, batch)
      return (VIEWERS * perRound * 1_000) / (performance.now() - began)
    }
    await project()
    const rows: StateRow[] = []
    for await (const row of table.scan()) rows.push(row)
    const bareTable = `${keyspace}.bare`
    await client.execute(definition(bareTable, table))
    const insert = insertInto(bareTable, table)
    const write = async () => {
      const began = performance.now()
      for (let n = 0; n < perRound; n++) {
        const statements = rows.map((row) => paramsOf(table, row))
        await inLanes(statements, (params) => client.execute(insert, params, quorum))
      }
      return (VIEWERS * perRound * 1_000) / (performance.now() - began)
    }
    await write()
    const result = await alternate(rounds, project, write)
    const name = `log → progress on Cassandra, ${eventsPerRow} events for each row`
    return [{ name, ...result, unit: 'rows/s', bar: { atLeast: 0.8, of: 'ratio' } }]
  } finally {
    await client.execute(`DROP KEYSPACE IF EXISTS ${keyspace}`)
    await Promise.all([client.shutdown(), log.close(), state.close()])
    await rm(dir, { recursive: true, force: true })
  }
}

const quorum = { prepare: true, consistency: types.consistencies.quorum }
const CQL: Readonly<Record<ColumnType, string>> = {
  text: 'text',
  int: 'int',
  long: 'bigint',
  boolean: 'boolean',
  timestamp: 'timestamp',
  blob: 'blob',
}
const own = ['version', 'expires_at', 'row_body']

function definition(name: string, { spec }: StateTable): string {
  const columns = [...spec.partition, ...spec.clustering, ...spec.columns].map((c) => `${c.name} ${CQL[c.type]}`)
  const key = [...spec.partition, ...spec.clustering].map((c) => c.name).join(', ')
  return `CREATE TABLE ${name} (${columns.join(', ')}, version bigint, expires_at timestamp, row_body blob, PRIMARY KEY (${key}))`
}

function insertInto(name: string, { spec }: StateTable): string {
  const columns = [...spec.partition, ...spec.clustering, ...spec.columns].map((c) => c.name).concat(own)
  const marks = columns.map(() => '?').join(', ')
  return `INSERT INTO ${name} (${columns.join(', ')}) VALUES (${marks}) USING TIMESTAMP ? AND TTL ?`
}

/** The statement that ours sends, by hand. */
function paramsOf({ spec }: StateTable, row: StateRow): unknown[] {
  const cells = row.columns.map((value, i) => shown(spec.columns[i]!.type, value))
  const expiresAt = row.expiresAtMs === undefined ? null : new Date(row.expiresAtMs)
  const body = new ByteWriter()
  writeBody(body, spec, row)
  return [...row.key, ...cells, row.version, expiresAt, body.take(), row.version + 1n, 31_536_000]
}

function shown(type: ColumnType, value: ColumnValue): unknown {
  return type === 'timestamp' && value !== null ? new Date(value as number) : value
}

async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < items.length) await work(items[next++]!)
  }
  await Promise.all(Array.from({ length: driverRequests }, lane))
}
