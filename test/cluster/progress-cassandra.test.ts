/** The same progress on Cassandra, its rows read in CQL by anybody, and what is left of their time there. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Client, types } from 'cassandra-driver'
import { stateTableOf } from '../../consumers/generation.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { progressV1 } from '../../projections/progress/v1.ts'
import { openCassandraState } from '../../stores/cassandra/index.ts'
import { NOW_MS, progressEngines } from '../projections/progress-engines.ts'
import { beat, DAY_MS, device, after as rowsOf } from '../projections/support.ts'
import { cassandra, type Running } from './servers.ts'

const host = '127.0.0.1'
const keyspace = `k_${randomUUID().replaceAll('-', '')}`
let server: Running | undefined

async function running(): Promise<Running> {
  server ??= await cassandra()
  return server
}

function rawClient(port: number): Client {
  const protocolOptions = { port, maxVersion: types.protocolVersion.v4 }
  return new Client({ contactPoints: [host], localDataCenter: 'datacenter1', protocolOptions })
}

after(async () => {
  if (server === undefined) return
  const client = rawClient(server.port)
  await client.execute(`DROP KEYSPACE IF EXISTS ${keyspace}`)
  await client.shutdown()
  await server.close()
})

progressEngines(
  'Cassandra',
  async () => {
    const { port } = await running()
    const dir = await mkdtemp(join(tmpdir(), 'playhead-progress-'))
    const log = await openEmbeddedLog({ dir })
    const state = await openCassandraState({ contactPoints: [host], port, keyspace, clock: () => NOW_MS })
    const close = async () => {
      await Promise.all([log.close(), state.close()])
      await rm(dir, { recursive: true, force: true })
    }
    return { log, state, close }
  },
  9,
)

test('a data team reads progress in CQL: typed columns, JSON for lists, the time that is left counted from the event', async () => {
  const { port } = await running()
  const store = await openCassandraState({ contactPoints: [host], port, keyspace, clock: Date.now })
  const projection = progressV1()
  const table = await store.table(stateTableOf({ id: 'cql', projection, incarnation: 'i' })!)
  const atMs = Date.now() - 300 * DAY_MS
  const played = [{ fromMs: 0, toMs: 60_000 }]
  const [row] = rowsOf(projection, [
    beat(atMs, 1, { positionMs: 60_000, durationMs: 120_000, played, personal: device('tv') }),
  ])
  await table.upsert([row!])
  const client = rawClient(port)
  const { rows } = await client.execute(
    `SELECT title_id, position_ms, permyriad, completed, device, updated_at, watched, plays, ttl(row_body) AS left
     FROM ${keyspace}.cql_progress WHERE profile_id = 'ada'`,
  )
  await client.shutdown()
  await store.close()
  const { left, position_ms: positionMs, updated_at: updatedAt, ...shown } = { ...rows[0]! } as Record<string, unknown>
  assert.deepEqual(shown, {
    ...{ title_id: 'dune', permyriad: 5_000, completed: false, device: 'tv', watched: '0-60', plays: 1 },
  })
  assert.equal(Number(positionMs), 60_000)
  assert.deepEqual(updatedAt, new Date(atMs))
  const leftDays = (Number(left) * 1_000) / DAY_MS
  assert.ok(leftDays > 64.9 && leftDays <= 65, `${leftDays} days are left`)
})
