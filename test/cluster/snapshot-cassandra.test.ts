/** Snapshots with states in a real Cassandra: what is loaded and caught up is as from zero, and one of LMDB's fits. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { verifySnapshot } from '../../cli/snapshots/files.ts'
import { loadSnapshot } from '../../cli/snapshots/load.ts'
import { saveSnapshot } from '../../cli/snapshots/save.ts'
import { type Generation, generationOf } from '../../consumers/generation.ts'
import { openCassandraState } from '../../stores/cassandra/index.ts'
import { openCassandraVault } from '../../stores/cassandra/vault.ts'
import { tempFolder } from '../cli/playhead.ts'
import { type Engine, FROM_MS, history, MINUTES, snapshotEngine } from '../cli/snapshot-engine.ts'
import { cassandra } from './servers.ts'

/** States alone, rows alone, and both. */
const SAVED = ['progress', 'events', 'progress_rows']
const copying = { signal: new AbortController().signal, looked: () => undefined }
const who = { by: 'test', reason: null }
let engine: Engine
let close: () => Promise<void>

before(async () => {
  const server = await cassandra()
  const keyspace = `k_${randomUUID().replaceAll('-', '')}`
  const place = { contactPoints: [server.host], port: server.port, keyspace }
  const state = await openCassandraState({ ...place, clock: Date.now })
  const vault = await openCassandraVault(place)
  engine = await snapshotEngine({ state, vault })
  await engine.engines.log.append(history(engine, 5))
  close = async () => {
    await engine.close()
    await Promise.all([state.close(), vault.close()])
    await server.close()
  }
})
after(() => close?.())

function builds(name: string, untilMs?: number): readonly Generation[] {
  return engine
    .builds({ name, ...(untilMs !== undefined && { untilMs }) })
    .filter(({ projection }) => SAVED.includes(projection.name))
}

test('on Cassandra what is loaded from a snapshot and caught up is as from zero', async (t) => {
  const [zero, some] = [builds('zero'), builds('moment', FROM_MS + MINUTES * 25_000)]
  await engine.fold([...zero, ...some])
  const loaded: Generation[] = []
  for (const generation of some) {
    const folder = join(tempFolder(t), 'snapshot')
    await saveSnapshot(engine.replay, generation, folder, copying)
    const manifest = await verifySnapshot(folder, () => undefined)
    assert.ok(manifest.exact)
    loaded.push(await loadSnapshot(engine.replay, folder, manifest, { ...copying, name: 'loaded', who }))
  }
  await engine.fold([...zero, ...loaded])
  for (const [i, generation] of loaded.entries()) await engine.assertSame(zero[i]!, generation)
})

test('a snapshot of states in LMDB is loaded into Cassandra', async (t) => {
  const { engines, replay, incarnation } = engine
  const zero = builds('zero').find(({ projection }) => projection.name === 'progress')!
  await engine.fold([zero])
  // The same tables in the other store: copied there by a snapshot, and back by one of it.
  const first = join(tempFolder(t), 'first')
  const lmdb = { ...replay, state: engines.state }
  await saveSnapshot(replay, zero, first, copying)
  const there = await loadSnapshot(lmdb, first, await verifySnapshot(first, () => undefined), {
    ...{ ...copying, name: 'in-lmdb', who },
  })
  const second = join(tempFolder(t), 'second')
  await saveSnapshot(lmdb, there, second, copying)
  const back = await loadSnapshot(replay, second, await verifySnapshot(second, () => undefined), {
    ...{ ...copying, name: 'back', who },
  })
  assert.equal(back.id, generationOf(zero.projection, incarnation, { name: 'back' }).id)
  await engine.assertSame(zero, back)
})
