/**
 * What becomes of generations, as events. A request and the first promotion of a generation that an engine begins with
 * have ids that follow from the generation's, so that two processes that both begin it say it once.
 */
import type { NewRecord } from '../log/log.ts'
import type { EventCodec, Meta } from '../schemas/index.ts'
import { deriveEventId } from './ids.ts'
import { toRecord } from './record.ts'
import { type Arrival, stampMeta } from './stamp.ts'

export interface GenerationAsked {
  readonly projection: string
  readonly generationId: string
  readonly foldVersion: number
  readonly parameters: Readonly<Record<string, number>>
  readonly build: string | null
  readonly untilMs: number | null
  readonly recordsPerSecond: number | null
}

export interface Who {
  readonly by: string | null
  readonly reason: string | null
}

export interface GenerationPorts {
  readonly codec: EventCodec
  readonly mint: () => string
}

export function generationRequested(
  { codec }: GenerationPorts,
  arrival: Arrival,
  { untilMs, parameters, ...asked }: GenerationAsked,
  who: Who,
): NewRecord {
  const meta = derived(arrival, 'generation-requested', asked.generationId)
  const subject = subjectOf(asked.projection)
  return toRecord(codec, {
    type: 'GenerationRequested',
    meta,
    subject,
    ...asked,
    parameters: { ...parameters },
    until: untilMs,
    ...who,
  })
}

export interface Promotion {
  readonly projection: string
  readonly generationId: string
  readonly previousGenerationId: string | null
  readonly digest: string | null
}

/** `once`: the first promotion of a generation, by whoever begins it. */
export function generationPromoted(
  { codec, mint }: GenerationPorts,
  arrival: Arrival,
  promotion: Promotion,
  who: Who,
  once: boolean,
): NewRecord {
  const meta = once
    ? derived(arrival, 'generation-promoted', promotion.generationId)
    : stampMeta(arrival, { occurredAtMs: arrival.receivedAtMs }, mint)
  return toRecord(codec, {
    type: 'GenerationPromoted',
    meta,
    subject: subjectOf(promotion.projection),
    ...promotion,
    ...who,
  })
}

export function generationActed(
  { codec, mint }: GenerationPorts,
  arrival: Arrival,
  projection: string,
  action: string,
  details: Readonly<Record<string, string>>,
  who: Who,
): NewRecord {
  const meta = stampMeta(arrival, { occurredAtMs: arrival.receivedAtMs }, mint)
  return toRecord(codec, {
    type: 'OperatorActed',
    meta,
    subject: subjectOf(projection),
    action,
    details: { ...details },
    ...who,
  })
}

function subjectOf(projection: string): string {
  return `projection:${projection}`
}

function derived(arrival: Arrival, kind: string, generationId: string): Meta {
  const eventId = deriveEventId(kind, generationId)
  return stampMeta(arrival, { eventId, occurredAtMs: arrival.receivedAtMs }, () => eventId)
}
