/** What a generation's tables must say: the log folded afresh, event by event, up to where the generation has come. */
import { type HistoryRecord, historyOf } from '../../consumers/history.ts'
import { CONSUMER_LIMITS } from '../../consumers/limits.ts'
import { LandingBody } from '../../consumers/rows.ts'
import { keyText } from '../../consumers/state-cache.ts'
import type { LogRecord } from '../../log/log.ts'
import type { Projection, SignedRow } from '../../projections/projection.ts'
import { eventIdOf } from '../../schemas/index.ts'
import { unescaped } from './analytics.ts'
import type { Engine } from './engine.ts'

/** `topic/partition` → the next position. */
export type Checkpoints = ReadonlyMap<string, bigint>

export interface Truth {
  /** By the key's text: the columns that the projection knows, as text. */
  readonly states: ReadonlyMap<string, string>
  /** `target rowKey` → cells as text. */
  readonly rows: ReadonlyMap<string, string>
}

export async function truthOf(engine: Engine, projection: Projection, checkpoints: Checkpoints): Promise<Truth> {
  const records = projection.topics.flatMap((topic) => recordsOf(engine, topic, checkpoints))
  const states = new Map<string, string>()
  const rows = new Map<string, string>()
  const { codec, vault } = engine
  const { keyed, journal } = projection
  if (keyed !== undefined) {
    const ports = { codec, vault: allKeys(vault), name: projection.name, wanted: () => true, steps: false }
    for (const { key, state } of (await historyOf(projection, records, ports)).states) {
      states.set(keyText(key), stateText(projection, keyed.toColumns(state)))
      for (const row of keyed.rows(state)) rows.set(`${row.landing.target} ${row.rowKey}`, cellsOf(row))
    }
  }
  if (journal !== undefined) {
    const { target } = journal.landing
    for (const { topic, partition, record, duplicate } of records) {
      rows.set(`${target} ${topic}/${partition}@${record.position}`, fateOf(engine, record, duplicate))
    }
  }
  return { states, rows }
}

function fateOf({ codec }: Engine, { value }: LogRecord, duplicate: boolean): string {
  if (duplicate) return 'duplicate'
  return codec.decode(value).ok ? 'folded' : 'parked'
}

function recordsOf({ log }: Engine, topic: string, checkpoints: Checkpoints): readonly HistoryRecord[] {
  return log.durable(topic).flatMap((records, partition) => {
    const seen = new Map<string, bigint>()
    const end = checkpoints.get(`${topic}/${partition}`) ?? 0n
    return records
      .filter(({ position }) => position < end)
      .map((record) => ({ topic, partition, record, duplicate: seenBefore(record, seen) }))
  })
}

function seenBefore({ value, position }: LogRecord, seen: Map<string, bigint>): boolean {
  const id = eventIdOf(value)
  if (id === undefined) return false
  const before = seen.get(id)
  seen.set(id, position)
  return before !== undefined && position - before <= BigInt(CONSUMER_LIMITS.duplicateWindowPositions)
}

function allKeys({ everMade }: Engine['vault']) {
  return {
    open: async (keyIds: readonly string[]) =>
      keyIds.map((keyId) => ({ state: 'alive' as const, secret: everMade.get(keyId)! })),
  }
}

/** States behind rows may be kept in more than one way: they are known by their rows. Others are read as they are. */
export function stateText({ landings }: Projection, columns: readonly unknown[]): string {
  return landings.length > 0 ? 'there' : textOf(columns)
}

/** Columns of a state, comparable. */
export function textOf(cells: readonly unknown[]): string {
  return JSON.stringify(cells, (_name, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`
    return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
  })
}

/** A row's own cells as they arrive at ClickHouse. */
function cellsOf({ landing, cells }: SignedRow): string {
  const text = new LandingBody(landing, 0n).textOf(cells)
  return textOf(text.split('\t').slice(1).map(unescaped))
}
