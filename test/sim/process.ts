/**
 * A simulated process: what it asks of an engine travels there and back with delays, and may be lost on either way. A
 * process that crashed never hears again, but what it had sent may still arrive; a paused one hears everything late.
 */
import type { World } from '../../consumers/retry.ts'
import { FAIR, type Weather } from './weather.ts'
import type { SimWorld } from './world.ts'

export interface Faults {
  /** Chance that a request is lost before it arrives, or its answer on the way back. */
  lostRequest: number
  lostAnswer: number
  /** Chance that a request is given up as lost and arrives after all, seconds later. */
  lateRequest: number
  delayMsMax: number
}

export const CALM: Faults = { lostRequest: 0, lostAnswer: 0, lateRequest: 0, delayMsMax: 2 }
const LATE_MS_MAX = 20_000

/** Requests on one line arrive in the order in which they were sent. */
export class Line {
  arrivedMs = 0
}

/** How a request travels beside what the process's own faults say. */
export interface Way {
  readonly line?: Line
  /** At the engine it goes to. */
  readonly weather?: Weather
}

export class SimProcess {
  /** Whose code runs now: who heard something last. */
  static running: SimProcess | undefined
  readonly name: string
  readonly world: SimWorld
  readonly #faults: () => Faults
  alive = true
  /** How far its clock is from the world's. */
  skewMs = 0
  #pausedUntilMs = 0

  constructor(name: string, world: SimWorld, faults: () => Faults) {
    this.name = name
    this.world = world
    this.#faults = faults
  }

  crash(): void {
    this.alive = false
  }

  pause(ms: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.world.nowMs + ms)
  }

  get pausedMs(): number {
    return Math.max(0, this.#pausedUntilMs - this.world.nowMs)
  }

  /** Sends a request. `apply` runs at the engine when it arrives; `lost` makes the error that a lost one ends with. */
  call<T>(apply: () => T, lost: () => Error, { line = new Line(), weather = FAIR }: Way = {}): Promise<T> {
    const { chance } = this.world
    const faults = this.#faults()
    const delayMsMax = faults.delayMsMax + weather.slowMs
    return new Promise((resolve, reject) => {
      // A paused process sends nothing; one that dies before it wakes never does.
      const travelMs = this.pausedMs + chance.between(0, delayMsMax)
      const arrivesMs = Math.max(this.world.nowMs + travelMs, line.arrivedMs)
      line.arrivedMs = arrivesMs
      const back = chance.between(0, delayMsMax)
      const late = chance.happens(faults.lateRequest)
      if (late || chance.happens(Math.max(faults.lostRequest, weather.failing))) {
        this.world.count(late ? 'requests that arrived seconds after they were given up' : 'requests lost')
        if (late) this.world.at(arrivesMs + chance.between(0, LATE_MS_MAX), () => void attempt(apply))
        this.#hear(arrivesMs + back - this.world.nowMs, () => reject(lost()))
        return
      }
      const awake = this.pausedMs === 0
      this.world.at(arrivesMs, () => {
        if (!awake && !this.alive) return
        let answer: () => void
        try {
          const value = apply()
          answer = () => resolve(value)
        } catch (error) {
          answer = () => reject(error)
        }
        if (chance.happens(faults.lostAnswer)) {
          this.world.count('answers lost')
          answer = () => reject(lost())
        }
        this.#hear(back, answer)
      })
    })
  }

  /** Lets the process know something after a while, unless it died; later, if it is paused. */
  #hear(ms: number, what: () => void): void {
    this.world.after(ms, () => {
      if (!this.alive) return
      if (this.pausedMs > 0) return this.#hear(this.pausedMs, what)
      SimProcess.running = this
      what()
    })
  }

  tell(what: () => void): void {
    this.#hear(0, what)
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#hear(ms, resolve))
  }

  /** Time and chance, as this process knows them. */
  clock(): World {
    return {
      nowMs: () => this.world.nowMs + this.skewMs,
      random: () => this.world.chance.next(),
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (signal.aborted) return resolve()
          const done = () => {
            signal.removeEventListener('abort', done)
            resolve()
          }
          signal.addEventListener('abort', done)
          this.#hear(ms, done)
        }),
    }
  }
}

/** A late request's refusal reaches nobody. */
function attempt(apply: () => unknown): unknown {
  try {
    return apply()
  } catch (error) {
    return error
  }
}
