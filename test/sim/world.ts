/**
 * A world with its own time and chance: everything that happens in a run is decided by one seed. Nothing here knows of
 * the engine; `SimWorld` runs what was scheduled, earliest first, and lets promises settle in between.
 */

/** mulberry32: small, fast, good enough to choose faults with. */
export class Chance {
  #state: number
  constructor(seed: number) {
    this.#state = seed >>> 0
  }
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  below(n: number): number {
    return Math.floor(this.next() * n)
  }
  between(from: number, to: number): number {
    return from + this.below(to - from + 1)
  }
  happens(probability: number): boolean {
    return this.next() < probability
  }
  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!
  }
}

export function uuidBy(chance: Chance): string {
  const hex = Array.from({ length: 32 }, () => chance.below(16).toString(16)).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
}

interface Scheduled {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

export class SimWorld {
  readonly chance: Chance
  readonly trace: string[] = []
  /** How often what happened: a fault that was armed and never fired proves nothing. */
  readonly counts = new Map<string, number>()
  #nowMs = Date.UTC(2026, 0, 1)
  #clock: (() => number) | undefined
  #order = 0
  #heap: Scheduled[] = []

  constructor(seed: number) {
    this.chance = new Chance(seed)
  }

  /** When what happens now was due; with a clock of its own, what that says. */
  get nowMs(): number {
    return this.#clock?.() ?? this.#nowMs
  }

  /** From here on its time is this clock's, which must not be behind, and `runDue` runs what the clock has passed. */
  follow(clock: () => number): void {
    this.#clock = clock
  }

  note(what: string): void {
    this.trace.push(`${this.nowMs - Date.UTC(2026, 0, 1)} ms  ${what}`)
  }

  count(what: string, times = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times)
  }

  /** In whole milliseconds, as a machine's clock and timers count them. */
  after(ms: number, run: () => void): void {
    this.at(this.nowMs + Math.max(0, Math.trunc(ms)), run)
  }

  at(atMs: number, run: () => void): void {
    this.#push({ atMs, order: this.#order++, run })
  }

  /** The next thing that happens; false: there is none. */
  step(): boolean {
    const next = this.#pop()
    if (next === undefined) return false
    this.#nowMs = next.atMs
    next.run()
    return true
  }

  /** Runs until `done` says so or nothing is left; false when the time is up before. */
  async run(done: () => boolean, forMs: number): Promise<boolean> {
    const endMs = this.nowMs + forMs
    for (;;) {
      await settle()
      if (done()) return true
      if (this.#heap.length === 0 || this.#heap[0]!.atMs > endMs) return false
      this.step()
    }
  }

  /** All that is due, and what becomes due meanwhile. */
  async runDue(): Promise<void> {
    while (this.#heap.length > 0 && this.#heap[0]!.atMs <= this.nowMs) {
      this.step()
      await settle()
    }
  }

  #push(item: Scheduled): void {
    const heap = this.#heap
    heap.push(item)
    let i = heap.length - 1
    while (i > 0) {
      const up = (i - 1) >> 1
      if (!before(heap[i]!, heap[up]!)) break
      ;[heap[i], heap[up]] = [heap[up]!, heap[i]!]
      i = up
    }
  }

  #pop(): Scheduled | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || last === undefined || heap.length === 0) return top
    heap[0] = last
    let i = 0
    for (;;) {
      const left = 2 * i + 1
      const right = left + 1
      let least = i
      if (left < heap.length && before(heap[left]!, heap[least]!)) least = left
      if (right < heap.length && before(heap[right]!, heap[least]!)) least = right
      if (least === i) return top
      ;[heap[i], heap[least]] = [heap[least]!, heap[i]!]
      i = least
    }
  }
}

function before(a: Scheduled, b: Scheduled): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
