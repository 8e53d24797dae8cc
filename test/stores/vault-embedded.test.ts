import assert from 'node:assert/strict'
import { closeSync, existsSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openEmbeddedVault, VAULT_FILES } from '../../stores/vault/embedded.ts'
import { vaultContract } from './vault-contract.ts'

const newFolder = () => mkdtemp(join(tmpdir(), 'playhead-vault-'))

vaultContract('embedded', async () => {
  const dir = await newFolder()
  return { open: () => openEmbeddedVault({ dir }), close: () => rm(dir, { recursive: true }) }
})

async function folder(t: TestContext): Promise<string> {
  const dir = await newFolder()
  t.after(() => rm(dir, { recursive: true }))
  return dir
}

test('only its owner may read the file of the vault', async (t) => {
  const dir = await folder(t)
  const vault = await openEmbeddedVault({ dir })
  for (const name of [...Object.values(VAULT_FILES), `${VAULT_FILES.index}-lock`]) {
    assert.ok(existsSync(join(dir, name)))
    assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600, name)
  }
  await vault.close()
})

test('the bytes of a destroyed secret are in no file of the vault any more, and those of the others are', async (t) => {
  const dir = await folder(t)
  const vault = await openEmbeddedVault({ dir })
  const profiles = Array.from({ length: 300 }, (_, i) => `profile-${i}`)
  const keys = await vault.current(profiles)
  const left = (some: typeof keys) => {
    const files = Object.values(VAULT_FILES).map((name) => readFileSync(join(dir, name)))
    return some.filter(({ secret }) => files.some((file) => file.includes(Buffer.from(secret)))).length
  }
  assert.equal(left(keys), 300)
  for (const profileId of profiles.slice(50, 80)) await vault.retire(profileId)
  await vault.destroy(keys.slice(50, 80).map(({ keyId }) => keyId))
  assert.equal(left(keys.slice(50, 80)), 0)
  assert.equal(left(keys), 270)
  assert.deepEqual(new Set(vault.keyIds()), new Set([...keys.slice(0, 50), ...keys.slice(80)].map((k) => k.keyId)))
  await vault.close()
})

test('a destruction that a crash cut off after the secret was gone reads as done, and can be finished', async (t) => {
  const dir = await folder(t)
  const vault = await openEmbeddedVault({ dir })
  const [cut, other] = await vault.current(['cut', 'other'])
  await vault.retire('cut')
  const file = openSync(join(dir, VAULT_FILES.secrets), 'r+')
  const at = readFileSync(file).indexOf(cut!.secret)
  writeSync(file, Buffer.alloc(32), 0, 32, at)
  closeSync(file)
  assert.deepEqual(await vault.open([cut!.keyId]), [{ state: 'destroyed' }])
  assert.deepEqual(await vault.retired('cut'), [cut!.keyId], 'not finished')
  await vault.destroy([cut!.keyId])
  assert.deepEqual(await vault.retired('cut'), [])
  assert.deepEqual(await vault.current(['other']), [other])
  await vault.close()
})

test('two processes that make keys at once never use one slot twice', async (t) => {
  const dir = await folder(t)
  const vaults = [await openEmbeddedVault({ dir }), await openEmbeddedVault({ dir })]
  const made = await Promise.all(
    Array.from({ length: 600 }, (_, i) => vaults[i % 2]!.current([`profile-${i}`, `shared-${i % 7}`])),
  )
  const secrets = new Set(made.map(([own]) => Buffer.from(own!.secret).toString('hex')))
  assert.equal(secrets.size, 600)
  for (const vault of vaults) {
    for (const [i, [own, shared]] of made.entries()) {
      assert.deepEqual(await vault.current([`profile-${i}`, `shared-${i % 7}`]), [own, shared])
    }
    await vault.close()
  }
})
