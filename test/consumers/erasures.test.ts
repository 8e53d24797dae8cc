/** When the key of an erased profile goes: not before everybody has passed the erasure, and then for good. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Registry } from 'prom-client'
import { generationOf, stateTableOf } from '../../consumers/generation.ts'
import { type Consumers, startConsumers } from '../../consumers/index.ts'
import { CONSUMER_LIMITS } from '../../consumers/limits.ts'
import { realWorld, type World } from '../../consumers/retry.ts'
import { createSealer } from '../../producers/personal.ts'
import { erasuresV1 } from '../../projections/erasures/v1.ts'
import { progressV1 } from '../../projections/progress/v1.ts'
import type { Projection } from '../../projections/projection.ts'
import type { AnalyticsStore } from '../../stores/analytics.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import type { StateRow } from '../../stores/state.ts'
import { simEngines } from '../sim/engine-set.ts'
import { diary } from './diary.ts'
import { type EngineSet, EVENTS_PROJECTION } from './engine-set.ts'
import { erased, heartbeat, idOf } from './events.ts'
import { TALLY } from './tally.ts'

const TOPIC = 'playback-events'
/** Yesterday: rows expire a year after their events. */
const AT_MS = Date.now() - 86_400_000
const EMPTY = { accountId: null, userAgent: null, address: null, custom: {}, sealed: null }

/** Time flies: what takes seconds takes milliseconds. */
const hasty: World = {
  nowMs: () => performance.now() * 200,
  random: Math.random,
  sleep: (ms, signal) => realWorld.sleep(ms / 200, signal),
}

/** Every table of states that a profile is in, but for the one that says it was erased. */
const TABLES = [TALLY, diary(), progressV1()]

interface Stage {
  readonly engines: EngineSet
  watch(profileId: string): Promise<void>
  /** As the API does: the key is retired, then the event appended. */
  erase(profileId: string): Promise<readonly string[]>
  start(analytics?: AnalyticsStore, metrics?: Registry, tables?: readonly Projection[]): Promise<Consumers>
}

