/**
 * A view's time, observation by observation in their order (observation.ts, compare): what the player was doing in
 * between, and what adds up from it. Feeding one more observation costs the same however many there were.
 *
 * The state holds from one observation to the next, by wall clock (CTA-2066):
 *   starting → playing ↔ paused / seeking / stalled → over; an advertisement stands before all of them.
 * Where two hold at once, the pause counts before the seek and the seek before the stall, so that a pause with a seek in
 * it is not watched and a seek is no stall. Before the first frame nothing is a stall.
 *
 * Silence is not playing: of a gap longer than VIEW_LIMITS.silenceMs only creditMs count, unless the media that was
 * played in it proves more. A pause lasts as long as it lasts, but has no minutes while nothing is said.
 *
 * What is shown is the cut: a copy of the numbers at the last change of state or whole minute, whichever is later. What
 * went on up to a whole minute is known once something was said at or after it; later reports change nothing before it.
 *
 * A timeline only goes forward. What comes late is put into its place among the observations, and a new timeline is fed
 * with all of them (state.ts).
 */
import { CODE, type Cut, NO_WORDS, type Watcher } from './cut.ts'
import { MINUTE_MS, VIEW_LIMITS, type ViewsParameters } from './limits.ts'
import { Media, portion } from './media.ts'
import { AT, NUMBERS } from './numbers.ts'
import { BIT, KIND, type Observation, SAID } from './observation.ts'
import { Picture } from './picture.ts'
import { ClockGuard, Sequences } from './sequences.ts'
import { type Slice, Slices, withSeconds, withWatched } from './slices.ts'
import { transition } from './transitions.ts'

const NOTHING: readonly number[] = []
const NEVER = Number.POSITIVE_INFINITY

export class Timeline {
  readonly parameters: ViewsParameters
  readonly numbers = new Float64Array(NUMBERS)
  readonly slices = new Slices()
  words = NO_WORDS
  watched: readonly number[] = NOTHING

  /** What holds now; transitions.ts changes them. */
  asked = false
  paused = false
  seeking = false
  stalled = false
  inBreak = false
  inAd = false
  overlay = false
  /** −1: never. */
  requestAt = -1
  adAt = -1
  adPos = -1
  seekAt = -1
  seekEndedAt = Number.NEGATIVE_INFINITY

  startedAt = -1
  lastAt = -1
  readonly #media = new Media(this.numbers)
  readonly #picture = new Picture(this.numbers)
  readonly #clock = new ClockGuard()
  #cdn = ''
  #afterStart = 0
  #connectionStall = false
  /** The player's own count as it was last said, and ours at that time. */
  #stalledSaid = 0
  #stalledThen = 0
  readonly #sequences = new Sequences()
  /** The whole minute that the interval at hand crosses. */
  #boundary = NEVER
  readonly #cutNumbers = new Float64Array(NUMBERS)
  #cutId = 0
  #cutWords = NO_WORDS
  #cutWatched: readonly number[] = NOTHING
  #cutDone = 0
  #cutSlice: Slice | undefined
  readonly #watcher: Watcher | undefined

  constructor(parameters: ViewsParameters, watcher?: Watcher) {
    this.parameters = parameters
    this.#watcher = watcher
  }

  get cutId(): number {
    return this.#cutId
  }

  get shownNumbers(): Float64Array {
    return this.#cutNumbers
  }

  cut(): Cut {
    return {
      id: this.#cutId,
      numbers: this.#cutNumbers,
      words: this.#cutWords,
      watched: this.#cutWatched,
      startedAt: this.startedAt,
      slicesDone: this.#cutDone,
      slice: this.#cutSlice,
    }
  }

