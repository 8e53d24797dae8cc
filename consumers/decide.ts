/**
 * Step 3, first half: what becomes of each record. A record is *folded*, a *duplicate*, or *parked* with a cause. What
 * can't be reached (a schema registry) is waited for, never parked.
 */
import type { LogRecord, TopicPartition } from '../log/log.ts'
import type { Entry } from '../projections/projection.ts'
import type { EventCodec } from '../schemas/index.ts'
import { BREATHE_EVERY, breathe } from './breathe.ts'
import type { DuplicateWindow } from './duplicates.ts'

/** An event that can't be folded, on its way to the dead letters. */
export interface ParkedRecord {
  readonly record: LogRecord
  readonly cause: 'frame' | 'unknown-schema' | 'body' | 'fold'
  readonly detail: string
}

export interface Decision {
  readonly record: LogRecord
  readonly entry: Entry
  readonly parked: ParkedRecord | undefined
}

export interface Deciding {
  readonly codec: EventCodec
  readonly window: DuplicateWindow
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
    if (deciding.window.seen(record.value, record.position)) {
      decisions.push(await decodedDuplicate(record, place, deciding))
      continue
    }
    const pending = decideOne(record, place, deciding)
    decisions.push(pending instanceof Promise ? await pending : pending)
  }
  return decisions
}

function decideOne(record: LogRecord, place: TopicPartition, deciding: Deciding): Decision | Promise<Decision> {
  const decoded = deciding.codec.decode(record.value)
  if (decoded.ok) {
    const entry = entryOf(record, place, 'folded', decoded.schemaId, decoded.event)
    if (!deciding.obey?.has(record.position)) return { record, entry, parked: undefined }
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
async function decodedDuplicate(record: LogRecord, place: TopicPartition, deciding: Deciding): Promise<Decision> {
  const decoded = deciding.codec.decode(record.value)
  const event = decoded.ok ? decoded.event : undefined
  return { record, entry: entryOf(record, place, 'duplicate', decoded.schemaId, event), parked: undefined }
}

function park(record: LogRecord, place: TopicPartition, parked: ParkedRecord, schemaId: number | undefined): Decision {
  return { record, entry: entryOf(record, place, 'parked', schemaId, undefined), parked }
}

/** The fold threw: the same record, parked after all. */
export function parkFolded(decision: Decision, place: TopicPartition, detail: string): Decision {
  const parked: ParkedRecord = { record: decision.record, cause: 'fold', detail }
  return park(decision.record, place, parked, decision.entry.schemaId)
}

function entryOf(
  record: LogRecord,
  { topic, partition }: TopicPartition,
  fate: Entry['fate'],
  schemaId: number | undefined,
  event: Entry['event'],
): Entry {
  const { position, timestampMs, key } = record
  return { topic, partition, position, timestampMs, key, fate, schemaId, event }
}