async function stage(t: TestContext): Promise<Stage> {
  const engines = await simEngines()
  t.after(() => engines.close())
  await engines.log.ensureTopics([{ topic: TOPIC, partitions: 2 }])
  let ids = 0
  const sealer = createSealer({
    vault: engines.vault,
    random: (bytes) => globalThis.crypto.getRandomValues(bytes),
    nowMs: () => ids * 1_000_000,
  })
  const post = (key: string, value: Uint8Array) =>
    engines.log.append([{ topic: TOPIC, key, value, timestampMs: AT_MS }])
  return {
    engines,
    async watch(profileId) {
      const [personal] = await sealer.seal([{ profileId, personal: { ...EMPTY, deviceId: `tv of ${profileId}` } }])
      const facts = { profileId, eventId: idOf(ids++), positionMs: 1_000, atMs: AT_MS }
      await post(profileId, engines.codec.encode({ ...heartbeat(facts), personal: personal! }))
    },
    async erase(profileId) {
      const retired = await engines.vault.retire(profileId)
      await post(profileId, engines.codec.encode(erased(profileId, idOf(ids++), AT_MS)))
      return retired
    },
    start: (analytics = engines.analytics, metrics = new Registry(), tables = TABLES) =>
      startConsumers({
        ...engines,
        analytics,
        metrics,
        projections: [...tables, EVENTS_PROJECTION, erasuresV1()],
        prepare: async ({ id }) => id,
        logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
        world: hasty,
      }),
  }
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000
  while (!(await holds())) {
    if (Date.now() > deadline) assert.fail(`never: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** The grace and some rounds, as the consumers' world counts them. */
async function longEnough(): Promise<void> {
  const untilMs = hasty.nowMs() + CONSUMER_LIMITS.erasureGraceMs + 5 * CONSUMER_LIMITS.erasuresEveryMs
  await until('time passes', () => hasty.nowMs() > untilMs)
}

const isDestroyed = async ({ engines }: Stage, keyId: string) =>
  (await engines.vault.open([keyId]))[0]?.state === 'destroyed'

test('the key goes only after every projection has passed the erasure, and the key of what came after stays', async (t) => {
  const on = await stage(t)
  const { engines } = on
  await on.watch('anna')
  await on.watch('boris')
  const [keyId] = await on.erase('anna')
  await on.watch('anna')
  let held = true
  const analytics: AnalyticsStore = {
    ...engines.analytics,
    insert: async (insert) => {
      await until('the insert is let through', () => !held || !insert.table.startsWith('tally'))
      return engines.analytics.insert(insert)
    },
  }
  const metrics = new Registry()
  const consumers = await on.start(analytics, metrics)
  const lagOf = (name: string) =>
    consumers.status().filter((s) => s.generation.startsWith(name) && (s.lag > 0n || s.end === 0n))
  await until('the others are there', () =>
    ['events', 'diary', 'progress', 'erasures'].every((name) => lagOf(name).length === 0),
  )
  await longEnough()
  assert.ok(lagOf('tally').length > 0, 'one is behind')
  assert.equal(await isDestroyed(on, keyId!), false)
  assert.match(await metrics.metrics(), /playhead_erasures_pending 1/)
  held = false
  await until('the key is destroyed', () => isDestroyed(on, keyId!))
  assert.deepEqual(await engines.vault.retired('anna'), [])
  const living = await engines.vault.current(['anna', 'boris'])
  for (const { keyId: other } of living) assert.equal(await isDestroyed(on, other), false)
  await until('nothing is pending', async () => /playhead_erasures_pending 0/.test(await metrics.metrics()))
  await consumers.close()
})

test('an erasure waits for what is read and for no build; who says what was erased changes with the pointer', async (t) => {
  const on = await stage(t)
  const { engines } = on
  const incarnation = await engines.log.incarnation()
  const read = [...TABLES, EVENTS_PROJECTION, erasuresV1()].map((one) => generationOf(one as Projection, incarnation))
  const tally = generationOf(TALLY as Projection, incarnation, { name: 'slow' })
  const erasures = generationOf(erasuresV1() as Projection, incarnation, { name: 'other' })
  const inserted: string[] = []
  const analytics: AnalyticsStore = {
    ...engines.analytics,
    insert: async (insert) => {
      if (insert.token.startsWith(tally.id)) throw new StoreUnavailable('the build is held')
      inserted.push(insert.token)
      return engines.analytics.insert(insert)
    },
  }
  const consumers = await on.start(analytics, new Registry(), [])
  await consumers.run([...read, tally], read)
  await on.watch('anna')
  const [first] = await on.erase('anna')
  await until('the key is destroyed', () => isDestroyed(on, first!))
  assert.ok(consumers.status().some(({ generation, lag, end }) => generation === tally.id && (lag > 0n || end === 0n)))
  // From now on another generation's rows are looked at; the one before runs no more.
  const promoted = [...read.slice(0, -1), erasures]
  await consumers.run([...promoted, tally], promoted)
  await on.watch('boris')
  const [second] = await on.erase('boris')
  await until('the next key is destroyed', () => isDestroyed(on, second!))
  assert.ok(consumers.status().every(({ generation }) => generation !== read.at(-1)!.id))
  await consumers.close()
})

test('an erasure that was met before a restart is done after it', async (t) => {
  const on = await stage(t)
  await on.watch('anna')
  const [keyId] = await on.erase('anna')
  const first = await on.start()
  const folded = () => first.status().filter((s) => s.end > 0n && s.lag === 0n).length
  await until('its partition is folded, by all five', () => folded() === 5)
  await first.close()
  assert.equal(await isDestroyed(on, keyId!), false, 'within its grace')
  const second = await on.start()
  await until('the key is destroyed', () => isDestroyed(on, keyId!))
  await second.close()
})

test('a key that is retired for a later erasure waits for the event of that one, also over a restart', async (t) => {
  const on = await stage(t)
  await on.watch('anna')
  const [first] = await on.erase('anna')
  const before = await on.start()
  await until('the first is done', async () => (await isDestroyed(on, first!)) && (await doneOf(on)) === 1)
  await before.close()
  await on.watch('anna')
  const [second] = await on.engines.vault.retire('anna')
  const consumers = await on.start()
  await longEnough()
  assert.equal(await isDestroyed(on, second!), false)
  await on.erase('anna')
  await until('the second is done', () => isDestroyed(on, second!))
  await consumers.close()
})

async function doneOf({ engines }: Stage): Promise<number> {
  const table = await engines.state.table({
    name: 'erasures_done',
    comment: '',
    partition: [
      { name: 'generation', type: 'text' },
      { name: 'profile_id', type: 'text' },
    ],
    clustering: [],
    columns: [{ name: 'erasure', type: 'long' }],
  })
  let rows = 0
  for await (const _ of table.scan()) rows++
  return rows
}

test('no row of an erased profile is in any table, of the others all are, and a rebuild without the keys agrees', async (t) => {
  const on = await stage(t)
  for (const profileId of ['anna', 'boris', 'anna', 'clara']) await on.watch(profileId)
  const before = await on.start()
  await until('all are in the tables', async () =>
    (await profilesIn(on)).every((found) => found === 'anna boris clara'),
  )
  const retired = [...(await on.erase('anna')), ...(await on.erase('clara'))]
  await on.watch('clara')
  await until('who came back is there, who went is gone', async () =>
    (await profilesIn(on)).every((found) => found === 'boris clara'),
  )
  await until('the keys are destroyed', async () =>
    (await Promise.all(retired.map((keyId) => isDestroyed(on, keyId)))).every((gone) => gone),
  )
  await before.close()
  const versions = TABLES.map((projection) => ({ ...projection, foldVersion: 99 }))
  const rebuild = await on.start(on.engines.analytics, new Registry(), versions)
  await until('rebuilt', async () => (await profilesIn(on, versions)).every((found) => found === 'boris clara'))
  await until('folded', () => rebuild.status().every((s) => s.lag === 0n && s.checkpoint === s.end))
  const undecryptable = (name: string) =>
    rebuild
      .status()
      .filter((s) => s.generation.startsWith(name))
      .reduce((n, s) => n + Number(s.record?.tally.undecryptable), 0)
  assert.deepEqual(['tally', 'diary', 'progress', 'events'].map(undecryptable), [0, 3, 3, 0])
  assert.deepEqual(await devicesIn(on, versions[2]!), await devicesIn(on, TABLES[2]!))
  assert.deepEqual(await devicesIn(on, TABLES[2]!), ['boris: tv of boris', 'clara: tv of clara'])
  await rebuild.close()
})

async function rowsOf({ engines }: Stage, projection: Projection): Promise<StateRow[]> {
  const generation = generationOf(projection, await engines.log.incarnation())
  const rows: StateRow[] = []
  for await (const row of (await engines.state.table(stateTableOf(generation)!)).scan()) rows.push(row)
  return rows
}

async function profilesIn(on: Stage, projections: readonly Projection[] = TABLES): Promise<readonly string[]> {
  return Promise.all(
    projections.map(async (projection) => {
      const profiles = (await rowsOf(on, projection)).map(({ key }) => String(key[0]))
      return [...new Set(profiles)].sort().join(' ')
    }),
  )
}

async function devicesIn(on: Stage, projection: Projection): Promise<readonly string[]> {
  const at = projection.keyed!.shape.columns.findIndex(({ name }) => name.startsWith('device'))
  const rows = await rowsOf(on, projection)
  return rows.map(({ key, columns }) => `${key[0]}: ${columns[at]}`).sort()
}
