/** Rules judged on the real engine's roll-ups: what opens, what resolves, and that nobody's death or return doubles it. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { Evaluator } from '../../consumers/alerts/evaluator.ts'
import { NO_COUNTS } from '../../consumers/alerts/metrics.ts'
import type { AlertPorts, Judged } from '../../consumers/alerts/ports.ts'
import type { Query } from '../../consumers/alerts/roll-ups.ts'
import { StaleOwner } from '../../consumers/errors.ts'
import type { EventLog } from '../../log/log.ts'
import { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import { StoreRefused, StoreUnavailable } from '../../stores/errors.ts'
import type { StateStore } from '../../stores/state.ts'
import { rule } from '../projections/incident-rules.ts'
import { type Databases, MINUTE_MS, type Scene, START_MS, startScene, until } from './alerts-scene.ts'
import { type AnalyticsProcess, startAnalyticsProcess } from './analytics-process.ts'

let dir: string
let process_: AnalyticsProcess
let store: ClickHouse
let database: string

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'playhead-alerts-ch-'))
  process_ = await startAnalyticsProcess(join(dir, 'analytics'))
  store = new ClickHouse({ ...process_.access, database: 'playhead' })
  await store.prepare()
  database = await store.prepareGeneration('views_v1_test', 'views_v1')
})
after(async () => {
  await store.close()
  await process_.stop()
  await rm(dir, { recursive: true, force: true })
})

interface Minute {
  readonly minute: number
  readonly asked: number
  /** How many of them began to play. */
  readonly started: number
  readonly cdn?: string
  readonly country?: string
}

interface Tables {
  readonly query: Query
  readonly databases: Databases
  /** Views that were asked for in each of these minutes. */
  fill(minutes: readonly Minute[]): Promise<void>
}

/** The file's tables, empty. */
async function tables(): Promise<Tables> {
  for (const name of ['views', 'qoe_minute']) await store.command(`TRUNCATE TABLE ${database}.${name}`)
  return {
    query: (sql, parameters) => store.query(sql, parameters),
    databases: { views: database, requests: 'none' },
    fill: async (minutes) => {
      const rows = minutes.map(({ minute, asked, started, cdn = '', country = '' }) => {
        const at = `toDateTime64(${(START_MS + minute * MINUTE_MS) / 1_000}, 3, 'UTC')`
        const counts = `1 AS sign, 1 AS version, 1 AS views, number < ${started} AS starts, number >= ${started} AS failed`
        return `SELECT ${at} AS at, toString(generateUUIDv4()) AS id, ${counts}, '${cdn}' AS cdn, '${country}' AS country
                FROM numbers(${asked})`
      })
      await store.command(
        `INSERT INTO ${database}.views (started_at, view_id, sign, version, views, starts, startup_failures, cdn, country)
         ${rows.join(' UNION ALL ')}`,
      )
    },
  }
}

/** A hundred views in each minute, of which so many began to play. */
function hundreds(minutes: number, startedIn: (minute: number) => number): readonly Minute[] {
  return Array.from({ length: minutes }, (_, minute) => ({ minute, asked: 100, started: startedIn(minute) }))
}

/** The clock at which this minute is the last that is complete and settled. */
function at(minute: number): number {
  return START_MS + (minute + 2) * MINUTE_MS
}

function kinds(events: Awaited<ReturnType<Scene['events']>>): readonly string[] {
  return events.map(({ type }) => type)
}

test('a breach becomes an incident, and its end a resolution, each once', async (t) => {
  const scene = await startScene(t)
  const { fill, ...ports } = await tables()
  await fill(hundreds(10, (minute) => (minute >= 3 && minute < 7 ? 90 : 100)))
  scene.clock.ms = at(1)
  const alerts = await scene.start({ ...ports, rules: [rule()], metrics: scene.metrics })
  await until('the first minutes are judged', () => alerts.status().judgedThroughMs.views === START_MS + 2 * MINUTE_MS)
  scene.clock.ms = at(6)
  await until('the incident is open', async () => (await scene.rows()).length === 1)
  const [open] = await scene.rows()
  assert.deepEqual(
    [open?.rule, open?.severity, open?.observed, open?.threshold, open?.resolved],
    ['start-success', 'critical', 90, 95, null],
  )
  assert.deepEqual([open?.sinceMs, open?.openedMs], [START_MS + 3 * MINUTE_MS, START_MS + 6 * MINUTE_MS])
  await until('the evaluator has seen it', () => alerts.status().open.length === 1)
  assert.match(await scene.metrics.metrics(), /playhead_incidents_open{rule="start-success",severity="critical"} 1/)
  scene.clock.ms = at(9)
  await until('it is resolved', async () => (await scene.rows())[0]?.resolved?.reason === 'recovered')
  assert.equal((await scene.rows())[0]?.resolved?.atMs, START_MS + 9 * MINUTE_MS)
  assert.deepEqual(kinds(await scene.events()), ['IncidentOpened', 'IncidentResolved'])
})

