import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Client, types } from 'cassandra-driver'
import { freePort } from '../../deploy/cluster/java.ts'
import { openCassandraState } from '../../stores/cassandra/index.ts'
import type { CommitRecord, StateStore } from '../../stores/state.ts'
import { person, stateContract, uniqueName } from '../stores/state-contract.ts'
import { holdingProxy } from './holding-proxy.ts'
import { cassandra, type Running } from './servers.ts'

const tally = { read: 0n, folded: 0n, duplicates: 0n, parked: 0n, undecryptable: 0n }
const host = '127.0.0.1'
let server: Running | undefined

/** Several suites, one server: whichever comes first starts it. */
async function running(): Promise<Running> {
  server ??= await cassandra()
  return server
}
after(() => server?.close())

function rawClient(port: number): Client {
  return new Client({
    contactPoints: [host],
    localDataCenter: 'datacenter1',
    protocolOptions: { port, maxVersion: types.protocolVersion.v4 },
    encoding: { useBigIntAsLong: true },
  })
}

async function dropKeyspace(port: number, keyspace: string): Promise<void> {
  const client = rawClient(port)
  await client.execute(`DROP KEYSPACE IF EXISTS ${keyspace}`)
  await client.shutdown()
}

const freshKeyspace = () => `k_${randomUUID().replaceAll('-', '')}`

stateContract(
  'cassandra',
  async () => {
    const { port } = await running()
    const keyspace = freshKeyspace()
    return {
      open: (clock) => openCassandraState({ contactPoints: [host], port, keyspace, clock }),
      close: () => dropKeyspace(port, keyspace),
    }
  },
  { propertyRuns: 20 },
)

