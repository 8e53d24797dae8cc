/**
 * Step 3, first half: what becomes of each record. A record is *folded*, a *duplicate*, or *parked* with a cause. What
 * can't be reached (a schema registry) is waited for, never parked.
 */
import type { LogRecord, TopicPartition } from '../log/log.ts'
import type { Entry } from '../projections/projection.ts'
import type { EventCodec, EventType } from '../schemas/index.ts'
import { BREATHE_EVERY, breathe } from './breathe.ts'
import type { DuplicateWindow } from './duplicates.ts'
import { inside, isReplayed, REPLAYED } from './replayed.ts'

/** An event that can't be folded, on its way to the dead letters. */
export interface ParkedRecord {
  readonly record: LogRecord
  readonly cause: 'frame' | 'unknown-schema' | 'body' | 'fold'
  readonly detail: string
}

/** An entry of the log with its record; one object, for there is one for each record. */
export interface Decision extends Entry {
  readonly record: LogRecord
  readonly parked: ParkedRecord | undefined
}

export interface Deciding {
  readonly codec: EventCodec
  readonly window: DuplicateWindow
  /** Types that the projection reads; undefined: all. */
  readonly reads?: ReadonlySet<EventType> | undefined
  /** Name of the projection: what is replayed for another is nothing to it. */
  readonly name?: string
  /** A redo obeys the parked positions of its intent exactly. */
  readonly obey: ReadonlySet<bigint> | undefined
  /** Fetches a writer schema that is not known yet; false: there is none. Retries by itself. */
  learn(schemaId: number): Promise<boolean>
}

export async function decide(
  records: readonly LogRecord[],
  place: TopicPartition,
  deciding: Deciding,
): Promise<Decision[]> {
  const decisions: Decision[] = []
  for (const record of records) {
    if (decisions.length % BREATHE_EVERY === BREATHE_EVERY - 1) await breathe()
    const again = deciding.window.seen(record.value, record.position)
    if (isNothing(record, deciding)) {
      decisions.push(decision(record, place, again ? 'duplicate' : 'folded', undefined, undefined, undefined))
      continue
    }
    if (again) {
      decisions.push(duplicate(record, place, deciding))
      continue
    }
    const pending = decideOne(record, place, deciding)
    decisions.push(pending instanceof Promise ? await pending : pending)
  }
  return decisions
}

/** A type that the projection does not read. What can't be told without decoding is decoded. */
function isNothing({ value, position }: LogRecord, { reads, codec, obey }: Deciding): boolean {
  if (reads === undefined || obey?.has(position)) return false
  const type = codec.typeOf(value)
  return type !== undefined && type !== 'unknown' && type !== REPLAYED && !reads.has(type)
}

function decideOne(record: LogRecord, place: TopicPartition, deciding: Deciding): Decision | Promise<Decision> {
  const outer = deciding.codec.decode(record.value)
  const decoded = (outer.ok && isReplayed(outer.event) && inside(deciding.codec, outer.event, deciding.name)) || outer
  if (decoded.ok) {
    if (!deciding.obey?.has(record.position)) {
      return decision(record, place, 'folded', decoded.schemaId, decoded.event, undefined)
    }
    return park(
      record,
      place,
      { record, cause: 'fold', detail: 'parked by the batch that is redone' },
      decoded.schemaId,
    )
  }
  const { cause, detail, schemaId } = decoded
  if (cause === 'unknown-schema' && schemaId !== undefined) return learned(record, place, deciding, schemaId, detail)
  return park(record, place, { record, cause, detail }, schemaId)
}

async function learned(
  record: LogRecord,
  place: TopicPartition,
  deciding: Deciding,
  schemaId: number,
  detail: string,
): Promise<Decision> {
  if (await deciding.learn(schemaId)) return decideOne(record, place, deciding)
  return park(record, place, { record, cause: 'unknown-schema', detail }, schemaId)
}

/** A duplicate is still decoded, so that a journal can show what it was. */
function duplicate(record: LogRecord, place: TopicPartition, deciding: Deciding): Decision {
  const decoded = deciding.codec.decode(record.value)
  const event = decoded.ok ? decoded.event : undefined
  return decision(record, place, 'duplicate', decoded.schemaId, event, undefined)
}

function park(record: LogRecord, place: TopicPartition, parked: ParkedRecord, schemaId: number | undefined): Decision {
  return decision(record, place, 'parked', schemaId, undefined, parked)
}

/** The fold threw: the same record, parked after all. */
export function parkFolded({ record, schemaId }: Decision, place: TopicPartition, detail: string): Decision {
  return park(record, place, { record, cause: 'fold', detail }, schemaId)
}

function decision(
  record: LogRecord,
  { topic, partition }: TopicPartition,
  fate: Entry['fate'],
  schemaId: number | undefined,
  event: Entry['event'],
  parked: ParkedRecord | undefined,
): Decision {
  const { position, timestampMs, key } = record
  return { topic, partition, position, timestampMs, key, fate, schemaId, event, record, parked }
}