test('what was missed while nobody evaluated is judged afterwards', async (t) => {
  const scene = await startScene(t)
  const { fill, ...ports } = await tables()
  await fill(hundreds(40, (minute) => (minute >= 10 && minute < 20 ? 80 : 100)))
  scene.clock.ms = at(5)
  const first = await scene.start({ ...ports, rules: [rule()] })
  await until('it has judged', () => first.status().judgedThroughMs.views !== undefined)
  await first.close()
  scene.clock.ms = at(35)
  const second = await scene.start({ ...ports, rules: [rule()] })
  await until('it has caught up', () => second.status().judgedThroughMs.views === START_MS + 36 * MINUTE_MS)
  await until('both events are folded', async () => (await scene.rows())[0]?.resolved != null)
  const [row] = await scene.rows()
  assert.deepEqual([row?.sinceMs, row?.openedMs], [START_MS + 10 * MINUTE_MS, START_MS + 13 * MINUTE_MS])
  assert.equal(row?.resolved?.atMs, START_MS + 22 * MINUTE_MS)
})

test('an incident for each value of a dimension, of those that carry the most', async (t) => {
  const scene = await startScene(t)
  const { fill, ...ports } = await tables()
  const of = (asked: number, started: number, cdn: string) =>
    hundreds(6, () => started).map(({ minute }) => ({ minute, asked, started, cdn, country: 'DE' }))
  await fill([...of(100, 80, 'slow'), ...of(100, 100, 'fast'), ...of(5, 0, 'tiny')])
  scene.clock.ms = at(5)
  const rules = [
    rule({ name: 'by-cdn', by: 'cdn' }),
    rule({ name: 'by-cdn-in-peru', by: 'cdn', filter: ['country:PE'] }),
    rule({ name: 'by-cdn-not-in-peru', by: 'cdn', filter: ['!country:PE'] }),
    rule({ name: 'slow-cdn', filter: ['cdn:slow'] }),
    rule({ name: 'fast-cdn', filter: ['cdn:fast', 'cdn:none'] }),
  ]
  await scene.start({ ...ports, rules })
  await until('they are open', async () => (await scene.rows()).length === 3)
  const found = (await scene.rows()).map(({ rule: name, dimensions, observed }) => ({ name, dimensions, observed }))
  assert.deepEqual(
    found.sort((a, b) => (a.name < b.name ? -1 : 1)),
    [
      { name: 'by-cdn', dimensions: { cdn: 'slow' }, observed: 80 },
      { name: 'by-cdn-not-in-peru', dimensions: { '!country': 'PE', cdn: 'slow' }, observed: 80 },
      { name: 'slow-cdn', dimensions: { cdn: 'slow' }, observed: 80 },
    ],
  )
})

/** An evaluator by itself, whoever holds the partition. */
function evaluatorOf(
  scene: Scene,
  ports: Pick<AlertPorts, 'query' | 'rules'> & Tables['databases'],
  more: Partial<AlertPorts> = {},
) {
  const { log, state, codec, world, incidents } = scene
  const logger = { info: () => undefined, warn: () => undefined, error: () => undefined }
  return new Evaluator({
    ...{ log, state, codec, world, incidents, logger, endpoints: [], counts: NO_COUNTS },
    ...{ generations: { views: 'views_v1_test' }, origin: { appId: 'a', environment: 'e' } },
    ...ports,
    ...more,
  })
}

async function rounds(evaluator: Evaluator): Promise<void> {
  while ((await evaluator.round()) === 'put off') await new Promise((resolve) => setTimeout(resolve, 5))
}

