/** Which sequence numbers of a view were seen: what is said twice, and what is missing in between. Each target counts for itself. */
import { VIEW_LIMITS } from './limits.ts'
import type { Observation } from './observation.ts'

interface Counted {
  /** from, to (inclusive), from, to, …: ascending and apart. */
  readonly ranges: number[]
  count: number
}

export class Sequences {
  /** Nearly every view has one target. */
  readonly #first: Counted = { ranges: [], count: 0 }
  #firstName: string | undefined
  /** The number after the last, and how many came one after the other since the ranges were told. */
  #next = -1
  #run = 0
  #others: Map<string, Counted> | undefined
  lost = 0

  /** False: it was seen before. */
  add(target: string, seq: number): boolean {
    if (seq === this.#next && target === this.#firstName) {
      this.#next++
      this.#run++
      return true
    }
    this.#firstName ??= target
    if (target !== this.#firstName) return this.#insert(this.#other(target), seq)
    const { ranges } = this.#first
    if (this.#run > 0) ranges[ranges.length - 1]! += this.#run
    this.#first.count += this.#run
    this.#run = 0
    const isNew = this.#insert(this.#first, seq)
    this.#next = ranges[ranges.length - 1]! + 1
    return isNew
  }

  #insert(counted: Counted, seq: number): boolean {
    const before = missing(counted)
    if (!insert(counted.ranges, seq)) return false
    counted.count++
    this.lost += missing(counted) - before
    return true
  }

  #other(target: string): Counted {
    this.#others ??= new Map()
    const held = this.#others.get(target)
    if (held !== undefined) return held
    // Beyond the limit all share one: a hostile player may count wrong, not grow.
    const name = this.#others.size < VIEW_LIMITS.targetsMax ? target : ''
    const counted = this.#others.get(name) ?? { ranges: [], count: 0 }
    this.#others.set(name, counted)
    return counted
  }
}

/** Sees by the sequence that a clock stepped back: the player has said later what it was doing. */
export class ClockGuard {
  #target: string | undefined
  #seq = -1
  #at = 0

  steppedBack({ seq, target, at }: Observation): boolean {
    if (seq < 0) return false
    this.#target ??= target
    if (target !== this.#target) return false
    if (seq <= this.#seq) return at - this.#at < VIEW_LIMITS.clockStepMs
    this.#seq = seq
    this.#at = at
    return false
  }
}

function missing({ ranges, count }: Counted): number {
  if (count === 0) return 0
  return Math.min(ranges[ranges.length - 1]! - ranges[0]! + 1 - count, VIEW_LIMITS.observationsMax)
}

function insert(ranges: number[], seq: number): boolean {
  const length = ranges.length
  if (length === 0 || seq > ranges[length - 1]! + 1) {
    ranges.push(seq, seq)
    return true
  }
  if (seq === ranges[length - 1]! + 1) {
    ranges[length - 1] = seq
    return true
  }
  let low = 0
  let high = length / 2
  // The first range that ends at or after the number.
  while (low < high) {
    const middle = (low + high) >> 1
    if (ranges[2 * middle + 1]! < seq) low = middle + 1
    else high = middle
  }
  const place = 2 * low
  if (ranges[place]! <= seq) return false
  const joinsLeft = place > 0 && ranges[place - 1] === seq - 1
  const joinsRight = ranges[place] === seq + 1
  if (joinsLeft && joinsRight) ranges.splice(place - 1, 2)
  else if (joinsLeft) ranges[place - 1] = seq
  else if (joinsRight) ranges[place] = seq
  else ranges.splice(place, 0, seq, seq)
  return true
}
