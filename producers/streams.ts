/**
 * Stream slots: what is asked of projections/streams, which decides. A slot's id is derived from who watches where, so
 * that a start that is sent again after a lost answer asks for the same slot and takes no second one.
 */
import type { Meta, NewEventOf, Personal } from '../schemas/index.ts'
import { deriveEventId } from './ids.ts'

export interface SlotWish {
  readonly accountId: string
  readonly slotId: string
  readonly profileId: string
  readonly sessionId: string
  readonly titleId: string
  readonly streamsMax: number
  readonly ttlMs: number
  readonly personal: Personal | null
}

/** `attempt` counts the times that the session was refused: asking again after that is another question. */
export function slotIdOf(profileId: string, sessionId: string, device: string | undefined, attempt = 0): string {
  return deriveEventId('slot', profileId, sessionId, device ?? '', `${attempt}`)
}

/**
 * The account as the log knows it: a slot's events are ordered by account, so its name can't be sealed, and an erasure
 * would leave it standing in the clear beside the profile. A pseudonym orders as well.
 */
export function streamAccountOf(accountId: string): string {
  return deriveEventId('account', accountId)
}

export function slotRequested(meta: Meta, wish: SlotWish): NewEventOf<'StreamSlotRequested'> {
  return { type: 'StreamSlotRequested', meta, ...wish, accountId: streamAccountOf(wish.accountId) }
}

export function slotRenewed(
  meta: Meta,
  accountId: string,
  slotId: string,
  ttlMs: number,
): NewEventOf<'StreamSlotRenewed'> {
  return { type: 'StreamSlotRenewed', meta, accountId: streamAccountOf(accountId), slotId, ttlMs }
}

export function slotReleased(
  meta: Meta,
  accountId: string,
  slotId: string,
  reason: string,
): NewEventOf<'StreamSlotReleased'> {
  return { type: 'StreamSlotReleased', meta, accountId: streamAccountOf(accountId), slotId, reason }
}
