/** What seeds of the simulation found in the engine, each as a test of its own that needs no luck. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startBookKeeper } from '../../cli/book-keeper.ts'
import { planOf } from '../../cli/generations.ts'
import { CLI_LIMITS } from '../../cli/limits.ts'
import { openPointers } from '../../cli/pointers.ts'
import type { Book } from '../../consumers/book.ts'
import { type Generation, generationOf, stateTableOf } from '../../consumers/generation.ts'
import { historyOf } from '../../consumers/history.ts'
import { startConsumers } from '../../consumers/index.ts'
import { LogUnavailable } from '../../log/errors.ts'
import type { LogRecord, Position } from '../../log/log.ts'
import type { GenerationRow, PromotionRow } from '../../projections/generations/row.ts'
import { createCodec } from '../../schemas/index.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import type { CommitRecord } from '../../stores/state.ts'
import { erased, heartbeat, idOf } from '../consumers/events.ts'
import { TALLY } from '../consumers/tally.ts'
import { simAnalytics } from './analytics.ts'
import { INCARNATION, openEngine, portsOf, SETTINGS } from './engine.ts'
import { CALM, SimProcess } from './process.ts'
import { pump } from './pump.ts'

const TOPIC = 'playback-events'
/** Of simulated time: shorter than the watchdog's patience, which would cure some of it. */
const PATIENCE_MS = 30_000
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined }

test('a copy of an erasure takes nothing of what came after the first one', async () => {
  const codec = await createCodec({})
  const gone = codec.encode(erased('ann', idOf(1), 1))
  const later = codec.encode(heartbeat({ profileId: 'ann', eventId: idOf(2), positionMs: 7, atMs: 2 }))
  const records = [gone, later, gone].map((value, i) => {
    const record: LogRecord = { position: BigInt(i) as Position, timestampMs: i, key: 'ann', value, headers: {} }
    return { topic: TOPIC, partition: 0, record, duplicate: i === 2 }
  })
  const ports = { codec, vault: { open: async () => [] }, name: 'tally', wanted: () => true, steps: false }
  const { states } = await historyOf(TALLY, records, ports)
  assert.equal(states.length, 1)
})

test('a generation whose group could not be joined is joined by the next change', async (t) => {
  const engine = await openEngine(1, {})
  const pumping = pump(engine.world)
  t.after(() => pumping.stop())
  const process = new SimProcess('consumers', engine.world, () => CALM)
  const { log, ...ports } = portsOf(engine, process)
  let refusals = 1
  const join = log.join.bind(log)
  log.join = async (...asked) => {
    if (refusals-- > 0) throw new LogUnavailable('the group does not answer')
    return await join(...asked)
  }
  engine.analytics.prepare(TALLY.landings)
  const consumers = await startConsumers({
    ...{ log, ...ports, codec: engine.codec, logger: SILENT, world: process.clock() },
    prepare: async ({ id }) => id,
  })
  const generation = generationOf(TALLY, INCARNATION)
  await assert.rejects(consumers.run([generation]), LogUnavailable)
  await consumers.run([generation])
  await until(process, () => consumers.status().length === 2)
  await consumers.close()
})

test('a clock that is set back does not hold up what comes next', async (t) => {
  const engine = await openEngine(1, {})
  const pumping = pump(engine.world)
  t.after(() => pumping.stop())
  const process = new SimProcess('consumers', engine.world, () => CALM)
  const ports = portsOf(engine, process)
  const server = engine.analytics
  server.prepare(TALLY.landings)
  const consumers = await startConsumers({
    ...{ ...ports, analytics: simAnalytics(server, process), codec: engine.codec, logger: SILENT },
    ...{ world: process.clock(), projections: [TALLY], prepare: async ({ id }: Generation) => id },
  })
  const { partition } = await post(1)
  const generation = generationOf(TALLY, INCARNATION).id
  const folded = () => engine.state.commit({ generation, topic: TOPIC, partition })?.checkpoint ?? 0n
  await until(process, () => folded() === 1n)
  // It waits for more by now.
  await process.sleep(500)
  process.skewMs = -3_600_000
  await post(2)
  await until(process, () => folded() === 2n)
  await post(3)
  await until(process, () => folded() === 3n)
  await consumers.close()

  async function post(n: number) {
    const atMs = engine.world.nowMs
    const value = engine.codec.encode(heartbeat({ profileId: 'ann', eventId: idOf(n), positionMs: n, atMs }))
    const [placed] = await ports.log.append([{ topic: TOPIC, key: 'ann', value, timestampMs: atMs }])
    return placed!
  }
})

test('who promotes what another drops at the same time makes nobody read tables that are gone', () => {
  const { first, book } = bookOfTwo('second')
  const plan = planOf(SETTINGS, book, INCARNATION).find(({ name }) => name === 'progress')!
  assert.equal(plan.read.id, first.id)
})

