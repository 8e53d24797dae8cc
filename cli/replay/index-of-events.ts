/**
 * Where a key's events are, and where the log was at a moment: asked of the table `events`, which has a row for each
 * position of the log, so that nothing has to be read through. It is as far as projection `events` is: what lies behind
 * that is read from the log itself.
 */

import type { HistoryRecord } from '../../consumers/history.ts'
import type { EventLog, LogRecord, Position } from '../../log/log.ts'
import { REPLAY_LIMITS } from './limits.ts'

export interface Moment {
  /** The log's clock; undefined: now. */
  readonly untilMs?: number | undefined
  /** A position of the key's partition, inclusive. */
  readonly untilPosition?: bigint | undefined
}

export interface IndexPorts {
  readonly log: EventLog
  query<T>(sql: string, parameters?: Record<string, unknown>): Promise<readonly T[]>
  /** How far the table is, by partition of the topic. */
  indexed(topic: string, partition: number): Promise<bigint>
}

interface Found {
  readonly place: string
  readonly what: string
}

/** Keys of the records of one session; more than one if its id was used by several profiles. */
export async function keysOfSession({ query }: IndexPorts, topic: string, session: string): Promise<readonly string[]> {
  const rows = await query<{ key: string }>(
    'SELECT DISTINCT key FROM events WHERE session_id = {session:String} AND topic = {topic:String} ORDER BY key LIMIT 100',
    { session, topic },
  )
  return rows.map(({ key }) => key)
}

/** The key's records up to the moment, in the order of the log. */
export async function recordsOfKey(
  ports: IndexPorts,
  { topic, key, partition }: { readonly topic: string; readonly key: string; readonly partition: number },
  moment: Moment,
): Promise<readonly HistoryRecord[]> {
  const end = await endOf(ports, topic, partition, moment)
  const rows = await ports.query<Found>(
    `SELECT toString(position) AS place, toString(fate) AS what FROM events
     WHERE topic = {topic:String} AND partition = {partition:UInt16} AND key = {key:String} AND position < {end:UInt64}
     ORDER BY position`,
    { topic, partition, key, end: String(end) },
  )
  const duplicates = new Set(rows.filter(({ what }) => what === 'duplicate').map(({ place }) => place))
  const indexed = await readAt(
    ports.log,
    topic,
    partition,
    rows.map(({ place }) => BigInt(place)),
  )
  const from = await ports.indexed(topic, partition)
  const late = from < end ? await readThrough(ports.log, topic, partition, key, [from, end]) : []
  // What is at or behind `from` may be in the table already: it is written before its checkpoint.
  const known = new Set(rows.map(({ place }) => place))
  return [...indexed, ...late.filter(({ position }) => !known.has(String(position)))].map((record) => ({
    topic,
    partition,
    record,
    duplicate: duplicates.has(String(record.position)),
  }))
}

/** Where the log's clock (the running maximum of the records' times) passes the moment. */
async function endOf(
  { log, query, indexed }: IndexPorts,
  topic: string,
  partition: number,
  { untilMs, untilPosition }: Moment,
): Promise<bigint> {
  const bounds = (await log.bounds(topic)).find((one) => one.partition === partition)
  const end = bounds?.end ?? 0n
  if (untilPosition !== undefined) return untilPosition + 1n < end ? untilPosition + 1n : end
  if (untilMs === undefined) return end
  const [row] = await query<{ n: string; first: string }>(
    `SELECT toString(count()) AS n, toString(min(position)) AS first FROM events
     WHERE topic = {topic:String} AND partition = {partition:UInt16} AND received_at > fromUnixTimestamp64Milli({until:Int64})`,
    { topic, partition, until: String(untilMs) },
  )
  if (row !== undefined && row.n !== '0') return BigInt(row.first)
  const from = await indexed(topic, partition)
  for await (const { position, timestampMs } of through(log, topic, partition, [from, end])) {
    if (timestampMs > untilMs) return position
  }
  return end
}

async function readAt(
  log: EventLog,
  topic: string,
  partition: number,
  positions: readonly bigint[],
): Promise<readonly LogRecord[]> {
  const found: LogRecord[] = []
  for (let i = 0; i < positions.length; ) {
    // Neighbours are read together.
    let last = i
    while (last + 1 < positions.length && positions[last + 1]! - positions[i]! < REPLAY_LIMITS.togetherPositions) last++
    const wanted = new Set(positions.slice(i, last + 1))
    for await (const record of through(log, topic, partition, [positions[i]!, positions[last]! + 1n])) {
      if (wanted.has(record.position)) found.push(record)
    }
    i = last + 1
  }
  return found
}

async function readThrough(
  log: EventLog,
  topic: string,
  partition: number,
  key: string,
  range: readonly [bigint, bigint],
): Promise<readonly LogRecord[]> {
  const found: LogRecord[] = []
  for await (const record of through(log, topic, partition, range)) if (record.key === key) found.push(record)
  return found
}

async function* through(
  log: EventLog,
  topic: string,
  partition: number,
  [from, end]: readonly [bigint, bigint],
): AsyncGenerator<LogRecord> {
  const { readRecordsMax: recordsMax, readBytesMax: bytesMax } = REPLAY_LIMITS
  for (let at = from as Position; at < end; ) {
    const { records, next } = await log.read({
      topic,
      partition,
      from: at,
      to: end - 1n,
      recordsMax,
      bytesMax,
      waitMs: 0,
    })
    yield* records
    if (next <= at) return
    at = next
  }
}
