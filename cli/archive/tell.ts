/** What people read of a record in an archive. */
import type { Told } from '../../log/archive/row.ts'
import type { EventCodec } from '../../schemas/index.ts'
import { toJson } from '../json.ts'

export function teller(codec: EventCodec): (value: Buffer) => Promise<Told | undefined> | Told | undefined {
  const told = (value: Buffer): Told | undefined => {
    const decoded = codec.decode(value)
    if (!decoded.ok) return undefined
    const { event } = decoded
    const { eventId, occurredAt } = event.meta
    return { type: event.type, eventId, occurredAtMs: occurredAt, event: toJson(event) }
  }
  return (value) => {
    const decoded = codec.decode(value)
    if (decoded.ok || decoded.cause !== 'unknown-schema' || decoded.schemaId === undefined) return told(value)
    return codec.learn(decoded.schemaId).then((known) => (known ? told(value) : undefined))
  }
}
