/** Reads the facts of an upgrade: the book, the commit records, sizes of tables, migrations, schemas in the log. */
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { openBook } from '../../consumers/book.ts'
import { type Generation, stateTableOf } from '../../consumers/generation.ts'
import { isEventType, RELEASED } from '../../schemas/index.ts'
import { canonicalRow } from '../../stores/canonical.ts'
import type { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import { readMigrations } from '../../stores/clickhouse/sql.ts'
import { STORE_LIMITS } from '../../stores/limits.ts'
import { freeBytes } from '../disk.ts'
import { foldersOf } from '../engines.ts'
import { type ProjectionPlan, planOf } from '../generations.ts'
import { definedGroups } from '../projections.ts'
import type { OpenReplay } from '../replay/open.ts'
import { standingOf } from '../replay/standing.ts'
import type { DefinitionFacts, Facts, MigrationFacts, ProjectionFacts, SchemaFacts, Weight } from './facts.ts'
import { UPGRADE_LIMITS } from './limits.ts'

const NOT_WEIGHED: Weight = { rowBytes: null, stateBytes: null, atLeast: false }

export interface Looking {
  /** Projections looked at, of how many. */
  looked(done: number, of: number): void
}

export async function factsOf(replay: OpenReplay, { looked }: Looking): Promise<Facts> {
  const { config, state, operator } = replay
  const book = await (await openBook(state, operator.incarnation))()
  const plans = planOf(config, book, operator.incarnation)
  // The size of what stays as it is need not be known, and to open a table is to widen it to this release's columns.
  const due = plans.filter(({ name, usual }) => !(book.get(name)?.promotions ?? []).some(({ id }) => id === usual.id))
  const rates = await ratesOf(replay, due)
  const projections: ProjectionFacts[] = []
  for (const [i, plan] of plans.entries()) {
    looked(i, plans.length)
    const row = book.get(plan.name)
    const last = row?.promotions.at(-1)?.id
    projections.push({
      ...{ plan, row, stands: row?.generations.find(({ id }) => id === last) },
      records: await recordsOf(replay, plan.usual),
      weight: due.includes(plan) ? await weigh(replay, plan.read) : NOT_WEIGHED,
      measuredRate: rates.get(plan.name),
    })
  }
  const known = new Set(plans.map(({ name }) => name))
  const { data } = foldersOf(config)
  return {
    begun: book.size > 0,
    projections,
    definitions: await definitionsOf(replay),
    leftOver: [...book.keys()].filter((name) => !known.has(name)),
    migrations: await migrationsOf(replay, plans),
    schemas: await schemasOf(replay, plans),
    freeBytes: existsSync(data) ? freeBytes(data) : undefined,
  }
}

async function recordsOf({ log }: OpenReplay, { projection }: Generation): Promise<bigint> {
  const bounds = (await Promise.all(projection.topics.map((topic) => log.bounds(topic)))).flat()
  return bounds.reduce((sum, { start, end }) => sum + (end - start), 0n)
}

/** By projection: how fast a build of it goes now, looked at twice. One that is paced says nothing of what is possible. */
async function ratesOf({ log, state }: OpenReplay, plans: readonly ProjectionPlan[]): Promise<Map<string, number>> {
  const builds = plans.flatMap(({ name, read, running }) =>
    running
      .filter(({ id, build }) => id !== read.id && build?.recordsPerSecond === undefined)
      .map((one) => ({ name, one })),
  )
  const standing = () => Promise.all(builds.map(({ one }) => standingOf(log, state.commits, one)))
  const before = await standing()
  if (before.every(({ lag }) => lag === 0n)) return new Map()
  const beganMs = performance.now()
  await sleep(UPGRADE_LIMITS.sampleMs)
  const after = await standing()
  const seconds = (performance.now() - beganMs) / 1_000
  const rates = new Map<string, number>()
  for (const [i, { name }] of builds.entries()) {
    const rate = Number(after[i]!.done - before[i]!.done) / seconds
    if (rate > 0) rates.set(name, Math.round(rate))
  }
  return rates
}

/** Of what is read now: what is built beside it will be about as large. Makes no table. */
async function weigh({ state, analytics }: OpenReplay, generation: Generation): Promise<Weight> {
  const begun = (await state.commits.list(generation.id)).length > 0
  if (!begun) return NOT_WEIGHED
  const rowBytes = generation.projection.landings.length === 0 ? 0 : await rowBytesOf(analytics(), generation)
  const spec = stateTableOf(generation)
  if (spec === undefined) return { rowBytes, stateBytes: 0, atLeast: false }
  const table = await state.table(spec)
  let [rows, bytes] = [0, 0]
  for await (const row of table.scan()) {
    bytes += canonicalRow(spec, row, { version: 'with' }).length
    if (++rows >= UPGRADE_LIMITS.statesWeighedMax) break
  }
  const stateBytes = Math.round((bytes * UPGRADE_LIMITS.stateOverheadPercent) / 100)
  return { rowBytes, stateBytes, atLeast: rows >= UPGRADE_LIMITS.statesWeighedMax }
}

async function rowBytesOf(store: ClickHouse, { id }: Generation): Promise<number> {
  const [found] = await store.query<{ bytes: string }>(
    'SELECT toString(sum(bytes_on_disk)) AS bytes FROM system.parts WHERE active AND database = {database:String}',
    { database: `${store.database}_${id}` },
  )
  return Number(found?.bytes ?? 0)
}

async function definitionsOf(replay: OpenReplay): Promise<readonly DefinitionFacts[]> {
  const { config, operator, state } = replay
  const found: DefinitionFacts[] = []
  for (const { generation, definition } of definedGroups(config, operator.incarnation)) {
    if ((await state.commits.list(generation.id)).length > 0) continue
    const usual = (await operator.plan(generation.projection.name)).read
    const [records, weight] = [await recordsOf(replay, generation), await weigh(replay, usual)]
    found.push({ name: definition ?? generation.id, generation, records, weight })
  }
  return found
}

/** Of the databases there are: one that is made anew begins with all of its files. */
async function migrationsOf(replay: OpenReplay, plans: readonly ProjectionPlan[]): Promise<readonly MigrationFacts[]> {
  const { analytics, config, operator } = replay
  const store = analytics()
  const [known] = await store.query<{ n: string }>(
    `SELECT toString(count()) AS n FROM system.tables WHERE database = {database:String} AND name = 'migrations'`,
    { database: store.database },
  )
  if (known?.n !== '1') return []
  const running = [
    ...plans.flatMap((plan) => plan.running),
    ...definedGroups(config, operator.incarnation).map(({ generation }) => generation),
  ].filter(({ projection }) => projection.landings.length > 0)
  const wanted = [
    { database: store.database, folder: 'base', generation: '' },
    ...running.map(({ id, projection: { name, foldVersion } }) => {
      return { database: `${store.database}_${id}`, folder: `${name}_v${foldVersion}`, generation: id }
    }),
  ]
  const found = await Promise.all(wanted.map((one) => comingTo(store, one)))
  return found.filter(({ coming, changed }) => coming.length + changed.length > 0)
}

async function comingTo(
  store: ClickHouse,
  { database, folder, generation }: { readonly database: string; readonly folder: string; readonly generation: string },
): Promise<MigrationFacts> {
  const ran = await store.query<{ name: string; checksum: string }>(
    `SELECT name, checksum FROM \`${store.database}\`.migrations WHERE database = {database:String} AND folder = {folder:String}`,
    { database, folder },
  )
  if (ran.length === 0) return { database, folder, coming: [], changed: [] }
  const done = new Map(ran.map(({ name, checksum }) => [name, checksum]))
  const values = { token_window: `${STORE_LIMITS.tokenWindowBlocks}`, generation, db: database, base: store.database }
  const files = await readMigrations(folder, values)
  return {
    ...{ database, folder, coming: files.flatMap(({ name }) => (done.has(name) ? [] : [name])) },
    changed: files.flatMap(({ name, checksum }) => ((done.get(name) ?? checksum) === checksum ? [] : [name])),
  }
}

/** What the table of events says events were written with, beside what this release writes. */
async function schemasOf(replay: OpenReplay, plans: readonly ProjectionPlan[]): Promise<readonly SchemaFacts[]> {
  const { analytics, codec, config } = replay
  const events = plans.find(({ name }) => name === 'events')?.read
  if (events === undefined) return []
  const store = analytics()
  const database = `${store.database}_${events.id}`
  const [made] = await store.query<{ n: string }>(
    `SELECT toString(count()) AS n FROM system.tables WHERE database = {database:String} AND name = 'events'`,
    { database },
  )
  if (made?.n !== '1') return []
  const rows = await store.query<{ type: string; ids: number[] }>(
    `SELECT type, arraySort(groupUniqArray(schema_id)) AS ids FROM \`${database}\`.events
     WHERE type != '' AND schema_id != 0 GROUP BY type ORDER BY type`,
  )
  const known = new Set(RELEASED.map(({ id }) => id))
  // Ids of an external registry are its own.
  const isKnown = (id: number) => config.schemaRegistryUrl !== undefined || known.has(id)
  return rows.flatMap(({ type, ids }) => {
    if (!isEventType(type)) return []
    const [ours, unknown] = [codec.schemaIdOf(type), ids.filter((id) => !isKnown(id))]
    return ids.includes(ours) && unknown.length === 0 ? [] : [{ type, written: ids, ours, unknown }]
  })
}
