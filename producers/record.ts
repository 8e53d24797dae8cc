/** The last step of every producer: an event becomes a record of the log, with its topic, its key and its bytes. */
import type { NewRecord } from '../log/log.ts'
import { type EventCodec, keyOf, type NewEvent, topicOf } from '../schemas/index.ts'

/** The record's time is the time of receipt: retention and the log's own clock go by it, never by a device's clock. */
export function toRecord(codec: EventCodec, event: NewEvent): NewRecord {
  return { topic: topicOf(event), key: keyOf(event), value: codec.encode(event), timestampMs: event.meta.receivedAt }
}
