/** Projection `streams`, fold version 1: an account's stream slots and the answers to whoever asked for one. */
import type { PlayheadEvent } from '../../schemas/index.ts'
import type { Keyed, Projection, StateCell } from '../projection.ts'
import { expiresAtMs, fold, type Streams, type StreamsEvent } from './fold.ts'
import type { Slot, StreamsRow, Verdict } from './row.ts'

const keyed: Keyed<Streams> = {
  shape: {
    name: 'streams',
    comment: "Each account's streams: who holds one, and what was answered to whoever asked",
    partition: [{ name: 'account_id', type: 'text' }],
    clustering: [],
    columns: [
      { name: 'clock', type: 'timestamp', comment: "the log's clock as of the account's last event" },
      { name: 'slots', type: 'text', comment: 'JSON; one whose untilMs has passed is free' },
      { name: 'verdicts', type: 'text', comment: 'JSON: the last answers, newest last' },
    ],
  },
  personal: true,
  key: (event) => (isStreams(event) ? [event.accountId] : undefined),
  fold: (state, event) => fold(state, event as StreamsEvent),
  rows: () => [],
  toColumns: ({ slots, verdicts, clockMs }) => [
    clockMs,
    JSON.stringify(slots.map(plainSlot)),
    JSON.stringify(verdicts.map(plainVerdict)),
  ],
  fromColumns,
  expiresAtMs,
}

function isStreams(event: PlayheadEvent): event is StreamsEvent {
  const { type } = event
  return type === 'StreamSlotRequested' || type === 'StreamSlotRenewed' || type === 'StreamSlotReleased'
}

/** Written out, so that the order of the fields in the text never depends on who made the object. */
function plainSlot({ slotId, profileId, sessionId, titleId, device, sinceMs, untilMs }: Slot): Slot {
  return { slotId, profileId, sessionId, titleId, device, sinceMs, untilMs }
}

function plainVerdict({ slotId, granted, holding }: Verdict): Verdict {
  return { slotId, granted, holding: holding.map(plainSlot) }
}

function fromColumns(cells: readonly StateCell[]): Streams {
  const [clockMs, slots, verdicts] = cells
  return {
    clockMs: clockMs as number,
    slots: JSON.parse(slots as string) as Slot[],
    verdicts: JSON.parse(verdicts as string) as Verdict[],
  }
}

export function streamsV1(): Projection {
  return { name: 'streams', foldVersion: 1, topics: ['account-events'], batchMs: 10, landings: [], keyed }
}

export function streamsRow(cells: readonly StateCell[], key: readonly StateCell[], version: bigint): StreamsRow {
  return { accountId: key[0] as string, ...fromColumns(cells), version }
}
