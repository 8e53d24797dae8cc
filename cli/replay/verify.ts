/**
 * The tables that are read, held against the log: keys (a sample of them, or all) are folded afresh and compared with what
 * stands. What is named is a difference for sure: a row that was written while it was looked at is looked at again.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { type Generation, stateTableOf } from '../../consumers/generation.ts'
import { type HistoryRecord, historyOf, type Named, shownOf } from '../../consumers/history.ts'
import { partitionOf } from '../../log/partition.ts'
import type { Projection } from '../../projections/projection.ts'
import type { ColumnValue, StateTable } from '../../stores/state.ts'
import { indexPorts } from './ask.ts'
import { type IndexPorts, recordsOfKey } from './index-of-events.ts'
import { REPLAY_LIMITS } from './limits.ts'
import type { ReplayPorts } from './open.ts'
import { Refused } from './operator.ts'

export interface Mismatch {
  readonly projection: string
  readonly key: Named
  readonly what: 'missing' | 'differs'
  readonly columns: readonly { readonly name: string; readonly stands: unknown; readonly should: unknown }[]
  /** Of the row that stands. */
  readonly version: bigint | undefined
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

export async function verify(replay: ReplayPorts, projection: string, options: VerifyOptions): Promise<Verified> {
  const verifier = await openVerifier(replay, projection)
  if (verifier === undefined) {
    throw new Refused(
      'NOT_NOW',
      `${projection} keeps no states; its rows are audited all the time (\`playhead status\`).`,
    )
  }
  const keys = await sampled(verifier.ports, verifier.topic, options.permyriad)
  const found: Mismatch[] = []
  let rows = 0
  for (const [i, key] of keys.entries()) {
    options.signal.throwIfAborted()
    options.looked(i, keys.length)
    const looked = await verifier.look(key)
    rows += looked.rows
    found.push(...looked.mismatches)
  }
  return { projection, keys: keys.length, rows, mismatches: found }
}

/** One projection's tables, those that are read, beside the log. */
export interface Verifier {
  readonly generation: Generation
  readonly topic: string
  readonly ports: IndexPorts
  /** All states that the records of this key in the log made. */
  look(key: string): Promise<Looked>
}

export interface Looked {
  readonly rows: number
  readonly mismatches: readonly Mismatch[]
}

/** Undefined: it keeps no states. */
export async function openVerifier(replay: ReplayPorts, name: string): Promise<Verifier | undefined> {
  const { read } = await replay.operator.plan(name)
  const { projection } = read
  const [topic] = projection.topics
  const spec = stateTableOf(read)
  if (spec === undefined || topic === undefined || projection.keyed === undefined) return undefined
  const ports = await indexPorts(replay)
  const table = await replay.state.table(spec)
  const vault = await replay.vault()
  const partitions = (await replay.log.bounds(topic)).length
  return {
    generation: read,
    topic,
    ports,
    look: (key) => {
      const place = { topic, key, partition: partitionOf(key, partitions) }
      const record = () => replay.state.commits.read({ generation: read.id, topic, partition: place.partition })
      const checkpoint = async () => (await record())?.checkpoint ?? 0n
      const busy = async () => (await record())?.intent !== undefined
      return verifyKey({ ports, table, projection, codec: replay.codec, vault, checkpoint, busy }, place)
    },
  }
}

interface KeyPorts {
  readonly ports: IndexPorts
  readonly table: StateTable
  readonly projection: Projection
  readonly codec: ReplayPorts['codec']
  readonly vault: Awaited<ReturnType<ReplayPorts['vault']>>
  checkpoint(): Promise<bigint>
  /** Whether a batch was begun: some of its rows may be written. */
  busy(): Promise<boolean>
}

type Place = { readonly topic: string; readonly key: string; readonly partition: number }

async function verifyKey(of: KeyPorts, place: Place): Promise<Looked> {
  for (let time = 0; ; time++) {
    const before = await of.checkpoint()
    // Which records are duplicates is known as far as the table of events is.
    const known = (await of.ports.indexed(place.topic, place.partition)) >= before
    const until = { untilPosition: before - 1n }
    const records = before === 0n ? [] : await recordsOfKey(of.ports, place, until)
    const { rows, mismatches } = await compareKey(of, records)
    if (mismatches.length === 0) return { rows, mismatches }
    // It may have been written meanwhile: only what stays, with no batch under way, is told.
    if (known && (await of.checkpoint()) === before && !(await of.busy())) return { rows, mismatches }
    if (time >= REPLAY_LIMITS.verifyTimes) {
      // The partition never stood still: what was not written since is a difference all the same.
      const sure = mismatches.filter(({ version }) => version === undefined || version < before)
      return { rows, mismatches: known ? sure : [] }
    }
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
      version: rows[i]?.version,
      events: behind(projection, codec, key, records),
    })
  }
  return { rows: states.length, mismatches }
}

/** Where the last events of this key are. */
function behind(
  { keyed }: Projection,
  codec: ReplayPorts['codec'],
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
