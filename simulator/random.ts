/**
 * Chance from a text: sfc32, the same numbers on every machine. Every viewer, sitting and view has a stream of its own,
 * drawn from its number, so that nothing one of them does changes what another will do.
 */
import { createHash } from 'node:crypto'
import type { RandomBytes } from '../producers/ids.ts'

export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1
  /** The second of a pair of normal numbers. */
  #spare = Number.NaN

  constructor(a: number, b: number, c: number) {
    this.#a = a | 0
    this.#b = b | 0
    this.#c = c | 0
    // Neighbouring seeds are told apart after a dozen rounds.
    for (let i = 0; i < 12; i++) this.bits()
  }

  /** 32 of them. */
  bits(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    this.#c |= 0
    return sum >>> 0
  }

  /** [0, 1) */
  share(): number {
    return this.bits() / 4_294_967_296
  }

  chance(probability: number): boolean {
    return this.share() < probability
  }

  between(from: number, to: number): number {
    return from + (to - from) * this.share()
  }

  /** 0 … below `count`. */
  below(count: number): number {
    return Math.floor(this.share() * count)
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.share())
  }

  normal(): number {
    if (!Number.isNaN(this.#spare)) {
      const spare = this.#spare
      this.#spare = Number.NaN
      return spare
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.share()))
    const angle = 2 * Math.PI * this.share()
    this.#spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }

  /** Log-normal: half of the numbers are below `median`. */
  around(median: number, spread: number): number {
    return median * Math.exp(spread * this.normal())
  }

  pick<T>(choices: Choices<T>): T {
    return choices.at(this.share())
  }

  /** For ids. */
  readonly fill: RandomBytes = (bytes) => {
    for (let i = 0; i < bytes.length; i += 4) {
      const bits = this.bits()
      bytes[i] = bits
      if (i + 1 < bytes.length) bytes[i + 1] = bits >>> 8
      if (i + 2 < bytes.length) bytes[i + 2] = bits >>> 16
      if (i + 3 < bytes.length) bytes[i + 3] = bits >>> 24
    }
  }
}

/** Many streams of one seed, found by what they are for and a number. */
export class Streams {
  readonly #words: readonly number[]

  constructor(seed: string, purpose: string) {
    const hash = createHash('sha256').update(`${seed}\u0000${purpose}`).digest()
    this.#words = [0, 4, 8].map((at) => hash.readInt32LE(at))
  }

  of(index: number): Random {
    const [a, b, c] = this.#words as [number, number, number]
    const low = index | 0
    const high = Math.floor(index / 4_294_967_296) | 0
    return new Random(a ^ Math.imul(low, 0x9e3779b1), b ^ Math.imul(low, 0x85ebca6b) ^ high, c ^ low)
  }
}

/** Values with weights. */
export class Choices<T> {
  readonly #values: readonly T[]
  /** Up to and with each value; the last is 1. */
  readonly #sums: Float64Array

  constructor(weighted: readonly (readonly [T, number])[]) {
    const total = weighted.reduce((sum, [, weight]) => sum + weight, 0)
    if (weighted.length === 0 || !(total > 0)) throw new RangeError('nothing to choose from')
    let sum = 0
    this.#values = weighted.map(([value]) => value)
    this.#sums = Float64Array.from(weighted, ([, weight]) => {
      sum += weight / total
      return sum
    })
  }

  get values(): readonly T[] {
    return this.#values
  }

  at(share: number): T {
    const sums = this.#sums
    let low = 0
    let high = sums.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! <= share) low = middle + 1
      else high = middle
    }
    return this.#values[low]!
  }
}