  /** In order, and no two that say the same. */
  advance(o: Observation): void {
    const n = this.numbers
    if (o.seq >= 0 && !this.#sequences.add(o.target, o.seq)) {
      n[AT.duplicate_reports]!++
      return
    }
    const first = this.startedAt < 0
    const before = this.#key()
    if (first) {
      this.startedAt = o.at
      this.lastAt = o.at
      this.#media.begin(o)
    }
    const proved = this.#interval(o)
    if (o.stalledSoFar >= 0) {
      this.#stalledSaid = o.stalledSoFar
      this.#stalledThen = n[AT.stalled_ms]!
    }
    this.#count(o)
    this.#know(o)
    const was = this.code()
    if (o.kind !== KIND.response && this.#clock.steppedBack(o)) this.#withoutTransition(o)
    else transition(this, o, proved)
    this.#stalling(was, o.at)
    this.lastAt = o.at
    const slice = this.slices.at(minuteOf(o.at), this.#media.pos, this.#cdn)
    if (slice !== undefined) {
      if (o.pos >= 0) slice.position = o.pos
      slice.cdn = this.#cdn
    }
    if (first || this.#key() !== before) this.#show(o.at)
  }

  code(): number {
    const n = this.numbers
    // An advertisement may follow the end.
    if (this.inBreak || this.inAd) return CODE.ad
    if (n[AT.over] === 1) return n[AT.failures] === 1 || n[AT.business_failures] === 1 ? CODE.failed : CODE.ended
    if (this.paused) return CODE.paused
    if (n[AT.starts] === 0) return this.asked ? CODE.starting : CODE.none
    if (this.seeking) return CODE.seeking
    return this.stalled ? CODE.stalled : CODE.playing
  }

  /** Two moments with the same key are in the same state. */
  #key(): number {
    const n = this.numbers
    const facts = n[AT.starts]! + 2 * n[AT.failures]! + 4 * n[AT.business_failures]! + 8 * n[AT.requests]!
    const ends = 16 * n[AT.over]! + 32 * n[AT.clean]! + 64 * n[AT.first_frame]!
    return this.code() + 16 * (facts + ends + (this.words.errorCode === '' ? 0 : 128))
  }

  // — the time since the last observation —

  /** Answers whether it proves that something was played. */
  #interval(o: Observation): boolean {
    const from = this.lastAt
    const wall = o.at - from
    const boundary = minuteOf(o.at)
    this.#boundary = boundary > from ? boundary : NEVER
    const code = this.code()
    const { pos, rate } = this.#media
    const reported = this.#media.reported(o)
    const provable = reported <= 0 && code !== CODE.playing && code !== CODE.seeking && code !== CODE.ad
    const proof = provable ? this.#media.moved(o, wall) : 0
    const speed = Math.max(Math.abs(rate), 100)
    let media = reported >= 0 ? this.#media.corrected(reported) : proof
    let ranges = reported > 0 ? o.played : proof > 0 ? [pos, o.pos] : NOTHING
    if (code === CODE.playing) {
      const claimed = reported >= 0 ? reported : this.#media.advanced(o, wall)
      const provenMs = Math.min(Math.ceil((claimed * 1_000) / speed), VIEW_LIMITS.provenMs)
      const credit = wall <= VIEW_LIMITS.silenceMs ? wall : Math.min(wall, Math.max(VIEW_LIMITS.creditMs, provenMs))
      if (reported < 0) {
        media = claimed >= 0 ? claimed : Math.max(0, Math.floor((credit * rate) / 1_000))
        this.#media.estimated += media
        ranges = this.#media.stretch(o, media)
      }
      const hidden = this.#hidden(o, credit)
      const playedTo = from + credit - hidden
      this.#span(CODE.playing, from, playedTo, media, ranges)
      if (hidden > 0) this.#hiddenStall(o, playedTo, from + credit)
      this.#dark(code, from + credit, o.at)
      return claimed > 0
    }
    const proven =
      media > 0 && code !== CODE.ad ? Math.min(Math.floor((media * 1_000) / speed), VIEW_LIMITS.provenMs) : 0
    const playingMs = Math.min(wall, proven)
    const rest = wall - playingMs
    const credit = code === CODE.ended || code === CODE.failed || code === CODE.none ? 0 : this.#creditOf(code, rest)
    this.#span(code, from, from + credit, 0, NOTHING)
    this.#dark(code, from + credit, from + rest)
    if (media > 0 || ranges.length > 0) this.#span(CODE.playing, o.at - playingMs, o.at, media, ranges)
    this.#media.estimated += proof
    return reported > 0 || proof > 0
  }

  #creditOf(code: number, wall: number): number {
    if (wall <= VIEW_LIMITS.silenceMs) return wall
    if (code === CODE.stalled) return Math.min(wall, this.parameters.stallEndsMs)
    return Math.min(wall, VIEW_LIMITS.creditMs)
  }

