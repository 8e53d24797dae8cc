import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { Client, types } from 'cassandra-driver'
import { type CassandraServer, startCassandra } from '../../deploy/cluster/cassandra.ts'
import { makeCertificate } from '../../deploy/cluster/tls.ts'
import { type CassandraStateOptions, openCassandraState } from '../../stores/cassandra/index.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import type { CommitRecord, StateStore } from '../../stores/state.ts'
import { collect, person, uniqueName } from '../stores/state-contract.ts'

const tally = { read: 0n, folded: 0n, duplicates: 0n, parked: 0n, undecryptable: 0n }

/** A server of its own, for it is paused and killed; it wants TLS both ways and a password. */
describe('a Cassandra that is secured and then fails', () => {
  let dir: string
  let server: CassandraServer
  let store: StateStore

  function options(change: Partial<CassandraStateOptions> = {}): CassandraStateOptions {
    const { caFile, certFile, keyFile, username, password } = server.secure!
    return {
      contactPoints: [server.host],
      port: server.port,
      keyspace: 'playhead',
      username,
      password,
      tls: { caFile, certFile, keyFile },
      timeouts: { requestMs: 1_000, swapMs: 1_500 },
      clock: Date.now,
      ...change,
    }
  }

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'playhead-cassandra-'))
    server = await startCassandra({ dir, secured: true, clientCertificates: true })
    store = await openCassandraState(options({ timeouts: { requestMs: 10_000 } }))
  })
  after(async () => {
    await store?.close()
    await server?.kill()
    await rm(dir, { recursive: true, force: true })
  })

  async function short(t: TestContext): Promise<StateStore> {
    const opened = await openCassandraState(options())
    t.after(() => opened.close())
    return opened
  }

  test('lets in who has its certificate and its password', async () => {
    const table = await store.table({ ...person, name: uniqueName() })
    await table.upsert([{ key: ['p', 't'], version: 1n, columns: [1n, null] }])
    assert.equal((await collect(table.scan())).length, 1)
  })

  test('refuses a wrong password with words that say so and do not repeat it', async () => {
    await assert.rejects(
      openCassandraState(options({ password: 'not-this-one' })),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'STORE_REFUSED')
        assert.match(error.message, /check the user name and the password/)
        assert.doesNotMatch(error.message, /not-this-one/)
        return true
      },
    )
  })

  test('is refused by a client that does not trust its certificate', async () => {
    const { caFile } = await makeCertificate(join(dir, 'other'), server.host)
    const { certFile, keyFile } = server.secure!
    const refused = { code: 'STORE_REFUSED', message: /check the CA file and the certificate's names/ }
    await assert.rejects(openCassandraState(options({ tls: { caFile, certFile, keyFile } })), refused)
    const trusting = await openCassandraState(
      options({ tls: { caFile, certFile, keyFile, rejectUnauthorized: false } }),
    )
    await trusting.ping()
    await trusting.close()
  })

  test('does not talk to a client without a certificate', async () => {
    const { caFile } = server.secure!
    await assert.rejects(openCassandraState(options({ tls: { caFile } })), (error: Error & { code?: string }) => {
      assert.match(error.code ?? '', /^STORE_/)
      return true
    })
  })

  test('says what an administrator must do for a user without rights', async () => {
    const { caFile, certFile, keyFile, username, password } = server.secure!
    const [ca, cert, key] = await Promise.all([caFile, certFile, keyFile].map((file) => readFile(file)))
    const client = new Client({
      contactPoints: [server.host],
      localDataCenter: 'datacenter1',
      protocolOptions: { port: server.port, maxVersion: types.protocolVersion.v4 },
      credentials: { username, password },
      sslOptions: { ca, cert, key },
    })
    await client.execute("CREATE ROLE guest WITH PASSWORD = 'guest' AND LOGIN = true")
    await client.shutdown()
    const guest = { keyspace: 'not_yet', username: 'guest', password: 'guest' }
    await assert.rejects(openCassandraState(options(guest)), {
      code: 'STORE_REFUSED',
      message: /CREATE permission.*An administrator may run it instead: CREATE KEYSPACE IF NOT EXISTS "not_yet"/,
    })
  })

  test('a swap that a pause left unresolved is known as our own when it is made again', async (t) => {
    const { commits } = await short(t)
    const key = { generation: uniqueName(), topic: 't', partition: 0 }
    const first: CommitRecord = { term: 1n, revision: 1n, checkpoint: 0n, tally, audit: 0n }
    const second = { ...first, revision: 2n, checkpoint: 5n }
    await commits.swap(key, undefined, first)
    server.pause()
    try {
      await assert.rejects(commits.swap(key, first, second), { code: 'STORE_UNAVAILABLE' })
      await assert.rejects(commits.read(key), { code: 'STORE_UNAVAILABLE' })
    } finally {
      server.resume()
    }
    // What was sent during the pause is applied now; whether it was before this call or is in it, it is ours.
    assert.deepEqual(await stubborn(() => commits.swap(key, first, second)), { swapped: true })
    assert.deepEqual(await stubborn(() => store.commits.read(key)), second)
  })

  test("a kill loses nothing that was acknowledged, and no swap is taken for another owner's", async (t) => {
    const { commits, table: makeTable } = await short(t)
    const table = await makeTable({ ...person, name: uniqueName() })
    const key = { generation: uniqueName(), topic: 't', partition: 0 }
    let last: CommitRecord | undefined
    let unavailable = 0
    let down = true
    const lost = () => {
      unavailable++
    }
    async function work(): Promise<void> {
      for (let extra = 0; extra < 20; extra += down ? 0 : 1) {
        const revision: bigint = (last?.revision ?? 0n) + 1n
        const next: CommitRecord = { term: 1n, revision, checkpoint: revision, tally, audit: 0n }
        const row = { key: ['p', `t${revision}`], version: revision, columns: [revision, null] }
        await stubborn(() => table.upsert([row]), lost)
        assert.deepEqual(await stubborn(() => commits.swap(key, last, next), lost), { swapped: true })
        last = next
      }
    }
    const working = work()
    while ((last?.revision ?? 0n) < 20n) await store.ping()
    await server.kill()
    await server.restart()
    down = false
    await working
    assert.ok(unavailable > 0, 'the kill was never noticed')
    assert.deepEqual(await stubborn(() => store.commits.read(key)), last)
    const rows = await stubborn(() => store.table(table.spec).then((again) => collect(again.scan())))
    assert.equal(rows.length, Number(last!.revision))
  })
})

/** As the consumer does it: the same call again, for as long as the store is unavailable. */
async function stubborn<T>(call: () => Promise<T>, onFailure: () => void = () => undefined): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error
      onFailure()
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
