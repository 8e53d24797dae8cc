/** The delivery protocol's answers to what is not a crash: bad events, replaced owners, forgotten tokens. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Delivery, type DeliveryPorts } from '../../consumers/delivery.ts'
import { StaleOwner, Stalled } from '../../consumers/errors.ts'
import { CONSUMER_LIMITS } from '../../consumers/limits.ts'
import type { NewRecord } from '../../log/log.ts'
import type { Projection } from '../../projections/projection.ts'
import { SchemaRegistryUnavailable } from '../../schemas/index.ts'
import type { LandingInsert } from '../../stores/analytics.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import { STORE_LIMITS } from '../../stores/limits.ts'
import { simEngines } from '../sim/engine-set.ts'
import { assertExactlyOnce, deliverRest, newScene, nextBatch, own, owner, type Scene } from './deaths.ts'
import { type EngineSet, EVENTS_PROJECTION } from './engine-set.ts'
import { TALLY, TALLY_LANDING, type Tally } from './tally.ts'

let engines: EngineSet
before(async () => {
  engines = await simEngines()
})
after(() => engines.close())

const withPorts = (scene: Scene, ports: Partial<DeliveryPorts>): Delivery =>
  new Delivery(
    scene.generation,
    scene.place,
    { ...scene.ports, at: () => undefined, ...ports },
    new AbortController().signal,
  )

async function post(scene: Scene, values: readonly Uint8Array[]): Promise<void> {
  const { topic } = scene.place
  const records = values.map((value): NewRecord => ({ topic, key: topic, value, timestampMs: 1_700_000_000_000 }))
  await scene.engines.log.append(records)
}

test('garbage, an unknown schema id and a fold that throws end in the dead letters with their positions; their neighbours are folded', async () => {
  const scene = await newScene(engines, TALLY)
  await post(scene, [Buffer.from([0, 0, 1, 0, 0, 1, 2, 3])])
  await own(scene)
  const letters = (await scene.ports.deadLetters.list(scene.generation.id, 1_000)).filter(
    (letter) => letter.topic === scene.place.topic,
  )
  assert.deepEqual(
    letters.map(({ position, cause, status }) => ({ position, cause, status })),
    [
      { position: 3n, cause: 'frame', status: 'parked' },
      { position: 5n, cause: 'fold', status: 'parked' },
      { position: 8n, cause: 'unknown-schema', status: 'parked' },
    ],
  )
  assert.match(letters[1]!.detail, /poison/)
  assert.equal(letters[0]!.value.toString(), 'no event')
  const tallies = await engines.tallies(scene.ports.database, scene.place.topic)
  assert.deepEqual(tallies.get(scene.profiles[0]!), { rows: 1, events: 3 })
})

test('a schema registry that is away is waited for: the event is folded when it is back, never parked', async () => {
  const scene = await newScene(engines, EVENTS_PROJECTION)
  let away = 2
  const codec: DeliveryPorts['codec'] = {
    ...engines.codec,
    decode: (value) =>
      away > 0 ? { ok: false, cause: 'unknown-schema', schemaId: 7, detail: 'unknown' } : engines.codec.decode(value),
    learn: async () => {
      if (--away > 0) throw new SchemaRegistryUnavailable('the registry is away')
      return true
    },
  }
  const delivery = withPorts(scene, { codec })
  await delivery.takeOver()
  await deliverRest(scene, delivery)
  await assertExactlyOnce(scene)
})

test('what folds from the beginning of a log whose beginning was removed is stalled, and writes nothing; who is past it goes on', async () => {
  const scene = await newScene(engines, EVENTS_PROJECTION)
  await own(scene)
  assert.equal(await engines.log.trim(scene.place, 3n), 3n)
  await owner(scene).takeOver()
  const fresh = { ...scene, generation: { ...scene.generation, id: `${scene.generation.id}_fresh` } }
  const delivery = owner(fresh)
  await assert.rejects(delivery.takeOver(), (error) => error instanceof Stalled && error.code === 'LOG_TRIMMED')
  assert.equal(await engines.state.commits.read(delivery.key), undefined)
})

test('more parked events in one batch than can be poison stall the partition, and nothing of the batch is written', async () => {
  const scene = await newScene(engines, EVENTS_PROJECTION)
  await own(scene)
  await post(
    scene,
    Array.from({ length: CONSUMER_LIMITS.parkedPerBatchMax + 1 }, () => Buffer.from('rubbish')),
  )
  const delivery = owner(scene)
  await delivery.takeOver()
  const records = await nextBatch(scene, delivery.record.checkpoint, 1_000)
  await assert.rejects(delivery.deliver(await delivery.prepare(records)), { code: 'TOO_MANY_PARKED' })
  const record = await engines.state.commits.read(delivery.key)
  assert.equal(record?.checkpoint, 8n)
  assert.equal(record?.intent, undefined)
})

test('an owner that was replaced is refused at its next step, whichever that is, and the heir stands', async () => {
  for (const step of [
    'batch.read',
    'intent.set',
    'dead-letters.written',
    'rows.inserted',
    'states.upserted',
  ] as const) {
    const scene = await newScene(engines, TALLY)
    const heir = owner(scene)
    const replaced = owner(scene, async (name) => {
      if (name !== step || heir.hasRecord) return
      await heir.takeOver()
      await heir.redo()
      await deliverRest(scene, heir)
    })
    await replaced.takeOver()
    await assert.rejects(replaced.deliver(await replaced.prepare(await nextBatch(scene, 0n))), StaleOwner, step)
    await assertExactlyOnce(scene)
  }
})

test('a begun batch whose token may be forgotten stalls instead of inserting again', async () => {
  const scene = await newScene(engines, EVENTS_PROJECTION)
  await own(scene, 'rows.inserted')
  const delivery = withForgotten(scene)
  await delivery.takeOver()
  await assert.rejects(delivery.redo(), (error) => error instanceof Stalled && error.code === 'TOKEN_FORGOTTEN')
})

test('repair finds the rows of such a batch and does not insert them again, or finds none and does', async () => {
  for (const dieAt of ['rows.inserted', 'intent.set'] as const) {
    const scene = await newScene(engines, EVENTS_PROJECTION)
    await own(scene, dieAt)
    const delivery = withForgotten(scene)
    await delivery.takeOver()
    await delivery.redo('look-for-rows')
    await deliverRest(scene, delivery)
    await assertExactlyOnce(scene)
  }
})

test('a redo that would park what its intent did not stalls: another release, another registry', async () => {
  const scene = await newScene(engines, EVENTS_PROJECTION)
  await own(scene, 'intent.set')
  const decode: DeliveryPorts['codec']['decode'] = () => ({ ok: false, cause: 'body', detail: 'can no longer be read' })
  const delivery = withPorts(scene, { codec: { ...engines.codec, decode } })
  await delivery.takeOver()
  await assert.rejects(delivery.redo(), { code: 'REDO_DIFFERS' })
})

test('a store that is away is asked again until it answers, however often', async () => {
  const scene = await newScene(engines, TALLY)
  let refusals = 5
  const analytics: DeliveryPorts['analytics'] = {
    ...engines.analytics,
    insert: async (insert) => {
      if (refusals-- > 0) throw new StoreUnavailable('away')
      return engines.analytics.insert(insert)
    },
  }
  const world = { ...scene.ports.world, sleep: async () => undefined }
  const delivery = withPorts(scene, { analytics, world })
  await delivery.takeOver()
  await deliverRest(scene, delivery)
  assert.equal(delivery.waiting.retries, 5)
  await assertExactlyOnce(scene)
})

test('any batching of the same records ends in the same rows', async () => {
  for (const recordsMax of [1, 2, 3, 5, 8]) {
    const scene = await newScene(engines, TALLY)
    const delivery = owner(scene)
    await delivery.takeOver()
    for (;;) {
      const records = await nextBatch(scene, delivery.record.checkpoint, recordsMax)
      if (records.length === 0) break
      await delivery.deliver(await delivery.prepare(records))
    }
    await assertExactlyOnce(scene)
  }
})

function withForgotten(scene: Scene): Delivery {
  const { analytics } = scene.ports
  const blocks = async (table: string) => (await analytics.blocks(table)) + BigInt(STORE_LIMITS.tokenWindowBlocks)
  return withPorts(scene, { analytics: { ...analytics, blocks } })
}

test('a batch that means more rows than an insert may have is delivered as several, each event once', async () => {
  // A change takes as many rows back as it writes, so that one profile's fits and two profiles' don't.
  const perProfile = STORE_LIMITS.insertRowsMax / 2 - 10
  const many: Projection = {
    ...TALLY,
    name: 'many',
    keyed: {
      ...TALLY.keyed!,
      rows: (state) =>
        Array.from({ length: perProfile }, (_, i) => {
          const { profileId, events, positionsMs } = state as Tally
          return { landing: TALLY_LANDING, rowKey: `${profileId}/${i}`, cells: [events, positionsMs] }
        }),
    },
  }
  const scene = await newScene(engines, many)
  const inserts: number[] = []
  const analytics: DeliveryPorts['analytics'] = Object.assign(Object.create(engines.analytics), {
    insert: (insert: LandingInsert) => {
      inserts.push(insert.rows)
      return engines.analytics.insert(insert)
    },
  })
  const delivery = withPorts(scene, { analytics })
  await delivery.takeOver()
  await deliverRest(scene, delivery, 3)
  const { checkpoint, tally, audit: sum } = delivery.record
  assert.equal(checkpoint, 8n)
  // As when it is delivered in one: the copy is a copy, although its batch was begun twice.
  assert.deepEqual([tally.folded, tally.duplicates, tally.parked], [5n, 1n, 2n])
  assert.ok(inserts.length > 3, 'more inserts than batches')
  assert.ok(inserts.every((rows) => rows <= 2 * perProfile))
  const table = `${scene.ports.database}.tally`
  const found = await engines.analytics.audit(table, delivery.key, 0n, checkpoint)
  assert.deepEqual([found.rows, found.sum], [2n * BigInt(perProfile), sum])
})
