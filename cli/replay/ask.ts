/** What `at` and `why` are asked, and the answer: whose state, of which projection, as of when. */
import { historyOf, type Shown, type Step, shownOf } from '../../consumers/history.ts'
import { partitionOf } from '../../log/partition.ts'
import type { Projection } from '../../projections/projection.ts'
import { type IndexPorts, keysOfSession, type Moment, recordsOfKey } from './index-of-events.ts'
import type { OpenReplay } from './open.ts'
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
  readonly steps: readonly Step[]
}

export async function askHistory(replay: OpenReplay, asked: HistoryAsked): Promise<HistoryAnswer> {
  const { projection } = (await replay.operator.plan(asked.projection)).read
  const ports = await indexPorts(replay)
  const [topic] = projection.topics
  if (projection.keyed === undefined || topic === undefined) {
    throw new Refused(
      'NOT_NOW',
      `${projection.name} keeps no states: its rows are the log's. Look with \`playhead log tail\`.`,
    )
  }
  const partitions = (await replay.log.bounds(topic)).length
  const records = []
  for (const key of await keysOf(ports, projection, topic, asked.of)) {
    const partition = partitionOf(key, partitions)
    records.push(...(await recordsOfKey(ports, { topic, key, partition }, asked.moment)))
  }
  const wanted = (key: Readonly<Record<string, unknown>>) =>
    Object.entries(asked.of).every(([column, value]) => !(column in key) || String(key[column]) === value)
  const { states, steps } = await historyOf(projection, records, {
    codec: replay.codec,
    vault: await replay.vault(),
    name: projection.name,
    wanted,
    steps: asked.steps,
  })
  const keyed = projection.keyed
  return { shown: states.map(({ key, state }) => shownOf(keyed, key, state)), steps }
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
    throw new Refused('UNKNOWN', `${name} is not kept by ${unknown}: it is kept by ${columns.join(', ')}.`)
  }
  const key = of[KEY_COLUMNS[topic] ?? '']
  if (key !== undefined) return [key]
  if (of.session_id !== undefined) return await keysOfSession(ports, topic, of.session_id)
  throw new Refused('UNKNOWN', `Say whose: ${name} is kept by ${columns.join(', ')}.`)
}

export async function indexPorts({ analytics, log, state, operator }: OpenReplay): Promise<IndexPorts> {
  const store = analytics()
  const { read } = await operator.plan('events')
  return {
    log,
    query: (sql, parameters) =>
      store.query(sql.replaceAll('FROM events', `FROM \`${store.database}_${read.id}\`.events`), parameters),
    indexed: async (topic, partition) => {
      const record = await state.commits.read({ generation: read.id, topic, partition })
      return record?.checkpoint ?? 0n
    },
  }
}
