import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { makeBackup, restoreBackup, verifyBackup } from '../../cli/backup.ts'
import { foldersOf } from '../../cli/engines.ts'
import { ensureKeyFile, readKeyFile } from '../../cli/keys.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { openEmbeddedState } from '../../stores/embedded/index.ts'
import { openEmbeddedVault } from '../../stores/vault/embedded.ts'
import type { Say } from '../log/child.ts'
import { freePorts, playhead, start, tempFolder } from './playhead.ts'

const WRITER = fileURLToPath(new URL('../log/child.ts', import.meta.url))

async function dataFolder(t: TestContext) {
  const home = tempFolder(t)
  const folders = foldersOf({ data: join(home, 'data') })
  const keysFile = join(folders.data, 'keys.json')
  ensureKeyFile(keysFile, (bytes) => globalThis.crypto.getRandomValues(bytes))
  const log = await openEmbeddedLog({ dir: folders.log })
  await log.ensureTopics([{ topic: 'playback-events', partitions: 2 }])
  await append(log, 10)
  const incarnation = await log.incarnation()
  await log.close()
  const state = await openEmbeddedState({ dir: folders.state, clock: () => 0 })
  await state.commits.swap({ generation: 'g', topic: 'playback-events', partition: 0 }, undefined, RECORD)
  await state.close()
  return { home, folders, keysFile, incarnation }
}

const TALLY = { read: 10n, folded: 10n, duplicates: 0n, parked: 0n, undecryptable: 0n }
const RECORD = { term: 1n, revision: 1n, checkpoint: 10n, tally: TALLY, audit: 7n }

async function append(log: Awaited<ReturnType<typeof openEmbeddedLog>>, count: number): Promise<void> {
  const record = { topic: 'playback-events', key: 'k', value: Buffer.from('v'), timestampMs: 1 }
  await log.append(Array.from({ length: count }, () => record))
}

/** A process that appends without pause, as a running engine does; it has appended when this resolves. */
async function anotherWriter(t: TestContext, dir: string): Promise<{ end(): Promise<void> }> {
  const child = fork(WRITER, ['append', dir, 'playback-events', 'w'], { execArgv: ['--import', 'tsx'] })
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  t.after(end)
  await new Promise<void>((resolve) => child.on('message', (m: Say) => m.say === 'durable' && resolve()))
  return { end }
}

async function contents(dir: string) {
  const log = await openEmbeddedLog({ dir })
  const bounds = await log.bounds('playback-events')
  const found = { records: bounds.reduce((sum, b) => sum + b.end - b.start, 0n), incarnation: await log.incarnation() }
  await log.close()
  return found
}

test('a full backup brings log, state and keys back as they were', async (t) => {
  const { home, folders, keysFile, incarnation } = await dataFolder(t)
  const made = await makeBackup(folders, keysFile, join(home, 'backup'), 'full')
  assert.equal(made.records, '10')
  const next = foldersOf({ data: join(home, 'next') })
  await restoreBackup(join(home, 'backup'), next, join(next.data, 'keys.json'))
  assert.deepEqual(await contents(next.log), { records: 10n, incarnation })
  assert.deepEqual(readKeyFile(join(next.data, 'keys.json')), readKeyFile(keysFile))
  const state = await openEmbeddedState({ dir: next.state, clock: () => 0 })
  const commits = await state.commits.list('g')
  await state.close()
  assert.deepEqual(
    commits.map((c) => c.record),
    [RECORD],
  )
})

test('a backup of a log in use is one moment of it, and its restore is a new incarnation without tables', async (t) => {
  const { home, folders, keysFile, incarnation } = await dataFolder(t)
  const writer = await anotherWriter(t, folders.log)
  const made = await makeBackup(folders, keysFile, join(home, 'backup'), 'log')
  await writer.end()
  assert.ok(BigInt(made.records) > 10n)
  const next = foldersOf({ data: join(home, 'next') })
  await restoreBackup(join(home, 'backup'), next, join(next.data, 'keys.json'))
  const found = await contents(next.log)
  assert.equal(`${found.records}`, made.records)
  assert.notEqual(found.incarnation, incarnation)
  assert.equal(existsSync(next.state), false)
})

test('nothing is overwritten, and a backup that lacks a file or has a damaged one is refused by name', async (t) => {
  const { home, folders, keysFile } = await dataFolder(t)
  const place = join(home, 'backup')
  await makeBackup(folders, keysFile, place, 'full')
  await assert.rejects(makeBackup(folders, keysFile, place, 'full'), /not empty/)
  await assert.rejects(restoreBackup(place, folders, keysFile), /not empty/)
  appendFileSync(join(place, 'log', 'data.mdb'), 'x')
  await assert.rejects(verifyBackup(place), /log\/data\.mdb is damaged/)
  rmSync(join(place, 'keys.json'))
  await assert.rejects(verifyBackup(place), /missing/)
  assert.equal(existsSync(`${place}.partial`), false)
})

