/** Stream slot events for tests; times count from the start. */
import type { EventOf } from '../../schemas/index.ts'
import { device as deviceOf, meta, START_MS } from './support.ts'

interface Asked {
  readonly streamsMax?: number
  readonly profileId?: string
  readonly sessionId?: string
  readonly titleId?: string
  readonly device?: string
}

let ids = 1_000

export function requested(
  ms: number,
  slotId: string,
  { streamsMax = 1, device, ...asked }: Asked = {},
): EventOf<'StreamSlotRequested'> {
  const personal = device === undefined ? null : deviceOf(device)
  const plain = { accountId: 'account', profileId: 'ada', sessionId: null, titleId: null, ttlMs: 60_000 }
  return {
    type: 'StreamSlotRequested',
    meta: meta(START_MS + ms, ids++),
    ...plain,
    slotId,
    streamsMax,
    personal,
    ...asked,
  }
}

export function renewed(ms: number, slotId: string): EventOf<'StreamSlotRenewed'> {
  return { type: 'StreamSlotRenewed', meta: meta(START_MS + ms, ids++), accountId: 'account', slotId, ttlMs: 60_000 }
}

export function released(ms: number, slotId: string): EventOf<'StreamSlotReleased'> {
  return { type: 'StreamSlotReleased', meta: meta(START_MS + ms, ids++), accountId: 'account', slotId, reason: null }
}
