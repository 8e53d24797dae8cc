/** The role as a whole: readiness, repair of a stall, the watchdog, metrics. On the simulated engines, in real time. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Registry } from 'prom-client'
import { generationOf } from '../../consumers/generation.ts'
import { type Consumers, startConsumers } from '../../consumers/index.ts'
import { repair } from '../../consumers/repair.ts'
import { realWorld, type World } from '../../consumers/retry.ts'
import { STORE_LIMITS } from '../../stores/limits.ts'
import { simEngines } from '../sim/engine-set.ts'
import type { EngineSet } from './engine-set.ts'
import { heartbeat, idOf } from './events.ts'
import { TALLY } from './tally.ts'

let engines: EngineSet
before(async () => {
  engines = await simEngines()
})
after(() => engines.close())

/** Time flies: what takes seconds takes milliseconds, in the order in which it was asked for. */
const hasty: World = {
  nowMs: () => performance.now() * 100,
  random: Math.random,
  sleep: (ms, signal) => realWorld.sleep(ms / 100, signal),
}

let ids = 0
async function topicWith(events: number): Promise<string> {
  const topic = `runtime-${ids}`
  await engines.log.ensureTopics([{ topic, partitions: 2 }])
  await post(topic, events)
  return topic
}

async function post(topic: string, events: number): Promise<void> {
  await engines.log.append(
    Array.from({ length: events }, () => {
      const eventId = idOf(ids++)
      const profileId = `${topic}-${ids % 5}`
      const value = engines.codec.encode(heartbeat({ profileId, eventId, positionMs: 1, atMs: 1_700_000_000_000 }))
      return { topic, key: profileId, value, timestampMs: 1_700_000_000_000 }
    }),
  )
}

function start(topic: string, overrides: Partial<Parameters<typeof startConsumers>[0]> = {}): Promise<Consumers> {
  return startConsumers({
    ...engines,
    projections: [{ ...TALLY, name: `tally_${topic.replace('-', '_')}`, topics: [topic] }],
    prepare: async () => `db_${topic.replace('-', '_')}`,
    logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
    world: hasty,
    ...overrides,
  })
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!holds()) {
    if (Date.now() > deadline) assert.fail(`never: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const caughtUp = (consumers: Consumers) =>
  consumers.status().length === 2 &&
  consumers.status().every((s) => s.state === 'reading' && s.lag === 0n && s.end > 0n)

test('metrics say what became of every record, and that all of them are accounted for', async () => {
  const topic = await topicWith(40)
  const metrics = new Registry()
  const consumers = await start(topic, { metrics })
  await until('caught up', () => caughtUp(consumers))
  const text = await metrics.metrics()
  const sum = (name: string, labels: string) =>
    [...text.matchAll(new RegExp(`^${name}\\{[^}]*${labels}[^}]*\\} (\\d+)$`, 'gm'))].reduce(
      (n, m) => n + Number(m[1]),
      0,
    )
  assert.equal(sum('playhead_records_total', 'fate="read"'), 40)
  assert.equal(sum('playhead_records_total', 'fate="folded"'), 40)
  assert.equal(sum('playhead_conservation_gap_records', 'partition'), 0)
  assert.equal(sum('playhead_lag_records', 'partition'), 0)
  assert.ok(consumers.ready())
  await consumers.close()
})

test('a stalled partition makes the role unready and says the remedy; repair cures it and the worker goes on', async () => {
  const topic = await topicWith(20)
  const dead = await start(topic, {
    at: (name) => (name === 'rows.inserted' ? new Promise(() => undefined) : undefined),
  })
  await until(
    'the batches are begun',
    () => dead.status().length === 2 && dead.status().every((s) => s.state === 'delivering'),
  )
  const analytics = {
    ...engines.analytics,
    blocks: async (table: string) => (await engines.analytics.blocks(table)) + BigInt(STORE_LIMITS.tokenWindowBlocks),
  }
  let blocks = analytics.blocks
  const forgetful = { ...engines.analytics, blocks: (table: string) => blocks(table) }
  const consumers = await start(topic, { analytics: forgetful })
  const stalled = () => consumers.status().filter((s) => s.stalled?.code === 'TOKEN_FORGOTTEN')
  const leaving = dead.close()
  await until('both partitions stall', () => stalled().length === 2)
  assert.equal(consumers.ready(), false)
  assert.match(consumers.complaints()[0] ?? '', /playhead repair/)
  const name = `tally_${topic.replace('-', '_')}`
  const outcomes = await repair({
    ...engines,
    analytics: forgetful,
    generations: [generationOf({ ...TALLY, name, topics: [topic] }, await engines.log.incarnation())],
    prepare: async () => `db_${topic.replace('-', '_')}`,
    world: hasty,
  })
  assert.equal(outcomes.length, 2)
  assert.deepEqual(
    outcomes.flatMap((o) => o.failed ?? []),
    [],
  )
  blocks = engines.analytics.blocks
  await until('the workers go on', () => caughtUp(consumers) && consumers.ready())
  await leaving
  await consumers.close()
})

test('a worker that does not move, for no reason it knows of, turns the role red and is started anew', async () => {
  const topic = await topicWith(20)
  let hang = true
  const analytics = {
    ...engines.analytics,
    insert: (insert: Parameters<typeof engines.analytics.insert>[0]) => {
      if (hang) return new Promise<never>(() => undefined)
      return engines.analytics.insert(insert)
    },
  }
  const consumers = await start(topic, { analytics })
  await until('the role is red', () => !consumers.ready())
  assert.match(consumers.complaints()[0] ?? '', /has not moved for .* for no known reason/)
  hang = false
  await until('it was started anew and caught up', () => caughtUp(consumers) && consumers.ready())
  await consumers.close()
})
