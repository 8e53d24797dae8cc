/** How titles come into the catalogue: a title's record, whole; the last one counts. */
import type { EventCodec, Invalid, NewEvent } from '../schemas/index.ts'
import type { Made } from './progress.ts'
import { toRecord } from './record.ts'
import { type Arrival, type Claim, stampMeta } from './stamp.ts'

export type MadeTitle = ({ readonly ok: true } & Made) | Invalid

/** `fields` is JSON from outside, with its titleId; it may not say who wrote it. */
export function registerTitle(
  ports: { readonly codec: EventCodec; readonly mint: () => string },
  arrival: Arrival,
  claim: Claim,
  fields: unknown,
  by: string,
): MadeTitle {
  const checked = ports.codec.validate('TitleRegistered', fields, { without: ['meta', 'by'] })
  if (!checked.ok) return checked
  const meta = stampMeta(arrival, claim, ports.mint)
  const event = { ...checked.event, meta, by } as NewEvent
  return { ok: true, meta, record: toRecord(ports.codec, event) }
}