test('a crash after the events are written and before that is noted writes nothing again', async (t) => {
  const scene = await startScene(t)
  const { fill, databases, query } = await tables()
  await fill(hundreds(12, (minute) => (minute < 6 ? 90 : 100)))
  const ports = { query, ...databases, rules: [rule()] }
  scene.clock.ms = at(0)
  const first = evaluatorOf(scene, ports, { state: dyingAt(scene.state, 3) })
  await first.takeOver()
  await rounds(first)
  scene.clock.ms = at(4)
  await assert.rejects(rounds(first), StoreUnavailable)
  assert.deepEqual(kinds(await scene.events()), ['IncidentOpened'])
  const second = evaluatorOf(scene, ports)
  await second.takeOver()
  assert.equal(second.status().judgedThroughMs.views, START_MS + MINUTE_MS, 'the minutes are to be judged again')
  await rounds(second)
  scene.clock.ms = at(11)
  await rounds(second)
  assert.deepEqual(kinds(await scene.events()), ['IncidentOpened', 'IncidentResolved'])
  await assert.rejects(rounds(first), StaleOwner, 'who was replaced is refused')
})

/** The swap with this number is not done. */
function dyingAt(state: StateStore, swap: number): StateStore {
  let swaps = 0
  const { commits } = state
  return {
    ...state,
    commits: {
      read: (key) => commits.read(key),
      list: (generation) => commits.list(generation),
      swap: async (key, expected, next) => {
        if (++swaps === swap) throw new StoreUnavailable('killed')
        return await commits.swap(key, expected, next)
      },
    },
  }
}

function signal(): { readonly given: Promise<void>; give(): void } {
  let give: () => void = () => undefined
  const given = new Promise<void>((resolve) => {
    give = resolve
  })
  return { given, give: () => give() }
}

test('a sleeper that wakes after its successor has judged otherwise adds no second incident', async (t) => {
  const scene = await startScene(t)
  const { fill, databases, query } = await tables()
  await fill(hundreds(8, (minute) => (minute < 1 ? 100 : 90)))
  const ports = { query, ...databases, rules: [rule()] }
  scene.clock.ms = at(0)
  const gate = signal()
  const reached = signal()
  const log: EventLog = new Proxy(scene.log, {
    get: (target, name: keyof EventLog) => {
      if (name !== 'append') return target[name] instanceof Function ? target[name].bind(target) : target[name]
      return async (records: Parameters<EventLog['append']>[0]) => {
        reached.give()
        await gate.given
        return await target.append(records)
      }
    },
  })
  const sleeper = evaluatorOf(scene, ports, { log })
  await sleeper.takeOver()
  await rounds(sleeper)
  scene.clock.ms = at(3)
  const asleep = rounds(sleeper)
  await reached.given
  // Late reports: the first minute of the breach was a good one after all.
  await fill([{ minute: 1, asked: 1_000, started: 1_000 }])
  const successor = evaluatorOf(scene, ports)
  await successor.takeOver()
  scene.clock.ms = at(5)
  await rounds(successor)
  gate.give()
  await assert.rejects(asleep, StaleOwner)
  await rounds(successor)
  const written = (await scene.events()).map(({ meta }) => meta.eventId)
  assert.equal(written.length, 2)
  assert.equal(new Set(written).size, 1, 'the same event twice: the second falls out')
  await rounds(successor)
  assert.equal((await scene.rows()).length, 1)
})

test('of two processes one evaluates, and the other goes on when it is gone', async (t) => {
  const scene = await startScene(t)
  const { fill, ...ports } = await tables()
  await fill(hundreds(12, (minute) => (minute < 6 ? 90 : 100)))
  scene.clock.ms = at(4)
  const both = [await scene.start({ ...ports, rules: [rule()] }), await scene.start({ ...ports, rules: [rule()] })]
  await until('the incident is open', async () => (await scene.rows()).length === 1)
  assert.equal(both.filter((alerts) => alerts.status().holding).length, 1)
  const holder = both.find((alerts) => alerts.status().holding)
  const other = both.find((alerts) => alerts !== holder)
  await holder?.close()
  await until('the other has taken over', () => other?.status().holding === true)
  scene.clock.ms = at(11)
  await until('it is resolved', async () => (await scene.rows())[0]?.resolved != null)
  assert.deepEqual(kinds(await scene.events()), ['IncidentOpened', 'IncidentResolved'])
})

