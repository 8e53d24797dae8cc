/**
 * Who watches now, kept from the tail of the log: one slot for each view (one title in one session), in columns of
 * numbers, so that a report costs a look-up and a few writes, and a frame one pass over them.
 *
 * States of a slot: *free* → (a first report) *in use* → (silent for ten minutes, or the longest silent when all slots
 * are in use) free. A view in use counts or not, by what its reports say and by the moment that a frame is asked for.
 *
 * Nothing here depends on the order in which the reports of one second are taken, or on frames: each column is a
 * largest or a smallest. Time is what the caller says it is, so that a log that is read again gives the same numbers.
 */
import type { Context, PlayheadEvent } from '../../schemas/index.ts'
import { AUDIENCE_LIMITS } from './limits.ts'
import * as said from './said.ts'
import { NO_SLOT, ViewIndex } from './view-index.ts'
import { byCountry, CONCURRENT, FAILURES, largest, STALLS, STARTS, type ValueCount, Words } from './words.ts'

export interface AudienceCounts {
  /** starting + playing + seeking + stalled + failed + unknown. */
  readonly concurrent: number
  readonly starting: number
  readonly playing: number
  readonly seeking: number
  readonly stalled: number
  /** Just failed: they count until they would have reported again. */
  readonly failed: number
  /** They live, and have not said in which state. */
  readonly unknown: number
  /** Not in `concurrent`. */
  readonly paused: number
  readonly starts: Recently
  readonly failures: Recently
  readonly by: {
    readonly country: readonly ValueCount[]
    readonly region: readonly ValueCount[]
    readonly title: readonly ValueCount[]
    readonly cdn: readonly ValueCount[]
  }
}

export interface Recently {
  readonly lastSecond: number
  readonly lastMinute: number
}

const NONE = -1
const NEVER = Number.POSITIVE_INFINITY
const { silentMs, intervalMs, intervalMsMax, stallMsMax, lateMs, keepMs, recentMs } = AUDIENCE_LIMITS

export class AudienceCounters {
  readonly #index: ViewIndex
  readonly #viewsMax: number
  /** When the last report was received, and how far apart its reports are. */
  readonly #seenMs: Float64Array
  readonly #gapS: Uint8Array
  /** The state that was said last, and when, by the player's clock; sequence numbers decide within a millisecond. */
  readonly #state: Uint8Array
  readonly #stateMs: Float64Array
  readonly #stateSequence: Int32Array
  readonly #facts: Uint8Array
  /** Up to when it is known not to have stalled, and since when it is known at all. */
  readonly #flowedMs: Float64Array
  readonly #firstMs: Float64Array
  /** When its start and its failure were received; NEVER. */
  readonly #startMs: Float64Array
  readonly #failureMs: Float64Array
  readonly #title: Uint32Array
  readonly #region: Uint32Array
  readonly #regionMs: Float64Array
  readonly #cdn: Uint32Array
  readonly #cdnMs: Float64Array
  /** From the longest silent to the one that reported last. */
  readonly #before: Int32Array
  readonly #after: Int32Array
  #longestSilent = NONE
  #latest = NONE
  readonly #titles = new Words()
  readonly #regions = new Words()
  readonly #cdns = new Words()
  #clockMs = 0
  #late = 0
  #evicted = 0

  constructor(viewsMax: number = AUDIENCE_LIMITS.viewsMax) {
    const numbers = () => new Float64Array(viewsMax)
    this.#viewsMax = viewsMax
    this.#index = new ViewIndex(viewsMax)
    this.#seenMs = numbers()
    this.#gapS = new Uint8Array(viewsMax)
    this.#state = new Uint8Array(viewsMax)
    this.#stateMs = numbers()
    this.#stateSequence = new Int32Array(viewsMax)
    this.#facts = new Uint8Array(viewsMax)
    this.#flowedMs = numbers()
    this.#firstMs = numbers()
    this.#startMs = numbers()
    this.#failureMs = numbers()
    this.#title = new Uint32Array(viewsMax)
    this.#region = new Uint32Array(viewsMax)
    this.#regionMs = numbers()
    this.#cdn = new Uint32Array(viewsMax)
    this.#cdnMs = numbers()
    this.#before = new Int32Array(viewsMax)
    this.#after = new Int32Array(viewsMax)
  }

  /** The running maximum of the times that were taken: the log's own clock. */
  get clockMs(): number {
    return this.#clockMs
  }

  get views(): number {
    return this.#index.size
  }

