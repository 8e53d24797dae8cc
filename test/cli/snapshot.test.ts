/** A generation that begins with a snapshot is, in the end, the one that was folded from zero. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { ownGenerations } from '../../cli/generations.ts'
import { verifySnapshot } from '../../cli/snapshots/files.ts'
import { listSnapshots } from '../../cli/snapshots/list.ts'
import { loadSnapshot } from '../../cli/snapshots/load.ts'
import type { Manifest } from '../../cli/snapshots/manifest.ts'
import { proveLog } from '../../cli/snapshots/proof.ts'
import { saveSnapshot } from '../../cli/snapshots/save.ts'
import { type Generation, generationOf } from '../../consumers/generation.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import type { EventLog } from '../../log/log.ts'
import type { StateRow, StateTable } from '../../stores/state.ts'
import { numbers } from '../projections/support.ts'
import { tempFolder } from './playhead.ts'
import { type Engine, FROM_MS, history, MINUTES, snapshotEngine, TOPIC_SPECS } from './snapshot-engine.ts'

const SEED = 7
const who = { by: 'test', reason: null }
/** So small that everything is cut into pieces. */
const sizes = { rowsPerFile: 90, statesPerFile: 11, lettersPerFile: 1, insertRows: 50, upsertRows: 7 }
const copying = { signal: new AbortController().signal, looked: () => undefined, sizes }
let engine: Engine
let zero: readonly Generation[]

before(async () => {
  engine = await snapshotEngine()
  await engine.engines.log.append(history(engine, SEED))
  zero = engine.builds({ name: 'zero' })
  await engine.fold(zero)
})
after(() => engine?.close())

async function load(folder: string, name: string, replay = engine.replay): Promise<Generation> {
  const manifest = await verifySnapshot(folder, () => undefined)
  return await loadSnapshot(replay, folder, manifest, { ...copying, name, who })
}

function zeroOf(projection: string): Generation {
  return zero.find((one) => one.projection.name === projection)!
}

test('loaded at any moment and caught up, every projection is as from zero', async (t) => {
  // Seeded, and another moment for each projection.
  const next = numbers(SEED)
  const some = zero.map(({ projection }) => {
    const untilMs = FROM_MS + next(MINUTES * 60) * 1_000
    return generationOf(projection, engine.incarnation, { name: 'moment', untilMs })
  })
  await engine.fold(some)
  const loaded: Generation[] = []
  for (const generation of some) {
    const folder = join(tempFolder(t), 'snapshot')
    const manifest = await saveSnapshot(engine.replay, generation, folder, copying)
    assert.ok(manifest.exact)
    loaded.push(await load(folder, 'moment-loaded'))
  }
  const begun = await Promise.all(loaded.map(({ id }) => engine.replay.state.commits.list(id)))
  for (const [i, records] of begun.entries()) {
    assert.ok(
      records.some(({ record }) => record.checkpoint > 0n),
      `${loaded[i]!.id} begins where its snapshot ended`,
    )
  }
  // Loading is said in the log, too.
  await engine.fold([...zero.filter(({ projection }) => projection.topics.includes('engine-events')), ...loaded])
  for (const [i, generation] of loaded.entries()) await engine.assertSame(zero[i]!, generation)
})

test('states that went on while they were copied are skipped over: what is loaded is as from zero', async (t) => {
  const { replay, incarnation } = engine
  const moment = { name: 'behind', untilMs: FROM_MS + MINUTES * 20_000 }
  const generation = generationOf(zeroOf('progress').projection, incarnation, moment)
  await engine.fold([generation])
  const onwards = generationOf(zeroOf('progress').projection, incarnation, { name: 'behind', untilMs: moment.untilMs })
  const before = await replay.state.commits.list(generation.id)
  // In the middle of the states the fold goes on: some are of the one moment and some of the other.
  const furtherOn = { ...onwards, build: { name: 'behind', untilMs: FROM_MS + MINUTES * 40_000 } }
  const state = {
    ...replay.state,
    commits: replay.state.commits,
    drop: (name: string) => replay.state.drop(name),
    table: async (spec: StateTable['spec']) => {
      const table = await replay.state.table(spec)
      return {
        ...table,
        scan: async function* () {
          const seen = new Set<string>()
          const half = Math.floor((await scanned(table)).length / 2)
          for (const row of (await scanned(table)).slice(0, half)) {
            seen.add(row.key.join('/'))
            yield row
          }
          await engine.fold([furtherOn])
          for (const row of await scanned(table)) if (!seen.has(row.key.join('/'))) yield row
        },
      }
    },
  }
  const folder = join(tempFolder(t), 'snapshot')
  const manifest = await saveSnapshot({ ...replay, state }, generation, folder, copying)
  assert.equal(manifest.exact, false)
  assert.deepEqual(
    manifest.places.map(({ checkpoint }) => BigInt(checkpoint)),
    before.map(({ record }) => record.checkpoint),
  )
  const loaded = await load(folder, 'loaded-behind')
  await engine.fold([loaded])
  await engine.assertSame(zeroOf('progress'), loaded)
})

