/**
 * How much media was played between two reports: what the player says it played, else how far the position went, else
 * the clock at the speed of playback. Positions are credited as they come; a report of what was played then corrects them,
 * so that its sum is the sum, and nothing is credited twice. What can't be is counted as nonsense and credited to nobody.
 */
import { VIEW_LIMITS } from './limits.ts'
import { AT } from './numbers.ts'
import { KIND, NO_RATE, type Observation, SAID } from './observation.ts'

const NOTHING: readonly number[] = []

/** Kinds of events that can say what was played. */
const REPORTS: Readonly<Record<number, true>> = {
  [KIND.beat]: true,
  [KIND.paused]: true,
  [KIND.seekStarted]: true,
  [KIND.stallStarted]: true,
  [KIND.failed]: true,
  [KIND.ended]: true,
}

export class Media {
  readonly #numbers: Float64Array
  /** Last known; −1: never. */
  pos = -1
  rate = 1_000
  /** Credited from positions since the last report of what was played. */
  estimated = 0
  #saidAt = -1
  /** Where the stretch began that no report of played media has covered. */
  #stretchFrom = -1

  constructor(numbers: Float64Array) {
    this.#numbers = numbers
  }

  /** The first observation may tell of any time before it. */
  begin(o: Observation): void {
    this.#saidAt = o.played.length > 0 ? Number.NEGATIVE_INFINITY : o.at
  }

  /** What the report says was played since the last that did; −1: it doesn't say, or says what can't be. */
  reported(o: Observation): number {
    const { played } = o
    if (played.length === 0) return -1
    let total = 0
    for (let i = 0; i < played.length; i += 2) total += played[i + 1]! - played[i]!
    const possible = this.#possible(o.at - this.#saidAt, o)
    this.#saidAt = o.at
    if (total > Math.min(possible, VIEW_LIMITS.provenMs)) {
      this.#numbers[AT.nonsense]!++
      return -1
    }
    this.#stretchFrom = o.pos
    return total
  }

  /** What is left of it to credit, after what positions were credited for already. */
  corrected(reported: number): number {
    const media = Math.max(0, reported - this.estimated)
    this.estimated = Math.max(0, this.estimated - reported)
    return media
  }

  /** Media that may have been played in so much time. */
  #possible(wallMs: number, o: Observation): number {
    const rate = Math.max(Math.abs(this.rate), o.rate === NO_RATE ? 0 : Math.abs(o.rate), 1_000)
    return (wallMs * rate * VIEW_LIMITS.progressPermille) / 1_000_000 + VIEW_LIMITS.progressSlackMs
  }

  /** While playing: how far the position went; −1: unknown. */
  advanced(o: Observation, wall: number): number {
    if (o.pos < 0 || this.pos < 0) return -1
    const moved = o.pos - this.pos
    if (moved >= 0 && moved <= this.#possible(wall, o)) return this.rate > 0 ? moved : 0
    if (moved < -VIEW_LIMITS.progressSlackMs || moved > 0) {
      if (this.rate > 0) this.#numbers[AT.nonsense]!++
      this.#stretchFrom = o.pos
    }
    return 0
  }

  /** A report that it plays, where nothing else said so: positions prove it. */
  moved(o: Observation, wall: number): number {
    if (o.kind !== KIND.beat || (o.said !== SAID.unknown && o.said !== SAID.playing)) return 0
    if (o.pos < 0 || this.pos < 0) return 0
    const moved = o.pos - this.pos
    return moved > 0 && moved <= this.#possible(wall, o) ? moved : 0
  }

  /** The stretch up to here that positions tell of, once a report comes that could have told itself. */
  stretch(o: Observation, media: number): readonly number[] {
    if (o.pos < 0 || this.#stretchFrom < 0 || media <= 0 || !REPORTS[o.kind]) return NOTHING
    const from = this.#stretchFrom
    this.#stretchFrom = o.pos
    return o.pos > from ? [from, o.pos] : NOTHING
  }

  learn(o: Observation, playing: boolean): void {
    if (o.rate !== NO_RATE) this.rate = o.rate
    if (o.pos < 0) return
    this.pos = o.pos
    if (!playing || this.#stretchFrom < 0 || o.kind === KIND.seekEnded || o.kind === KIND.firstFrame) {
      this.#stretchFrom = o.pos
    }
  }
}

/** What of the ranges falls to the part [from, to) of a span. */
export function portion(ranges: readonly number[], from: number, to: number, wall: number): readonly number[] {
  if (ranges.length === 0) return ranges
  let total = 0
  for (let i = 0; i < ranges.length; i += 2) total += ranges[i + 1]! - ranges[i]!
  const begin = Math.floor((total * from) / wall)
  const end = Math.floor((total * to) / wall)
  const part: number[] = []
  let offset = 0
  for (let i = 0; i < ranges.length; i += 2) {
    const length = ranges[i + 1]! - ranges[i]!
    const a = Math.max(begin - offset, 0)
    const b = Math.min(end - offset, length)
    if (b > a) part.push(ranges[i]! + a, ranges[i]! + b)
    offset += length
  }
  return part
}
