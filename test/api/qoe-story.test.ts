/** From the log to the story: real events, folded by the real runtime into the real tables, and explained. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { AnalyticsReader } from '../../api/ports.ts'
import { explanationOf } from '../../api/qoe/explanation.ts'
import { analyticsReader } from '../../api/readers/analytics.ts'
import { checkpointsOf } from '../../api/readers/checkpoints.ts'
import { generationOf } from '../../consumers/generation.ts'
import { type Consumers, startConsumers } from '../../consumers/index.ts'
import { eventsV1 } from '../../projections/events/v1.ts'
import { VIEW_COLUMNS } from '../../projections/views/row.ts'
import { viewsV1 } from '../../projections/views/v1.ts'
import type { PlayheadEvent } from '../../schemas/index.ts'
import { ClickHouseReader } from '../../stores/clickhouse/reader.ts'
import { type EmbeddedEngines, embeddedEngines } from '../consumers/embedded-engines.ts'
import { START_MS, Story as Telling } from '../projections/views-events.ts'
import { startQoeApi } from './qoe-support.ts'

const TOPIC = 'playback-events'
let engines: EmbeddedEngines
let reader: ClickHouseReader
let consumers: Consumers
let analytics: AnalyticsReader
let viewsId: string
let generations: readonly string[]

before(async () => {
  engines = await embeddedEngines()
  await engines.log.ensureTopics([{ topic: TOPIC, partitions: 2 }])
  const projections = [eventsV1([TOPIC]), viewsV1()]
  const incarnation = await engines.log.incarnation()
  const databases = new Map<string, string>()
  for (const projection of projections) {
    const { id } = generationOf(projection, incarnation)
    const folder = `${projection.name}_v${projection.foldVersion}`
    databases.set(projection.name, await engines.clickhouse.prepareGeneration(id, folder))
  }
  await engines.clickhouse.alias('events', `${databases.get('events')}.events`)
  viewsId = generationOf(viewsV1(), incarnation).id
  generations = projections.map((projection) => generationOf(projection, incarnation).id)
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const prepare = async ({ projection }: { readonly projection: { readonly name: string } }) =>
    databases.get(projection.name) ?? ''
  consumers = await startConsumers({ ...engines, projections, prepare, logger: quiet })
  reader = new ClickHouseReader({ ...engines.process.access, username: 'reader', password: 'reader-secret' })
  analytics = analyticsReader(reader, () => ({ views: databases.get('views') ?? '', shared: 'playhead' }))
})
after(async () => {
  await consumers.close()
  await reader.close()
  await engines.close()
})

async function post(events: readonly PlayheadEvent[]): Promise<void> {
  await engines.log.append(
    events.map((event) => ({
      topic: TOPIC,
      key: (event as { profileId: string }).profileId,
      value: engines.codec.encode(event),
      timestampMs: event.meta.receivedAt,
    })),
  )
  const bounds = await engines.log.bounds(TOPIC)
  const deadline = Date.now() + 20_000
  for (const generation of generations) {
    for (const { topic, partition, end } of bounds) {
      while (((await engines.state.commits.read({ generation, topic, partition }))?.checkpoint ?? 0n) < end) {
        if (Date.now() > deadline) assert.fail(`${generation} never read ${topic}/${partition} to ${end}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }
}

interface Told {
  readonly views: readonly {
    readonly state: string
    readonly row: Readonly<Record<string, unknown>>
    readonly explanation: {
      readonly timeline: readonly {
        readonly state: string
        readonly from: string
        readonly to: string
        readonly cause: string
      }[]
      readonly evidence: Readonly<Record<string, readonly string[]>>
      readonly differences: readonly unknown[]
      readonly behind: string | null
    }
  }[]
  readonly events: readonly { readonly type: string; readonly eventId: string }[]
  readonly freshness: { readonly lag: number; readonly asOf: string }
}

test('a story says which events made each number, and they come to what is stored', async (t) => {
  const telling = new Telling()
    .say('PlaybackStarted', 0)
    .say('FirstFrame', 2)
    .say('Heartbeat', 12, { positionMs: 10_000, state: 'playing', videoBitrateKbps: 3_000 })
    .say('StallStarted', 22, { positionMs: 20_000 })
    .say('StallEnded', 25, { positionMs: 20_000 })
    .say('PlaybackPaused', 45, { positionMs: 40_000 })
    .say('PlaybackResumed', 75, { positionMs: 40_000 })
    .say('PlaybackEnded', 95, { positionMs: 60_000, reason: 'finished' })
  await post(telling.events)
  const checkpoints = checkpointsOf(engines.state.commits, { views: viewsId })
  const { ask } = await startQoeApi(t, { analytics, read: { log: engines.log, checkpoints } })
  const story = await ask<Told>('views/s1')
  const [view] = story.views
  assert.ok(view !== undefined && story.views.length === 1)
  assert.deepEqual([view.explanation.differences, view.explanation.behind], [[], null])
  assert.deepEqual([view.row.startup_ms, view.row.stalled_ms, view.row.stalls, view.state], [2_000, 3_000, 1, 'ended'])
  const idOfType = (type: string) => telling.events.find((event) => event.type === type)?.meta.eventId
  assert.deepEqual(view.explanation.evidence.startup_ms, [idOfType('FirstFrame')])
  assert.ok(
    view.explanation.evidence.stalls?.some((id) => [idOfType('StallStarted'), idOfType('StallEnded')].includes(id)),
  )
  const stall = view.explanation.timeline.find(({ state }) => state === 'stalled')
  assert.deepEqual(
    [Date.parse(stall?.from ?? '') - START_MS, Date.parse(stall?.to ?? '') - START_MS, stall?.cause],
    [22_000, 25_000, idOfType('StallStarted')],
  )
  assert.deepEqual(
    story.events.map(({ type }) => type),
    telling.events.map(({ type }) => type),
  )
  assert.deepEqual([story.freshness.lag, Date.parse(story.freshness.asOf) - START_MS], [0, 95_100])
})

test('a late event corrects the numbers everywhere at once, and the story with them', async (t) => {
  const who = { sessionId: 's2', profileId: 'bob', titleId: 'solaris' }
  const telling = new Telling(START_MS + 600_000)
    .say('PlaybackStarted', 0, who)
    .say('FirstFrame', 1, who)
    .say('PlaybackEnded', 61, { ...who, positionMs: 60_000 })
    .say('StallStarted', 30, { ...who, positionMs: 29_000, meta: { eventId: '0190a0b0-0000-7000-8000-0000000000aa' } })
    .say('StallEnded', 32, { ...who, positionMs: 29_000, meta: { eventId: '0190a0b0-0000-7000-8000-0000000000ab' } })
  const own = telling.events.map((event, i) => ({
    ...event,
    meta: { ...event.meta, eventId: `0190a0b0-0000-7000-8000-0000000001${i.toString(16).padStart(2, '0')}` },
  })) as PlayheadEvent[]
  const { ask } = await startQoeApi(t, { analytics })
  const words = [
    ['from', START_MS],
    ['to', START_MS + 3_600_000],
    ['filter', 'title:solaris'],
  ] as const
  const stalls = async (...more: readonly (readonly [string, string])[]) => {
    const metrics = [
      ['metric', 'stalls_per_view'],
      ['metric', 'views'],
    ] as const
    const { values } = await ask<{ values: Record<string, number> }>('overview', ...words, ...more, ...metrics)
    return [values.stalls_per_view, values.views]
  }
  await post(own.slice(0, 3))
  assert.deepEqual(
    [await stalls(), await stalls(['filter', 'app:app'])],
    [
      [0, 1],
      [0, 1],
    ],
  )
  await post(own.slice(3))
  assert.deepEqual(
    [await stalls(), await stalls(['filter', 'app:app'])],
    [
      [1, 1],
      [1, 1],
    ],
  )
  const { views } = await ask<Told>('views/s2')
  assert.deepEqual(
    views.map((view) => [view.row.stalls, view.explanation.differences]),
    [[1, []]],
  )
})

test('a row and events of which one has not heard the newest say which', () => {
  const [event] = new Telling().say('PlaybackStarted', 0, { meta: { receivedAt: START_MS } }).events
  if (event === undefined) assert.fail('nothing was told')
  const { type, meta, ...fields } = event
  const at = { topic: TOPIC, partition: 0, position: '0', fate: 'folded', profileId: 'ann', titleId: 'stalker' }
  const stored = { ...meta, ...at, type, fields, occurredAtMs: meta.occurredAt, receivedAtMs: meta.receivedAt }
  const empty = Object.entries(VIEW_COLUMNS).map(([column, kind]) => [`x_${column}`, kind === 'ints' ? [] : 0])
  const behind = [-1, 0, 1].map((ms) => {
    const row = { ...Object.fromEntries(empty), x_last_received_at: meta.receivedAt + ms }
    return explanationOf([stored], 's3', row, undefined)?.behind
  })
  assert.deepEqual(behind, ['row', null, 'events'])
})
