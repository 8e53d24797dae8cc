/** How progress events are made: what an application says of a profile's place in a title. */
import type { NewRecord } from '../log/log.ts'
import type { EventCodec, Meta, Personal, PlayedRange, TitleFacts } from '../schemas/index.ts'
import { toRecord } from './record.ts'
import { type Arrival, type Claim, stampMeta } from './stamp.ts'

export interface ProgressPorts {
  readonly codec: EventCodec
  readonly mint: () => string
}

export interface WhoAndWhat {
  readonly profileId: string
  readonly titleId: string
  /** Sealed already where the profile's key seals it. */
  readonly personal: Personal | null
}

export interface ProgressReport extends WhoAndWhat {
  readonly positionMs: number
  readonly durationMs: number | null
  readonly sessionId: string | null
  readonly played: readonly PlayedRange[]
  readonly facts: TitleFacts | null
}

/** A record that is ready for the log, and what its writer has to answer of it. */
export interface Made {
  readonly record: NewRecord
  readonly meta: Meta
}

export function reportProgress(ports: ProgressPorts, arrival: Arrival, claim: Claim, report: ProgressReport): Made {
  const meta = stampMeta(arrival, claim, ports.mint)
  return { meta, record: toRecord(ports.codec, { type: 'ProgressReported', meta, ...report }) }
}

export function clearProgress(ports: ProgressPorts, arrival: Arrival, claim: Claim, what: WhoAndWhat): Made {
  const meta = stampMeta(arrival, claim, ports.mint)
  return { meta, record: toRecord(ports.codec, { type: 'ProgressCleared', meta, ...what }) }
}

export function markWatched(
  ports: ProgressPorts,
  arrival: Arrival,
  claim: Claim,
  what: WhoAndWhat & { readonly watched: boolean; readonly facts: TitleFacts | null },
): Made {
  const meta = stampMeta(arrival, claim, ports.mint)
  return { meta, record: toRecord(ports.codec, { type: 'MarkedWatched', meta, ...what }) }
}
