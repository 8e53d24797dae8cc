/**
 * What every event carries beside what it says: its id, its times, whom it belongs to. Pure: clock and randomness come
 * in, so the same events under the same clock are the same bytes.
 */
import type { Meta } from '../schemas/index.ts'
import { correctClock } from './clock.ts'
import { deriveEventId } from './ids.ts'

/** What is true of all events of one arrival (a request, a file, a batch). */
export interface Arrival {
  readonly source: 'sdk' | 'cmcd' | 'api' | 'import' | 'simulator' | 'engine'
  readonly appId: string
  readonly environment: string
  readonly receivedAtMs: number
  readonly sentAtMs?: number
}

/** What the writer of one event said of it. */
export interface Claim {
  /** Minted by the writer, so that it can send the event again without being counted twice. */
  readonly eventId?: string
  /** The other way to be counted once: the same key gives the same id, within one app and environment. */
  readonly idempotencyKey?: string
  readonly occurredAtMs?: number
}

export function stampMeta(arrival: Arrival, claim: Claim, mint: () => string): Meta {
  const { receivedAtMs, sentAtMs } = arrival
  const occurred = correctClock({
    receivedAtMs,
    ...(sentAtMs !== undefined && { sentAtMs }),
    ...(claim.occurredAtMs !== undefined && { atMs: claim.occurredAtMs }),
  })
  return {
    eventId: claim.eventId ?? derived(arrival, claim) ?? mint(),
    occurredAt: occurred.atMs,
    receivedAt: receivedAtMs,
    source: arrival.source,
    appId: arrival.appId,
    environment: arrival.environment,
    clock: occurred.clock,
    sentAt: sentAtMs ?? null,
  }
}

function derived({ appId, environment }: Arrival, { idempotencyKey }: Claim): string | undefined {
  return idempotencyKey === undefined ? undefined : deriveEventId('idempotency', appId, environment, idempotencyKey)
}
