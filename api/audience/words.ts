/**
 * Texts that many views share (a title, a region, a CDN), each kept once under a number for as long as a view says it;
 * and how many views say it now, counted anew for each frame. Bounded by the views, which each say one.
 */
import { AUDIENCE_LIMITS } from './limits.ts'

/** Views of one value. */
export interface ValueCount {
  readonly value: string
  readonly concurrent: number
  readonly stalled: number
  readonly starts: number
  readonly failures: number
}

export const CONCURRENT = 0
export const STALLS = 1
export const STARTS = 2
export const FAILURES = 3
const KINDS = 4

export class Words {
  readonly #idOf = new Map<string, number>()
  readonly #texts: string[] = []
  readonly #uses: number[] = []
  readonly #free: number[] = []
  #counts = new Uint32Array(64 * KINDS)

  textOf(id: number): string {
    return this.#texts[id] as string
  }

  /** Each call is a use, to be given back by `release`. */
  use(text: string): number {
    let id = this.#idOf.get(text)
    if (id === undefined) {
      id = this.#free.pop() ?? this.#texts.length
      this.#idOf.set(text, id)
      this.#texts[id] = text
      this.#uses[id] = 0
      if (this.#counts.length <= id * KINDS) this.#grow()
    }
    this.#uses[id] = (this.#uses[id] as number) + 1
    return id
  }

  release(id: number): void {
    const uses = (this.#uses[id] as number) - 1
    this.#uses[id] = uses
    if (uses > 0) return
    this.#idOf.delete(this.textOf(id))
    this.#texts[id] = ''
    this.#free.push(id)
  }

  /** Before a frame is counted. */
  zero(): void {
    this.#counts.fill(0)
  }

  count(id: number, kind: number): void {
    const at = id * KINDS + kind
    this.#counts[at] = (this.#counts[at] as number) + 1
  }

  counted(): ValueCount[] {
    const counts: ValueCount[] = []
    for (const id of this.#idOf.values()) {
      const count = this.#countOf(id)
      if (count.concurrent + count.starts + count.failures > 0) counts.push(count)
    }
    return counts
  }

  /** The largest of `counted`; a catalogue of titles is not sorted for the sake of twenty. */
  largest(): readonly ValueCount[] {
    const kept: ValueCount[] = []
    let least = 0
    for (const id of this.#idOf.values()) {
      if ((this.#counts[id * KINDS] as number) < least) continue
      const count = this.#countOf(id)
      if (count.concurrent + count.starts + count.failures === 0) continue
      kept.push(count)
      if (kept.length < 2 * AUDIENCE_LIMITS.topValuesMax) continue
      kept.splice(0, kept.length, ...largest(kept))
      least = kept.at(-1)?.concurrent ?? 0
    }
    return largest(kept)
  }

  #countOf(id: number): ValueCount {
    const at = id * KINDS
    return {
      value: this.textOf(id),
      concurrent: this.#counts[at] as number,
      stalled: this.#counts[at + STALLS] as number,
      starts: this.#counts[at + STARTS] as number,
      failures: this.#counts[at + FAILURES] as number,
    }
  }

  #grow(): void {
    const grown = new Uint32Array(this.#counts.length * 2)
    grown.set(this.#counts)
    this.#counts = grown
  }
}

/** The largest, in one order whatever the order they came in. */
export function largest(counts: readonly ValueCount[]): readonly ValueCount[] {
  return [...counts].sort(byWeight).slice(0, AUDIENCE_LIMITS.topValuesMax)
}

function byWeight(a: ValueCount, b: ValueCount): number {
  return b.concurrent - a.concurrent || b.starts - a.starts || b.failures - a.failures || (a.value < b.value ? -1 : 1)
}

/** `DE-BY` and `DE-BE` added up as `DE`. */
export function byCountry(regions: readonly ValueCount[]): ValueCount[] {
  const countries = new Map<string, ValueCount>()
  for (const { value: region, concurrent, stalled, starts, failures } of regions) {
    const value = region.split('-', 1)[0] as string
    const sum = countries.get(value)
    countries.set(value, {
      value,
      concurrent: concurrent + (sum?.concurrent ?? 0),
      stalled: stalled + (sum?.stalled ?? 0),
      starts: starts + (sum?.starts ?? 0),
      failures: failures + (sum?.failures ?? 0),
    })
  }
  return [...countries.values()]
}