describe('the Cassandra state store', () => {
  const keyspace = freshKeyspace()
  let port: number
  let raw: Client
  let store: StateStore

  before(async () => {
    port = (await running()).port
    raw = rawClient(port)
    store = await openCassandraState({ contactPoints: [host], port, keyspace, clock: Date.now })
  })
  after(async () => {
    await store?.close()
    await raw?.shutdown()
    await dropKeyspace(port, keyspace)
  })

  test('shows its rows to anybody with CQL in typed columns', async () => {
    const spec = {
      ...person,
      name: uniqueName(),
      columns: [...person.columns, { name: 'state', type: 'blob' as const }],
    }
    const table = await store.table(spec)
    const expiresAtMs = Date.now() + 3_600_000
    await table.upsert([
      { key: ['ada', 'dune'], version: 41n, columns: [90_000n, 'half', Buffer.from([1])], expiresAtMs },
      { key: ['ada', 'heat'], version: 42n, columns: [null, null, null] },
    ])
    const shown =
      'profile_id, title_id, position_ms, note, version, expires_at, ttl(row_body) AS left, writetime(row_body) AS at'
    const { rows } = await raw.execute(`SELECT ${shown} FROM ${keyspace}.${spec.name} WHERE profile_id = 'ada'`)
    const [dune, heat] = rows.map((row) => ({ ...row }))
    assert.ok(dune && heat)
    const { left, ...columns } = dune
    assert.ok(Number(left) > 3_590 && Number(left) <= 3_600)
    assert.deepEqual(columns, {
      ...{ profile_id: 'ada', title_id: 'dune', position_ms: 90_000n, note: 'half', version: 41n },
      ...{ expires_at: new Date(expiresAtMs), at: 42n },
    })
    assert.deepEqual([heat.position_ms, heat.note, heat.expires_at, heat.left], [null, null, null, null])
    const { rows: described } = await raw.execute(
      `SELECT comment FROM system_schema.tables WHERE keyspace_name = '${keyspace}' AND table_name = '${spec.name}'`,
    )
    assert.match(described[0]?.comment, /^Where somebody is in a title/)
  })

  test('has Cassandra itself remove what expired, and an older row never comes back from under it', async () => {
    const table = await store.table({ ...person, name: uniqueName() })
    const older = { key: ['p', 't'], version: 1n, columns: [1n, null] }
    await table.upsert([older])
    await table.upsert([{ ...older, version: 2n, expiresAtMs: Date.now() - 1 }])
    const count = async () =>
      Number((await raw.execute(`SELECT count(*) AS n FROM ${keyspace}.${table.spec.name}`)).rows[0]?.n)
    for (let waits = 0; (await count()) > 0; waits++) {
      assert.ok(waits < 100, 'still there after five seconds')
      await delay(50)
    }
    await table.upsert([older])
    assert.deepEqual(await table.get([older.key]), [undefined])
  })

  test('answers in one data centre when it is told which', async () => {
    const near = { contactPoints: [host], port, keyspace, clock: Date.now, localDataCenter: 'datacenter1' }
    const local = await openCassandraState(near)
    const key = { generation: uniqueName(), topic: 't', partition: 0 }
    const record = { term: 1n, revision: 1n, checkpoint: 0n, tally, audit: 0n }
    assert.deepEqual(await local.commits.swap(key, undefined, record), { swapped: true })
    assert.deepEqual(await local.commits.read(key), record)
    await local.close()
    const wrong = { ...near, localDataCenter: 'elsewhere' }
    await assert.rejects(openCassandraState(wrong), { code: 'STORE_REFUSED', message: /elsewhere/ })
  })

  test('says where nobody answered, and what a bad keyspace name is', async () => {
    const nobody = { contactPoints: [host], port: await freePort(), keyspace, clock: Date.now }
    await assert.rejects(openCassandraState(nobody), {
      code: 'STORE_UNAVAILABLE',
      message: /127\.0\.0\.1:\d+ can't be reached/,
    })
    await assert.rejects(openCassandraState({ ...nobody, keyspace: 'a-b' }), {
      code: 'STORE_REFUSED',
      message: /keyspace a-b/,
    })
  })

  describe('swaps whose answers are lost', () => {
    const key = () => ({ generation: uniqueName(), topic: 't', partition: 0 })
    const record = (revision: bigint): CommitRecord => ({
      term: 1n,
      revision,
      checkpoint: revision * 10n,
      tally,
      audit: 0n,
    })

    async function through(t: TestContext) {
      const proxy = await holdingProxy(port)
      const place = { contactPoints: [host], port: proxy.port, keyspace, clock: Date.now }
      const { commits, close } = await openCassandraState(place)
      t.after(async () => {
        await close()
        await proxy.close()
      })
      // Both statements are prepared by this, so that what the proxy catches next is a swap itself.
      const warm = key()
      await commits.swap(warm, undefined, record(1n))
      await commits.swap(warm, record(1n), record(2n))
      return { proxy, commits }
    }

    test('are reported as what they became: applied', async (t) => {
      const { proxy, commits } = await through(t)
      const at = key()
      await commits.swap(at, undefined, record(1n))
      const lost = proxy.loseAnswer()
      const swap = commits.swap(at, record(1n), record(2n))
      await lost
      assert.deepEqual(await swap, { swapped: true })
      assert.deepEqual(await store.commits.read(at), record(2n))
    })

    test('are reported as what they became: refused', async (t) => {
      const { proxy, commits } = await through(t)
      const at = key()
      // The same record as the other's: only the stamp tells whose it is.
      await store.commits.swap(at, undefined, record(1n))
      const lost = proxy.loseAnswer()
      const swap = commits.swap(at, undefined, record(1n))
      await lost
      assert.deepEqual(await swap, { swapped: false, found: record(1n) })
    })

    test('change nothing when they arrive after all, later', async (t) => {
      const { proxy, commits } = await through(t)
      const at = key()
      await commits.swap(at, undefined, record(1n))
      const held = proxy.hold()
      const swap = commits.swap(at, record(1n), record(2n))
      await held
      proxy.cut()
      assert.deepEqual(await swap, { swapped: true }, 'sent again')
      assert.deepEqual(await commits.swap(at, record(2n), record(3n)), { swapped: true })
      await proxy.deliver()
      assert.deepEqual(await commits.read(at), record(3n))
    })
  })
})
