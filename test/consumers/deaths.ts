/**
 * One partition driven through the delivery protocol by owners that die at chosen failpoints, and the check that
 * nothing was lost and nothing counted twice, on whatever engines it is given.
 *
 * A death here is a failpoint that never answers: the owner does nothing more, its requests on the way may still arrive.
 * (Deaths of whole processes, by SIGKILL, are in kill.test.ts.)
 */
import assert from 'node:assert/strict'
import { DeadLetters } from '../../consumers/dead-letters.ts'
import { Delivery, type DeliveryPorts } from '../../consumers/delivery.ts'
import { StaleOwner } from '../../consumers/errors.ts'
import type { Failpoint } from '../../consumers/failpoints.ts'
import { type Generation, generationOf, stateTableOf } from '../../consumers/generation.ts'
import type { World } from '../../consumers/retry.ts'
import type { NewRecord, Position, TopicPartition } from '../../log/log.ts'
import type { Projection } from '../../projections/projection.ts'
import type { EngineSet } from './engine-set.ts'
import { heartbeat, idOf } from './events.ts'
import { POISON_MS } from './tally.ts'

const PATIENT: World = {
  nowMs: Date.now,
  random: Math.random,
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}

export interface Scene {
  readonly engines: EngineSet
  readonly generation: Generation
  readonly place: TopicPartition
  readonly profiles: readonly string[]
  readonly ports: Omit<DeliveryPorts, 'at'>
}

let scenes = 0

/** A topic of its own with eight records: two profiles, one copy, one poison, one that is no event. */
export async function newScene(engines: EngineSet, projection: Projection): Promise<Scene> {
  const n = scenes++
  const topic = `deaths-${process.pid}-${n}`
  await engines.log.ensureTopics([{ topic, partitions: 1 }])
  const profiles = [`${topic}-anna`, `${topic}-boris`]
  const record = (value: Uint8Array): NewRecord => ({ topic, key: topic, value, timestampMs: 1_700_000_000_000 })
  const beat = (i: number, profile: number, positionMs: number) =>
    record(
      engines.codec.encode(
        heartbeat({
          profileId: profiles[profile]!,
          eventId: idOf(n * 100 + i),
          positionMs,
          atMs: 1_700_000_000_000 + i,
        }),
      ),
    )
  await engines.log.append([
    beat(0, 0, 1_000),
    beat(1, 1, 2_000),
    beat(1, 1, 2_000),
    record(Buffer.from('no event')),
    beat(4, 0, 3_000),
    beat(5, 1, POISON_MS),
    beat(6, 1, 4_000),
    beat(7, 0, 5_000),
  ])
  return { engines, place: { topic, partition: 0 }, profiles, ...(await newPorts(engines, projection)) }
}

export async function newPorts(
  engines: EngineSet,
  projection: Projection,
): Promise<Pick<Scene, 'generation' | 'ports'>> {
  const generation = generationOf(projection, await engines.log.incarnation())
  const table = stateTableOf(generation)
  const ports = {
    log: engines.log,
    commits: engines.state.commits,
    states: table === undefined ? undefined : await engines.state.table(table),
    deadLetters: await DeadLetters.open(engines.state),
    analytics: engines.analytics,
    codec: engines.codec,
    vault: engines.vault,
    world: PATIENT,
    database: await engines.prepare(projection),
  }
  return { generation, ports }
}

export type End = 'died' | 'finished' | 'stale'

/** One owner: takes over, redoes, delivers in batches (of three) until the end, or dies at the failpoint. */
export async function own(scene: Scene, dieAt?: Failpoint, times = 1, recordsMax = 3): Promise<End> {
  let died: (() => void) | undefined
  const death = new Promise<End>((resolve) => {
    died = () => resolve('died')
  })
  let left = times
  const at = (name: Failpoint): Promise<void> | undefined => {
    if (name !== dieAt || --left > 0) return undefined
    died?.()
    return new Promise(() => undefined)
  }
  return Promise.race([death, work(scene, at, recordsMax)])
}

export function owner(scene: Scene, at: DeliveryPorts['at'] = () => undefined): Delivery {
  return new Delivery(scene.generation, scene.place, { ...scene.ports, at }, new AbortController().signal)
}

async function work(scene: Scene, at: DeliveryPorts['at'], recordsMax: number): Promise<End> {
  const delivery = owner(scene, at)
  try {
    await delivery.takeOver()
    await delivery.redo()
    await deliverRest(scene, delivery, recordsMax)
    return 'finished'
  } catch (error) {
    if (error instanceof StaleOwner) return 'stale'
    throw error
  }
}

export async function deliverRest(scene: Scene, delivery: Delivery, recordsMax = 3): Promise<void> {
  for (;;) {
    const records = await nextBatch(scene, delivery.record.checkpoint, recordsMax)
    if (records.length === 0) return
    await delivery.deliver(await delivery.prepare(records))
  }
}

export async function nextBatch({ engines, place }: Scene, from: bigint, recordsMax = 3) {
  const request = { ...place, from: from as Position, bytesMax: 1_000_000, recordsMax, waitMs: 0 }
  return (await engines.log.read(request)).records
}

/** Everything below the end stands exactly once, in every table. */
export async function assertExactlyOnce(scene: Scene): Promise<void> {
  const { engines, generation, place, profiles, ports } = scene
  const key = { generation: generation.id, ...place }
  const record = await engines.state.commits.read(key)
  assert.ok(record, 'a commit record')
  assert.equal(record.intent, undefined, 'idle')
  const keyed = generation.projection.keyed !== undefined
  const parked = keyed ? 2n : 1n
  assert.deepEqual(
    record.tally,
    { read: 8n, folded: 7n - parked, duplicates: 1n, parked, undecryptable: 0n },
    'the tally',
  )
  const letters = (await ports.deadLetters.list(generation.id, 10_000)).filter((l) => l.topic === place.topic)
  assert.equal(letters.length, Number(parked), 'dead letters')
  const target = `${ports.database}.${generation.projection.landings[0]!.target}`
  const { sum } = await engines.analytics.audit(target, key, 0n, record.checkpoint)
  assert.equal(sum, record.audit, 'the audit')
  if (keyed) {
    const rows = await engines.tallies(ports.database, place.topic)
    const wanted = [
      [profiles[0], { rows: 1, events: 3 }],
      [profiles[1], { rows: 1, events: 2 }],
    ]
    assert.deepEqual([...rows].sort(), wanted, 'rows of tally')
    const states = await ports.states!.get(profiles.map((p) => [p]))
    assert.deepEqual(
      states.map((s) => s?.columns.slice(0, 2)),
      [
        [3, 9_000n],
        [2, 6_000n],
      ],
      'states',
    )
  } else {
    const rows = await engines.journal(ports.database, place.topic)
    assert.equal(rows.size, 8, 'a row for each position')
    for (const [position, n] of rows) assert.equal(n, 1, `one row for position ${position}`)
  }
}
