/**
 * What a player counts up over a whole view (frames dropped, requests made): only the largest matters, so no observation
 * carries them. Two sets are enough, because a view that goes on shows only what was said before the last whole minute
 * of its newest report, and that minute never goes back: the largest before it, and the largest in it.
 */
import { MINUTE_MS, VIEW_LIMITS } from './limits.ts'
import type { ViewEvent } from './observation.ts'

export const COUNTERS = [
  'dropped_frames',
  'delivery_requests',
  'delivery_failures',
  'delivery_bytes',
  'delivery_transfer_ms',
  'delivery_first_byte_ms',
] as const

type Counts = readonly number[]

export interface Counters {
  /** Of the newest report. */
  readonly minute: number
  readonly before: Counts
  readonly within: Counts
}

const NONE: Counts = COUNTERS.map(() => 0)
export const NO_COUNTERS: Counters = { minute: 0, before: NONE, within: NONE }

/** The same object if nothing changes. */
export function count(held: Counters, event: ViewEvent, at: number): Counters {
  const minute = at - (at % MINUTE_MS)
  const said = saidBy(event)
  if (minute > held.minute) {
    return { minute, before: largest(held.before, held.within), within: said ?? NONE }
  }
  if (said === undefined) return held
  const which = minute === held.minute ? 'within' : 'before'
  const after = largest(held[which], said)
  return after === held[which] ? held : { ...held, [which]: after }
}

export function shown(counters: Counters, over: boolean): Counts {
  return over ? largest(counters.before, counters.within) : counters.before
}

function saidBy(event: ViewEvent): Counts | undefined {
  if (event.type !== 'Heartbeat' && event.type !== 'CmcdReport') return undefined
  const dropped = event.droppedFrames ?? null
  const delivery = event.type === 'Heartbeat' ? (event.delivery ?? null) : null
  if (dropped === null && delivery === null) return undefined
  if (delivery === null) return [sane(dropped), 0, 0, 0, 0, 0]
  const { requests, failures, bytes, transferMs, firstByteMs } = delivery
  return [sane(dropped), sane(requests), sane(failures), sane(bytes), sane(transferMs), sane(firstByteMs)]
}

function sane(value: number | null | undefined): number {
  return typeof value === 'number' && value >= 0 && value <= VIEW_LIMITS.countersMax ? Math.trunc(value) : 0
}

/** `a` itself if nothing in `b` is larger, `b` itself if nothing in `a` is. */
function largest(a: Counts, b: Counts): Counts {
  let more = 0
  let less = 0
  for (let i = 0; i < a.length; i++) {
    if (b[i]! > a[i]!) more++
    else if (b[i]! < a[i]!) less++
  }
  if (more === 0) return a
  return less === 0 ? b : a.map((value, j) => Math.max(value, b[j]!))
}
