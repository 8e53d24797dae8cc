/** A log that is written record by record, and the tables of `progress` and `views` as they stood after each of them. */
import { join } from 'node:path'
import type { ReplayPorts } from '../../cli/replay/open.ts'
import { Operator } from '../../cli/replay/operator.ts'
import { DeadLetters } from '../../consumers/dead-letters.ts'
import { Delivery } from '../../consumers/delivery.ts'
import { stateTableOf } from '../../consumers/generation.ts'
import { type Shown, shownOf } from '../../consumers/history.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import type { EventLog, Position } from '../../log/log.ts'
import { progressV1 } from '../../projections/progress/v1.ts'
import type { Projection } from '../../projections/projection.ts'
import { viewsV1 } from '../../projections/views/v1.ts'
import { createCodec, type PlayheadEvent, TOPICS } from '../../schemas/index.ts'
import type { AnalyticsStore } from '../../stores/analytics.ts'
import { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import { openEmbeddedState } from '../../stores/embedded/index.ts'
import { beat, cleared, marked, meta, numbers, report, START_MS, started } from '../projections/support.ts'
import { simVault } from '../sim/vault.ts'

const TOPIC = 'playback-events'
const PARTITIONS = 2
const EVENTS = 64
/** Two of them share a partition. */
const PROFILES = ['ann', 'cy', 'gil']
const FOLDS = { progress: progressV1(), views: viewsV1() as Projection }

export interface Asked {
  readonly projection: 'progress' | 'views'
  readonly of: Readonly<Record<string, string>>
}

export type Stood = Pick<Shown, 'state' | 'rows'> | undefined

/** What stood after a position of its partition, of one row that the record there is about. */
export interface Seen {
  readonly partition: number
  readonly position: bigint
  /** The log's clock: the running maximum of the partition's times. */
  readonly clockMs: number
  readonly asked: Asked
  readonly stood: Stood
  /** The record is a copy of an earlier one. */
  readonly again: boolean
}

export interface Scene {
  readonly replay: ReplayPorts
  readonly clickhouse: ClickHouse
  readonly viewsDatabase: string
  readonly seen: readonly Seen[]
  /** By partition, the times of its records in their order. */
  readonly times: readonly (readonly number[])[]
  close(): Promise<void>
}

type Next = (below: number) => number
type Said = PlayheadEvent & { readonly profileId: string }

/** `inClickHouse`: the rows of views go there too, and not only their states into the state store. */
export async function play(
  seed: number,
  dir: string,
  access: { readonly url: string; readonly username: string; readonly password: string },
  inClickHouse: boolean,
): Promise<Scene> {
  const next = numbers(seed)
  const engines = await openEngines(seed, dir, access)
  const { log, codec, replay, clickhouse, state, close } = engines
  const folders = {
    progress: await folderOf(engines, 'progress', QUIET),
    views: await folderOf(engines, 'views', inClickHouse ? clickhouse : QUIET),
    events: await folderOf(engines, 'events', clickhouse),
  }
  const stands = async ({ projection }: Asked, event: PlayheadEvent): Promise<Stood> => {
    const { generation } = folders[projection]
    const keyed = generation.projection.keyed!
    const table = await state.table(stateTableOf(generation)!)
    const [row] = await table.get([keyed.key(event)!])
    if (row === undefined) return undefined
    const shown = shownOf(keyed, row.key, keyed.fromColumns(row.columns.slice(0, -1), row.key))
    return { state: shown.state, rows: shown.rows }
  }
  const seen: Seen[] = []
  const times = Array.from({ length: PARTITIONS }, (): number[] => [])
  const sent: Said[] = []
  let clockMs = START_MS
  for (let n = 0; n < EVENTS; n++) {
    // Several in a millisecond, then a pause; now and then another collector, whose clock is behind.
    clockMs += next(3) === 0 ? next(5_000) : 0
    const behindMs = next(12) === 0 ? next(4_000) : 0
    const again = sent.length > 0 && next(15) === 0
    // Whoever sends an event again sends the same record.
    const event = again ? sent[next(sent.length)]! : anyEvent(next, n, clockMs - behindMs)
    sent.push(event)
    const timestampMs = event.meta.receivedAt
    const [placed] = await log.append([{ topic: TOPIC, key: event.profileId, value: codec.encode(event), timestampMs }])
    const { partition, position } = placed!
    times[partition]!.push(timestampMs)
    await Promise.all([folders.progress.catchUp(partition), folders.views.catchUp(partition)])
    // The question is asked of this table; what it lacks has to be found in the log.
    if (next(20) === 0) await folders.events.catchUp(partition)
    const partitionMs = Math.max(...times[partition]!)
    for (const asked of askedOf(event)) {
      seen.push({ partition, position, clockMs: partitionMs, asked, again, stood: await stands(asked, event) })
    }
  }
  return { replay, clickhouse, viewsDatabase: folders.views.database, seen, times, close }
}

type Engines = Awaited<ReturnType<typeof openEngines>>

async function openEngines(seed: number, dir: string, access: Parameters<typeof play>[2]) {
  const log = await openEmbeddedLog({ dir: join(dir, `log-${seed}`) })
  const state = await openEmbeddedState({ dir: join(dir, `state-${seed}`), clock: () => START_MS })
  const clickhouse = new ClickHouse({ ...access, database: `at_${seed}` })
  await clickhouse.prepare()
  await log.ensureTopics(Object.keys(TOPICS).map((topic) => ({ topic, partitions: PARTITIONS })))
  const codec = await createCodec()
  const deadLetters = await DeadLetters.open(state)
  const settings = { positionDays: 90, historyDays: 365, definitions: [] }
  const operator = await Operator.open({ settings, log, state, codec, nowMs: Date.now })
  const vault = simVault()
  const replay: ReplayPorts = {
    ...{ codec, log, state, operator, analytics: () => clickhouse },
    ...{ vault: async () => vault, deadLetters: async () => deadLetters },
  }
  const close = async () => {
    await Promise.all([log.close(), state.close(), clickhouse.close()])
  }
  return { log, state, clickhouse, codec, deadLetters, operator, vault, replay, close }
}

/** The usual generation of a projection, folded when it is told to. */
async function folderOf(engines: Engines, name: 'progress' | 'views' | 'events', analytics: AnalyticsStore) {
  const { operator, clickhouse, state, log, deadLetters, codec, vault } = engines
  const generation = (await operator.plan(name)).read
  const database = name === 'progress' ? '' : await clickhouse.prepareGeneration(generation.id, `${name}_v1`)
  const spec = stateTableOf(generation)
  const world = { nowMs: () => START_MS, random: () => 0, sleep: async () => undefined }
  const ports = {
    ...{ log, commits: state.commits, states: spec && (await state.table(spec)), deadLetters, analytics, codec },
    ...{ vault, world, at: () => undefined, database },
  }
  const owners = Array.from({ length: PARTITIONS }, (_, partition) => {
    return new Delivery(generation, { topic: TOPIC, partition }, ports, new AbortController().signal)
  })
  for (const owner of owners) await owner.takeOver()
  return { generation, database, catchUp: (partition: number) => catchUp(log, partition, owners[partition]!) }
}

async function catchUp(log: EventLog, partition: number, owner: Delivery): Promise<void> {
  const from = owner.record.checkpoint as Position
  const { records } = await log.read({ topic: TOPIC, partition, from, bytesMax: 1e7, recordsMax: 1e4, waitMs: 0 })
  if (records.length > 0) await owner.deliver(await owner.prepare(records))
}

const QUIET: AnalyticsStore = {
  engine: 'sim',
  own: async () => 'owned',
  insert: async () => 'inserted',
  blocks: async () => 0n,
  audit: async () => ({ rows: 0n, sum: 0n }),
  ping: async () => undefined,
  close: async () => undefined,
}

/** A minute or so of three people. */
function anyEvent(next: Next, n: number, receivedAtMs: number): Said {
  const profileId = PROFILES[next(PROFILES.length)]!
  const titleId = `title-${next(2)}`
  const who = { profileId, titleId, sessionId: `session of ${profileId}` }
  const atMs = receivedAtMs - next(30_000)
  const stamp = { meta: meta(atMs, n, receivedAtMs) }
  const positionMs = next(7_200_000)
  switch (next(10)) {
    case 0:
      return started(atMs, n, { ...who, ...stamp })
    case 1:
      return report(atMs, n, { ...who, ...stamp, positionMs, durationMs: 7_200_000 })
    case 2:
      return marked(atMs, n, { profileId, titleId, ...stamp, watched: next(2) === 0 })
    case 3:
      return cleared(atMs, n, { profileId, titleId, ...stamp })
    default: {
      const state = (['playing', 'paused', 'stalled'] as const)[next(3)]!
      const played = [{ fromMs: Math.max(0, positionMs - 10_000), toMs: positionMs }]
      const told = { sequence: next(40), positionMs, played, state, durationMs: 7_200_000 }
      return beat(atMs, n, { ...who, ...stamp, ...told })
    }
  }
}

/** Whose rows the event may change. */
function askedOf(event: PlayheadEvent): readonly Asked[] {
  const { profileId, titleId, sessionId } = event as unknown as Readonly<Record<string, string>>
  const asked: Asked[] = [
    { projection: 'progress', of: { profile_id: profileId!, title_id: titleId! } },
    { projection: 'views', of: { session_id: sessionId!, title_id: titleId! } },
  ]
  return asked.filter(({ projection }) => FOLDS[projection].keyed?.key(event) !== undefined)
}