  /**
   * Stalls that no event told of: by how much the player's own count grew more than ours since it was last said, or the
   * length of a stall whose start was lost. The larger is trusted, as far as there was playing to take it from; shorter
   * than a stall is inaccuracy.
   */
  #hidden(o: Observation, credit: number): number {
    let hidden = 0
    if (o.kind === KIND.stallEnded && o.claimMs > 0) hidden = o.claimMs
    else if (o.stalledSoFar > 0) {
      const ours = this.numbers[AT.stalled_ms]! - this.#stalledThen
      hidden = o.stalledSoFar - this.#stalledSaid - ours
    }
    return hidden < Math.max(1, this.parameters.minStallMs) ? 0 : Math.min(hidden, credit)
  }

  #hiddenStall(o: Observation, from: number, to: number): void {
    const goesOn = o.kind === KIND.stallStarted || o.said === SAID.stalled
    this.#beginStall(from)
    this.stalled = true
    this.#span(CODE.stalled, from, to, 0, NOTHING)
    if (goesOn) return
    this.stalled = false
    this.#endStall()
  }

  /** One state from here to there, minute by minute; the media is spread evenly over it. */
  #span(code: number, from: number, to: number, media: number, ranges: readonly number[]): void {
    if (to === from && media === 0 && ranges.length === 0) return
    if (code !== CODE.none && to > from) this.#watcher?.span(code, from, to)
    const wall = to - from
    let at = from
    let given = 0
    do {
      const end = Math.min(to, minuteOf(at) + MINUTE_MS)
      const upTo = end === to ? media : Math.floor((media * (end - from)) / wall)
      const part = wall === 0 || (at === from && end === to) ? ranges : portion(ranges, at - from, end - from, wall)
      this.#accrue(code, at, end - at, upTo - given, part)
      given = upTo
      at = end
      if (at === this.#boundary) this.#showBoundary(at)
    } while (at < to)
  }

  /** Nobody said anything for long. Only a pause is sure to have gone on. */
  #dark(code: number, from: number, to: number): void {
    if (to <= from) return
    const known = code === CODE.paused ? 1 : 0
    if (known === 1) this.#watcher?.span(code, from, to)
    const n = this.numbers
    if (this.#boundary > from && this.#boundary <= to) {
      const boundary = this.#boundary
      n[AT.paused_ms]! += known * (boundary - from)
      this.#showBoundary(known === 1 ? boundary : from)
      n[AT.paused_ms]! += known * (to - boundary)
    } else n[AT.paused_ms]! += known * (to - from)
  }

  #accrue(code: number, at: number, wall: number, media: number, ranges: readonly number[]): void {
    const n = this.numbers
    const slice = this.slices.at(minuteOf(at), this.#media.pos, this.#cdn)
    switch (code) {
      case CODE.starting:
        n[AT.starting_ms]! += wall
        if (slice) slice.starting += wall
        break
      case CODE.playing:
        this.#play(wall, media, ranges, slice)
        break
      case CODE.paused:
        n[AT.paused_ms]! += wall
        if (slice) slice.paused += wall
        break
      case CODE.seeking:
        n[AT.seeking_ms]! += wall
        this.#afterStart += wall
        if (slice) slice.seeking += wall
        break
      case CODE.stalled:
        this.#stall(wall, slice)
        break
      case CODE.ad:
        n[AT.ad_ms]! += wall
        if (slice) slice.ad += wall
        break
    }
  }

  #play(wall: number, media: number, ranges: readonly number[], slice: Slice | undefined): void {
    const n = this.numbers
    n[AT.playing_ms]! += wall
    this.#afterStart += wall
    n[AT.puffer_ms] = this.#afterStart
    n[AT.puffer_stalled_ms] = n[AT.stalled_ms]!
    n[AT.media_ms]! += media
    this.#picture.played(wall, media, slice)
    for (let i = 0; i < ranges.length; i += 2) {
      const fromMs = ranges[i]!
      const toMs = ranges[i + 1]!
      if (toMs > n[AT.furthest_ms]!) n[AT.furthest_ms] = toMs
      this.watched = withWatched(this.watched, fromMs, toMs)
      if (slice) slice.played = withSeconds(slice.played, Math.round(fromMs / 1_000), Math.round(toMs / 1_000))
    }
    if (slice === undefined) return
    slice.playing += wall
    slice.media += media
  }

  #stall(wall: number, slice: Slice | undefined): void {
    const n = this.numbers
    if (n[AT.over] === 1) return
    const left = this.parameters.stallEndsMs - n[AT.this_stall_ms]!
    const ms = Math.min(wall, left)
    n[AT.stalled_ms]! += ms
    n[AT.this_stall_ms]! += ms
    this.#afterStart += ms
    if (this.#connectionStall) n[AT.connection_stalled_ms]! += ms
    if (n[AT.this_stall_ms]! > n[AT.longest_stall_ms]!) n[AT.longest_stall_ms] = n[AT.this_stall_ms]!
    if (slice) slice.stalled += ms
    if (ms === left) {
      n[AT.over] = 1
      n[AT.clean] = 0
      this.stalled = false
      this.#endStall()
      this.words = { ...this.words, endReason: 'stalled' }
    }
  }

  // — the observation itself —

  #count(o: Observation): void {
    const n = this.numbers
    n[AT.reports]!++
    n[AT.lost_reports] = this.#sequences.lost
    n[AT.nonsense]! += o.odd
    if (o.skewS * 1_000 >= this.parameters.lateReportMs) n[AT.late_reports]!++
    const receivedAt = o.at + o.skewS * 1_000
    if (receivedAt > n[AT.last_received_at]!) n[AT.last_received_at] = receivedAt
    if (o.bits & BIT.implausible) n[AT.implausible] = 1
    if (o.live >= 0) {
      n[AT.live_latency_ms]! += o.live
      n[AT.live_latencies]!++
    }
  }

  /** What a report says holds until another says otherwise. */
  #know(o: Observation): void {
    this.#media.learn(o, this.code() === CODE.playing)
    this.#picture.see(o)
    if (o.cdn !== '') this.#cdn = o.cdn
  }

  /** It counts, but what the player is doing is what it said later. */
  #withoutTransition(o: Observation): void {
    const { asked, paused, seeking, stalled, inBreak, inAd, overlay } = this
    const over = this.numbers[AT.over]!
    transition(this, o, false)
    if (this.numbers[AT.over] === 1 && over === 0) return
    Object.assign(this, { asked, paused, seeking, stalled, inBreak, inAd, overlay })
  }

  #stalling(was: number, at: number): void {
    const is = this.code()
    if (is === CODE.stalled && was !== CODE.stalled) this.#beginStall(at)
    if (was === CODE.stalled && is !== CODE.stalled) this.#endStall()
    if (is === CODE.ended || is === CODE.failed) this.#endStall()
  }

  #beginStall(at: number): void {
    const n = this.numbers
    n[AT.stalls]!++
    n[AT.this_stall_ms] = 0
    this.#connectionStall = at - this.seekEndedAt > this.parameters.seekJoinMs
    if (this.#connectionStall) n[AT.connection_stalls]!++
    const slice = this.slices.at(minuteOf(at), this.#media.pos, this.#cdn)
    if (slice) slice.stalls++
  }

  #endStall(): void {
    const n = this.numbers
    const ms = n[AT.this_stall_ms]!
    const { minStallMs, sustainedStallMs } = this.parameters
    if (ms > 0 && ms >= minStallMs) {
      n[AT.mux_stalls]!++
      n[AT.mux_stalled_ms]! += ms
      if (ms >= sustainedStallMs) n[AT.sustained_stalls]!++
    }
    n[AT.this_stall_ms] = 0
  }

  // — what is shown —

  #showBoundary(knownTo: number): void {
    const minute = this.#boundary
    this.#boundary = NEVER
    this.slices.closeBefore(minute)
    this.#show(knownTo)
  }

  #show(knownTo: number): void {
    const n = this.numbers
    n[AT.last_at] = Math.max(knownTo, n[AT.last_at]!)
    n[AT.code] = this.code()
    this.#cutNumbers.set(n)
    this.#cutId++
    this.#cutWords = this.words
    this.#cutWatched = this.watched
    this.#cutDone = this.slices.done.length
    this.#cutSlice = this.slices.copyOpen()
  }
}

function minuteOf(at: number): number {
  return at - (at % MINUTE_MS)
}