  /** Reports that were of the past, and views that had to make room: what the numbers leave out. */
  get leftOut(): { readonly late: number; readonly evicted: number } {
    return { late: this.#late, evicted: this.#evicted }
  }

  take(event: PlayheadEvent, receivedAtMs: number): void {
    if (receivedAtMs > this.#clockMs) this.#clockMs = receivedAtMs
    const saying = said.sayingOf(event)
    if (saying === said.OF_NO_VIEW) return
    const view = event as said.ViewEvent
    const { occurredAt } = view.meta
    if (receivedAtMs - occurredAt > lateMs) {
      this.#late += 1
      return
    }
    const slot = this.#slot(view, receivedAtMs)
    this.#see(slot, receivedAtMs)
    if (saying !== 0) this.#hear(slot, saying, occurredAt, view.sequence ?? NONE, receivedAtMs)
    if (occurredAt < (this.#firstMs[slot] as number)) this.#firstMs[slot] = occurredAt
    const { context } = view
    if (context !== null) this.#place(slot, context, occurredAt)
    const cdn = 'cdn' in view ? (view.cdn ?? context?.cdn) : context?.cdn
    if (cdn != null) this.#deliver(slot, short(cdn), occurredAt)
  }

  /** As of `atMs`: what was received up to then and has been taken. */
  frame(atMs: number): AudienceCounts {
    this.#sweep()
    for (const words of [this.#titles, this.#regions, this.#cdns]) words.zero()
    const states = new Uint32Array(said.STATE_BITS + 1)
    const starts = { lastSecond: 0, lastMinute: 0 }
    const failures = { lastSecond: 0, lastMinute: 0 }
    for (let slot = 0; slot < this.#index.slots; slot++) {
      const seenMs = this.#seenMs[slot] as number
      if (seenMs === NEVER) continue
      const began = (this.#facts[slot] as number) & (said.REQUESTED | said.FIRST_FRAME)
      if (began !== 0) this.#countRecent(slot, this.#startMs[slot] as number, atMs, starts, STARTS)
      this.#countRecent(slot, this.#failureMs[slot] as number, atMs, failures, FAILURES)
      if (atMs - seenMs >= silentMs + (this.#gapS[slot] as number) * 1_000) continue
      const state = this.#state[slot] as number
      if (state === said.STALLED && atMs - this.#stalledSince(slot) > stallMsMax) continue
      states[state] = (states[state] as number) + 1
      if (state === said.IDLE || state === said.ENDED) continue
      this.#count(slot, CONCURRENT)
      if (state === said.STALLED) this.#count(slot, STALLS)
    }
    const of = (state: number) => states[state] as number
    const [starting, playing, seeking] = [of(said.STARTING), of(said.PLAYING), of(said.SEEKING)]
    const [stalled, failed, unknown] = [of(said.STALLED), of(said.FAILED), of(0)]
    const concurrent = starting + playing + seeking + stalled + failed + unknown
    const shown = { concurrent, starting, playing, seeking, stalled, failed, unknown, paused: of(said.IDLE) }
    return { ...shown, starts, failures, by: this.#by() }
  }

  #by(): AudienceCounts['by'] {
    return {
      country: largest(byCountry(this.#regions.counted())),
      region: this.#regions.largest(),
      title: this.#titles.largest(),
      cdn: this.#cdns.largest(),
    }
  }

  #count(slot: number, kind: number): void {
    this.#titles.count(this.#title[slot] as number, kind)
    this.#regions.count(this.#region[slot] as number, kind)
    this.#cdns.count(this.#cdn[slot] as number, kind)
  }

  #countRecent(
    slot: number,
    whenMs: number,
    atMs: number,
    sum: { lastSecond: number; lastMinute: number },
    kind: number,
  ): void {
    if (whenMs >= atMs || whenMs < atMs - recentMs) return
    sum.lastMinute += 1
    if (whenMs >= atMs - 1_000) sum.lastSecond += 1
    this.#count(slot, kind)
  }

  #stalledSince(slot: number): number {
    return Math.max(this.#flowedMs[slot] as number, this.#firstMs[slot] as number)
  }

  #see(slot: number, receivedAtMs: number): void {
    const seenMs = this.#seenMs[slot] as number
    // By whole seconds, so that the order of a second's reports changes nothing.
    const gapS = Math.floor(receivedAtMs / 1_000) - Math.floor(seenMs / 1_000)
    if (gapS > (this.#gapS[slot] as number) && gapS * 1_000 <= intervalMsMax) this.#gapS[slot] = gapS
    if (receivedAtMs > seenMs) this.#seenMs[slot] = receivedAtMs
    if (this.#latest !== slot) {
      this.#unlink(slot)
      this.#link(slot)
    }
  }

  #hear(slot: number, saying: number, occurredAt: number, sequence: number, receivedAtMs: number): void {
    const state = saying & said.STATE_BITS
    if (state !== 0 && this.#isNewer(slot, state, occurredAt, sequence)) {
      this.#state[slot] = state
      this.#stateMs[slot] = occurredAt
      this.#stateSequence[slot] = sequence
    }
    const flows = (state !== 0 && state !== said.STALLED) || (saying & said.STALL_BEGINS) !== 0
    if (flows && occurredAt > (this.#flowedMs[slot] as number)) this.#flowedMs[slot] = occurredAt
    this.#facts[slot] = (this.#facts[slot] as number) | (saying & ~said.STATE_BITS)
    if ((saying & said.STARTED) !== 0 && receivedAtMs < (this.#startMs[slot] as number)) {
      this.#startMs[slot] = receivedAtMs
    }
    if ((saying & said.FAILURE) !== 0 && receivedAtMs < (this.#failureMs[slot] as number)) {
      this.#failureMs[slot] = receivedAtMs
    }
  }

  #isNewer(slot: number, state: number, occurredAt: number, sequence: number): boolean {
    const stateMs = this.#stateMs[slot] as number
    if (occurredAt !== stateMs) return occurredAt > stateMs
    const stateSequence = this.#stateSequence[slot] as number
    return sequence === stateSequence ? state > (this.#state[slot] as number) : sequence > stateSequence
  }

  #place(slot: number, { country, region }: Context, occurredAt: number): void {
    if (country === null || occurredAt < (this.#regionMs[slot] as number)) return
    const text = short(region === null ? country : `${country}-${region}`)
    const now = this.#regions.textOf(this.#region[slot] as number)
    if (occurredAt === this.#regionMs[slot] && text <= now) return
    this.#regionMs[slot] = occurredAt
    if (text === now) return
    this.#regions.release(this.#region[slot] as number)
    this.#region[slot] = this.#regions.use(text)
  }

  #deliver(slot: number, cdn: string, occurredAt: number): void {
    if (occurredAt < (this.#cdnMs[slot] as number)) return
    const now = this.#cdns.textOf(this.#cdn[slot] as number)
    if (occurredAt === this.#cdnMs[slot] && cdn <= now) return
    this.#cdnMs[slot] = occurredAt
    if (cdn === now) return
    this.#cdns.release(this.#cdn[slot] as number)
    this.#cdn[slot] = this.#cdns.use(cdn)
  }

  #slot(view: said.ViewEvent, receivedAtMs: number): number {
    const known = this.#index.find(view)
    if (known !== NO_SLOT) {
      if (receivedAtMs - (this.#seenMs[known] as number) <= keepMs) return known
      // It would be gone by now if somebody had looked.
      this.#release(known)
    }
    if (this.#index.size >= this.#viewsMax) {
      this.#evicted += 1
      this.#release(this.#longestSilent)
    }
    const title = this.#titles.use(view.titleId)
    const slot = this.#index.add(view, this.#titles.textOf(title))
    this.#title[slot] = title
    this.#begin(slot, receivedAtMs)
    return slot
  }

  #begin(slot: number, receivedAtMs: number): void {
    this.#seenMs[slot] = receivedAtMs
    this.#gapS[slot] = intervalMs / 1_000
    this.#state[slot] = 0
    this.#stateMs[slot] = NONE
    this.#stateSequence[slot] = NONE
    this.#facts[slot] = 0
    this.#flowedMs[slot] = NONE
    this.#firstMs[slot] = NEVER
    this.#startMs[slot] = NEVER
    this.#failureMs[slot] = NEVER
    this.#region[slot] = this.#regions.use('')
    this.#regionMs[slot] = NONE
    this.#cdn[slot] = this.#cdns.use('')
    this.#cdnMs[slot] = NONE
    this.#link(slot)
  }

  #release(slot: number): void {
    this.#index.remove(slot)
    this.#seenMs[slot] = NEVER
    this.#titles.release(this.#title[slot] as number)
    this.#regions.release(this.#region[slot] as number)
    this.#cdns.release(this.#cdn[slot] as number)
    this.#unlink(slot)
  }

  /** In the order of reports, which is the order of receipt but for moments: what is kept a moment too long does no harm. */
  #sweep(): void {
    while (this.#longestSilent !== NONE && this.#clockMs - (this.#seenMs[this.#longestSilent] as number) > keepMs) {
      this.#release(this.#longestSilent)
    }
  }

  #link(slot: number): void {
    this.#before[slot] = this.#latest
    this.#after[slot] = NONE
    if (this.#latest === NONE) this.#longestSilent = slot
    else this.#after[this.#latest] = slot
    this.#latest = slot
  }

  #unlink(slot: number): void {
    const [before, after] = [this.#before[slot] as number, this.#after[slot] as number]
    if (before === NONE) this.#longestSilent = after
    else this.#after[before] = after
    if (after === NONE) this.#latest = before
    else this.#before[after] = before
  }
}

function short(text: string): string {
  return text.length > AUDIENCE_LIMITS.valueCharsMax ? text.slice(0, AUDIENCE_LIMITS.valueCharsMax) : text
}
