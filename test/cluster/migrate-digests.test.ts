/** A log that was copied from a folder into a real Kafka and back means the same everywhere, in every table. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { loadConfig } from '../../cli/config.ts'
import { openLogAt, openState } from '../../cli/engines.ts'
import { compareTwins, type Side } from '../../cli/migrate/compare.ts'
import { startFold, type Twin, twinsOf } from '../../cli/migrate/fold.ts'
import { compareRows } from '../../cli/replay/rows.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { createCodec, EVENT_TYPES, keyOf, type NewEvent, TOPICS, topicOf } from '../../schemas/index.ts'
import { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import { openEmbeddedVault } from '../../stores/vault/embedded.ts'
import { playhead, tempFolder } from '../cli/playhead.ts'
import { startAnalyticsProcess } from '../consumers/analytics-process.ts'
import { anyFact, encodeAsNewest } from '../schemas/history-facts.ts'
import { cassandra, ownKafka } from './servers.ts'

const FACTS_A_TYPE = 15
const WAIT_MS = 180_000

test('a log copied from a folder to Kafka and back is folded to the same states and rows by every projection', async (t) => {
  const [broker, store] = await Promise.all([ownKafka(), cassandra()])
  t.after(() => Promise.all([broker.close(), store.close()]))
  const kafka = `kafka://${broker.host}:${broker.port}`
  const [here, back] = [join(tempFolder(t), 'data'), join(tempFolder(t), 'data')]
  await fillLog(join(here, 'log'))
  for (const [from, to] of [
    [join(here, 'log'), kafka],
    [kafka, join(back, 'log')],
  ] as const) {
    const copied = await playhead(t, { PLAYHEAD_DATA: tempFolder(t) }, 'log', 'copy', from, to)
    assert.equal(copied.code, 0, copied.err)
  }
  const process = await startAnalyticsProcess(join(tempFolder(t), 'analytics'))
  t.after(() => process.stop())
  const analytics = new ClickHouse({ ...process.access, database: 'playhead' })
  t.after(() => analytics.close())
  const keyspace = `cassandra://${store.host}:${store.port}/digests_${globalThis.process.pid}`
  const first = await openSide(t, { PLAYHEAD_DATA: here })
  const sides = [
    await openSide(t, { PLAYHEAD_DATA: tempFolder(t), PLAYHEAD_LOG: kafka, PLAYHEAD_STORE: keyspace }),
    await openSide(t, { PLAYHEAD_DATA: back }),
  ]
  await fold(t, first, await twinsOf(first.config, first, first.log), analytics)
  for (const side of sides) {
    const twins = await twinsOf(first.config, first, side.log)
    await fold(t, side, twins, analytics)
    const compared = await compareTwins(first, side, twins, AbortSignal.timeout(WAIT_MS))
    for (const { name, equal, why } of compared) assert.ok(equal, `${name}: ${why}`)
    // By the clock and by erasures, some are empty.
    const filled = compared.filter(({ rows }) => rows > 0n).map(({ name }) => name)
    assert.ok(filled.length >= 6, `compared: ${filled}`)
    await compareTables(analytics, twins)
  }
})

/** Every event there is, many times, some of them twice. */
async function fillLog(dir: string): Promise<void> {
  const log = await openEmbeddedLog({ dir })
  const codec = await createCodec({})
  await log.ensureTopics(Object.entries(TOPICS).map(([topic, { partitions }]) => ({ topic, partitions })))
  let n = 0
  // Erasures first: they take away what came before them.
  const types = EVENT_TYPES.filter((one) => !['ReplayedEvent', 'ProfileErased'].includes(one))
  for (const type of ['ProfileErased', ...types] as const) {
    const records = fc.sample(anyFact(type), { numRuns: FACTS_A_TYPE, seed: 7 }).map(({ facts }) => {
      const eventId = `01900000-0000-7000-8000-${(n++ % (FACTS_A_TYPE - 3)).toString(16).padStart(12, '0')}`
      // Of today: by the clock, what is old has gone from the tables.
      const times = { receivedAt: Date.now(), occurredAt: Date.now() - n * 100 }
      const meta = { ...(facts.meta as object), ...times, ...(n % 7 === 0 && { eventId }) }
      const fact = { type, facts: { ...facts, meta } }
      const event = { type, ...fact.facts } as unknown as NewEvent
      const value = encodeAsNewest(codec, fact)
      return { topic: topicOf(event), key: keyOf(event), value, timestampMs: times.receivedAt }
    })
    await log.append(records)
  }
  await log.close()
}

interface OpenSide extends Side {
  readonly config: ReturnType<typeof loadConfig>['config']
}

async function openSide(t: TestContext, env: Readonly<Record<string, string>>): Promise<OpenSide> {
  const { config } = loadConfig(env)
  const [log, state] = [await openLogAt(config, config.log), await openState(config)]
  t.after(() => Promise.all([log.close(), state.close()]))
  return { config, log, state }
}

async function fold(t: TestContext, side: OpenSide, twins: readonly Twin[], analytics: ClickHouse): Promise<void> {
  const vault = await openEmbeddedVault({ dir: join(tempFolder(t), 'vault') })
  const folding = await startFold({ ...side, analytics, vault, twins, warn: () => undefined })
  try {
    for (const deadline = Date.now() + WAIT_MS; (await folding.lag()).lag > 0n; await delay(100)) {
      assert.ok(Date.now() < deadline, `${(await folding.lag()).lag} to go: ${folding.complaints().join('; ')}`)
    }
  } finally {
    await Promise.all([folding.close(), vault.close()])
  }
}

async function compareTables(analytics: ClickHouse, twins: readonly Twin[]): Promise<void> {
  const ports = {
    query: <T>(sql: string, parameters?: Record<string, unknown>) => analytics.query<T>(sql, parameters),
    databaseOf: ({ id }: { readonly id: string }) => `${analytics.database}_${id}`,
  }
  let compared = 0
  for (const { old, now } of twins) {
    const cut = new Map(
      old.projection.topics.flatMap((topic) =>
        Array.from({ length: 64 }, (_, n) => [`${topic}/${n}`, 1n << 40n] as const),
      ),
    )
    for (const table of await compareRows(ports, [old, now], cut)) {
      assert.ok(table.equal, `${old.projection.name}: ${table.table}: ${table.rows} rows`)
      if (table.rows[0] > 0n) compared += 1
    }
  }
  assert.ok(compared >= 4, `${compared} tables`)
}
