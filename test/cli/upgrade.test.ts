/** What an upgrade means, from what stands: no test here changes the tables that it looks at. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { wordsOf } from '../../cli/commands/upgrade.ts'
import { ownGenerations } from '../../cli/generations.ts'
import type { FoldSettings } from '../../cli/projections.ts'
import { factsOf } from '../../cli/upgrade/collect.ts'
import type { Facts } from '../../cli/upgrade/facts.ts'
import { planUpgrade } from '../../cli/upgrade/plan.ts'
import { type Generation, generationOf } from '../../consumers/generation.ts'
import { type GenerationAsked, generationPromoted, generationRequested } from '../../producers/generations.ts'
import { idOf } from '../consumers/events.ts'
import { type Engine, history, snapshotEngine } from './snapshot-engine.ts'

const who = { by: null, reason: null }
let engine: Engine
let usual: readonly Generation[]
let ids = 1

before(async () => {
  engine = await snapshotEngine()
  await engine.engines.log.append(history(engine, 3).slice(0, 200))
  usual = engine.builds().filter(({ projection }) => ['progress', 'title_rows', 'events'].includes(projection.name))
  await engine.fold(usual)
  for (const { id, projection } of engine.builds()) {
    const { name, foldVersion, parameters = {} } = projection
    await promote({ projection: name, generationId: id, foldVersion, parameters })
  }
  await engine.fold(ownGenerations(engine.incarnation))
})
after(() => engine?.close())

async function promote(asked: Pick<GenerationAsked, 'projection' | 'generationId' | 'foldVersion' | 'parameters'>) {
  const { log, codec } = engine.engines
  const ports = { codec, mint: () => idOf(9_000 + ids) }
  const arrival = {
    source: 'engine',
    appId: 'playhead',
    environment: 'engine',
    receivedAtMs: Date.now() + ids++,
  } as const
  const { projection, generationId } = asked
  const promotion = { projection, generationId, previousGenerationId: null, digest: null }
  const more = { build: null, untilMs: null, recordsPerSecond: null }
  await log.append([
    generationRequested(ports, arrival, { ...asked, ...more }, who),
    generationPromoted(ports, arrival, promotion, who, true),
  ])
}

/** As this release with these settings would ask. */
async function facts(settings: Partial<FoldSettings> = {}): Promise<Facts> {
  const { replay } = engine
  return await factsOf({ ...replay, config: { ...replay.config, ...settings } }, { looked: () => undefined })
}

test('where everything stands as this release wants it there is nothing to do, and it says so', async () => {
  const plan = planUpgrade(await facts(), '9.9.9')
  assert.ok(plan.nothing, JSON.stringify(plan, undefined, 2))
  assert.deepEqual([plan.steps, plan.obstacles], [[], []])
  assert.match(wordsOf(plan), /^Nothing to do for 9\.9\.9/)
})

test('a changed parameter means rebuilds, with their cost and the commands to type', async () => {
  const plan = planUpgrade(await facts({ historyDays: 30 }), '9.9.9')
  assert.deepEqual(
    plan.rebuilds.map(({ projection, why }) => [projection, why]),
    [
      ['progress', ['historyDays as usual → 30']],
      ['progress_rows', ['historyDays as usual → 30']],
    ],
  )
  const [progress] = plan.rebuilds
  const end = (await engine.engines.log.bounds('playback-events')).reduce((sum, { end: one }) => sum + one, 0n)
  assert.equal(progress?.records, `${end}`)
  assert.equal(progress?.from, usual.find(({ projection }) => projection.name === 'progress')?.id)
  assert.ok(progress?.diskBytes !== null && progress!.diskBytes > 0)
  assert.deepEqual([progress?.rateFrom, progress?.seconds, progress?.canServe], ['docs/benchmarks.md', 1, true])
  assert.deepEqual(plan.obstacles, [])
  const commands = plan.steps.flatMap((step) => step.commands)
  assert.ok(commands.includes(`playhead generations compare ${progress?.to} ${progress?.from}`))
  assert.ok(commands.includes('playhead generations rollback progress'))
  assert.ok(
    commands.indexOf('playhead backup FOLDER') < commands.indexOf('playhead up') &&
      commands.indexOf('playhead up') < commands.indexOf(`playhead generations drop ${progress?.from}`),
  )
  assert.match(wordsOf(plan), /progress +historyDays as usual → 30/)
})

