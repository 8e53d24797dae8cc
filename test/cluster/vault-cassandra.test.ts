import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { Client, types } from 'cassandra-driver'
import { openCassandraVault } from '../../stores/cassandra/vault.ts'
import { vaultContract } from '../stores/vault-contract.ts'
import { cassandra, type Running } from './servers.ts'

const host = '127.0.0.1'
let server: Running | undefined
const running = async () => {
  server ??= await cassandra()
  return server
}
after(() => server?.close())

const freshKeyspace = () => `k_${randomUUID().replaceAll('-', '')}`

function rawClient(port: number): Client {
  return new Client({
    contactPoints: [host],
    localDataCenter: 'datacenter1',
    protocolOptions: { port, maxVersion: types.protocolVersion.v4 },
  })
}

async function dropKeyspace(port: number, keyspace: string): Promise<void> {
  const client = rawClient(port)
  await client.execute(`DROP KEYSPACE IF EXISTS ${keyspace}`)
  await client.shutdown()
}

vaultContract('cassandra', async () => {
  const { port } = await running()
  const keyspace = freshKeyspace()
  return {
    open: () => openCassandraVault({ contactPoints: [host], port, keyspace }),
    close: () => dropKeyspace(port, keyspace),
  }
})

describe('the Cassandra vault', () => {
  const keyspace = freshKeyspace()
  let port: number
  let raw: Client
  let vault: Awaited<ReturnType<typeof openCassandraVault>>
  before(async () => {
    port = (await running()).port
    raw = rawClient(port)
    vault = await openCassandraVault({ contactPoints: [host], port, keyspace })
  })
  after(async () => {
    await vault?.close()
    await raw?.shutdown()
    await dropKeyspace(port, keyspace)
  })

  test('a late copy of the write that made a key brings no destroyed secret back, whatever the clocks say', async () => {
    const [key] = await vault.current(['anna'])
    await vault.retire('anna')
    await vault.destroy([key!.keyId])
    await raw.execute(
      `INSERT INTO ${keyspace}.erasure_keys (key_id, profile_id, secret) VALUES (?, ?, ?) USING TIMESTAMP 1`,
      [key!.keyId, 'anna', Buffer.from(key!.secret)],
      { prepare: true },
    )
    assert.deepEqual(await vault.open([key!.keyId]), [{ state: 'destroyed' }])
    const { rows } = await raw.execute(`SELECT profile_id, secret FROM ${keyspace}.erasure_keys`)
    assert.deepEqual(
      rows.map((row) => [row.profile_id, row.secret]),
      [['anna', null]],
    )
  })

  test('a destruction that was cut off before the name was struck is finished by the next, or by the next maker', async () => {
    const cutOff = (keyId: string) =>
      raw.execute(`UPDATE ${keyspace}.erasure_keys USING TIMESTAMP 2 SET secret = null WHERE key_id = ?`, [keyId], {
        prepare: true,
      })
    const [retired] = await vault.current(['boris'])
    await vault.retire('boris')
    await cutOff(retired!.keyId)
    assert.deepEqual(await vault.retired('boris'), [retired!.keyId])
    await vault.destroy([retired!.keyId])
    assert.deepEqual(await vault.retired('boris'), [])
    const [living] = await vault.current(['boris'])
    await cutOff(living!.keyId)
    const [next] = await vault.current(['boris'])
    assert.notEqual(next!.keyId, living!.keyId)
    assert.deepEqual(await vault.open([next!.keyId]), [{ state: 'alive', secret: next!.secret }])
  })

  test('many profiles at once, each with a key of its own', async () => {
    const profiles = Array.from({ length: 200 }, (_, i) => `many-${i}`)
    const keys = await vault.current(profiles)
    assert.equal(new Set(keys.map((k) => k.keyId)).size, 200)
    assert.deepEqual(await vault.current(profiles), keys)
    await vault.destroy(keys.map((k) => k.keyId))
    for (const found of await vault.open(keys.map((k) => k.keyId))) assert.equal(found.state, 'destroyed')
  })
})
