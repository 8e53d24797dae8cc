/** What every engine of the vault must do. An engine's own test file calls `vaultContract` with a way to open it. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { inspect } from 'node:util'
import type { KeyVault } from '../../stores/vault.ts'

export interface VaultBackend {
  /** Another handle on the same keys, as another process would have. */
  open(): Promise<KeyVault & { close(): Promise<void> }>
  close(): Promise<void>
}

export function vaultContract(name: string, make: () => Promise<VaultBackend>): void {
  describe(`vault: ${name}`, () => {
    let backend: VaultBackend
    let first: Awaited<ReturnType<VaultBackend['open']>>
    let second: typeof first
    before(async () => {
      backend = await make()
      first = await backend.open()
      second = await backend.open()
    })
    after(async () => {
      await first?.close()
      await second?.close()
      await backend?.close()
    })
    const profile = () => `profile-${randomUUID()}`

    test('a profile has one living key, the same for everybody, made by whoever asks first', async () => {
      const [a, b] = [profile(), profile()]
      const keys = await first.current([a, b, a])
      assert.deepEqual(keys[0], keys[2])
      assert.notEqual(keys[0]!.keyId, keys[1]!.keyId)
      assert.equal(keys[0]!.secret.length, 32)
      assert.notDeepEqual(keys[0]!.secret, keys[1]!.secret)
      assert.deepEqual(await second.current([b, a]), [keys[1], keys[0]])
      assert.deepEqual(await second.open([keys[0]!.keyId]), [{ state: 'alive', secret: keys[0]!.secret }])
    })

    test('many makers at once agree on one key', async () => {
      const id = profile()
      const made = await Promise.all([first, second, first, second].map((vault) => vault.current([id])))
      for (const [key] of made) assert.deepEqual(key, made[0]![0])
    })

    test('a retired key still opens; the next key is another; only the retired one is listed', async () => {
      const id = profile()
      const [old] = await first.current([id])
      assert.deepEqual(await first.retired(id), [])
      assert.deepEqual(await first.retire(id), [old!.keyId])
      assert.deepEqual(await second.retire(id), [old!.keyId], 'again: nothing is living, the same is retired')
      const [young] = await second.current([id])
      assert.notEqual(young!.keyId, old!.keyId)
      assert.deepEqual(await second.retired(id), [old!.keyId])
      const [opened] = await second.open([old!.keyId])
      assert.deepEqual(opened, { state: 'alive', secret: old!.secret })
    })

    test('destroyed stays destroyed, for every handle, also when it is repeated; the living key is not touched', async () => {
      const id = profile()
      const [old] = await first.current([id])
      await first.retire(id)
      const [young] = await first.current([id])
      await first.destroy([old!.keyId])
      await second.destroy([old!.keyId])
      for (const vault of [first, second]) {
        assert.deepEqual(await vault.open([old!.keyId, young!.keyId]), [
          { state: 'destroyed' },
          { state: 'alive', secret: young!.secret },
        ])
        assert.deepEqual(await vault.retired(id), [])
        assert.deepEqual(await vault.current([id]), [young])
      }
    })

    test('a living key that is destroyed is replaced by another', async () => {
      const id = profile()
      const [old] = await first.current([id])
      await second.destroy([old!.keyId])
      const [young] = await first.current([id])
      assert.notEqual(young!.keyId, old!.keyId)
      assert.deepEqual(await first.open([old!.keyId]), [{ state: 'destroyed' }])
    })

    test('an id that was never given out is destroyed, and destroying it is no error', async () => {
      const unknown = randomUUID()
      assert.deepEqual(await first.open([unknown, '']), [{ state: 'destroyed' }, { state: 'destroyed' }])
      await first.destroy([unknown, ''])
      assert.deepEqual(await first.retire(profile()), [])
      assert.deepEqual(await first.current([]), [])
    })

    test('retirements and look-ups at once never lose a key: what was given out opens until it is destroyed', async () => {
      const id = profile()
      const given = new Set<string>()
      for (let round = 0; round < 4; round++) {
        const answers = await Promise.all([first.current([id]), second.retire(id), second.current([id])])
        for (const { keyId } of [...answers[0], ...answers[2]]) given.add(keyId)
      }
      for (const found of await first.open([...given])) assert.equal(found.state, 'alive')
      await first.retire(id)
      assert.deepEqual(new Set(await first.retired(id)), given)
    })

    test('an id that no engine could keep is refused, in words without any secret', async () => {
      await assert.rejects(first.current(['']), { code: 'STORE_REFUSED' })
      await assert.rejects(first.retire('x'.repeat(5_000)), { code: 'STORE_REFUSED' })
      const vault = await backend.open()
      const [key] = await vault.current([profile()])
      await vault.close()
      const error = await vault.current([profile()]).catch((reason: unknown) => reason)
      assert.ok(error instanceof Error && /closed/.test(error.message))
      const hex = Buffer.from(key!.secret).toString('hex')
      assert.ok(!inspect(vault, { depth: 9 }).includes(hex) && !inspect(error, { depth: 9 }).includes(hex))
    })
  })
}