test('rules are judged by what is read: a promoted generation is asked from the next minute on, without a restart', async (t) => {
  const scene = await startScene(t)
  const { fill, query } = await tables()
  await fill(hundreds(20, () => 90))
  const other = await store.prepareGeneration('views_v1_other', 'views_v1')
  t.after(() => store.dropGeneration('views_v1_other'))
  await store.command(`INSERT INTO ${other}.views (started_at, view_id, sign, version, views, starts)
    SELECT toDateTime64(${START_MS / 1_000} + 60 * (number % 20), 3, 'UTC'), toString(number), 1, 1, 1, 1 FROM numbers(2000)`)
  const asked = new Set<string>()
  const watching: Query = (sql, parameters) => {
    asked.add(sql.includes(`${other}.`) ? other : database)
    return query(sql, parameters)
  }
  const { incidents } = scene
  const read = (views: string, generation: string): Judged => {
    return { views, requests: 'none', generations: { views: generation }, incidents }
  }
  let now = read(other, 'views_v1_other')
  scene.clock.ms = at(1)
  const alerts = await scene.start({ judged: () => now, query: watching, rules: [rule()] })
  scene.clock.ms = at(8)
  await until('minutes are judged', () => (alerts.status().judgedThroughMs.views ?? 0) >= START_MS + 9 * MINUTE_MS)
  assert.deepEqual([...asked], [other])
  assert.deepEqual(await scene.rows(), [], 'all is well in what is read')
  now = read(database, 'views_v1_test')
  scene.clock.ms = at(14)
  await until('what is read now says otherwise', async () => (await scene.rows()).length === 1)
  assert.ok(asked.has(database))
})

test('a rule that can not be judged is told and keeps no other from being judged', async (t) => {
  const scene = await startScene(t)
  const { fill, query, databases } = await tables()
  await fill(hundreds(6, () => 90))
  scene.clock.ms = at(5)
  const refusing: Query = (sql, parameters) =>
    sql.includes('at_bits') ? Promise.reject(new StoreRefused('no such column')) : query(sql, parameters)
  const rules = [rule({ name: 'bitrate', metric: 'minute_bitrate_kbps' }), rule()]
  const alerts = await scene.start({ databases, query: refusing, rules, metrics: scene.metrics })
  await until('the other rule has found something', async () => (await scene.rows()).length === 1)
  assert.deepEqual(alerts.status().failing, { bitrate: 'no such column' })
  assert.match(await scene.metrics.metrics(), /playhead_alert_rule_failures_total{rule="bitrate"} [1-9]/)
})

test('while ClickHouse is away nothing is judged, and all of it afterwards', async (t) => {
  const scene = await startScene(t)
  const { fill, query, databases } = await tables()
  await fill(hundreds(6, () => 90))
  scene.clock.ms = at(5)
  let away = true
  const flaky: Query = (sql, parameters) =>
    away ? Promise.reject(new StoreUnavailable('ClickHouse is away')) : query(sql, parameters)
  const alerts = await scene.start({ databases, query: flaky, rules: [rule()] })
  await until('it complains', () => alerts.status().complaints.some((text) => text.includes('ClickHouse is away')))
  away = false
  await until('the incident is open', async () => (await scene.rows()).length === 1)
})

test('an incident whose rule is gone does not stay open', async (t) => {
  const scene = await startScene(t)
  const { fill, ...ports } = await tables()
  await fill(hundreds(6, () => 90).map((one) => ({ ...one, cdn: 'slow' })))
  scene.clock.ms = at(5)
  const first = await scene.start({ ...ports, rules: [rule(), rule({ name: 'by-cdn', by: 'cdn' })] })
  await until('both are open', async () => (await scene.rows()).length === 2)
  await first.close()
  await scene.start({ ...ports, rules: [rule()] })
  await until('one is resolved', async () => (await scene.rows()).some(({ resolved }) => resolved !== null))
  const open = (await scene.rows()).filter(({ resolved }) => resolved === null)
  assert.deepEqual(
    open.map(({ subject }) => subject),
    ['incident:start-success'],
  )
})

test('the next breach is an incident of its own', async (t: TestContext) => {
  const scene = await startScene(t)
  const { fill, ...ports } = await tables()
  await fill(hundreds(20, (minute) => (minute % 10 < 5 ? 90 : 100)))
  scene.clock.ms = at(2)
  const alerts = await scene.start({ ...ports, rules: [rule()] })
  await until('it has begun', () => alerts.status().judgedThroughMs.views !== undefined)
  scene.clock.ms = at(19)
  await until('both are resolved', async () => {
    const rows = await scene.rows()
    return rows.length === 2 && rows.every(({ resolved }) => resolved !== null)
  })
  assert.deepEqual(
    (await scene.rows()).map(({ openedMs, resolved }) =>
      [openedMs, resolved?.atMs].map((ms) => (ms! - START_MS) / MINUTE_MS),
    ),
    [
      [3, 7],
      [13, 17],
    ],
  )
})
