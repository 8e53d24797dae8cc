/**
 * Who of an account may stream: a *sequenced* fold, in the order of the log, for its answer to a request depends on who
 * asked before. Its clock is the greatest receivedAt of the account's events; nothing is freed by waiting.
 *
 * A slot: *none* → *held* until `untilMs` (granted, and renewed as long as it is listed) → gone: released, or found
 * expired by a later request. A player that renews a slot which is gone changes nothing; it has to ask again.
 */
import type { EventOf } from '../../schemas/index.ts'
import { keptMs } from '../stamp.ts'
import { STREAMS_LIMITS } from './limits.ts'
import type { Slot, StreamsRow, Verdict } from './row.ts'

export type Streams = Pick<StreamsRow, 'slots' | 'verdicts' | 'clockMs'>
export type StreamsEvent = EventOf<'StreamSlotRequested' | 'StreamSlotRenewed' | 'StreamSlotReleased'>

export function fold(before: Streams | undefined, event: StreamsEvent): Streams {
  const atMs = keptMs(event.meta.receivedAt)
  // As the store's expiry does, but by the log's clock, so that a rebuild decides alike.
  const state =
    before === undefined || atMs >= expiresAtMs(before) ? { slots: [], verdicts: [], clockMs: atMs } : before
  const clockMs = Math.max(state.clockMs, atMs)
  switch (event.type) {
    case 'StreamSlotRequested':
      return requested({ ...state, clockMs }, event, atMs)
    case 'StreamSlotRenewed':
      return { ...state, clockMs, slots: renewed(state.slots, event.slotId, atMs + event.ttlMs) }
    case 'StreamSlotReleased':
      return { ...state, clockMs, slots: state.slots.filter(({ slotId }) => slotId !== event.slotId) }
  }
}

export function expiresAtMs({ slots, clockMs }: Streams): number {
  return slots.reduce((latest, { untilMs }) => Math.max(latest, untilMs), clockMs) + STREAMS_LIMITS.keptMs
}

/**
 * The same slot asked for again is the same question (an answer was lost), and gets its first answer again. If it was
 * granted and is gone since, it is taken anew where there is room.
 */
function requested(
  { slots, verdicts, clockMs }: Streams,
  event: EventOf<'StreamSlotRequested'>,
  atMs: number,
): Streams {
  const { slotId, streamsMax, ttlMs } = event
  const held = slots.filter(({ untilMs }) => untilMs > clockMs)
  const first = verdicts.find((verdict) => verdict.slotId === slotId)
  const isListed = held.some((slot) => slot.slotId === slotId)
  const hasRoom = held.length < Math.min(streamsMax, STREAMS_LIMITS.slotsMax)
  const granted = first?.granted ?? (isListed || hasRoom)
  const known =
    first === undefined ? latest([...verdicts, { slotId, granted, holding: granted ? [] : held }]) : verdicts
  if (isListed) return { clockMs, verdicts: known, slots: renewed(held, slotId, atMs + ttlMs) }
  const taken = granted && hasRoom ? [...held, slotOf(event, atMs)] : held
  return { clockMs, verdicts: known, slots: taken }
}

function slotOf(event: EventOf<'StreamSlotRequested'>, atMs: number): Slot {
  const { slotId, profileId, sessionId, titleId, personal, ttlMs } = event
  const device = personal?.deviceId ?? null
  return { slotId, profileId, sessionId, titleId, device, sinceMs: atMs, untilMs: atMs + ttlMs }
}

function renewed(slots: readonly Slot[], slotId: string, untilMs: number): readonly Slot[] {
  return slots.map((slot) => (slot.slotId === slotId && slot.untilMs < untilMs ? { ...slot, untilMs } : slot))
}

/** As many of the newest as may be kept. */
function latest(verdicts: readonly Verdict[]): readonly Verdict[] {
  let from = Math.max(0, verdicts.length - STREAMS_LIMITS.verdictsMax)
  let length = verdicts.slice(from).reduce((sum, verdict) => sum + lengthOf(verdict), 0)
  while (length > STREAMS_LIMITS.verdictsLengthMax && from < verdicts.length - 1) length -= lengthOf(verdicts[from++]!)
  return verdicts.slice(from)
}

function lengthOf({ slotId, holding }: Verdict): number {
  return holding.reduce(
    (sum, slot) =>
      sum +
      slot.slotId.length +
      slot.profileId.length +
      (slot.sessionId?.length ?? 0) +
      (slot.titleId?.length ?? 0) +
      (slot.device?.length ?? 0),
    slotId.length,
  )
}
