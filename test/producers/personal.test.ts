import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { PRODUCER_LIMITS } from '../../producers/limits.ts'
import { createOpener, createSealer } from '../../producers/personal.ts'
import type { Personal } from '../../schemas/index.ts'

const EMPTY: Personal = { accountId: null, deviceId: null, userAgent: null, address: null, custom: {}, sealed: null }
const ANNA: Personal = {
  ...EMPTY,
  accountId: 'acc-1',
  deviceId: 'living-room-tv',
  userAgent: 'Agent/1',
  custom: { team: 'crimson' },
}

/** A vault of two methods that counts its calls. */
function vaultOf() {
  const secrets = new Map<string, Uint8Array>()
  const living = new Map<string, string>()
  const calls = { current: [] as string[][], open: [] as string[][] }
  return {
    calls,
    retire: (profileId: string) => living.delete(profileId),
    destroy: (keyId: string) => secrets.delete(keyId),
    async current(profileIds: readonly string[]) {
      calls.current.push([...profileIds])
      return profileIds.map((profileId) => {
        const keyId = living.get(profileId) ?? `key-${secrets.size}`
        if (!secrets.has(keyId)) secrets.set(keyId, new Uint8Array(32).fill(secrets.size + 1))
        living.set(profileId, keyId)
        return { keyId, secret: secrets.get(keyId)! }
      })
    },
    async open(keyIds: readonly string[]) {
      calls.open.push([...keyIds])
      return keyIds.map((keyId) => {
        const secret = secrets.get(keyId)
        return secret === undefined ? ({ state: 'destroyed' } as const) : ({ state: 'alive', secret } as const)
      })
    },
  }
}

function scene() {
  const vault = vaultOf()
  const clock = { nowMs: 1_000 }
  const sealer = createSealer({ vault, random: (b) => globalThis.crypto.getRandomValues(b), nowMs: () => clock.nowMs })
  return { vault, clock, sealer }
}

test('what is sealed shows nothing, and opens to what it was', async () => {
  const { vault, sealer } = scene()
  const [sealed] = await sealer.seal([{ profileId: 'anna', personal: ANNA }])
  assert.deepEqual({ ...sealed, sealed: null }, EMPTY)
  const text = `${inspect(sealed)}${Buffer.from(sealed!.sealed!.bytes).toString('latin1')}`
  for (const word of ['acc-1', 'living-room', 'Agent/1', 'crimson']) assert.ok(!text.includes(word), word)
  assert.deepEqual(await createOpener(vault).open([{ profileId: 'anna', personal: sealed! }]), [ANNA])
})

test('one look-up for a call, one sealing for the same fields of one profile, and none where nothing is said', async () => {
  const { vault, sealer } = scene()
  const boris = { ...ANNA, deviceId: 'phone' }
  const answers = await sealer.seal([
    { profileId: 'anna', personal: ANNA },
    { profileId: 'boris', personal: boris },
    { profileId: 'anna', personal: { ...ANNA } },
    { profileId: 'clara', personal: EMPTY },
  ])
  assert.deepEqual(vault.calls.current, [['anna', 'boris']])
  assert.equal(answers[0], answers[2])
  assert.notDeepEqual(answers[0], answers[1])
  assert.equal(answers[3], EMPTY)
  assert.deepEqual(await sealer.seal([{ profileId: 'anna', personal: answers[0]! }]), [answers[0]], 'sealed already')
  const profiles = ['anna', 'boris', 'anna', 'clara']
  const batch = answers.map((personal, i) => ({ profileId: profiles[i]!, personal }))
  assert.deepEqual(await createOpener(vault).open(batch), [ANNA, boris, ANNA, EMPTY])
  assert.equal(vault.calls.open.length, 1)
})

test('another key, another profile and tampered bytes are undecryptable, and so is a key that was destroyed', async () => {
  const { vault, sealer } = scene()
  const [anna, boris] = await sealer.seal([
    { profileId: 'anna', personal: ANNA },
    { profileId: 'boris', personal: ANNA },
  ])
  const { sealed } = anna!
  const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
  const forged = [
    { ...sealed!, keyId: boris!.sealed!.keyId },
    { ...sealed!, keyId: 'never given out' },
    { ...sealed!, nonce: flipped(sealed!.nonce, 0) },
    { ...sealed!, nonce: new Uint8Array(0) },
    { ...sealed!, bytes: flipped(sealed!.bytes, 0) },
    { ...sealed!, bytes: flipped(sealed!.bytes, sealed!.bytes.length - 1) },
    { ...sealed!, bytes: sealed!.bytes.slice(0, -1) },
    { ...sealed!, bytes: new Uint8Array(3) },
  ]
  const batch = forged.map((wrong) => ({ profileId: 'anna', personal: { ...EMPTY, sealed: wrong } }))
  batch.push({ profileId: 'boris', personal: { ...EMPTY, sealed: sealed! } })
  for (const opened of await createOpener(vault).open(batch)) assert.equal(opened, 'undecryptable')
  const opener = createOpener(vault)
  const both = [
    { profileId: 'anna', personal: anna! },
    { profileId: 'boris', personal: boris! },
  ]
  assert.deepEqual(await opener.open(both), [ANNA, ANNA])
  vault.destroy(sealed!.keyId)
  assert.deepEqual(await opener.open(both), ['undecryptable', ANNA], 'also for one who opened it before')
})

test('a retired key is used no longer than its short life', async () => {
  const { vault, clock, sealer } = scene()
  const seal = async () => (await sealer.seal([{ profileId: 'anna', personal: ANNA }]))[0]!.sealed!.keyId
  const before = await seal()
  vault.retire('anna')
  clock.nowMs += PRODUCER_LIMITS.livingKeyMs - 1
  assert.equal(await seal(), before)
  clock.nowMs += 1
  assert.notEqual(await seal(), before)
  assert.equal(vault.calls.current.length, 2)
})

test('what a player says again and again is sealed once; whatever differs has a nonce of its own', async () => {
  const { sealer } = scene()
  const nonceOf = async (personal: Personal) => {
    const [sealed] = await sealer.seal([{ profileId: 'anna', personal }])
    return Buffer.from(sealed!.sealed!.nonce).toString('hex')
  }
  const nonces = new Set<string>()
  for (let i = 0; i < 100; i++) nonces.add(await nonceOf({ ...ANNA, deviceId: `device-${i}` }))
  assert.equal(nonces.size, 100)
  assert.equal(await nonceOf({ ...ANNA, deviceId: 'device-99' }), [...nonces].at(-1))
})
