/**
 * How fast media arrives: spells of good and of bad throughput, one after the other, and the hours of a CDN that has gone
 * bad. Between two changes the throughput is constant, so that whoever plays can work out when a buffer will be empty.
 */
import type { Fault } from './options.ts'
import type { Network } from './people.ts'
import type { Random } from './random.ts'

/** What is left of a CDN's throughput while it is bad, and how many views it fails then. */
const [FAULT_THROUGHPUT, FAULT_FAILURES] = [0.06, 0.12]
/** Round trips take so much longer then. */
const FAULT_ROUND_TRIPS = 4
/** Of a bad spell's: from next to nothing to a trickle. */
const BAD_SHARE = [0.002, 0.12] as const

export class Path {
  /** What arrives now. */
  kbps = 0
  /** When that will be another. */
  changesAtMs = 0
  readonly #network: Network
  readonly #usualKbps: number
  readonly #faults: readonly Fault[]
  readonly #random: Random
  #bad = false
  #spellEndsAtMs = 0
  #spellKbps = 0

  /** `faults` of the CDN that it leads to. */
  constructor(network: Network, speed: number, faults: readonly Fault[], random: Random) {
    this.#network = network
    this.#usualKbps = Math.max(900, random.around(network.kbps * speed, network.spread))
    this.#faults = faults
    this.#random = random
    // The first change is to the good spell that a view begins with.
    this.#bad = true
  }

  /** Goes on to what holds from `nowMs` on. */
  change(nowMs: number): void {
    if (nowMs >= this.#spellEndsAtMs) {
      const { goodMs, badMs } = this.#network
      this.#bad = !this.#bad
      this.#spellKbps = this.#bad
        ? this.#usualKbps * this.#random.between(...BAD_SHARE)
        : this.#random.around(this.#usualKbps, 0.25)
      this.#spellEndsAtMs = nowMs + 1 + Math.round(this.#random.exponential(this.#bad ? badMs : goodMs))
    }
    const fault = this.faultAt(nowMs)
    this.kbps = this.#spellKbps * (fault === undefined ? 1 : (fault.throughput ?? FAULT_THROUGHPUT))
    this.changesAtMs = this.#spellEndsAtMs
    for (const { atMs, forMs } of this.#faults) {
      for (const edge of [atMs, atMs + forMs]) {
        if (edge > nowMs && edge < this.changesAtMs) this.changesAtMs = edge
      }
    }
  }

  faultAt(nowMs: number): Fault | undefined {
    return this.#faults.find(({ atMs, forMs }) => nowMs >= atMs && nowMs < atMs + forMs)
  }

  roundTripMs(nowMs: number): number {
    return this.#network.roundTripMs * (this.faultAt(nowMs) === undefined ? 1 : FAULT_ROUND_TRIPS)
  }

  /** Of the views that begin now. */
  failuresAt(nowMs: number): number {
    const fault = this.faultAt(nowMs)
    return fault === undefined ? 0 : (fault.failures ?? FAULT_FAILURES)
  }
}

export interface Rung {
  readonly video: number
  readonly width: number
  readonly height: number
}

export const AUDIO_KBPS = 128
export const LADDER: readonly Rung[] = [
  { video: 400, width: 426, height: 240 },
  { video: 800, width: 640, height: 360 },
  { video: 1_400, width: 854, height: 480 },
  { video: 2_800, width: 1280, height: 720 },
  { video: 5_000, width: 1920, height: 1080 },
]

/** A player trusts so much of what it measures. */
const TRUSTED = 0.7

/** The best rung that the throughput carries and the screen can show. */
export function rungFor(kbps: number, screenHeight: number): number {
  let best = 0
  for (let rung = 1; rung < LADDER.length; rung++) {
    const { video, height } = LADDER[rung]!
    if (video + AUDIO_KBPS > kbps * TRUSTED || height > Math.max(480, screenHeight * 1.5)) break
    best = rung
  }
  return best
}
