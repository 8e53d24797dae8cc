/**
 * The tables that are read, held against the log: keys (a sample of them, or all) are folded afresh and compared with what
 * stands. What is named is a difference for sure: a row that was written while it was looked at is looked at again.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { stateTableOf } from '../../consumers/generation.ts'
import { type HistoryRecord, historyOf, type Named, shownOf } from '../../consumers/history.ts'
import { partitionOf } from '../../log/partition.ts'
import type { Projection } from '../../projections/projection.ts'
import type { ColumnValue, StateTable } from '../../stores/state.ts'
import { indexPorts } from './ask.ts'
import { type IndexPorts, recordsOfKey } from './index-of-events.ts'
import { REPLAY_LIMITS } from './limits.ts'
import type { OpenReplay } from './open.ts'
import { Refused } from './operator.ts'

export interface Mismatch {
  readonly projection: string
  readonly key: Named
  readonly what: 'missing' | 'differs'
  readonly columns: readonly { readonly name: string; readonly stands: unknown; readonly should: unknown }[]
  /** The events behind it, the last ones: `topic/partition@position`. */
  readonly events: readonly string[]
}

export interface Verified {
  readonly projection: string
  readonly keys: number
  readonly rows: number
  readonly mismatches: readonly Mismatch[]
}

export interface VerifyOptions {
  /** Per ten thousand of the keys. */
  readonly permyriad: number
  readonly signal: AbortSignal
  looked(keys: number, of: number): void
}

export async function verify(replay: OpenReplay, projection: string, options: VerifyOptions): Promise<Verified> {
  const { read } = await replay.operator.plan(projection)
  const [topic] = read.projection.topics
  const spec = stateTableOf(read)
  if (spec === undefined || topic === undefined || read.projection.keyed === undefined) {
    throw new Refused(
      'NOT_NOW',
      `${projection} keeps no states; its rows are audited all the time (\`playhead status\`).`,
    )
  }
  const ports = await indexPorts(replay)
  const table = await replay.state.table(spec)
  const vault = await replay.vault()
  const keys = await sampled(ports, topic, options.permyriad)
  const partitions = (await replay.log.bounds(topic)).length
  const found: Mismatch[] = []
  let rows = 0
  for (const [i, key] of keys.entries()) {
    options.signal.throwIfAborted()
    options.looked(i, keys.length)
    const place = { topic, key, partition: partitionOf(key, partitions) }
    const record = () => replay.state.commits.read({ generation: read.id, topic, partition: place.partition })
    const checkpoint = async () => (await record())?.checkpoint ?? 0n
    const busy = async () => (await record())?.intent !== undefined
    const looked = await verifyKey(
      { ports, table, projection: read.projection, codec: replay.codec, vault, checkpoint, busy },
      place,
    )
    rows += looked.rows
    found.push(...looked.mismatches)
  }
  return { projection, keys: keys.length, rows, mismatches: found }
}

interface KeyPorts {
  readonly ports: IndexPorts
  readonly table: StateTable
  readonly projection: Projection
  readonly codec: OpenReplay['codec']
  readonly vault: Awaited<ReturnType<OpenReplay['vault']>>
  checkpoint(): Promise<bigint>
  /** Whether a batch was begun: some of its rows may be written. */
  busy(): Promise<boolean>
}

type Place = { readonly topic: string; readonly key: string; readonly partition: number }

async function verifyKey(of: KeyPorts, place: Place): Promise<{ rows: number; mismatches: readonly Mismatch[] }> {
  for (let time = 0; ; time++) {
    const before = await of.checkpoint()
    const until = { untilPosition: before - 1n }
    const records = before === 0n ? [] : await recordsOfKey(of.ports, place, until)
    const looked = await compareKey(of, records)
    if (looked.mismatches.length === 0 || time >= REPLAY_LIMITS.verifyTimes) return looked
    // It may have been written meanwhile: only what stays, with no batch under way, is told.
    if ((await of.checkpoint()) === before && !(await of.busy())) return looked
    await sleep(REPLAY_LIMITS.settlePauseMs)
  }
}

async function compareKey({ projection, codec, vault, table }: KeyPorts, records: readonly HistoryRecord[]) {
  const ports = { codec, vault, name: projection.name, wanted: () => true, steps: false }
  const { states } = await historyOf(projection, records, ports)
  const keyed = projection.keyed!
  const names = keyed.shape.columns.map(({ name }) => name)
  const rows = await table.get(states.map(({ key }) => key as ColumnValue[]))
  const nowMs = Date.now()
  const mismatches: Mismatch[] = []
  for (const [i, { key, state }] of states.entries()) {
    const expiresAtMs = keyed.expiresAtMs?.(state)
    if (expiresAtMs !== undefined && expiresAtMs <= nowMs) continue
    const should = keyed.toColumns(state)
    const stands = rows[i]?.columns
    const columns = names.flatMap((name, c) =>
      stands !== undefined && textOf(stands[c]) === textOf(should[c])
        ? []
        : [{ name, stands: stands?.[c] ?? null, should: should[c] ?? null }],
    )
    if (columns.length === 0) continue
    mismatches.push({
      projection: projection.name,
      key: shownOf(keyed, key, state).key,
      what: stands === undefined ? 'missing' : 'differs',
      columns: stands === undefined ? [] : columns,
      events: behind(projection, codec, key, records),
    })
  }
  return { rows: states.length, mismatches }
}

/** Where the last events of this key are. */
function behind(
  { keyed }: Projection,
  codec: OpenReplay['codec'],
  key: readonly unknown[],
  records: readonly HistoryRecord[],
): readonly string[] {
  const wanted = JSON.stringify(key)
  return records
    .filter(({ record }) => {
      const decoded = codec.decode(record.value)
      return decoded.ok && JSON.stringify(keyed?.key(decoded.event) ?? null) === wanted
    })
    .slice(-REPLAY_LIMITS.eventsNamed)
    .map(({ topic, partition, record }) => `${topic}/${partition}@${record.position}`)
}

async function sampled({ query }: IndexPorts, topic: string, permyriad: number): Promise<readonly string[]> {
  const rows = await query<{ key: string }>(
    `SELECT DISTINCT key FROM events WHERE topic = {topic:String} AND key != '' AND sipHash64(key) % 10000 < {share:UInt32}
     ORDER BY key`,
    { topic, share: permyriad },
  )
  return rows.map(({ key }) => key)
}

function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  return typeof value === 'bigint' ? `${value}n` : JSON.stringify(value ?? null)
}
