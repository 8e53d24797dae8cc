/**
 * An audience: people sit down one after the other, each says what a player says, and what they say comes out in the
 * order in which it is received. The same options give the same events, to the byte.
 *
 * In memory are those who watch (and the downloads that nobody was told of yet), never all events. The truth beside the
 * events has what was delivered so far, so a reader may stop at any moment and compare.
 */
import type { NewEvent } from '../schemas/index.ts'
import { makeCatalogue, type Title } from './catalogue.ts'
import { endlessMoments, moments } from './day.ts'
import { copyMeta } from './delivery.ts'
import { SITTING_SIZE_MEAN, sittingSize } from './habits.ts'
import { Heap } from './heap.ts'
import { type AudienceOptions, type Settled, settle } from './options.ts'
import { People } from './people.ts'
import { Streams } from './random.ts'
import { type Scene, Sitting } from './sitting.ts'
import { AT } from './tally.ts'
import { type Truth, TruthBook, type ViewTruth } from './truth.ts'

/** One event, as it comes in. */
export interface SimEvent {
  /** On our clock, as is all of `event.meta` but `sentAt`. */
  readonly receivedAtMs: number
  /** What the device's clock says more: a player would claim `occurredAt` and `sentAt` with it. */
  readonly clockOffsetMs: number
  readonly event: NewEvent
}

export interface Audience extends Iterable<SimEvent> {
  readonly titles: readonly Title[]
  readonly truth: Truth
  /** People who watch now, and views begun so far. */
  readonly watching: number
  readonly begun: number
  /** The next event that is received at this moment or before; undefined: there is none, or none by then. */
  next(untilMs?: number): SimEvent | undefined
  /** When the next event is received; Infinity: there is none. */
  nextAtMs(): number
}

export interface Listening {
  /** Of each view, once it is over. */
  readonly onView?: (view: ViewTruth) => void
}

export function createAudience(options: AudienceOptions, { onView }: Listening = {}): Audience {
  return new SimAudience(settle(options), onView)
}

/** An event that is sent again. */
interface Copy {
  readonly dueMs: number
  readonly order: number
  readonly event: NewEvent
  readonly clockOffsetMs: number
}

/** Watching is not spread evenly: a few watch a lot. */
const EAGERNESS = 1.5
const HOUR_MS = 3_600_000
const NEVER = Number.POSITIVE_INFINITY

class SimAudience implements Audience {
  readonly titles: readonly Title[]
  readonly #truth: TruthBook
  readonly #settled: Settled
  readonly #scene: Scene
  readonly #people: People
  readonly #sittingStreams: Streams
  readonly #sizes: Streams
  readonly #copies: ReturnType<Streams['of']>
  readonly #arrivals: Iterator<number>
  readonly #heap = new Heap<Sitting | Copy>()
  #arrivesAtMs: number
  #sittings = 0
  #orders = 0
  #viewsLeft: number
  #watching = 0
  begun = 0

  constructor(settled: Settled, onView: ((view: ViewTruth) => void) | undefined) {
    const { seed, titles, titleScale, viewers, fromMs, untilMs, curve, views = 1 } = settled
    this.#settled = settled
    const catalogue = makeCatalogue(seed, titles, titleScale)
    this.titles = catalogue.titles
    this.#scene = { settled, catalogue }
    this.#people = new People(settled)
    this.#truth = new TruthBook(viewers, onView)
    this.#sittingStreams = new Streams(seed, 'sittings')
    this.#sizes = new Streams(seed, 'sizes')
    this.#copies = new Streams(seed, 'copies').of(0)
    const random = new Streams(seed, 'arrivals').of(0)
    this.#viewsLeft = untilMs === undefined ? NEVER : views
    this.#arrivals =
      untilMs === undefined
        ? endlessMoments(fromMs, (HOUR_MS * SITTING_SIZE_MEAN) / views, random)
        : moments(this.#sittingsOf(views), { fromMs, untilMs }, curve, random)
    this.#arrivesAtMs = this.#arrival()
  }

  get truth(): Truth {
    return this.#truth
  }

  get watching(): number {
    return this.#watching
  }

  *[Symbol.iterator](): Iterator<SimEvent> {
    for (let event = this.next(); event !== undefined; event = this.next()) yield event
  }

  nextAtMs(): number {
    this.#letIn(NEVER)
    return this.#heap.first()?.dueMs ?? NEVER
  }

  next(untilMs = NEVER): SimEvent | undefined {
    for (;;) {
      this.#letIn(untilMs)
      const first = this.#heap.first()
      if (first === undefined || first.dueMs > untilMs) return undefined
      if (first instanceof Sitting) {
        const event = this.#take(first)
        if (event !== undefined) return event
      } else {
        this.#heap.pop()
        return { receivedAtMs: first.dueMs, clockOffsetMs: first.clockOffsetMs, event: first.event }
      }
    }
  }

  /** Who sits down before the next event: their first one may come before it. */
  #letIn(untilMs: number): void {
    while (this.#isDue(untilMs)) {
      const index = this.#sittings++
      const random = this.#sittingStreams.of(index)
      const size = Math.min(this.#sizeOf(index), this.#viewsLeft)
      this.#viewsLeft -= size
      const viewer = this.#people.of(Math.floor(this.#settled.viewers * random.share() ** EAGERNESS))
      this.#heap.push(new Sitting(this.#arrivesAtMs, this.#orders++, size, viewer, this.#scene, random))
      this.#watching++
      this.#arrivesAtMs = this.#viewsLeft === 0 ? NEVER : this.#arrival()
    }
  }

  #isDue(untilMs: number): boolean {
    const atMs = this.#arrivesAtMs
    return atMs !== NEVER && atMs <= untilMs && atMs <= (this.#heap.first()?.dueMs ?? atMs)
  }

  #take(sitting: Sitting): SimEvent | undefined {
    const { said, dueMs, tally, viewer } = sitting
    if (tally.delivered[AT.views] === 0) this.begun++
    this.#truth.deliver(tally, dueMs)
    if (sitting.viewIsOver) this.#truth.close(tally)
    if (sitting.goOn()) this.#heap.settleFirst()
    else {
      this.#heap.pop()
      this.#watching--
    }
    if (said === undefined) return undefined
    const { clockOffsetMs } = viewer
    if (this.#copies.chance(this.#settled.mishaps.copies)) this.#copy(said, clockOffsetMs)
    return { receivedAtMs: dueMs, clockOffsetMs, event: said }
  }

  #copy(event: NewEvent, clockOffsetMs: number): void {
    const meta = copyMeta(event.meta as Parameters<typeof copyMeta>[0], this.#copies)
    const copy = { ...event, meta } as NewEvent
    this.#heap.push({ dueMs: meta.receivedAt, order: this.#orders++, event: copy, clockOffsetMs })
  }

  #sizeOf(index: number): number {
    return sittingSize(this.#sizes.of(index))
  }

  /** How many sittings have so many views between them. */
  #sittingsOf(views: number): number {
    let sittings = 0
    for (let sum = 0; sum < views; sittings++) sum += this.#sizeOf(sittings)
    return sittings
  }

  #arrival(): number {
    const { done, value } = this.#arrivals.next()
    return done === true ? NEVER : value
  }
}
