/** The engines as the snapshot's code sees them, generations that run until they are where they should be, and a log of everything. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { loadConfig } from '../../cli/config.ts'
import { usualProjections } from '../../cli/projections.ts'
import { compareGenerations } from '../../cli/replay/compare-generations.ts'
import type { OpenReplay } from '../../cli/replay/open.ts'
import { Operator } from '../../cli/replay/operator.ts'
import { standingOf } from '../../cli/replay/standing.ts'
import { prepareTables } from '../../cli/tables.ts'
import { audit } from '../../consumers/audit.ts'
import { DeadLetters } from '../../consumers/dead-letters.ts'
import { type Build, type Generation, generationOf } from '../../consumers/generation.ts'
import { startConsumers } from '../../consumers/index.ts'
import type { NewRecord } from '../../log/log.ts'
import { toRecord } from '../../producers/record.ts'
import { type NewEvent, TOPICS } from '../../schemas/index.ts'
import { createAudience, registration } from '../../simulator/index.ts'
import type { StateStore } from '../../stores/state.ts'
import type { KeyVault } from '../../stores/vault.ts'
import { type EmbeddedEngines, embeddedEngines } from '../consumers/embedded-engines.ts'
import { erased, idOf } from '../consumers/events.ts'
import { meta, report } from '../projections/support.ts'
import { registered, withdrawn } from '../projections/titles.ts'
import { anyEvent } from '../schemas/support.ts'

export const FROM_MS = Date.now() - 3_600_000
export const MINUTES = 40

/** Few partitions: each of them is a worker in each generation. */
export const TOPIC_SPECS = Object.keys(TOPICS).map((topic) => ({
  topic,
  partitions: topic === 'playback-events' ? 2 : 1,
}))

export interface Engine {
  readonly replay: OpenReplay
  readonly engines: EmbeddedEngines
  readonly incarnation: string
  /** Of each projection there is, another build of the same name. */
  builds(build?: Build): readonly Generation[]
  /** Runs them until they are where they end. */
  fold(generations: readonly Generation[]): Promise<void>
  assertSame(one: Generation, other: Generation): Promise<void>
  close(): Promise<void>
}

/** `elsewhere`: where states and keys are, if not in LMDB. */
export async function snapshotEngine(elsewhere?: {
  readonly state: StateStore
  readonly vault: KeyVault
}): Promise<Engine> {
  const engines = await embeddedEngines()
  const { log, codec, clickhouse, dir } = engines
  const { state, vault } = elsewhere ?? engines
  await log.ensureTopics(TOPIC_SPECS)
  const { config } = loadConfig({ PLAYHEAD_DATA: dir })
  const operator = await Operator.open({ settings: config, log, state, codec, nowMs: Date.now })
  const incarnation = await log.incarnation()
  const replay: OpenReplay = {
    ...{
      config,
      codec,
      log,
      state,
      operator,
      analytics: () => clickhouse,
      vault: () => Promise.reject(new Error('nobody asks for keys here')),
    },
    ...{ deadLetters: () => DeadLetters.open(state), close: async () => undefined },
  }
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const prepare = (generation: Generation) => prepareTables(clickhouse, generation, config, undefined)
  return {
    ...{ replay, engines, incarnation },
    builds: (build) => usualProjections(config).map((projection) => generationOf(projection, incarnation, build)),
    fold: async (generations) => {
      const consumers = await startConsumers({
        ...{ log, state, analytics: clickhouse, codec, vault },
        prepare,
        logger: silent,
      })
      try {
        await consumers.run(generations)
        for (const generation of generations) await complete(replay, generation, () => consumers.complaints())
      } finally {
        await consumers.close()
      }
    },
    assertSame: (one, other) => assertSame(replay, one, other),
    close: () => engines.close(),
  }
}

async function complete({ log, state }: OpenReplay, generation: Generation, complaints: () => readonly string[]) {
  for (const deadline = Date.now() + 300_000; ; await delay(25)) {
    const { complete: there, done, total } = await standingOf(log, state.commits, generation)
    const records = await state.commits.list(generation.id)
    if (there && records.every(({ record }) => record.intent === undefined)) return
    const stalled = complaints().find((complaint) => complaint.includes('is stalled'))
    assert.equal(stalled, undefined, stalled)
    assert.ok(Date.now() < deadline, `${generation.id}: ${done} of ${total}; ${complaints().join('; ')}`)
  }
}

