/** Everything that two generations of a projection have, compared: states, and the tables in ClickHouse. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Generation, stateTableOf } from '../../consumers/generation.ts'
import { partitionOf } from '../../log/partition.ts'
import { toJson } from '../json.ts'
import { KEY_COLUMNS } from './ask.ts'
import { type ComparePorts, type Comparison, compareStates, type Key } from './compare.ts'
import { REPLAY_LIMITS } from './limits.ts'
import type { ReplayPorts } from './open.ts'
import { type Cut, compareRows, type TableComparison } from './rows.ts'
import { standingOf } from './standing.ts'

export interface Found {
  readonly equal: boolean
  /** Undefined: the projection keeps none. */
  readonly states: Comparison | undefined
  readonly tables: readonly (TableComparison & { readonly moving: boolean })[]
}

export interface Looking {
  readonly signal: AbortSignal
  looked(rows: bigint): void
}

type Pair = readonly [Generation, Generation]

export async function compareGenerations(replay: ReplayPorts, pair: Pair, { signal, looked }: Looking): Promise<Found> {
  const { state } = replay
  const [ours, theirs] = pair.map(stateTableOf)
  let rows = 0n
  const ports: ComparePorts = {
    passed: () => passedBy(replay, pair),
    atEnd: () => areAtEnd(replay, pair),
    signal,
    looked: (more) => {
      rows += BigInt(more)
      looked(rows)
    },
  }
  const states =
    ours === undefined || theirs === undefined
      ? undefined
      : await compareStates(pair[0], [await state.table(ours), await state.table(theirs)], ports)
  const tables = pair[0].projection.landings.length === 0 ? [] : await tablesOf(replay, pair, signal)
  const equal = (states?.equal ?? true) && tables.every((one) => one.equal || one.moving)
  return { equal, states, tables }
}

/**
 * Rows of a journal are compared below where both have come, whatever goes on. Rows of states are sums of all that stands,
 * so they can be held against each other when nothing comes in; until then they are moving (their states are compared
 * all the same, and the runtime audits the rows against those).
 */
async function tablesOf(replay: ReplayPorts, pair: Pair, signal: AbortSignal): Promise<Found['tables']> {
  const store = replay.analytics()
  const ports = {
    query: <T>(sql: string, parameters?: Record<string, unknown>) => store.query<T>(sql, parameters),
    databaseOf: ({ id }: Generation) => `${store.database}_${id}`,
  }
  const isJournal = pair[0].projection.journal !== undefined
  for (let time = 0; ; time++) {
    const before = await endsOf(replay, pair)
    const there = isJournal || (await areAtEnd(replay, pair))
    const tables = await compareRows(ports, pair, await cutOf(replay, pair))
    const still = isJournal || (there && before === (await endsOf(replay, pair)))
    if (still || tables.every((one) => one.equal) || time >= REPLAY_LIMITS.settleTimes) {
      return tables.map((one) => ({ ...one, moving: !still && !one.equal }))
    }
    await sleep(REPLAY_LIMITS.settlePauseMs, undefined, { signal })
  }
}

async function areAtEnd({ log, state }: ReplayPorts, pair: Pair): Promise<boolean> {
  const standings = await Promise.all(pair.map((one) => standingOf(log, state.commits, one)))
  return standings.every(({ complete }) => complete)
}

async function endsOf({ log }: ReplayPorts, [{ projection }]: Pair): Promise<string> {
  return toJson((await Promise.all(projection.topics.map((topic) => log.bounds(topic)))).flat())
}

/** By partition: up to where both have come. */
async function cutOf({ state }: ReplayPorts, pair: Pair): Promise<Cut> {
  const [ours, theirs] = await Promise.all(
    pair.map(async ({ id }) => {
      const records = await state.commits.list(id)
      return new Map(records.map(({ topic, partition, record }) => [`${topic}/${partition}`, record.checkpoint]))
    }),
  )
  return new Map([...ours!].map(([place, position]) => [place, least(position, theirs!.get(place) ?? 0n)]))
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

async function passedBy(replay: ReplayPorts, pair: Pair): Promise<(key: Key) => bigint | undefined> {
  const { topics, keyed } = pair[0].projection
  const [topic] = topics
  const cut = await cutOf(replay, pair)
  const partitions = topic === undefined ? 0 : (await replay.log.bounds(topic)).length
  const columns = [...(keyed?.shape.partition ?? []), ...(keyed?.shape.clustering ?? [])].map(({ name }) => name)
  const at = columns.indexOf(KEY_COLUMNS[topic ?? ''] ?? '')
  return (key) => (at < 0 ? undefined : (cut.get(`${topic}/${partitionOf(String(key[at]), partitions)}`) ?? 0n))
}
