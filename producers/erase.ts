/** The event that begins an erasure: every table forgets the profile up to here, and then its key is destroyed. */
import type { NewRecord } from '../log/log.ts'
import type { EventCodec, Meta } from '../schemas/index.ts'
import { toRecord } from './record.ts'
import { type Arrival, stampMeta } from './stamp.ts'

export interface Erasure {
  readonly profileId: string
  readonly reason: string | null
  /** Name of the key, token or person that asked. */
  readonly by: string | null
}

export function eraseProfile(
  ports: { readonly codec: EventCodec; readonly mint: () => string },
  arrival: Arrival,
  erasure: Erasure,
): { readonly record: NewRecord; readonly meta: Meta } {
  const meta = stampMeta(arrival, {}, ports.mint)
  return { meta, record: toRecord(ports.codec, { type: 'ProfileErased', meta, ...erasure }) }
}
