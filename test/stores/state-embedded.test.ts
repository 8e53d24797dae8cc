import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openEnvironment } from '../../stores/embedded/environment.ts'
import { openEmbeddedState } from '../../stores/embedded/index.ts'
import { EMBEDDED_LIMITS } from '../../stores/embedded/limits.ts'
import type { StateRow } from '../../stores/state.ts'
import { collect, person, stateContract } from './state-contract.ts'
import { count, counterKey, limitTool, rowsPerBatch } from './state-embedded-child.ts'

const childFile = fileURLToPath(new URL('./state-embedded-child.ts', import.meta.url))

stateContract('embedded', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'playhead-state-'))
  return {
    open: (clock) => openEmbeddedState({ dir, clock }),
    close: () => rm(dir, { recursive: true }),
  }
})

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'playhead-state-'))
  t.after(() => rm(dir, { recursive: true }))
  return dir
}

function child(what: string, dir: string): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', childFile, what, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
}

function row(title: string, version: bigint, expiresAtMs?: number): StateRow {
  return { key: ['p', title], version, columns: [version, null], ...(expiresAtMs !== undefined && { expiresAtMs }) }
}

/** How many entries each part of the environment has, whoever may see them. */
async function entries(dir: string): Promise<{ rows: number; sweeps: number; erasures: number }> {
  const env = openEnvironment(dir)
  const size = (part: typeof env.rows) => [...part.getKeys({})].length
  const sizes = { rows: size(env.rows), sweeps: size(env.sweeps), erasures: size(env.erasures) }
  await env.close()
  return sizes
}

describe('several processes on one embedded state store', () => {
  test('lose no swap', async (t) => {
    const dir = await folder(t)
    const store = await openEmbeddedState({ dir, clock: Date.now })
    const other = child('count', dir)
    const exited = once(other, 'exit')
    await count(store, 100)
    assert.deepEqual(await exited, [0, null])
    assert.equal((await store.commits.read(counterKey))?.checkpoint, 200n)
    await store.close()
  })

  test('survive a kill in the middle of a write: what was acknowledged is there, and no commit is half there', async (t) => {
    const dir = await folder(t)
    const store = await openEmbeddedState({ dir, clock: Date.now })
    const writer = child('write', dir)
    let acknowledged = 0n
    for await (const line of createInterface({ input: writer.stdout! })) {
      acknowledged = BigInt(line)
      if (acknowledged === 30n) writer.kill('SIGKILL')
    }
    assert.ok(acknowledged >= 30n)
    const rows = await (await store.table({ ...person, name: 'killed' })).list({ partition: ['p'], limit: 10_000 })
    assert.equal(rows.length, rowsPerBatch)
    const versions = new Set(rows.map(({ version }) => version))
    assert.equal(versions.size, 1)
    const [version] = versions
    assert.ok(version === acknowledged || version === acknowledged + 1n, `${version} after ${acknowledged}`)
    await store.close()
  })

  test('get a clear error from a full disk, and go on when there is space', async (t) => {
    if (spawnSync(limitTool, ['--version']).error) return t.skip(`needs ${limitTool} (util-linux) to make a disk full`)
    const dir = await folder(t)
    const script = 'trap \'\' XFSZ; ulimit -S -f 4000; exec "$@"'
    const args = ['-c', script, 'bash', process.execPath, '--import', 'tsx', childFile, 'fill', dir]
    const filler = spawn('bash', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const [lines, errors] = await Promise.all([filler.stdout.toArray(), filler.stderr.toArray()])
    assert.deepEqual(
      Buffer.concat(lines).toString().trim().split('\n'),
      ['refused STORE_FULL', 'there false', 'whole true'],
      Buffer.concat(errors).toString(),
    )
  })
})

describe('the embedded state store', () => {
  test('keeps expired rows and marks of erasures as long as late writes may come, and no longer', async (t) => {
    const dir = await folder(t)
    let nowMs = 1_000_000
    const store = await openEmbeddedState({ dir, clock: () => nowMs })
    const table = await store.table({ ...person, name: 'swept' })
    await table.upsert([row('expires', 5n, nowMs + 1), row('moved', 5n, nowMs + 1), row('stays', 5n)])
    await table.upsert([row('moved', 6n, nowMs + EMBEDDED_LIMITS.keptMs)])
    await table.erase(['q'], 9n)
    assert.deepEqual(await entries(dir), { rows: 3, sweeps: 3, erasures: 1 })

    nowMs += EMBEDDED_LIMITS.keptMs
    await table.upsert([row('expires', 4n), { ...row('late', 9n), key: ['q', 'late'] }])
    assert.deepEqual(
      await table.get([
        ['p', 'expires'],
        ['q', 'late'],
      ]),
      [undefined, undefined],
    )

    nowMs += EMBEDDED_LIMITS.sweepEveryMs
    await table.upsert([row('stays', 6n)])
    assert.deepEqual(await entries(dir), { rows: 2, sweeps: 1, erasures: 0 })
    nowMs += EMBEDDED_LIMITS.keptMs
    await table.upsert([row('stays', 7n)])
    assert.deepEqual(await entries(dir), { rows: 1, sweeps: 0, erasures: 0 })
    assert.deepEqual(await collect(table.scan()), [row('stays', 7n)])
    await store.close()
  })

  test('erases and drops more rows than one commit takes', async (t) => {
    const dir = await folder(t)
    const store = await openEmbeddedState({ dir, clock: Date.now })
    const table = await store.table({ ...person, name: 'large' })
    const half = EMBEDDED_LIMITS.chunkRows
    const rows = Array.from({ length: half * 2 }, (_, i) =>
      row(`t${i}`, BigInt(i), i % 2 ? Date.now() + 60_000 : undefined),
    )
    await table.upsert(rows)
    await table.erase(['p'], BigInt(half))
    assert.equal((await collect(table.scan())).length, half - 1)
    await store.drop('large')
    assert.deepEqual(await entries(dir), { rows: 0, sweeps: 1, erasures: 0 })
    await store.close()
  })

  test('goes on with a drop that was cut off', async (t) => {
    const dir = await folder(t)
    const store = await openEmbeddedState({ dir, clock: Date.now })
    const table = await store.table({ ...person, name: 'cut' })
    await table.upsert([row('a', 1n), row('b', 1n, Date.now() + 60_000)])
    await store.close()
    const env = openEnvironment(dir)
    await env.write(1, () => {
      const { id } = JSON.parse(env.meta.getBinary(Buffer.from('table/cut'))!.toString()) as { id: number }
      void env.meta.remove(Buffer.from('table/cut'))
      void env.meta.put(Buffer.from(`drop/${id}`), Buffer.from('cut'))
    })
    await env.close()
    const again = await openEmbeddedState({ dir, clock: Date.now })
    assert.deepEqual(await entries(dir), { rows: 0, sweeps: 0, erasures: 0 })
    await again.close()
  })

  test('refuses writes beyond what may wait, and takes them later', async (t) => {
    const dir = await folder(t)
    const store = await openEmbeddedState({ dir, clock: Date.now })
    const table = await store.table({ ...person, name: 'busy' })
    const rows = Array.from({ length: 10_000 }, (_, i) => row(`t${i}`, 1n))
    const fits = EMBEDDED_LIMITS.waitingRowsMax / rows.length
    const writes = await Promise.allSettled(Array.from({ length: fits + 1 }, () => table.upsert(rows)))
    const refused = writes.filter(({ status }) => status === 'rejected')
    assert.equal(refused.length, 1)
    await table.upsert(rows)
    await store.close()
  })
})
