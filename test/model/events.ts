/**
 * The log of the model: one partition, three events, one or two keys. With two keys, events 0 and 2 change the same one
 * and event 1 the other, so a batch may write two states; with one key, each of three owners in turn may change it.
 * Event 1 may turn out not to fold.
 *
 * The last event is not durable at first in some worlds: a crash of the log may tear it off and put another event in
 * its place, or a lost answer may have stored a second copy of event 0 there.
 */
export const EVENTS = 3

/** The event whose fold may fail: each fold of it, unless it obeys an intent, decides anew. */
export const FLAKY = 1

export const KEYS = ['a', 'b'] as const
export type Key = 0 | 1

/** What became of event 2: not durable yet, kept, torn off and replaced, or a second copy of event 0. */
export const TAILS = ['pending', 'kept', 'torn', 'copy'] as const
export type Tail = (typeof TAILS)[number]

export function durableEnd(tail: Tail): number {
  return tail === 'pending' ? EVENTS - 1 : EVENTS
}

export function keyOf(position: number, tail: Tail, keys: 1 | 2): Key {
  if (keys === 1) return 0
  return position === FLAKY || (position === EVENTS - 1 && tail === 'torn') ? 1 : 0
}

/** A property of the log alone, so every worker and every redo decides alike. */
export function isDuplicate(position: number, tail: Tail): boolean {
  return position === EVENTS - 1 && tail === 'copy'
}

/** Sets of positions (the parked ones, the dead letters) are bits of a number. */
export function has(set: number, member: number): boolean {
  return (set & (1 << member)) !== 0
}

export function sizeOf(set: number): number {
  let size = 0
  for (let rest = set; rest > 0; rest >>= 1) size += rest & 1
  return size
}
