/** Keys of profiles from a folder to Cassandra and back: what they sealed can be opened, what was destroyed can't. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { KeyCopy } from '../../cli/migrate/keys.ts'
import { openCassandraVault } from '../../stores/cassandra/vault.ts'
import { openEmbeddedVault } from '../../stores/vault/embedded.ts'
import { tempFolder } from '../cli/playhead.ts'
import { cassandra } from './servers.ts'

test('living, retired and destroyed keys are the same in Cassandra, and in a folder again', async (t) => {
  const store = await cassandra()
  t.after(() => store.close())
  const { host, port } = store
  const from = await openEmbeddedVault({ dir: join(tempFolder(t), 'vault') })
  const there = await openCassandraVault({ contactPoints: [host], port, keyspace: `keys_${process.pid}` })
  const back = await openEmbeddedVault({ dir: join(tempFolder(t), 'vault') })
  t.after(() => Promise.all([from.close(), there.close(), back.close()]))
  const names = ['ann', 'bob', 'carl', 'dora']
  const [ann, bob, carl, dora] = await from.current(names)
  await from.retire('bob')
  const copy = await KeyCopy.open(from, there)
  await copy.round()
  await from.retire('ann')
  const [again] = await from.current(['ann'])
  await from.retire('carl')
  await from.destroy([bob!.keyId])
  await copy.round()
  await (await KeyCopy.open(from, there)).round()
  await (await KeyCopy.open(there, back)).round()
  for (const vault of [there, back]) {
    const plain = async (...profiles: readonly string[]) =>
      (await vault.current(profiles)).map(({ keyId, secret }) => [keyId, Buffer.from(secret).toString('hex')])
    const wanted = [again!, dora!].map(({ keyId, secret }) => [keyId, Buffer.from(secret).toString('hex')])
    assert.deepEqual(await plain('ann', 'dora'), wanted)
    assert.deepEqual(await vault.retired('ann'), [ann!.keyId])
    assert.deepEqual(await vault.retired('carl'), [carl!.keyId])
    assert.deepEqual(await vault.retired('bob'), [])
    const found = await vault.open([ann!.keyId, bob!.keyId, carl!.keyId])
    assert.deepEqual(
      found.map(({ state }) => state),
      ['alive', 'destroyed', 'alive'],
    )
  }
})
