/** A log folded by every projection of this release, and all that it meant: states, rows in their order, dead letters. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ownGenerations } from '../../cli/generations.ts'
import { usualProjections } from '../../cli/projections.ts'
import { DeadLetters } from '../../consumers/dead-letters.ts'
import { Delivery, type DeliveryPorts } from '../../consumers/delivery.ts'
import { type Generation, generationOf, stateTableOf } from '../../consumers/generation.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import type { EventLog, NewRecord, Position } from '../../log/log.ts'
import { type EventCodec, TOPICS } from '../../schemas/index.ts'
import type { AnalyticsStore, LandingInsert } from '../../stores/analytics.ts'
import { openEmbeddedState } from '../../stores/embedded/index.ts'
import type { StateStore } from '../../stores/state.ts'
import { simVault } from '../sim/vault.ts'

export interface Folded {
  /** By projection. */
  readonly states: Readonly<Record<string, readonly unknown[]>>
  /** By landing table: its lines, in the order in which they went in. */
  readonly rows: Readonly<Record<string, readonly string[]>>
  readonly parked: readonly string[]
  readonly folded: bigint
}

const INCARNATION = 'history'
const BATCH_RECORDS = 50

export function everyGeneration(): readonly Generation[] {
  const usual = usualProjections({ positionDays: 0, historyDays: 0, definitions: [] })
  return [...usual.map((projection) => generationOf(projection, INCARNATION)), ...ownGenerations(INCARNATION)]
}

export async function foldEverything(records: readonly NewRecord[], codec: EventCodec): Promise<Folded> {
  const dir = await mkdtemp(join(tmpdir(), 'playhead-history-'))
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  const state = await openEmbeddedState({ dir: join(dir, 'state'), clock: () => 0 })
  try {
    await log.ensureTopics(Object.keys(TOPICS).map((topic) => ({ topic, partitions: 1 })))
    await log.append(records)
    return await fold(log, state, codec)
  } finally {
    await Promise.all([log.close(), state.close()])
    await rm(dir, { recursive: true, force: true })
  }
}

async function fold(log: EventLog, state: StateStore, codec: EventCodec): Promise<Folded> {
  const states: Record<string, unknown[]> = {}
  const rows: Record<string, string[]> = {}
  const parked: string[] = []
  let folded = 0n
  const deadLetters = await DeadLetters.open(state)
  for (const generation of everyGeneration()) {
    const { projection } = generation
    const spec = stateTableOf(generation)
    const table = spec && (await state.table(spec))
    const ports: DeliveryPorts = {
      ...{ log, commits: state.commits, states: table, deadLetters, analytics: writesTo(rows), codec },
      ...{ vault: simVault(), at: () => undefined, database: 'history' },
      world: { nowMs: () => 0, random: () => 0, sleep: async () => undefined },
    }
    for (const topic of projection.topics) {
      const delivery = new Delivery(generation, { topic, partition: 0 }, ports, new AbortController().signal)
      await delivery.takeOver()
      await deliverAll(log, topic, delivery)
      folded += delivery.record.tally.folded
    }
    const letters = await deadLetters.list(generation.id, 10_000)
    parked.push(...letters.map(({ detail, position }) => `${projection.name}@${position}: ${detail}`))
    if (table === undefined) continue
    const standing: unknown[] = []
    for await (const row of table.scan()) standing.push(row)
    states[projection.name] = standing
  }
  return { states, rows, parked, folded }
}

async function deliverAll(log: EventLog, topic: string, delivery: Delivery): Promise<void> {
  for (;;) {
    const from = delivery.record.checkpoint as Position
    const request = { topic, partition: 0, from, bytesMax: 1e9, recordsMax: BATCH_RECORDS, waitMs: 0 }
    const { records } = await log.read(request)
    if (records.length === 0) return
    await delivery.deliver(await delivery.prepare(records))
  }
}

/** Which schema a record was written with, and the bytes inside a replay, are all that may differ. */
const SCHEMA_COLUMN = 'schema_id'
const INNER_BYTES = /"value":"[A-Za-z0-9+/=]*"/

function writesTo(rows: Record<string, string[]>): AnalyticsStore {
  return {
    engine: 'sim',
    own: async () => 'owned',
    insert: async ({ table, columns, body }: LandingInsert) => {
      const at = columns.indexOf(SCHEMA_COLUMN)
      const lines = body.toString().split('\n').slice(0, -1)
      const kept = lines.map((line) => {
        const cells = line.split('\t').filter((_, i) => i !== at)
        return cells.join('\t').replace(INNER_BYTES, '')
      })
      rows[table] = [...(rows[table] ?? []), ...kept]
      return 'inserted'
    },
    blocks: async () => 0n,
    audit: async () => ({ rows: 0n, sum: 0n }),
    ping: async () => undefined,
    close: async () => undefined,
  }
}
