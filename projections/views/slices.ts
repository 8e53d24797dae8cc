/** The minutes of a view. All but the last are done: in-order observations never reach behind the minute they are in. */
import { watch } from '../progress/ranges.ts'
import { VIEW_LIMITS } from './limits.ts'

export interface Slice {
  readonly minute: number
  starting: number
  playing: number
  paused: number
  seeking: number
  stalled: number
  stalls: number
  ad: number
  media: number
  bits: number
  bitsMedia: number
  position: number
  /** Last known in this minute; '' leaves it to the view. */
  cdn: string
  /** Seconds of the title: from, to, from, to, … as they were played. */
  played: readonly number[]
}

const NOTHING: readonly number[] = []

export class Slices {
  /** Never changed once in it; older states hold a length of it. */
  readonly done: Slice[] = []
  #open: Slice | undefined

  /** Undefined: the view has as many minutes as it may. */
  at(minute: number, position: number, cdn: string): Slice | undefined {
    const open = this.#open
    if (open?.minute === minute) return open
    if (open !== undefined) this.done.push(open)
    this.#open = undefined
    if (this.done.length >= VIEW_LIMITS.slicesMax) return undefined
    this.#open = {
      minute,
      starting: 0,
      playing: 0,
      paused: 0,
      seeking: 0,
      stalled: 0,
      stalls: 0,
      ad: 0,
      media: 0,
      bits: 0,
      bitsMedia: 0,
      position: Math.max(position, 0),
      cdn,
      played: NOTHING,
    }
    return this.#open
  }

  /** No more will be said of minutes before this one. */
  closeBefore(minute: number): void {
    if (this.#open === undefined || this.#open.minute >= minute) return
    this.done.push(this.#open)
    this.#open = undefined
  }

  /** The minute at hand as it is now. */
  copyOpen(): Slice | undefined {
    return this.#open === undefined ? undefined : { ...this.#open }
  }
}

/** `played` with one more stretch of seconds. */
export function withSeconds(played: readonly number[], from: number, to: number): readonly number[] {
  if (to <= from || played.length >= 2 * VIEW_LIMITS.playedRangesMax) return played
  const last = played.length - 1
  if (last < 0 || played[last] !== from) return [...played, from, to]
  const longer = played.slice()
  longer[last] = to
  return longer
}

/** What was watched at least once, with one more stretch. Nearly always it goes on where the last one ended. */
export function withWatched(watched: readonly number[], fromMs: number, toMs: number): readonly number[] {
  const last = watched.length - 1
  const from = Math.round(fromMs / 1_000)
  const to = Math.round(toMs / 1_000)
  if (last > 0 && from >= watched[last - 1]! && to <= watched[last]!) return watched
  return watch(watched, [{ fromMs, toMs }])
}
