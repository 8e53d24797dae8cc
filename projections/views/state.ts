/**
 * The state of a view: all its observations, and what only the largest or earliest of counts (counters.ts, facts.ts).
 *
 * Who owns what: a Core (bytes, timeline, the rows made of them) is shared by a state and those that follow it, and
 * belongs to the newest. In order, the next state appends to the bytes and moves the timeline on; the state before still
 * has its rows, which the runtime took when it was the newest, and its part of the bytes, which nobody changes. A state
 * that is asked for something after its core moved on (a batch that is folded again) makes a core of its own from them.
 *
 * Out of order, an observation waits in `loose` until somebody asks for rows or columns: then all observations are put in
 * order and a new core is fed with them. One batch, however mixed up, does this once for each view.
 */
import type { SignedRow } from '../projection.ts'
import { keptMs } from '../stamp.ts'
import { decode, ObservationBytes } from './bytes.ts'
import { type Counters, count, NO_COUNTERS } from './counters.ts'
import { type Facts, learn, NO_FACTS } from './facts.ts'
import { VIEW_LIMITS, type ViewsParameters } from './limits.ts'
import { compare, type Observation, observe, type ViewEvent } from './observation.ts'
import { ShownRows } from './rows.ts'
import { Timeline } from './timeline.ts'
import { type Who, whoOf } from './who.ts'

class Core {
  readonly bytes: ObservationBytes
  readonly timeline: Timeline
  readonly shown = new ShownRows()
  owner: View | undefined

  constructor(parameters: ViewsParameters, bytes = new ObservationBytes()) {
    this.bytes = bytes
    this.timeline = new Timeline(parameters)
  }

  hasRoom(): boolean {
    return this.bytes.count < VIEW_LIMITS.observationsMax && this.bytes.length < VIEW_LIMITS.observationBytesMax
  }

  append(o: Observation): void {
    this.bytes.append(o)
    this.timeline.advance(o)
  }
}

interface Parts {
  readonly facts: Facts
  readonly counters: Counters
  /** The latest at which anything of it was received. */
  readonly receivedMs: number
  readonly truncated: boolean
}

const NEW: Parts = { facts: NO_FACTS, counters: NO_COUNTERS, receivedMs: 0, truncated: false }
const NO_BYTES = new Uint8Array(0)
const NONE: Observation[] = []

export class View {
  readonly who: Who
  readonly parameters: ViewsParameters
  readonly facts: Facts
  readonly counters: Counters
  readonly receivedMs: number
  #truncated: boolean
  #core: Core | undefined
  /** The part of the bytes that is this state's. */
  #bytes: Uint8Array | number
  /** Shared like the bytes: this state's are the first of them. */
  #loose = NONE
  #looseCount = 0
  #rows: readonly SignedRow[] | undefined
  #stored = false

  private constructor(
    who: Who,
    parameters: ViewsParameters,
    { facts, counters, receivedMs, truncated }: Parts,
    bytes: Uint8Array | number,
  ) {
    this.who = who
    this.parameters = parameters
    this.facts = facts
    this.counters = counters
    this.receivedMs = receivedMs
    this.#truncated = truncated
    this.#bytes = bytes
  }

  static first(event: ViewEvent, parameters: ViewsParameters): View {
    const who = whoOf(event.profileId, event.sessionId, event.titleId)
    return new View(who, parameters, NEW, NO_BYTES).with(event)
  }

  /** As it was kept: nothing is decoded before something is asked. */
  static stored(who: Who, parameters: ViewsParameters, parts: Parts, bytes: Uint8Array): View {
    const view = new View(who, parameters, parts, bytes)
    view.#stored = true
    return view
  }

  get truncated(): boolean {
    this.#settled()
    return this.#truncated
  }

  get timeline(): Timeline {
    return this.#settled().timeline
  }

  /** How many observations it has, and their bytes. */
  observations(): { readonly count: number; readonly bytes: Uint8Array } {
    const { bytes } = this.#settled()
    return { count: bytes.count, bytes: bytes.read() }
  }

  with(event: ViewEvent): View {
    // Rows of a state from the store are asked for after the fold, when its core belongs to another.
    if (this.#stored && this.#rows === undefined) this.rows()
    const o = observe(event)
    const next = new View(
      this.who,
      this.parameters,
      {
        facts: learn(this.facts, event, o.at),
        counters: count(this.counters, event, o.at),
        receivedMs: Math.max(this.receivedMs, keptMs(event.meta.receivedAt)),
        truncated: this.#truncated,
      },
      this.#bytes,
    )
    if (this.#core === undefined && this.#bytes === NO_BYTES && this.#looseCount === 0) {
      next.#core = new Core(this.parameters)
      next.#append(next.#core, o)
    } else if (!this.#inOrder(next, o)) this.#outOfOrder(next, o)
    return next
  }

  /** False: its place is not after all others. */
  #inOrder(next: View, o: Observation): boolean {
    const core = this.#core
    if (core === undefined || core.owner !== this || this.#looseCount > 0) return false
    if (!core.bytes.isNext(o)) return false
    if (!this.#truncated && core.hasRoom()) next.#append(core, o)
    else next.#takeOver(core)
    return true
  }

  #append(core: Core, o: Observation): void {
    core.append(o)
    core.owner = this
    this.#core = core
    this.#bytes = core.bytes.length
  }

  /** Beyond the limit, and not among the smallest. */
  #takeOver(core: Core): void {
    core.owner = this
    this.#core = core
    this.#bytes = core.bytes.length
    this.#truncated = true
  }

  #outOfOrder(next: View, o: Observation): void {
    // Appending is for the newest; any other begins a list of its own.
    const loose =
      this.#loose.length === this.#looseCount && this.#looseCount > 0
        ? this.#loose
        : this.#loose.slice(0, this.#looseCount)
    loose.push(o)
    next.#core = this.#core
    next.#loose = loose
    next.#looseCount = loose.length
  }

  /** Its own core, with every observation in order. */
  #settled(): Core {
    const held = this.#core
    if (held !== undefined && held.owner === this && this.#looseCount === 0) return held
    const bytes = typeof this.#bytes === 'number' ? held!.bytes.read(this.#bytes) : this.#bytes
    const all = decode(bytes)
    if (this.#looseCount === 0) return this.#own(this.#again(bytes, all))
    for (let i = 0; i < this.#looseCount; i++) all.push(this.#loose[i]!)
    all.sort(compare)
    const core = new Core(this.parameters)
    let before: Observation | undefined
    for (const o of all) {
      if (before !== undefined && compare(before, o) === 0) continue
      before = o
      if (!core.hasRoom()) {
        this.#truncated = true
        break
      }
      core.append(o)
    }
    this.#loose = NONE
    this.#looseCount = 0
    return this.#own(core)
  }

  /** What is kept is in order already. */
  #again(bytes: Uint8Array, observations: readonly Observation[]): Core {
    const core = new Core(this.parameters, ObservationBytes.of(bytes, observations))
    for (const o of observations) core.timeline.advance(o)
    return core
  }

  #own(core: Core): Core {
    core.owner = this
    this.#core = core
    this.#bytes = core.bytes.length
    return core
  }

  rows(): readonly SignedRow[] {
    if (this.#rows !== undefined) return this.#rows
    const { shown, timeline } = this.#settled()
    const { who, facts, counters, parameters } = this
    this.#rows = shown.rows({ who, facts, counters, parameters, truncated: this.#truncated }, timeline)
    return this.#rows
  }
}
