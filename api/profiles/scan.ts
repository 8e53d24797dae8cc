/**
 * A profile's events in the log. The log has no index: the one partition that holds the key is read from its start, and
 * only records of the key are decoded. What is still to be read is a list of ranges, fixed when an export begins; a
 * cursor is that list, so the next answer goes on exactly where the last one ended.
 */
import type { EventLog, LogRecord, Position, TopicPartition } from '../../log/log.ts'
import { partitionOf } from '../../log/partition.ts'
import type { Opener } from '../../producers/personal.ts'
import { streamAccountOf } from '../../producers/streams.ts'
import type { EventCodec, PlayheadEvent } from '../../schemas/index.ts'
import { PROFILE_LIMITS } from './limits.ts'

/** Where the profile is the key of its records. */
const OWN_TOPICS = ['playback-events', 'exposure-events'] as const
/** Where the account is, and the event names the profile. */
const ACCOUNT_TOPIC = 'account-events'

export interface Range extends TopicPartition {
  readonly from: Position
  /** Exclusive. */
  readonly to: Position
}

export interface Whose {
  readonly profileId: string
  /** Without it, stream slots are not looked for. */
  readonly accountId: string | undefined
}

export interface ScanPorts {
  readonly log: EventLog
  readonly codec: EventCodec
  readonly opener: Opener
}

export interface FoundEvent extends TopicPartition {
  readonly position: string
  readonly timestamp: string
  readonly event?: object
  /** The bytes fit no schema that is known here. */
  readonly undecodable?: string
  readonly value?: string
}

export async function rangesOf(log: EventLog, { profileId, accountId }: Whose): Promise<readonly Range[]> {
  const topics = await log.topics()
  const keys = new Map<string, string>(OWN_TOPICS.map((topic) => [topic, profileId]))
  if (accountId !== undefined) keys.set(ACCOUNT_TOPIC, streamAccountOf(accountId))
  const ranges: Range[] = []
  for (const [topic, key] of keys) {
    const partitions = topics.find((spec) => spec.topic === topic)?.partitions
    if (partitions === undefined) continue
    const partition = partitionOf(key, partitions)
    const bounds = (await log.bounds(topic)).find((b) => b.partition === partition)
    if (bounds !== undefined) ranges.push({ topic, partition, from: bounds.start, to: bounds.end })
  }
  return ranges
}

export function isRangeTopic(topic: string): boolean {
  return topic === ACCOUNT_TOPIC || OWN_TOPICS.some((own) => own === topic)
}

/** One read of the log: the profile's events in it, and where to read on. */
export async function readRange(
  ports: ScanPorts,
  whose: Whose,
  { topic, partition, from, to }: Range,
): Promise<{ readonly events: readonly FoundEvent[]; readonly next: Position }> {
  const answer = await ports.log.read({
    topic,
    partition,
    from,
    to: to - 1n,
    recordsMax: PROFILE_LIMITS.readRecordsMax,
    bytesMax: PROFILE_LIMITS.readBytesMax,
    waitMs: 0,
  })
  const account = whose.accountId === undefined ? undefined : streamAccountOf(whose.accountId)
  const key = topic === ACCOUNT_TOPIC ? account : whose.profileId
  const found: { readonly record: LogRecord; readonly event: PlayheadEvent | string }[] = []
  for (const record of answer.records) {
    if (key === undefined || record.key !== key) continue
    const decoded = await decode(ports.codec, record.value)
    if (topic !== ACCOUNT_TOPIC || (typeof decoded !== 'string' && namesProfile(decoded, whose.profileId)))
      found.push({ record, event: decoded })
  }
  const opened = await openAll(
    ports,
    whose,
    found.map(({ event }) => event),
  )
  const events = found.map(({ record, event }, index): FoundEvent => {
    const place = {
      topic,
      partition,
      position: String(record.position),
      timestamp: new Date(record.timestampMs).toISOString(),
    }
    if (typeof event === 'string') return { ...place, undecodable: event, value: record.value.toString('base64') }
    return { ...place, event: opened[index] ?? event }
  })
  // A range that ends in a gap has no record to read on from.
  return { events, next: answer.records.length === 0 && answer.next <= from ? to : answer.next }
}

async function decode(codec: EventCodec, value: Buffer): Promise<PlayheadEvent | string> {
  let decoded = codec.decode(value)
  if (!decoded.ok && decoded.cause === 'unknown-schema' && decoded.schemaId !== undefined) {
    if (await codec.learn(decoded.schemaId)) decoded = codec.decode(value)
  }
  return decoded.ok ? decoded.event : decoded.detail
}

function namesProfile(event: PlayheadEvent, profileId: string): boolean {
  return 'profileId' in event && event.profileId === profileId
}

/** Each event with its personal fields in the clear, or with the word for it that they are gone. */
async function openAll(
  { opener }: ScanPorts,
  whose: Whose,
  events: readonly (PlayheadEvent | string)[],
): Promise<readonly (object | undefined)[]> {
  const batch = events.flatMap((event, index) => {
    if (typeof event === 'string' || !('personal' in event) || event.personal === null) return []
    return [{ index, event, profileId: whose.profileId, personal: event.personal }]
  })
  const opened = await opener.open(batch)
  const answer = new Map(batch.map(({ index, event }, i) => [index, { ...event, personal: opened[i] }]))
  return events.map((_, index) => answer.get(index))
}