test('what has states and rows, and a batch begun and not finished, is not saved; nothing is left in the place', async (t) => {
  const { replay, incarnation } = engine
  const generation = generationOf(zeroOf('views').projection, incarnation, {
    name: 'begun',
    untilMs: FROM_MS + 600_000,
  })
  await engine.fold([generation])
  const { commits } = replay.state
  const { record, ...key } = (await commits.list(generation.id)).find((one) => one.record.checkpoint > 0n)!
  const intent = { from: record.checkpoint, to: record.checkpoint, parked: [], audit: record.audit, blocks: 0n }
  await commits.swap(key, record, { ...record, revision: record.revision + 1n, intent })
  const folder = join(tempFolder(t), 'snapshot')
  await assert.rejects(saveSnapshot(replay, generation, folder, copying), (error: Error) => {
    assert.match(error.message, /a batch was begun/)
    assert.match(error.message, /generations pause/)
    return true
  })
  assert.ok(!existsSync(folder) && !existsSync(`${folder}.partial`))
})

async function scanned(table: StateTable): Promise<readonly StateRow[]> {
  const rows: StateRow[] = []
  for await (const row of table.scan()) rows.push(row)
  return rows
}

async function saved(t: TestContext, projection = 'title_rows'): Promise<{ folder: string; manifest: Manifest }> {
  const folder = join(tempFolder(t), 'snapshot')
  return { folder, manifest: await saveSnapshot(engine.replay, zeroOf(projection), folder, copying) }
}

test('a damaged file is named and refused, and so is a damaged manifest', async (t) => {
  const { folder, manifest } = await saved(t)
  for (const kind of ['states', 'rows'] as const) {
    const path = join(folder, manifest.files.find((file) => file.kind === kind)!.path)
    const bytes = await readFile(path)
    await writeFile(path, Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes.at(-1)! ^ 1])]))
    await assert.rejects(load(folder, `damaged-${kind}`), (error: Error) => error.message.includes(path))
    await writeFile(path, bytes)
  }
  const path = join(folder, 'snapshot.json')
  const text = await readFile(path, 'utf8')
  await writeFile(path, text.replace(/"checkpoint": "(\d+)"/, '"checkpoint": "1$1"'))
  await assert.rejects(load(folder, 'damaged-manifest'), /snapshot\.json is damaged/)
  assert.deepEqual(
    (await listSnapshots(join(folder, '..'))).map(({ manifest: shown }) => shown),
    [undefined],
  )
  await writeFile(path, text)
  assert.equal((await listSnapshots(folder))[0]?.manifest?.projection, 'title_rows')
})

test('another fold version, other parameters and a name that is taken are refused', async (t) => {
  const { folder, manifest } = await saved(t, 'progress')
  const loading = { ...copying, name: 'unfit', who }
  const asIf = (more: Partial<Manifest>) => loadSnapshot(engine.replay, folder, { ...manifest, ...more }, loading)
  await assert.rejects(asIf({ foldVersion: 9 }), /progress v9, and this engine wants v1/)
  await assert.rejects(asIf({ parameters: { historyDays: 3 } }), /folded with historyDays=3/)
  await assert.rejects(asIf({ projection: 'progres' }), /Did you mean progress/)
  const { id } = await load(folder, 'twice')
  await engine.fold(ownGenerations(engine.incarnation))
  await assert.rejects(load(folder, 'twice'), new RegExp(`There is a generation ${id} already`))
})

test('a load that was cut off begins again, and one that was committed only in part is finished', async (t) => {
  const { replay } = engine
  const { folder } = await saved(t, 'progress_rows')
  const dying = (after: number) => {
    let swaps = 0
    const { commits } = replay.state
    const swap: typeof commits.swap = (...given) => {
      if (swaps++ >= after) throw new Error('it dies here')
      return commits.swap(...given)
    }
    const state = {
      ...replay.state,
      drop: (name: string) => replay.state.drop(name),
      table: (spec: StateTable['spec']) => replay.state.table(spec),
    }
    return { ...replay, state: { ...state, commits: { ...commits, swap } } }
  }
  for (const deaths of [0, 1]) {
    await assert.rejects(load(folder, `cut-off-${deaths}`, dying(deaths)), /it dies here/)
    const loaded = await load(folder, `cut-off-${deaths}`)
    await engine.fold([loaded])
    await engine.assertSame(zeroOf('progress_rows'), loaded)
  }
})

test('another log is refused, unless the same records stand before where the snapshot ends', async (t) => {
  const { manifest } = await saved(t, 'progress')
  const records = history(engine, SEED)
  const other = async (given: typeof records): Promise<EventLog> => {
    const log = await openEmbeddedLog({ dir: tempFolder(t) })
    t.after(() => log.close())
    await log.ensureTopics(TOPIC_SPECS)
    await log.append(given)
    return log
  }
  await proveLog(await other(records), manifest)
  await assert.rejects(proveLog(await other(records.slice(0, 200)), manifest), /ends at \d+, and the snapshot goes on/)
  const changed = records.map((record) =>
    record.key === 'garbage' ? { ...record, value: Buffer.from('another') } : record,
  )
  await assert.rejects(
    proveLog(await other(changed.map((r) => ({ ...r, timestampMs: r.timestampMs + 1 }))), manifest),
    /stand other records/,
  )
  await assert.rejects(proveLog(await other(records), { ...manifest, exact: false }), /good for the very log only/)
})