test('a backup holds the keys of personal fields; those destroyed since are destroyed again where the newer vault is given', async (t) => {
  const { home, folders, keysFile } = await dataFolder(t)
  const vault = await openEmbeddedVault({ dir: folders.vault })
  const [anna, boris] = await vault.current(['anna', 'boris'])
  for (const kind of ['full', 'log'] as const) await makeBackup(folders, keysFile, join(home, kind), kind)
  await vault.retire('anna')
  await vault.destroy([anna!.keyId])
  await vault.close()
  const restored = async (kind: string, erasures?: string) => {
    const next = foldersOf({ data: join(home, `next-${kind}-${erasures === undefined}`) })
    await restoreBackup(join(home, kind), next, join(next.data, 'keys.json'), erasures)
    const found = await openEmbeddedVault({ dir: next.vault })
    const keys = await found.open([anna!.keyId, boris!.keyId])
    assert.deepEqual(await found.current(['boris']), [boris])
    await found.close()
    return keys.map(({ state }) => state)
  }
  for (const kind of ['full', 'log']) {
    assert.deepEqual(await restored(kind), ['alive', 'alive'], 'as it was')
    assert.deepEqual(await restored(kind, folders.vault), ['destroyed', 'alive'])
  }
})

test('the vault of another installation says nothing about a backup: its restore is refused before anything is written', async (t) => {
  const { home, folders, keysFile } = await dataFolder(t)
  for (const dir of [folders.vault, join(home, 'other')]) {
    const vault = await openEmbeddedVault({ dir })
    await vault.current(['anna'])
    await vault.close()
  }
  await makeBackup(folders, keysFile, join(home, 'backup'), 'full')
  const next = foldersOf({ data: join(home, 'next') })
  const restore = (erasures: string) =>
    restoreBackup(join(home, 'backup'), next, join(next.data, 'keys.json'), erasures)
  await assert.rejects(restore(join(home, 'other')), /another installation/)
  await assert.rejects(restore(join(home, 'nothing')), /no vault in/)
  assert.deepEqual(readdirSync(next.data), [])
})

test('after a restore by command, the engine serves what it had, from the tables of a full backup', async (t) => {
  const home = tempFolder(t)
  const first = freePorts(join(home, 'data'))
  await session(t, first, async (api, clickhouse, keys) => {
    const event = { type: 'Heartbeat', profileId: 'a', sessionId: 's', titleId: 't', sequence: 0, positionMs: 0 }
    const headers = { authorization: `Bearer ${keys.publishable}`, 'content-type': 'application/json' }
    const post = await fetch(`${api}/v1/events`, { method: 'POST', headers, body: JSON.stringify([event]) })
    assert.equal(post.status, 202)
    await rowsReach(clickhouse, keys.data, '1')
  })
  const backup = await playhead(t, first, 'backup', join(home, 'backup'), '--json')
  assert.equal(backup.code, 0, backup.err)
  assert.equal((JSON.parse(backup.out) as { kind: string }).kind, 'full')
  rmSync(join(home, 'data'), { recursive: true })
  const next = freePorts(join(home, 'next'))
  const restored = await playhead(t, next, 'restore', join(home, 'backup'))
  assert.equal(restored.code, 0, restored.err)
  const links = linksIn(join(home, 'next', 'analytics'))
  assert.ok(links.length > 0 && !links.some(isAbsolute), `a link leads out of the restored folder: ${links}`)
  await session(t, next, async (_api, clickhouse, keys) => rowsReach(clickhouse, keys.data, '1'))
})

function linksIn(dir: string): readonly string[] {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isSymbolicLink())
    .map((entry) => readlinkSync(join(entry.parentPath, entry.name)))
}

type Keys = ReturnType<typeof readKeyFile>

async function session(
  t: TestContext,
  env: Readonly<Record<string, string>>,
  use: (api: string, clickhouse: string, keys: Keys) => Promise<void>,
): Promise<void> {
  const run = start(t, env, 'up')
  const url = async (role: string) => {
    const line = await run.line((l) => l.includes(`"role":"${role}"`) && l.includes('"msg":"ready"'), `${role} ready`)
    return (JSON.parse(line) as { url: string }).url
  }
  const clickhouse = await url('analytics')
  await use(await url('api'), clickhouse, readKeyFile(join(env.PLAYHEAD_DATA ?? '', 'keys.json')))
  run.child.kill('SIGINT')
  assert.equal((await run.ended).code, 0)
}

async function rowsReach(clickhouse: string, key: string, wanted: string): Promise<void> {
  const deadlineMs = Date.now() + 10_000
  for (;;) {
    const headers = { authorization: `Bearer ${key}` }
    const answer = await fetch(clickhouse, {
      method: 'POST',
      headers,
      // The engine says things of itself, too.
      body: "SELECT count() FROM playhead.events WHERE topic = 'playback-events' FORMAT TSV",
    })
    const found = (await answer.text()).trim()
    if (found === wanted) return
    assert.ok(Date.now() < deadlineMs, `ClickHouse says ${found}, not ${wanted}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
