import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { addKey, allKeys, KeysError, newKeyFile, parseKeyFile, revokeKey, rotateKey } from '../../cli/key-file.ts'
import { ensureKeyFile, openKeys, readKeyFile, writeKeyFile } from '../../cli/keys.ts'
import { CLI_LIMITS } from '../../cli/limits.ts'

const random = (bytes: Uint8Array) => {
  globalThis.crypto.getRandomValues(bytes)
}
const WEB = { name: 'web', kind: 'publishable', app: 'shop', environment: 'staging', createdAt: '' } as const

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-keys-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

test('the first start makes keys.json for its owner alone, in a folder that it makes, and the second leaves it', (t) => {
  const path = join(folder(t), 'data', 'keys.json')
  assert.equal(ensureKeyFile(path, random).created, true)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const first = readKeyFile(path)
  assert.deepEqual(Object.keys(first).sort(), ['admin', 'data', 'keys', 'publishable'])
  assert.equal(new Set([first.admin, first.data, first.publishable]).size, 3)
  assert.equal(ensureKeyFile(path, random).created, false)
  assert.deepEqual(readKeyFile(path), first)
  assert.deepEqual(readdirSync(join(path, '..')), ['keys.json'])
})

test('a change keeps the mode, and is seen by a running role without a restart', (t) => {
  const path = join(folder(t), 'keys.json')
  ensureKeyFile(path, random)
  let nowMs = 0
  const keys = openKeys(path, { nowMs: () => nowMs, warn: assert.fail })
  const { file, key } = rotateKey(readKeyFile(path), 'publishable', 'ph_pub_new-secret-0001', 'now')
  const before = readKeyFile(path).publishable
  writeKeyFile(path, file)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(keys.verify(key.secret), undefined)
  nowMs += CLI_LIMITS.keysReloadMs
  assert.equal(keys.verify(key.secret)?.name, 'publishable')
  assert.equal(keys.verify(before)?.name, 'publishable.old')
  writeKeyFile(path, revokeKey(readKeyFile(path), 'publishable.old').file)
  nowMs += CLI_LIMITS.keysReloadMs
  assert.equal(keys.verify(before), undefined)
})

test('a file that went wrong keeps the former keys in force, and says so', (t) => {
  const path = join(folder(t), 'keys.json')
  ensureKeyFile(path, random)
  let nowMs = 0
  const warnings: string[] = []
  const keys = openKeys(path, { nowMs: () => nowMs, warn: (message) => warnings.push(message) })
  const { admin } = readKeyFile(path)
  writeFileSync(path, '{"publishable":')
  nowMs += CLI_LIMITS.keysReloadMs
  assert.equal(keys.verify(admin)?.kind, 'admin')
  assert.equal(warnings.length, 1)
})

test('a key grants its own app and environment; a wrong one, a prefix or an empty one grants nothing', (t) => {
  const path = join(folder(t), 'keys.json')
  const secret = 'ph_pub_0123456789abcdef'
  writeKeyFile(path, addKey(newKeyFile(random), { ...WEB, secret }).file)
  const keys = openKeys(path, { nowMs: () => 0, warn: assert.fail })
  assert.deepEqual(keys.verify(secret), { name: 'web', kind: 'publishable', app: 'shop', environment: 'staging' })
  for (const wrong of ['', secret.slice(0, -1), `${secret}0`, secret.toUpperCase()]) {
    assert.equal(keys.verify(wrong), undefined)
  }
})

test('names are unique and short; the three first keys can be rotated, not revoked', () => {
  const file = newKeyFile(random)
  const added = addKey(file, { ...WEB, secret: 's'.repeat(20) }).file
  assert.throws(() => addKey(added, { ...WEB, secret: 's'.repeat(20) }), KeysError)
  assert.throws(() => addKey(file, { ...WEB, name: '../x', secret: 's'.repeat(20) }), KeysError)
  assert.throws(() => revokeKey(file, 'admin'), /rotate it/)
  assert.throws(() => revokeKey(file, 'nobody'), /no key named/)
  const twice = rotateKey(rotateKey(added, 'web', 'b'.repeat(20), '').file, 'web', 'c'.repeat(20), '').file
  assert.deepEqual(
    allKeys(twice)
      .filter((k) => k.name.startsWith('web'))
      .map((k) => [k.name, k.secret[0]]),
    [
      ['web', 'c'],
      ['web.old', 's'],
      ['web.old2', 'b'],
    ],
  )
})

test('a keys file that is wrong is refused by place, without repeating a secret', () => {
  const good = newKeyFile(random)
  const wrong = [
    ['nonsense', /not JSON/],
    ['[]', /"publishable"/],
    [JSON.stringify({ ...good, data: 'short' }), /"data"/],
    [JSON.stringify({ ...good, keys: [{ ...WEB, kind: 'root', secret: 'x'.repeat(20) }] }), /keys\[0\]\.kind/],
    [JSON.stringify({ ...good, keys: [{ ...WEB, secret: 'tiny' }] }), /keys\[0\]\.secret/],
  ] as const
  for (const [content, message] of wrong) {
    assert.throws(
      () => parseKeyFile('keys.json', content),
      (error: Error) =>
        message.test(error.message) && !error.message.includes(good.admin) && !/tiny/.test(error.message),
    )
  }
})
