/**
 * What becomes of a dead letter, as events. A replay is the same record again (or a mended one), inside an event whose id
 * follows from what is replayed for whom: replaying it twice says it once, and the second copy is harmless to every fold.
 */
import { createHash } from 'node:crypto'
import type { NewRecord } from '../log/log.ts'
import type { EventCodec } from '../schemas/index.ts'
import { deriveEventId } from './ids.ts'
import { toRecord } from './record.ts'
import { type Arrival, stampMeta } from './stamp.ts'

export interface LetterPlace {
  readonly topic: string
  readonly partition: number
  readonly position: bigint
}

export interface LetterActed {
  readonly by: string | null
  readonly reason: string | null
}

export interface Replay extends LetterPlace {
  readonly projection: string
  /** Of the original: it goes to the same partition, behind what came before. */
  readonly key: string
  /** The original's bytes, or mended ones. */
  readonly value: Uint8Array
}

/** The record itself, and the event that says that it was sent. */
export function letterReplayed(
  codec: EventCodec,
  arrival: Arrival,
  { projection, value, ...place }: Replay,
  who: LetterActed,
): readonly [NewRecord, NewRecord] {
  const digest = createHash('sha256').update(value).digest('hex')
  const replayEventId = deriveEventId('replayed', projection, placeText(place), digest)
  const meta = stampMeta(arrival, { eventId: replayEventId, occurredAtMs: arrival.receivedAtMs }, () => replayEventId)
  const at = { topic: place.topic, partition: place.partition, position: Number(place.position) }
  const again = toRecord(codec, {
    type: 'ReplayedEvent',
    meta,
    ...{ key: place.key, ...at, projection, value: Buffer.from(value), by: who.by },
  })
  const actId = deriveEventId('letter-replayed', replayEventId)
  const act = toRecord(codec, {
    type: 'DeadLetterReplayed',
    meta: stampMeta(arrival, { eventId: actId, occurredAtMs: arrival.receivedAtMs }, () => actId),
    ...{ subject: `projection:${projection}`, projection, ...at, replayEventId, ...who },
  })
  return [again, act]
}

export function letterDiscarded(
  codec: EventCodec,
  arrival: Arrival,
  projection: string,
  place: LetterPlace,
  who: LetterActed,
): NewRecord {
  const eventId = deriveEventId('letter-discarded', projection, placeText(place))
  const at = { topic: place.topic, partition: place.partition, position: Number(place.position) }
  return toRecord(codec, {
    type: 'DeadLetterDiscarded',
    meta: stampMeta(arrival, { eventId, occurredAtMs: arrival.receivedAtMs }, () => eventId),
    ...{ subject: `projection:${projection}`, projection, ...at, ...who },
  })
}

function placeText({ topic, partition, position }: LetterPlace): string {
  return `${topic}/${partition}@${position}`
}