function rowOf(generation: Generation, more: Partial<GenerationRow> = {}): GenerationRow {
  return {
    ...{ id: generation.id, foldVersion: 1, parameters: {}, build: generation.build?.name ?? null, untilMs: null },
    ...{ recordsPerSecond: null, status: 'building', resumedAtMs: null, askedAtMs: 1, by: null, reason: null },
    ...more,
  }
}

function promotionOf(id: string, atMs: number): PromotionRow {
  return { id, atMs, eventId: `${atMs}`, digest: null, by: null, reason: null }
}

/** Of projection progress: the first was read, the second is promoted, and one of them is dropped. */
function bookOfTwo(dropped: 'first' | 'second') {
  const first = planOf(SETTINGS, new Map(), INCARNATION).find(({ name }) => name === 'progress')!.usual
  const second = generationOf(first.projection, INCARNATION, { name: 'again' })
  const status = (which: typeof dropped) => ({ status: which === dropped ? 'dropped' : 'building' }) as const
  const generations = [rowOf(first, status('first')), rowOf(second, status('second'))]
  const promotions = [promotionOf(first.id, 1), promotionOf(second.id, 2)]
  const book: Book = new Map([['progress', { projection: 'progress', generations, promotions }]])
  return { first, second, book }
}

test('a process that slept reads nothing by what it knew before', async (t) => {
  const engine = await openEngine(1, {})
  const pumping = pump(engine.world)
  const { state } = portsOf(engine, new SimProcess('api', engine.world, () => CALM))
  let nowMs = 0
  const pointers = await openPointers(SETTINGS, state, INCARNATION, () => nowMs)
  t.after(async () => {
    await pointers.close()
    await pumping.stop()
  })
  pointers.follow({ wentOver: () => undefined, failed: () => undefined })
  await untilReal(() => can(() => pointers.read('progress')))
  nowMs += CLI_LIMITS.dropGraceMs
  assert.throws(() => pointers.read('progress'), StoreUnavailable)
  await untilReal(() => can(() => pointers.read('progress')))
})

test('tables go when readers can go over and have had the time, whatever the clock is set to', async (t) => {
  const engine = await openEngine(1, {})
  const pumping = pump(engine.world)
  const { state, log } = portsOf(engine, new SimProcess('consumers', engine.world, () => CALM))
  const { first, second, book } = bookOfTwo('first')
  const at = { topic: TOPIC, partition: 0 }
  const passed = new Map([
    [first.id, 5n],
    [second.id, 3n],
  ])
  const dropped: string[] = []
  let [steadyMs, rounds] = [0, 0]
  const keeper = await startBookKeeper({
    ...{ settings: SETTINGS, incarnation: INCARNATION, log, codec: engine.codec, logger: SILENT, always: [] },
    state: {
      ...state,
      commits: {
        ...state.commits,
        list: async (generation) => [{ ...at, generation, record: recordAt(passed.get(generation) ?? 0n) }],
      },
      drop: async (name) => {
        dropped.push(name)
      },
    },
    consumers: { run: async () => undefined },
    book: async () => {
      rounds++
      return book
    },
    show: async () => undefined,
    forget: async () => undefined,
    // An hour on at each look.
    nowMs: () => 3_600_000 * rounds,
    steadyMs: () => steadyMs,
    random: () => Buffer.alloc(10),
  })
  t.after(async () => {
    await keeper.close()
    await pumping.stop()
  })
  const someRounds = () => {
    const until = rounds + 2
    return untilReal(() => rounds >= until)
  }
  steadyMs += CLI_LIMITS.dropGraceMs
  await someRounds()
  passed.set(second.id, 5n)
  await someRounds()
  assert.deepEqual(dropped, [])
  steadyMs += CLI_LIMITS.dropGraceMs
  await untilReal(() => dropped.length > 0)
  assert.deepEqual(dropped, [stateTableOf(first)!.name])
})

function recordAt(checkpoint: bigint): CommitRecord {
  const tally = { read: 0n, folded: 0n, duplicates: 0n, parked: 0n, undecryptable: 0n }
  return { term: 1n, revision: 1n, checkpoint, tally, audit: 0n }
}

function can(what: () => unknown): boolean {
  try {
    what()
    return true
  } catch (error) {
    assert.ok(error instanceof StoreUnavailable)
    return false
  }
}

/** By the real clock: the keeper of the book and the pointers look around by it. */
async function untilReal(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS
  while (!condition()) {
    assert.ok(performance.now() < endMs, 'it never came to be')
    await sleep(10)
  }
}

async function until(process: SimProcess, condition: () => boolean): Promise<void> {
  const endMs = process.world.nowMs + PATIENCE_MS
  while (!condition()) {
    assert.ok(process.world.nowMs < endMs, 'it never came to be')
    await process.sleep(10)
  }
}
