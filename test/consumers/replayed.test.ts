/** Poison, and what mends it: after repair and replay the states are those of a log that was never poisoned. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DeadLetters } from '../../consumers/dead-letters.ts'
import { generationOf, stateTableOf } from '../../consumers/generation.ts'
import { startConsumers } from '../../consumers/index.ts'
import { letterDiscarded, letterReplayed } from '../../producers/dead-letters.ts'
import { progressV1 } from '../../projections/progress/v1.ts'
import { simEngines } from '../sim/engine-set.ts'
import type { EngineSet } from './engine-set.ts'
import { heartbeat, idOf } from './events.ts'

const TOPIC = 'playback-events'
// What lies long back is gone from progress by itself.
const AT_MS = Date.now() - 3_600_000
const ARRIVAL = { source: 'engine', appId: 'playhead', environment: 'engine', receivedAtMs: AT_MS } as const
const WHO = { by: 'ops', reason: 'mended' }
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** A codec that was wrong about some events, until it was mended: what a faulty release does. */
async function world() {
  const engines = await simEngines()
  await engines.log.ensureTopics([
    { topic: TOPIC, partitions: 2 },
    { topic: 'engine-events', partitions: 1 },
  ])
  const projection = progressV1()
  const generation = generationOf(projection, await engines.log.incarnation())
  const start = (codec: EngineSet['codec']) =>
    startConsumers({ ...engines, codec, projections: [projection], prepare: async () => 'db', logger: quiet })
  const fold = async (codec = engines.codec) => {
    const consumers = await start(codec)
    const ends = await engines.log.bounds(TOPIC)
    const done = () =>
      ends.every(({ partition, end }) => {
        const status = consumers.status().find((one) => one.partition === partition && one.topic === TOPIC)
        return (status?.record?.checkpoint ?? 0n) >= end
      })
    const deadline = Date.now() + 10_000
    while (!done()) {
      assert.ok(Date.now() < deadline, JSON.stringify(consumers.complaints()))
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    await consumers.close()
  }
  const rows = async () => {
    const table = await engines.state.table(stateTableOf(generation)!)
    const found: string[] = []
    // The last column is the runtime's own.
    for await (const { key, columns } of table.scan()) found.push(JSON.stringify([key, columns.slice(0, -1)], text))
    return found.sort()
  }
  const letters = async () => (await DeadLetters.open(engines.state)).list(generation.id, 1_000)
  return { engines, fold, rows, letters }
}

const text = (_name: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)

interface Said {
  readonly profile: number
  readonly positionMs: number
  readonly atMs: number
  readonly poisoned: boolean
}

const said: fc.Arbitrary<Said> = fc.record({
  profile: fc.integer({ min: 0, max: 2 }),
  positionMs: fc.integer({ min: 0, max: 100_000 }),
  atMs: fc.integer({ min: 0, max: 50 }).map((s) => AT_MS + s * 1_000),
  poisoned: fc.boolean(),
})

test('after repair and replay, in any order and also twice, the states are those of a log never poisoned', async () => {
  const histories = fc.tuple(fc.array(said, { minLength: 1, maxLength: 12 }), fc.infiniteStream(fc.boolean()))
  await fc.assert(
    fc.asyncProperty(histories, async ([events, coin]) => {
      const [clean, poisoned] = await Promise.all([world(), world()])
      const bytes = events.map(({ profile, positionMs, atMs }, i) => ({
        key: `p${profile}`,
        value: clean.engines.codec.encode(heartbeat({ profileId: `p${profile}`, eventId: idOf(i), positionMs, atMs })),
      }))
      for (const { engines } of [clean, poisoned]) {
        await engines.log.append(bytes.map((one) => ({ topic: TOPIC, ...one, timestampMs: AT_MS })))
      }
      await clean.fold()
      const bad = new Set(bytes.filter((_, i) => events[i]!.poisoned).map(({ value }) => value.toString('hex')))
      const { codec } = poisoned.engines
      await poisoned.fold({
        ...codec,
        typeOf: (value) => codec.typeOf(value),
        decode: (value) =>
          bad.has(value.toString('hex'))
            ? { ok: false, cause: 'body', detail: 'a faulty release' }
            : codec.decode(value),
      })
      const parked = await poisoned.letters()
      assert.equal(parked.length, bad.size)
      const twice = parked.filter(() => coin.next().value)
      for (const letter of [...parked, ...twice].sort(() => (coin.next().value ? 1 : -1))) {
        const { topic, partition, position, key, value } = letter
        const replay = { projection: 'progress', topic, partition, position, key: key!, value }
        await poisoned.engines.log.append(letterReplayed(codec, ARRIVAL, replay, WHO))
      }
      await poisoned.fold()
      const wanted = await clean.rows()
      assert.equal(wanted.length, new Set(events.map(({ profile }) => profile)).size)
      assert.deepEqual(await poisoned.rows(), wanted)
      for (const { engines } of [clean, poisoned]) await engines.close()
    }),
    { numRuns: 40 },
  )
})

test('what is replayed for one projection is nothing to another, and mended bytes count instead of the bad ones', async () => {
  const { engines, fold, rows, letters } = await world()
  const mended = engines.codec.encode(heartbeat({ profileId: 'p', eventId: idOf(1), positionMs: 5_000, atMs: AT_MS }))
  await engines.log.append([{ topic: TOPIC, key: 'p', value: Buffer.from('no event'), timestampMs: AT_MS }])
  await fold()
  const [letter] = await letters()
  const { topic, partition, position } = letter!
  const replay = (projection: string) =>
    letterReplayed(engines.codec, ARRIVAL, { projection, topic, partition, position, key: 'p', value: mended }, WHO)
  await engines.log.append(replay('views'))
  await fold()
  assert.deepEqual(await rows(), [])
  await engines.log.append(replay('progress'))
  await fold()
  assert.equal((await rows()).length, 1)
  assert.equal((await letters()).length, 1, 'a replay is no letter, and moves none')
  await engines.close()
})

test("a letter's status only moves forward: what is discarded stays so, and a copy of the parking changes nothing", async () => {
  const { engines, fold, letters } = await world()
  await engines.log.append([{ topic: TOPIC, key: 'p', value: Buffer.from('no event'), timestampMs: AT_MS }])
  await fold()
  const [letter] = await letters()
  const deadLetters = await DeadLetters.open(engines.state)
  await deadLetters.settle(letter!, 'discarded')
  await deadLetters.settle(letter!, 'replayed')
  await deadLetters.park(letter!.generation, letter!.topic, letter!.partition, [])
  assert.equal((await deadLetters.get(letter!.generation, letter!))?.status, 'discarded')
  const record = letterDiscarded(engines.codec, ARRIVAL, 'progress', letter!, WHO)
  const decoded = engines.codec.decode(Buffer.from(record.value))
  assert.ok(decoded.ok && decoded.event.type === 'DeadLetterDiscarded' && decoded.event.reason === 'mended')
  await engines.close()
})
