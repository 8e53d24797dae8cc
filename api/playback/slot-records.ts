/**
 * What a player's events say of its stream slot, where it reports through /v1/events and not through the playback
 * routes: they renew it as heartbeats do, and its end frees it. By the newest of a batch: what an offline player tells
 * of hours ago holds no slot today.
 */
import type { NewRecord } from '../../log/log.ts'
import { toRecord } from '../../producers/record.ts'
import { type Arrival, stampMeta } from '../../producers/stamp.ts'
import { slotReleased, slotRenewed } from '../../producers/streams.ts'
import type { EventCodec, Meta } from '../../schemas/index.ts'
import type { PlaybackClaims } from '../context.ts'
import { PLAYBACK_LIMITS } from './limits.ts'
import type { Renewals } from './renewals.ts'

export interface SlotPorts {
  readonly codec: EventCodec
  readonly mint: () => string
}

interface Said {
  readonly type: string
  readonly meta: Meta
  /** Of a failure: it ended the view. */
  readonly fatal?: unknown
}

export function slotRecords(
  { codec, mint }: SlotPorts,
  renewals: Renewals,
  { account, slot }: PlaybackClaims,
  arrival: Arrival,
  events: readonly Said[],
): readonly NewRecord[] {
  if (events.length === 0) return []
  const newest = events.reduce((last, event) => (event.meta.occurredAt >= last.meta.occurredAt ? event : last))
  const { slotTtlMs } = PLAYBACK_LIMITS
  const meta = () => stampMeta(arrival, {}, mint)
  if (isOver(newest)) return [toRecord(codec, slotReleased(meta(), account, slot, 'stopped'))]
  const isNow = arrival.receivedAtMs - newest.meta.occurredAt < slotTtlMs
  if (!isNow || !renewals.due(slot, arrival.receivedAtMs)) return []
  return [toRecord(codec, slotRenewed(meta(), account, slot, slotTtlMs))]
}

function isOver({ type, fatal }: Said): boolean {
  return type === 'PlaybackEnded' || (type === 'PlaybackFailed' && fatal === true)
}
