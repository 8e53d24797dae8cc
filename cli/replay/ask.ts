/** What `at` and `why` are asked, and the answer: whose state, of which projection, as of when. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type HistoryRecord, historyOf, type Shown, type Step, shownOf } from '../../consumers/history.ts'
import type { PartitionBounds, TopicPartition } from '../../log/log.ts'
import { partitionOf } from '../../log/partition.ts'
import type { Projection } from '../../projections/projection.ts'
import { clockAt, type IndexPorts, keysOfSession, type Moment, recordsOfKey } from './index-of-events.ts'
import { REPLAY_LIMITS } from './limits.ts'
import type { ReplayPorts } from './open.ts'
import { Refused } from './operator.ts'

export interface HistoryAsked {
  readonly projection: string
  /** By the names of key columns: profile_id, title_id, session_id, … */
  readonly of: Readonly<Record<string, string>>
  readonly moment: Moment
  readonly steps: boolean
}

/** Of which column the key of a topic's records is. */
export const KEY_COLUMNS: Readonly<Record<string, string>> = {
  'playback-events': 'profile_id',
  'ingest-events': 'title_id',
  'account-events': 'account_id',
}

export interface HistoryAnswer {
  readonly shown: readonly Shown[]
  /** How many rows had been kept long enough by then, and stood no more. */
  readonly expired: number
  readonly steps: readonly Step[]
  /** Of the log, at the last record that was taken; null: none was. */
  readonly clockMs: number | null
}

/** `signal` ends it early; `recordsMax`: more are refused. */
export interface HistoryBounds {
  readonly signal?: AbortSignal
  readonly recordsMax?: number
}

export async function askHistory(
  replay: ReplayPorts,
  asked: HistoryAsked,
  { signal, recordsMax }: HistoryBounds = {},
): Promise<HistoryAnswer> {
  const { projection } = (await replay.operator.plan(asked.projection)).read
  const ports = await indexPorts(replay, { signal, recordsMax })
  const [topic] = projection.topics
  if (projection.keyed === undefined || topic === undefined) {
    throw new Refused(
      'NOT_NOW',
      `${projection.name} keeps no states: its rows are the log's. Look with \`playhead log tail\`.`,
    )
  }
  const bounds = await replay.log.bounds(topic)
  const keys = await keysOf(ports, projection, topic, asked.of)
  const places = keys.map((key) => ({ topic, key, partition: partitionOf(key, bounds.length) }))
  refuseFuture(
    asked.moment,
    topic,
    bounds.filter(({ partition }) => places.some((one) => one.partition === partition)),
  )
  const records: HistoryRecord[] = []
  for (const place of places) for (const one of await recordsOfKey(ports, place, asked.moment)) records.push(one)
  const wanted = (key: Readonly<Record<string, unknown>>) =>
    Object.entries(asked.of).every(([column, value]) => !(column in key) || String(key[column]) === value)
  const { states, steps } = await historyOf(projection, inTurns(records, signal), {
    codec: replay.codec,
    vault: await replay.vault(),
    name: projection.name,
    wanted,
    steps: asked.steps,
  })
  const keyed = projection.keyed
  const clockMs = records.length === 0 ? null : records.reduce((ms, { record }) => Math.max(ms, record.timestampMs), 0)
  const atMs = keyed.expiresAtMs === undefined ? 0 : await momentMs(ports, places, asked.moment)
  const stood = states.filter(({ state }) => (keyed.expiresAtMs?.(state) ?? Number.POSITIVE_INFINITY) > atMs)
  const expired = states.length - stood.length
  return { shown: stood.map(({ key, state }) => shownOf(keyed, key, state)), expired, steps, clockMs }
}

/** When the moment is: of a position, the log's time there. */
async function momentMs(
  ports: IndexPorts,
  places: readonly TopicPartition[],
  { untilMs, untilPosition }: Moment,
): Promise<number> {
  if (untilPosition === undefined) return untilMs ?? Date.now()
  const times = await Promise.all(places.map((place) => clockAt(ports, place, untilPosition)))
  return Math.max(0, ...times)
}

/** Whoever else this process serves has a turn in between. */
async function* inTurns(records: readonly HistoryRecord[], signal: AbortSignal | undefined) {
  for (const [i, record] of records.entries()) {
    if (i % REPLAY_LIMITS.foldedAtATime === 0) {
      await nextTurn()
      signal?.throwIfAborted()
    }
    yield record
  }
}

function refuseFuture({ untilPosition }: Moment, topic: string, bounds: readonly PartitionBounds[]): void {
  if (untilPosition === undefined || bounds.length === 0 || bounds.some(({ end }) => untilPosition < end)) return
  const ends = bounds.map(({ partition, end }) => `${topic}/${partition}@${end - 1n}`)
  throw new Refused(
    'INVALID',
    `Position ${untilPosition} has not come yet: the last ones are ${ends.join(', ')}.`,
    'asOf',
  )
}

async function keysOf(
  ports: IndexPorts,
  { name, keyed }: Projection,
  topic: string,
  of: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const columns = [...(keyed?.shape.partition ?? []), ...(keyed?.shape.clustering ?? [])].map((column) => column.name)
  const unknown = Object.keys(of).find((column) => !columns.includes(column) && column !== KEY_COLUMNS[topic])
  if (unknown !== undefined) {
    throw new Refused('INVALID', `${name} is not kept by ${unknown}: it is kept by ${columns.join(', ')}.`)
  }
  const key = of[KEY_COLUMNS[topic] ?? '']
  if (key !== undefined) return [key]
  if (of.session_id !== undefined) return await keysOfSession(ports, topic, of.session_id)
  throw new Refused('INVALID', `Say whose: ${name} is kept by ${columns.join(', ')}.`)
}

export async function indexPorts(
  { analytics, log, state, operator, codec }: ReplayPorts,
  { signal, recordsMax }: Pick<IndexPorts, 'signal' | 'recordsMax'> = {},
): Promise<IndexPorts> {
  const store = analytics()
  const { read } = await operator.plan('events')
  return {
    log,
    codec,
    signal,
    recordsMax,
    query: (sql, parameters) =>
      store.query(sql.replaceAll('FROM events', `FROM \`${store.database}_${read.id}\`.events`), parameters),
    indexed: async (topic, partition) => {
      const record = await state.commits.read({ generation: read.id, topic, partition })
      return record?.checkpoint ?? 0n
    },
  }
}
