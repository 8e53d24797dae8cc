/**
 * Whatever a schema can hold may stand in the log, so the stores have to take every row that such an event means: one
 * that they refuse would hold its partition up for good. Every event type, with any values, goes through every projection
 * into the real engines; what no row can be named by is parked.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { DeadLetters } from '../../consumers/dead-letters.ts'
import { Delivery } from '../../consumers/delivery.ts'
import { type Generation, stateTableOf } from '../../consumers/generation.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import type { EventLog, NewRecord, Position } from '../../log/log.ts'
import { keptMs } from '../../projections/stamp.ts'
import { createCodec, EVENT_TYPES, type EventCodec, TOPICS, topicOf } from '../../schemas/index.ts'
import type { AnalyticsStore } from '../../stores/analytics.ts'
import { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import { openEmbeddedState } from '../../stores/embedded/index.ts'
import { StoreRefused } from '../../stores/errors.ts'
import type { StateStore } from '../../stores/state.ts'
import { everyGeneration } from '../schemas/history-fold.ts'
import { anyEvent } from '../schemas/support.ts'
import { simVault } from '../sim/vault.ts'
import { startAnalyticsProcess } from './analytics-process.ts'

const EVENTS_OF_TYPE = 40
const BATCH_RECORDS = 200
const KEY = 'whoever'
const TIMED = 'playback-events'

interface Engines {
  readonly log: EventLog
  readonly state: StateStore
  readonly clickhouse: ClickHouse
  readonly codec: EventCodec
}

let engines: Engines
const closing: (() => Promise<unknown>)[] = []

before(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'playhead-hostile-'))
  closing.push(() => rm(dir, { recursive: true, force: true }))
  const process = await startAnalyticsProcess(join(dir, 'analytics'))
  closing.push(() => process.stop())
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  const state = await openEmbeddedState({ dir: join(dir, 'state'), clock: () => 0 })
  const clickhouse = new ClickHouse({ ...process.access, database: 'hostile' })
  closing.push(() => Promise.all([log.close(), state.close(), clickhouse.close()]))
  await clickhouse.prepare()
  const codec = await createCodec()
  await log.ensureTopics(Object.keys(TOPICS).map((topic) => ({ topic, partitions: 1 })))
  for (const type of EVENT_TYPES) await log.append(recordsOf(type, codec))
  engines = { log, state, clickhouse, codec }
})

after(async () => {
  for (const close of closing.reverse()) await close()
})

for (const generation of everyGeneration()) {
  const { projection } = generation
  test(`the engines take whatever ${projection.name} makes of any event`, async () => {
    const { clickhouse, log } = engines
    const refused = new Set<string>()
    let rows = 0
    const analytics: AnalyticsStore = {
      engine: 'sim',
      own: (...asked) => clickhouse.own(...asked),
      insert: async (...asked) => {
        rows += asked[0].rows
        try {
          return await clickhouse.insert(...asked)
        } catch (error) {
          if (!(error instanceof StoreRefused)) throw error
          refused.add(error.message.slice(0, 400))
          return 'inserted'
        }
      },
      blocks: (...asked) => clickhouse.blocks(...asked),
      audit: (...asked) => clickhouse.audit(...asked),
      ping: () => clickhouse.ping(),
      close: async () => undefined,
    }
    for (const topic of projection.topics) await foldAll(generation, topic, analytics, log)
    assert.deepEqual([...refused], [])
    assert.equal(rows > 0, projection.landings.length > 0)
  })
}

test('a time is in the table what it was in the event, also one of a clock that was never set', async () => {
  const { clickhouse, log, codec } = engines
  const { id } = everyGeneration().find(({ projection }) => projection.name === 'events')!
  const stored = await clickhouse.query<{ position: string; ms: string }>(
    `SELECT toString(position) AS position, toString(toUnixTimestamp64Milli(occurred_at)) AS ms
     FROM \`hostile_${id}\`.events WHERE topic = '${TIMED}' AND fate = 'folded'`,
  )
  const told = new Map<string, string>()
  for (const { position, value } of await recordsIn(log, TIMED, 0n, Number.MAX_SAFE_INTEGER)) {
    const decoded = codec.decode(value)
    assert.ok(decoded.ok)
    told.set(String(position), String(keptMs(decoded.event.meta.occurredAt)))
  }
  assert.ok([...told.values()].some((ms) => ms.length < 10))
  assert.ok(stored.length > 100)
  assert.deepEqual(
    stored.map(({ ms }) => ms),
    stored.map(({ position }) => told.get(position)),
  )
})

function recordsOf(type: (typeof EVENT_TYPES)[number], codec: EventCodec): NewRecord[] {
  const records = fc
    .sample(anyEvent(type), { seed: EVENT_TYPES.indexOf(type), numRuns: EVENTS_OF_TYPE })
    .map((event) => {
      return { topic: topicOf(event), key: KEY, value: codec.encode(event), timestampMs: 1 }
    })
  // What replays an event goes where that event went, which is nowhere.
  return records.filter(({ topic }) => topic in TOPICS)
}

async function foldAll(generation: Generation, topic: string, analytics: AnalyticsStore, log: EventLog): Promise<void> {
  const { state, clickhouse, codec } = engines
  const { name, foldVersion, landings } = generation.projection
  const spec = stateTableOf(generation)
  const ports = {
    ...{ log, commits: state.commits, states: spec && (await state.table(spec)), analytics, codec },
    ...{ deadLetters: await DeadLetters.open(state), vault: simVault(), at: () => undefined },
    database: landings.length === 0 ? '' : await clickhouse.prepareGeneration(generation.id, `${name}_v${foldVersion}`),
    world: { nowMs: () => 0, random: () => 0, sleep: async () => undefined },
  }
  const delivery = new Delivery(generation, { topic, partition: 0 }, ports, new AbortController().signal)
  await delivery.takeOver()
  for (;;) {
    const records = await recordsIn(log, topic, delivery.record.checkpoint, BATCH_RECORDS)
    if (records.length === 0) return
    await delivery.deliver(await delivery.prepare(records))
  }
}

async function recordsIn(log: EventLog, topic: string, from: Position, recordsMax: number) {
  return (await log.read({ topic, partition: 0, from, bytesMax: 1e9, recordsMax, waitMs: 0 })).records
}
