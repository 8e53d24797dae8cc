/**
 * Where a key's events are, and where the log was at a moment: asked of the table `events`, which has a row for each
 * position of the log, so that nothing has to be read through. It is as far as projection `events` is: what lies behind
 * that is read from the log itself.
 */

import { DuplicateWindow } from '../../consumers/duplicates.ts'
import type { HistoryRecord } from '../../consumers/history.ts'
import type { EventLog, LogRecord, Position, TopicPartition } from '../../log/log.ts'
import type { EventCodec } from '../../schemas/index.ts'
import { REPLAY_LIMITS } from './limits.ts'
import { Refused } from './operator.ts'

export interface Moment {
  /** The log's clock; undefined: now. */
  readonly untilMs?: number | undefined
  /** A position of the key's partition, inclusive. */
  readonly untilPosition?: bigint | undefined
}

export interface IndexPorts {
  readonly log: EventLog
  readonly codec: Pick<EventCodec, 'decode'>
  query<T>(sql: string, parameters?: Record<string, unknown>): Promise<readonly T[]>
  /** How far the table is, by partition of the topic. */
  indexed(topic: string, partition: number): Promise<bigint>
  /** Ends a look early. */
  readonly signal?: AbortSignal | undefined
  /** More records of one key than this are refused. */
  readonly recordsMax?: number | undefined
}

interface Found {
  readonly place: string
  readonly what: string
}

/** Keys of the records of one session; more than one if its id was used by several profiles. */
export async function keysOfSession(ports: IndexPorts, topic: string, session: string): Promise<readonly string[]> {
  const places = await Promise.all(
    (await ports.log.bounds(topic)).map(async ({ partition, end }) => {
      return { partition, end, from: await ports.indexed(topic, partition) }
    }),
  )
  const rows = await ports.query<{ key: string }>(
    'SELECT DISTINCT key FROM events WHERE session_id = {session:String} AND topic = {topic:String} ORDER BY key LIMIT 100',
    { session, topic },
  )
  const keys = new Set(rows.map(({ key }) => key))
  for (const { partition, end, from } of places) {
    for await (const { key, value } of through(ports, topic, partition, [from, end])) {
      if (key !== null && !keys.has(key) && isOfSession(ports, value, session)) keys.add(key)
    }
  }
  return [...keys].sort()
}

function isOfSession({ codec }: IndexPorts, value: Buffer, session: string): boolean {
  const decoded = codec.decode(value)
  return decoded.ok && (decoded.event as { sessionId?: string | null }).sessionId === session
}

/** The key's records up to the moment, in the order of the log. */
export async function recordsOfKey(
  ports: IndexPorts,
  { topic, key, partition }: { readonly topic: string; readonly key: string; readonly partition: number },
  moment: Moment,
): Promise<readonly HistoryRecord[]> {
  const end = await endOf(ports, topic, partition, moment)
  // Before the table is asked: what it takes meanwhile is found twice rather than not at all.
  const from = await ports.indexed(topic, partition)
  const rows = await ports.query<Found>(
    `SELECT toString(position) AS place, toString(fate) AS what FROM events
     WHERE topic = {topic:String} AND partition = {partition:UInt16} AND key = {key:String} AND position < {end:UInt64}
     ORDER BY position`,
    { topic, partition, key, end: String(end) },
  )
  refuseMany(rows.length, ports.recordsMax)
  const duplicates = new Set(rows.filter(({ what }) => what === 'duplicate').map(({ place }) => place))
  const indexed = await readAt(
    ports,
    topic,
    partition,
    rows.map(({ place }) => BigInt(place)),
  )
  const late = from < end ? await readThrough(ports, topic, partition, key, [from, end]) : []
  // What is at or behind `from` may be in the table already: it is written before its checkpoint.
  const known = new Set(rows.map(({ place }) => place))
  // Copies of an event have its key: the log's own rule says of these records what it says of all.
  const window = new DuplicateWindow()
  return [...indexed, ...late.filter(({ position }) => !known.has(String(position)))].map((record) => {
    const again = window.seen(record.value, record.position)
    return { topic, partition, record, duplicate: again || duplicates.has(String(record.position)) }
  })
}

/** Where the log's clock (the running maximum of the records' times) passes the moment. */
async function endOf(
  ports: IndexPorts,
  topic: string,
  partition: number,
  { untilMs, untilPosition }: Moment,
): Promise<bigint> {
  const { log, query, indexed } = ports
  const bounds = (await log.bounds(topic)).find((one) => one.partition === partition)
  const end = bounds?.end ?? 0n
  if (untilPosition !== undefined) return untilPosition + 1n < end ? untilPosition + 1n : end
  if (untilMs === undefined) return end
  const from = await indexed(topic, partition)
  const [row] = await query<{ n: string; first: string }>(
    `SELECT toString(count()) AS n, toString(min(position)) AS first FROM events
     WHERE topic = {topic:String} AND partition = {partition:UInt16} AND received_at > fromUnixTimestamp64Milli({until:Int64})`,
    { topic, partition, until: String(untilMs) },
  )
  if (row !== undefined && row.n !== '0') return BigInt(row.first)
  for await (const { position, timestampMs } of through(ports, topic, partition, [from, end])) {
    if (timestampMs > untilMs) return position
  }
  return end
}

/** What the log's clock said when it took the record at the position; where there is none, 0. */
export async function clockAt(
  { log }: IndexPorts,
  { topic, partition }: TopicPartition,
  position: bigint,
): Promise<number> {
  const { readBytesMax: bytesMax } = REPLAY_LIMITS
  const from = position as Position
  const { records } = await log.read({ topic, partition, from, to: position, recordsMax: 1, bytesMax, waitMs: 0 })
  return records[0]?.timestampMs ?? 0
}

async function readAt(
  ports: IndexPorts,
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
    for await (const record of through(ports, topic, partition, [positions[i]!, positions[last]! + 1n])) {
      if (wanted.has(record.position)) found.push(record)
    }
    i = last + 1
  }
  return found
}

async function readThrough(
  ports: IndexPorts,
  topic: string,
  partition: number,
  key: string,
  range: readonly [bigint, bigint],
): Promise<readonly LogRecord[]> {
  const found: LogRecord[] = []
  for await (const record of through(ports, topic, partition, range)) if (record.key === key) found.push(record)
  refuseMany(found.length, ports.recordsMax)
  return found
}

async function* through(
  { log, signal }: IndexPorts,
  topic: string,
  partition: number,
  [from, end]: readonly [bigint, bigint],
): AsyncGenerator<LogRecord> {
  const { readRecordsMax: recordsMax, readBytesMax: bytesMax } = REPLAY_LIMITS
  for (let at = from as Position; at < end; ) {
    signal?.throwIfAborted()
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

function refuseMany(records: number, recordsMax: number | undefined): void {
  if (recordsMax === undefined || records <= recordsMax) return
  throw new Refused(
    'NOT_NOW',
    `Its key has more than ${recordsMax} events: ask with \`playhead at\` or \`playhead why\`.`,
  )
}