async function assertSame(replay: OpenReplay, one: Generation, other: Generation): Promise<void> {
  const { signal } = new AbortController()
  const found = await compareGenerations(replay, [one, other], { signal, looked: () => undefined })
  const what = `${one.projection.name}: ${JSON.stringify(found, (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v))}`
  assert.ok(found.equal, what)
  assert.equal(found.states?.digests[0], found.states?.digests[1], what)
  for (const table of found.tables) assert.ok(table.equal && !table.moving, what)
  const { state } = replay
  const [ours, theirs] = await Promise.all([one, other].map(({ id }) => state.commits.list(id)))
  // The stores list partitions in orders of their own.
  const talliesOf = (records: typeof ours) => {
    const read = records!.filter(({ record }) => record.tally.read > 0n)
    return new Map(read.map(({ topic, partition, record }) => [`${topic}/${partition}`, record.tally]))
  }
  assert.deepEqual(talliesOf(ours), talliesOf(theirs), `${one.projection.name}: what became of the records`)
  for (const { record, ...key } of theirs!) {
    const finding = await audit(replay.analytics(), other, `${replay.analytics().database}_${other.id}`, key, record)
    assert.equal(finding, undefined, 'the audit of what was loaded')
  }
  const letters = await replay.deadLetters()
  const lettersOf = async ({ id }: Generation) =>
    (await letters.list(id, 1_000)).map(({ generation: _, ...letter }) => letter)
  assert.deepEqual(await lettersOf(one), await lettersOf(other), `${one.projection.name}: dead letters`)
}

/** Every kind of event that some projection reads, with copies, an erasure and garbage, as it was received over a while. */
export function history({ engines: { codec } }: Engine, seed: number): readonly NewRecord[] {
  const untilMs = FROM_MS + MINUTES * 60_000
  const audience = createAudience({
    ...{ seed: `snapshot ${seed}`, fromMs: FROM_MS, untilMs, views: 30, viewers: 12, titles: 6, titleScale: 0.1 },
    mishaps: { copies: 0.05, gaps: 0.2, lostEnds: 0.1 },
  })
  const events: NewEvent[] = [...audience]
    .filter(({ receivedAtMs }) => receivedAtMs < untilMs)
    .map(({ event }) => event)
  const profiles = [...new Set(events.map((event) => (event as { profileId?: string }).profileId ?? ''))]
  const at = (i: number, of: number) => FROM_MS + Math.floor((MINUTES * 60_000 * i) / of)
  audience.titles.forEach((title, i) => {
    events.push({ ...registration(title), meta: meta(at(i, 8), 70_000 + i) } as NewEvent)
    events.push(
      registered(at(i + 4, 12), 71_000 + i, { titleId: title.titleId, name: `N\t${i}\\`, seriesId: `series-${i % 2}` }),
    )
  })
  events.push(withdrawn(at(3, 4), 72_000, audience.titles[0]!.titleId))
  for (let i = 0; i < 12; i++) {
    events.push(report(at(i, 12), 73_000 + i, { profileId: `reader-${i % 5}`, titleId: 't', positionMs: i * 1_000 }))
    events.push(...othersAt(at(i, 12), i, seed))
  }
  events.push(erased(profiles[0]!, idOf(74_000), at(1, 2)), erased('reader-1', idOf(74_001), at(2, 3)))
  const records = events.map((event) => toRecord(codec, event)).sort((a, b) => a.timestampMs - b.timestampMs)
  const garbage = { topic: 'playback-events', key: 'garbage', value: Buffer.from('no event') }
  const early = { ...garbage, timestampMs: at(1, 5) }
  const late = { ...garbage, timestampMs: at(4, 5) }
  return [...records, early, late].sort((a, b) => a.timestampMs - b.timestampMs)
}

/** Any text, but numbers that a column can hold. */
function sane(value: unknown, atMs: number, name = ''): unknown {
  if (typeof value === 'number') return name.endsWith('At') ? atMs : Math.abs(Math.trunc(value % 7_200_000))
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map((one) => sane(one, atMs))
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, sane(one, atMs, key)]))
}

function othersAt(atMs: number, i: number, seed: number): NewEvent[] {
  const id = 75_000 + i * 10
  const account = { accountId: `account-${i % 2}`, slotId: `slot-${i % 3}` }
  const asked = { profileId: 'ada', sessionId: null, titleId: null, ttlMs: 60_000, streamsMax: 2, personal: null }
  const incident = { subject: 'incident:r', rule: 'r', incidentId: `incident-${i % 4}` }
  const seen = {
    severity: 'critical',
    summary: 'Too few',
    observed: 90 + i,
    threshold: 95,
    dimensions: {},
    since: atMs,
  }
  const any = (type: 'CmcdRequest' | 'ViewImported', n: number) => {
    const [event] = fc.sample(anyEvent(type), { seed: seed * 1_000 + id + n, numRuns: 1 })
    return { ...(sane(event, atMs) as object), meta: meta(atMs, id + n) } as NewEvent
  }
  return [
    any('CmcdRequest', 1),
    any('ViewImported', 2),
    { type: 'StreamSlotRequested', meta: meta(atMs, id + 3), ...account, ...asked } as NewEvent,
    i % 3 === 2
      ? ({ type: 'StreamSlotReleased', meta: meta(atMs + 5, id + 4), ...account, reason: null } as NewEvent)
      : ({ type: 'StreamSlotRenewed', meta: meta(atMs + 5, id + 4), ...account, ttlMs: 90_000 } as NewEvent),
    { type: 'IncidentOpened', meta: meta(atMs, id + 5), ...incident, ...seen } as NewEvent,
    {
      type: 'IncidentResolved',
      meta: meta(atMs + 9, id + 6),
      ...incident,
      observed: 99,
      reason: 'recovered',
      by: null,
    } as NewEvent,
  ]
}
