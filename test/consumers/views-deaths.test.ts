/**
 * Views on the real engines while owners die at every failpoint, and again while the death before is mended: what stands
 * in the tables, the cubes and the keys is what a fold of the same events means, to the last digit.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { FAILPOINTS, type Failpoint } from '../../consumers/failpoints.ts'
import type { Projection } from '../../projections/projection.ts'
import { viewsV1 } from '../../projections/views/v1.ts'
import type { PlayheadEvent } from '../../schemas/index.ts'
import { named, Story, viewOf } from '../projections/views-events.ts'
import { newPorts, own, type Scene } from './deaths.ts'
import { type EmbeddedEngines, embeddedEngines } from './embedded-engines.ts'
import { idOf } from './events.ts'

let engines: EmbeddedEngines
before(async () => {
  engines = await embeddedEngines()
})
after(() => engines.close())

const PROJECTION = viewsV1() as Projection
const SUMS = ['views', 'starts', 'ended', 'stalls', 'stalled_ms', 'playing_ms', 'watched_ms', 'startup_ms', 'media_ms']
const MINUTE_SUMS = ['slices', 'playing_ms', 'stalled_ms', 'media_ms']

/** Two sessions over several minutes; one report late, one said twice. */
function told(n: number): readonly PlayheadEvent[] {
  const app = `app ${process.pid} ${n}`
  const session = (name: string, stallS: number) =>
    new Story()
      .say('PlaybackStarted', 0)
      .say('FirstFrame', 1.5)
      .play(1.5, 61.5, 0, 20)
      .say('StallStarted', 70, { positionMs: 68_500 })
      .say('StallEnded', 70 + stallS, { positionMs: 68_500 })
      .play(70 + stallS, 190 + stallS, 68.5, 40)
      .say('PlaybackEnded', 200 + stallS, { positionMs: 198_500, reason: 'finished' })
      .events.map((event, i) => ({
        ...event,
        // States are found by profile, session and title, whatever the topic.
        profileId: app,
        sessionId: name,
        meta: { ...event.meta, appId: app, eventId: idOf(n * 1_000 + (name === 'a' ? 0 : 500) + i) },
      })) as PlayheadEvent[]
  const [a, b] = [session('a', 3), session('b', 7)]
  const mixed = a.flatMap((event, i) => [event, b[i]!])
  const [late] = mixed.splice(6, 1)
  return [...mixed, late!, mixed[3]!]
}

async function newScene(n: number): Promise<Scene & { readonly events: readonly PlayheadEvent[] }> {
  const topic = `deaths-of-views-${process.pid}-${n}`
  await engines.log.ensureTopics([{ topic, partitions: 1 }])
  const events = told(n)
  await engines.log.append(
    events.map((event) => ({
      topic,
      key: 'ada',
      value: engines.codec.encode(event),
      timestampMs: event.meta.receivedAt,
    })),
  )
  const place = { topic, partition: 0 }
  return { engines, place, profiles: ['ada'], events, ...(await newPorts(engines, PROJECTION)) }
}

async function assertExact({ events, ports, place, generation }: Awaited<ReturnType<typeof newScene>>): Promise<void> {
  const sessions = ['a', 'b'].map((name) =>
    events.filter((event) => (event as { sessionId: string }).sessionId === name),
  )
  const [views, minutes] = [0, 1].map((which) =>
    sessions.flatMap((all) =>
      viewOf(all)
        .rows()
        .map(named)
        .filter((row) => ('slices' in row ? 1 : 0) === which),
    ),
  ) as [Record<string, number>[], Record<string, number>[]]
  const sum = (rows: readonly Record<string, number>[], column: string) => rows.reduce((s, row) => s + row[column]!, 0)
  const app = events[0]!.meta.appId
  const database = ports.database
  const one = async (columns: readonly string[], from: string) => {
    const sums = columns.map((c) => `toInt64(sum(${c})) AS n_${columns.indexOf(c)}`)
    const [row] = await engines.clickhouse.query<Record<string, string>>(`SELECT ${sums.join(', ')} FROM ${from}`, {
      app,
    })
    return columns.map((_, i) => Number(row![`n_${i}`]))
  }
  const mine = 'app_id = {app:String}'
  const signed = (columns: readonly string[]) => columns.map((c) => `${c} * sign`)
  const wanted = SUMS.map((c) => sum(views, c))
  assert.deepEqual(await one(signed(SUMS), `${database}.views WHERE ${mine}`), wanted, 'views')
  const wantedMinutes = MINUTE_SUMS.map((c) => sum(minutes, c))
  assert.deepEqual(await one(signed(MINUTE_SUMS), `${database}.view_slices WHERE ${mine}`), wantedMinutes, 'minutes')
  const cube = `dim = 'app_id' AND value = {app:String}`
  for (const table of ['qoe_minute', 'qoe_hour']) {
    assert.deepEqual(await one(SUMS, `${database}.${table} WHERE ${cube}`), wanted, table)
    const at = MINUTE_SUMS.map((c) => `at_${c}`)
    assert.deepEqual(
      await one(at, `${database}.${table} WHERE ${cube}`),
      wantedMinutes,
      `${table} by the minute watched`,
    )
  }
  assert.deepEqual(await one(['views'], `${database}.viewer_days WHERE ${mine}`), [2], 'who watched')
  const key = { generation: generation.id, ...place }
  const record = await engines.state.commits.read(key)
  assert.equal(record?.intent, undefined)
  let audited = 0n
  for (const { target } of PROJECTION.landings) {
    audited += (await engines.analytics.audit(`${database}.${target}`, key, 0n, record!.checkpoint)).sum
  }
  assert.equal(audited, record!.audit, 'the audit')
  const { read, folded, duplicates } = record!.tally
  assert.deepEqual([read, folded, duplicates], [BigInt(events.length), BigInt(events.length - 1), 1n])
}

const REACHED = FAILPOINTS.filter((name) => name !== 'states.half-erased')
let scenes = 0

REACHED.filter((name) => name !== 'redo.begun').forEach((first, i) => {
  // Each failpoint as the first death, with three others as the second: over all of them every second one comes up.
  const seconds: readonly Failpoint[] = [0, 4, 8].map((step) => REACHED[(i + step) % REACHED.length]!)
  test(`views: an owner dies at ${first}, the next at ${seconds.join(', ')}: every sum is exact`, async () => {
    for (const second of seconds) {
      const scene = await newScene(scenes++)
      assert.equal(await own(scene, first, 1, 5), 'died')
      await own(scene, second, 1, 5)
      assert.equal(await own(scene, undefined, 1, 5), 'finished')
      await assertExact(scene).catch((e) => {
        throw new Error(`${first} then ${second}: ${e.message}`)
      })
    }
  })
})
