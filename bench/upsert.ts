/**
 * Upserts and reads of small versioned rows. Embedded: beside bare LMDB that puts and gets the same bytes; ours also
 * reads each row before it decides, encodes and decodes. Cassandra (if PLAYHEAD_BENCH_CASSANDRA names one): beside the
 * bare driver with the same statements. Rounds alternate, so that a busy machine slows both alike.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, types } from 'cassandra-driver'
import { open } from 'lmdb'
import { ByteWriter } from '../stores/bytes.ts'
import { writeBody } from '../stores/canonical.ts'
import { openCassandraState } from '../stores/cassandra/index.ts'
import { openEmbeddedState } from '../stores/embedded/index.ts'
import { TableKeys } from '../stores/embedded/key.ts'
import type { StateRow, TableSpec } from '../stores/state.ts'
import { alternate, type BenchOptions, type Measured } from './bench.ts'

const embeddedRows = 10_000
const cassandraRows = 1_000
/** What ours has under way at once, too. */
const driverRequests = 256

const spec: TableSpec = {
  name: 'bench',
  comment: 'Resume positions',
  partition: [{ name: 'profile_id', type: 'text' }],
  clustering: [{ name: 'title_id', type: 'text' }],
  columns: [
    { name: 'position_ms', type: 'long' },
    { name: 'updated_at', type: 'timestamp' },
    { name: 'watched', type: 'boolean' },
    { name: 'note', type: 'text' },
  ],
}

export async function run({ quick }: BenchOptions): Promise<Measured[]> {
  const rounds = quick ? 1 : 9
  const dir = await mkdtemp(join(tmpdir(), 'playhead-bench-'))
  try {
    return [...(await embedded(dir, rounds)), ...(await cassandra(rounds))]
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function embedded(dir: string, rounds: number): Promise<Measured[]> {
  const store = await openEmbeddedState({ dir: join(dir, 'state'), clock: Date.now })
  const table = await store.table(spec)
  const options = {
    keyEncoding: 'binary',
    encoding: 'binary',
    overlappingSync: false,
    eventTurnBatching: false,
  } as const
  const bare = open<Buffer, Buffer>({ ...options, path: join(dir, 'bare.mdb') })
  const keys = someRows(embeddedRows, 0n).map(({ key }) => new TableKeys(1, spec).encode(key))
  let version = 1n
  const upsert = () => {
    const rows = someRows(embeddedRows, version++)
    return perSecond(rows.length, () => table.upsert(rows))
  }
  const put = () => {
    const values = someRows(embeddedRows, version++).map(bodyOf)
    return perSecond(keys.length, () =>
      bare.transaction(() => {
        keys.forEach((key, index) => void bare.put(key, values[index]!))
      }),
    )
  }
  const wanted = someRows(embeddedRows, 0n).map(({ key }) => key)
  const get = () => perSecond(wanted.length, () => table.get(wanted))
  const getBare = () => perSecond(keys.length, async () => keys.map((key) => bare.getBinary(key)))
  const unit = 'rows/s'
  await alternate(1, upsert, put)
  const atOnce = `${embeddedRows} rows at once`
  const results: Measured[] = [
    {
      name: `embedded upsert, ${atOnce}`,
      ...(await alternate(rounds, upsert, put)),
      unit,
      bar: { atLeast: perSecondIn(60), of: 'ours' },
    },
    {
      name: `embedded get, ${atOnce}`,
      ...(await alternate(rounds, get, getBare)),
      unit,
      bar: { atLeast: perSecondIn(40), of: 'ours' },
    },
  ]
  await store.close()
  await bare.close()
  return results
}

async function cassandra(rounds: number): Promise<Measured[]> {
  const [host, port] = (process.env.PLAYHEAD_BENCH_CASSANDRA ?? '').split(':')
  if (!host || !port) return []
  const keyspace = 'playhead_bench'
  const place = { contactPoints: [host], port: Number(port), keyspace }
  const store = await openCassandraState({ ...place, clock: Date.now })
  const table = await store.table(spec)
  const client = new Client({
    contactPoints: [host],
    localDataCenter: 'datacenter1',
    protocolOptions: { port: Number(port), maxVersion: types.protocolVersion.v4 },
    encoding: { useBigIntAsLong: true },
  })
  let version = 1n
  const upsert = () => {
    const rows = someRows(cassandraRows, version++)
    return perSecond(rows.length, () => table.upsert(rows))
  }
  const write = () => {
    const statements = someRows(cassandraRows, version++).map(insertOf)
    return perSecond(statements.length, () => inLanes(statements, (params) => client.execute(insert, params, quorum)))
  }
  await alternate(1, upsert, write)
  const result = {
    name: 'Cassandra upsert',
    ...(await alternate(rounds, upsert, write)),
    unit: 'rows/s',
    bar: { atLeast: 0.8, of: 'ratio' } as const,
  }
  await client.execute(`DROP KEYSPACE ${keyspace}`)
  await client.shutdown()
  await store.close()
  return [result]
}

/** What a batch that takes so long makes in a second. */
function perSecondIn(batchMs: number): number {
  return Math.floor((embeddedRows / batchMs) * 1_000)
}

/** The statement that ours sends, by hand. */
const insert = `INSERT INTO playhead_bench.bench (profile_id, title_id, position_ms, updated_at, watched, note, version,
  expires_at, row_body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?`
const quorum = { prepare: true, consistency: types.consistencies.quorum }

function insertOf(row: StateRow): unknown[] {
  return [...row.key, ...row.columns, row.version, null, bodyOf(row), row.version + 1n, 0]
}

async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < items.length) await work(items[next++]!)
  }
  await Promise.all(Array.from({ length: driverRequests }, lane))
}

async function perSecond(rows: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (rows / (performance.now() - start)) * 1_000
}

function someRows(count: number, version: bigint): StateRow[] {
  return Array.from({ length: count }, (_, index) => ({
    key: [`profile-${(index * 7_919) % count}`, `title-${index % 97}`],
    version,
    columns: [BigInt(index) * 1_000n, 1_700_000_000_000 + index, index % 3 === 0, 'resumed on the living room TV'],
  }))
}

function bodyOf(row: StateRow): Buffer {
  const out = new ByteWriter()
  out.i64(row.version)
  writeBody(out, spec, row)
  return out.take()
}
