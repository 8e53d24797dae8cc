/** Erasure through the delivery protocol: what is left after any two deaths, and after a rebuild, on one set of engines. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeadLetters } from '../../consumers/dead-letters.ts'
import { FAILPOINTS, type Failpoint } from '../../consumers/failpoints.ts'
import type { NewRecord } from '../../log/log.ts'
import { createSealer } from '../../producers/personal.ts'
import type { Personal } from '../../schemas/index.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import { newPorts, own, type Scene } from './deaths.ts'
import { diary } from './diary.ts'
import type { EngineSet } from './engine-set.ts'
import { erased, heartbeat, idOf } from './events.ts'

const AT_MS = 1_700_000_000_000
const EMPTY: Personal = { accountId: null, deviceId: null, userAgent: null, address: null, custom: {}, sealed: null }

interface ErasureScene extends Scene {
  readonly anna: string
  readonly boris: string
  /** Retired by the erasures, and not destroyed yet. */
  readonly retired: readonly string[]
}

let scenes = 0

/**
 * Twelve records, in batches of three: before an erasure; around one; up to two at once; after them. One event's key
 * exists nowhere.
 */
async function newErasureScene(engines: EngineSet): Promise<ErasureScene> {
  const n = scenes++
  const topic = `erasures-${process.pid}-${n}`
  await engines.log.ensureTopics([{ topic, partitions: 1 }])
  const [anna, boris] = [`${topic}-anna`, `${topic}-boris`]
  const random = (bytes: Uint8Array) => globalThis.crypto.getRandomValues(bytes)
  // Its clock stands still in no call: a retired key is never used again.
  let nowMs = 0
  const sealer = createSealer({ vault: engines.vault, random, nowMs: () => (nowMs += 10_000) })
  const records: NewRecord[] = []
  const put = (value: Uint8Array) => records.push({ topic, key: topic, value, timestampMs: AT_MS })
  const facts = (profileId: string) => {
    const eventId = idOf(1_000_000 + n * 100 + records.length)
    return { profileId, eventId, positionMs: 1_000 * (records.length + 1), atMs: AT_MS + records.length }
  }
  const beat = async (profileId: string, titleId: string, sealedBy = profileId) => {
    const said = { ...EMPTY, deviceId: `device-${records.length}` }
    const [personal] = await sealer.seal([{ profileId: sealedBy, personal: said }])
    put(engines.codec.encode({ ...heartbeat(facts(profileId)), titleId, personal: personal! }))
  }
  const erase = async (profileId: string) => {
    await engines.vault.retire(profileId)
    const { eventId, atMs } = facts(profileId)
    put(engines.codec.encode(erased(profileId, eventId, atMs)))
  }
  await beat(anna, 'dune')
  await beat(anna, 'heat')
  await beat(boris, 'dune')
  await beat(anna, 'dune')
  await erase(anna)
  await beat(anna, 'dune')
  await beat(boris, 'heat')
  await erase(boris)
  await erase(anna)
  await beat(anna, 'heat')
  await beat(anna, 'lost', 'somebody else')
  await beat(boris, 'dune')
  await engines.log.append(records)
  const retired = [...(await engines.vault.retired(anna)), ...(await engines.vault.retired(boris))]
  assert.equal(retired.length, 3)
  const projection = diary()
  const { generation, ports } = await newPorts(engines, projection)
  return { engines, generation, place: { topic, partition: 0 }, profiles: [anna, boris], ports, anna, boris, retired }
}

/** What is left: one title of each, watched after the erasures. */
async function assertErased(scene: ErasureScene, undecryptable: bigint): Promise<void> {
  const { engines, generation, place, ports, anna, boris } = scene
  const key = { generation: generation.id, ...place }
  const record = await engines.state.commits.read(key)
  assert.ok(record)
  assert.equal(record.intent, undefined, 'idle')
  assert.deepEqual(
    record.tally,
    { read: 12n, folded: 12n - undecryptable, duplicates: 0n, parked: 0n, undecryptable },
    'the tally',
  )
  const states = await Promise.all([anna, boris].map((p) => ports.states!.list({ partition: [p], limit: 100 })))
  assert.deepEqual(
    states.map((rows) => rows.map((row) => [row.key[1], ...row.columns.slice(0, 3)])),
    [[['heat', 1, 10_000n, 'device-9']], [['dune', 1, 12_000n, 'device-11']]],
    'states',
  )
  const standing = [...(await engines.tallies(ports.database, place.topic))].filter(([, { rows }]) => rows !== 0)
  assert.deepEqual(
    standing.sort(),
    [
      [`${anna}/heat`, { rows: 1, events: 1 }],
      [`${boris}/dune`, { rows: 1, events: 1 }],
    ],
    'rows',
  )
  const target = `${ports.database}.${generation.projection.landings[0]!.target}`
  const { sum } = await engines.analytics.audit(target, key, 0n, record.checkpoint)
  assert.equal(sum, record.audit, 'the audit')
  const letters = await (await DeadLetters.open(engines.state)).list(generation.id, 10_000)
  assert.deepEqual(
    letters.filter((letter) => letter.topic === place.topic),
    [],
    'dead letters',
  )
}

/** Rows are only erased in the second and third batch; two partitions at once in the third. */
function deathsOf(name: Failpoint): readonly number[] {
  if (name.startsWith('take-over')) return [1]
  return name === 'states.half-erased' ? [1] : [1, 2, 3]
}

const NOT_FIRST: readonly Failpoint[] = ['redo.begun', 'rows.half-inserted']

export function erasureSuite(engines: () => EngineSet, seconds: readonly (Failpoint | undefined)[]): void {
  for (const first of FAILPOINTS.filter((name) => !NOT_FIRST.includes(name))) {
    test(`an owner dies at ${first}, the next in its redo, and what was erased is gone exactly`, async () => {
      for (const times of deathsOf(first)) {
        for (const second of seconds) {
          const scene = await newErasureScene(engines())
          assert.equal(await own(scene, first, times), 'died', `not exercised: ${first}, ${times}`)
          if (second !== undefined) await own(scene, second)
          await own(scene)
          await assertErased(scene, 1n)
        }
      }
    })
  }

  test('any batching ends in the same rows, and so does a rebuild after the keys were destroyed', async () => {
    const scene = await newErasureScene(engines())
    await own(scene)
    await assertErased(scene, 1n)
    for (const [i, size] of [1, 2, 4, 5, 7, 12].entries()) {
      const { generation, ports } = await newPorts(engines(), diary(2 + i))
      const rebuilt = { ...scene, generation, ports }
      await own(rebuilt, undefined, 1, size)
      await assertErased(rebuilt, 1n)
    }
    await engines().vault.destroy(scene.retired)
    for (const [i, size] of [3, 12].entries()) {
      const { generation, ports } = await newPorts(engines(), diary(10 + i))
      const rebuilt = { ...scene, generation, ports }
      await own(rebuilt, undefined, 1, size)
      await assertErased(rebuilt, 7n)
    }
  })

  test('a vault that is away is asked until it answers, and nothing is counted undecryptable because of it', async () => {
    const scene = await newErasureScene(engines())
    let away = 3
    const vault: Scene['ports']['vault'] = {
      open: async (keyIds) => {
        if (away-- > 0) throw new StoreUnavailable('the vault is away')
        return engines().vault.open(keyIds)
      },
    }
    const world = { ...scene.ports.world, sleep: async () => undefined }
    const patient = { ...scene, ports: { ...scene.ports, vault, world } }
    await own(patient)
    assert.ok(away < 0)
    await assertErased(patient, 1n)
  })
}
