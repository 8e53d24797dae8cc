/**
 * A record that was parked and is sent again: it stands in the log under a new event id, with the original's bytes (or
 * mended ones) inside. To the projection that it is for, it is what is inside; to others it is nothing.
 */
import type { Decoded, EventCodec, EventOf, PlayheadEvent } from '../schemas/index.ts'

export const REPLAYED = 'ReplayedEvent'

export function isReplayed(event: PlayheadEvent): event is EventOf<'ReplayedEvent'> {
  return event.type === REPLAYED
}

/** What is inside, for this projection; undefined: it is for another. One inside another is opened once only. */
export function inside(
  codec: EventCodec,
  { projection, value }: EventOf<'ReplayedEvent'>,
  name: string | undefined,
): Decoded | undefined {
  if (projection !== null && projection !== name) return undefined
  return codec.decode(Buffer.from(value))
}