test('a definition without tables is built from nothing', async () => {
  const plan = planUpgrade(await facts({ definitions: [{ name: 'strict', parameters: { minStallMs: 500 } }] }), '9.9.9')
  assert.deepEqual(
    plan.rebuilds.map(({ projection, definition, from }) => [projection, definition, from]),
    [['views', 'strict', null]],
  )
})

test('ClickHouse files that have not run are named, and one that changed after it ran is in the way', async () => {
  const { clickhouse } = engine.engines
  const rows = usual.find(({ projection }) => projection.name === 'title_rows')!
  const ledger = `\`${clickhouse.database}\`.migrations`
  const where = `database = '${clickhouse.database}_${rows.id}'`
  await clickhouse.command(
    `INSERT INTO ${ledger} (database, folder, number, name, checksum) SELECT database, folder, 0, '0000_before.sql', '' FROM ${ledger} WHERE ${where}`,
  )
  await clickhouse.command(`ALTER TABLE ${ledger} DELETE WHERE ${where} AND number = 1 SETTINGS mutations_sync = 1`)
  const coming = planUpgrade(await facts(), '9.9.9')
  assert.deepEqual(coming.migrations, [
    {
      database: `${clickhouse.database}_${rows.id}`,
      folder: 'title_rows_v1',
      coming: ['0001_titles.sql'],
      changed: [],
    },
  ])
  assert.deepEqual(coming.obstacles, [])
  await clickhouse.command(
    `INSERT INTO ${ledger} (database, folder, number, name, checksum) SELECT database, folder, 1, '0001_titles.sql', 'other' FROM ${ledger} WHERE ${where} AND number = 0`,
  )
  const changed = planUpgrade(await facts(), '9.9.9')
  assert.match(changed.obstacles[0]!, /title_rows_v1\/0001_titles\.sql was changed after it ran/)
  await clickhouse.command(`ALTER TABLE ${ledger} DELETE WHERE ${where} SETTINGS mutations_sync = 1`)
})

test('another schema than the log has seen is named; one that a newer release wrote is in the way', async () => {
  const schema = (unknown: readonly number[]) =>
    ({ type: 'Heartbeat', written: [1, ...unknown], ours: 2, unknown }) as const
  const newer = planUpgrade({ ...(await facts()), schemas: [schema([])] }, '9.9.9')
  assert.deepEqual([newer.nothing, newer.obstacles], [false, []])
  assert.match(wordsOf(newer), /Schema of Heartbeat: written with 1 so far, 2 by this release/)
  const { database } = engine.engines.clickhouse
  const events = usual.find(({ projection }) => projection.name === 'events')!
  await engine.engines.clickhouse.command(
    `INSERT INTO \`${database}_${events.id}\`.events (topic, partition, position, fate, type, schema_id)
     SELECT 'playback-events', 0, 999999, 'folded', 'Heartbeat', 4000000`,
  )
  const older = planUpgrade(await facts(), '9.9.9')
  assert.deepEqual(older.schemas[0]?.unknown, [4_000_000])
  assert.match(older.obstacles[0]!, /which a newer release wrote and this one would park/)
})

test('tables of a fold version that this release no longer has are rebuilt, and who serves meanwhile has to be settled', async () => {
  const { projection } = generationOf(usual.find((one) => one.projection.name === 'progress')!.projection, 'x')
  // Promoted later than what this release makes: as in the book of an engine that another release began.
  const given = await facts()
  const old = { id: 'progress_v0_0badcafe', foldVersion: 0, parameters: {}, build: null, untilMs: null }
  const row = { ...old, recordsPerSecond: null, status: 'building', resumedAtMs: null, askedAtMs: 1, ...who } as const
  const promotions = [{ id: old.id, atMs: 1, eventId: idOf(1), digest: null, ...who }]
  const standing = given.projections.map((one) =>
    one.plan.name === projection.name
      ? { ...one, row: { projection: 'progress', generations: [row], promotions }, stands: row }
      : one,
  )
  const plan = planUpgrade({ ...given, schemas: [], projections: standing }, '9.9.9')
  assert.deepEqual(
    plan.rebuilds.map(({ projection: name, why, from, canServe }) => [name, why, from, canServe]),
    [['progress', ['fold version 0 → 1'], old.id, false]],
  )
  assert.match(plan.obstacles[0]!, /this release can't run progress_v0_0badcafe/)
  assert.match(wordsOf(plan), /To be settled first/)
})
