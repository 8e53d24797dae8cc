/**
 * The QoE routes on the real embedded engine, with rows that went in as the runtime puts them: through the landing
 * tables, signed, corrected later. One engine for a test file.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { LightMyRequestResponse } from 'fastify'
import { createAdmission } from '../../api/admission.ts'
import { MemoryLimiter } from '../../api/limiter/memory.ts'
import type { AnalyticsReader, Checkpoints } from '../../api/ports.ts'
import { addQoeRoutes } from '../../api/qoe/routes.ts'
import { analyticsReader } from '../../api/readers/analytics.ts'
import { playbackKey } from '../../api/tokens/keys.ts'
import { PlaybackTokens } from '../../api/tokens/playback.ts'
import { ProfileTokens } from '../../api/tokens/profile.ts'
import { LandingBody } from '../../consumers/rows.ts'
import type { EventLog } from '../../log/log.ts'
import { eventsV1 } from '../../projections/events/v1.ts'
import type { Cell, Landing } from '../../projections/projection.ts'
import { SLICE_COLUMNS, type SliceRow, VIEW_COLUMNS, type ViewRow } from '../../projections/views/row.ts'
import { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import { ClickHouseReader } from '../../stores/clickhouse/reader.ts'
import { type AnalyticsProcess, startAnalyticsProcess } from '../consumers/analytics-process.ts'
import { DATA } from './harness.ts'
import type { Played } from './qoe-rows.ts'
import { NOW_MS, startApi, type TestApi, verifier } from './support.ts'

const TOPIC = 'playback-events'
const PLACE = ['topic', 'partition', 'row_key', 'version', 'sign']
const landingOf = (name: string, target: string, columns: object): Landing => ({
  name,
  target,
  columns: [...PLACE, ...Object.keys(columns)],
})
const VIEWS = landingOf('landing_views', 'views', VIEW_COLUMNS)
const SLICES = landingOf('landing_view_slices', 'view_slices', SLICE_COLUMNS)
const GENERATION = 'views_v1_test'
const EVENTS_GENERATION = 'events_v1_test'

export interface Tables {
  readonly views: string
  readonly store: ClickHouse
  readonly reader: ClickHouseReader
  readonly analytics: AnalyticsReader
  /** `sign` 1 puts rows in, −1 takes the same rows back. */
  put(played: readonly Played[], version: bigint, sign?: 1 | -1): Promise<void>
  putEvents(rows: readonly (readonly Cell[])[]): Promise<void>
  close(): Promise<void>
}

export async function openTables(): Promise<Tables> {
  const dir = await mkdtemp(join(tmpdir(), 'playhead-qoe-'))
  const engine: AnalyticsProcess = await startAnalyticsProcess(join(dir, 'analytics'))
  const store = new ClickHouse({ ...engine.access, database: 'playhead' })
  await store.prepare()
  const views = await store.prepareGeneration(GENERATION, 'views_v1')
  const events = await store.prepareGeneration(EVENTS_GENERATION, 'events_v1')
  await store.alias('events', `${events}.events`)
  const owner = { generation: GENERATION, topic: TOPIC, partition: 0 }
  const eventsOwner = { ...owner, generation: EVENTS_GENERATION }
  await store.own(owner, 1n)
  await store.own(eventsOwner, 1n)
  const reader = new ClickHouseReader({ ...engine.access, username: 'reader', password: 'reader-secret' })
  let tokens = 0

  async function insert(database: string, landing: Landing, lines: readonly (readonly Cell[])[], own = owner) {
    const body = new LandingBody(landing, 1n)
    for (const line of lines) body.add(line)
    if (lines.length === 0) return
    const token = `t/${tokens++}`
    const { columns, rows } = body
    await store.insert({
      table: `${database}.${landing.name}`,
      owner: own,
      term: 1n,
      token,
      columns,
      body: body.bytes(),
      rows,
    })
  }

  return {
    views,
    store,
    reader,
    analytics: analyticsReader(reader, () => ({ views, shared: 'playhead' })),
    put: async (played, version, sign = 1) => {
      await insert(
        views,
        VIEWS,
        played.map(({ view }) => lineOf(`v/${view.view_id}`, version, sign, view, VIEW_COLUMNS)),
      )
      const slices = played.flatMap((one) => one.slices)
      const nameOf = (slice: SliceRow) => `s/${slice.view_id}/${slice.minute}`
      await insert(
        views,
        SLICES,
        slices.map((slice) => lineOf(nameOf(slice), version, sign, slice, SLICE_COLUMNS)),
      )
    },
    putEvents: async (rows) => {
      const { landing } = eventsV1([TOPIC]).journal ?? {}
      if (landing === undefined) throw new Error('no landing')
      await insert(events, landing, rows, eventsOwner)
    },
    close: async () => {
      await Promise.all([store.close(), reader.close()])
      await engine.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

function lineOf(
  rowKey: string,
  version: bigint,
  sign: 1 | -1,
  row: ViewRow | SliceRow,
  columns: object,
): readonly Cell[] {
  const cells = Object.keys(columns).map((name) => row[name as keyof typeof row] as Cell)
  return [TOPIC, 0, rowKey, version, sign, ...cells]
}

export interface QoeApi extends TestApi {
  get(path: string, headers?: Record<string, string>): Promise<LightMyRequestResponse>
  /** The answer of a 200; fails the test with the answer's text otherwise. */
  ask<T>(path: string, ...words: readonly (readonly [string, string | number])[]): Promise<T>
}

const SECRET = 'the secret of a test, 32 characters'

export interface QoeApiOptions {
  readonly analytics: AnalyticsReader
  /** Next position of each partition. */
  readonly next?: (partition: number) => bigint | undefined
  /** Another log than the API's own, with its checkpoints. */
  readonly read?: { readonly log: EventLog; readonly checkpoints: Checkpoints }
}

export async function startQoeApi(
  t: TestContext,
  { analytics, next = () => 0n, read }: QoeApiOptions,
): Promise<QoeApi> {
  const api = await startApi(t)
  const nowMs = () => NOW_MS
  const admission = createAdmission({
    keys: verifier,
    profiles: new ProfileTokens({ secrets: [], mapping: {}, nowMs }),
    playbacks: new PlaybackTokens([playbackKey(SECRET)], nowMs),
    limiter: new MemoryLimiter({ nowMs }),
    limits: { progress: 1e6, start: 1e6, browse: 1e6, events: 1e6 },
  })
  const checkpoints: Checkpoints = { next: async (_projection, { partition }) => next(partition) }
  addQoeRoutes(api.app, { admission, analytics, ...(read ?? { log: api.log, checkpoints }), nowMs })
  const get = async (url: string, headers: Record<string, string> = DATA) =>
    await api.app.inject({ method: 'GET', url, headers })
  return {
    ...api,
    get,
    ask: async <T>(path: string, ...words: readonly (readonly [string, string | number])[]) => {
      const query = new URLSearchParams(words.map(([name, value]): [string, string] => [name, String(value)]))
      const answer = await get(`/v1/qoe/${path}?${query}`)
      if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}: ${answer.body}`)
      return answer.json<T>()
    },
  }
}
