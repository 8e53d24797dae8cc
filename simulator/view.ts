/**
 * One view, as its player lives it: starting → playing ↔ paused / seeking / stalled → over.
 *
 * Between two moments nothing changes: media arrives as fast as the path lets it (network.ts), the buffer fills or
 * drains evenly, the position moves at the speed of playback. So the next moment at which something happens can be worked
 * out, and time jumps there. Whatever changes a speed plans the moments anew.
 *
 * Everything is in whole milliseconds, and what is counted (tally.ts) is counted here, where it happens: by
 * the definitions of docs/qoe.md, never by reading the events back.
 */
import type { Context, NewEvent, PlayerState } from '../schemas/index.ts'
import type { Title } from './catalogue.ts'
import type { Delivery } from './delivery.ts'
import * as says from './events.ts'
import * as habits from './habits.ts'
import { SIM_LIMITS } from './limits.ts'
import type { Effect } from './options.ts'
import { Playback, type Source, START_MEDIA_MS } from './playback.ts'
import type { Random } from './random.ts'
import { startupOf } from './startup.ts'
import type { Tally } from './tally.ts'

export interface ViewParts {
  readonly title: Title
  readonly context: Context
  readonly screenHeight: number
  readonly setupMs: number
  readonly source: Source
  readonly effect: Effect
  /** The last of its sitting may be left; those before it are watched to their end. */
  readonly last: boolean
  readonly trigger: 'next' | undefined
  /** Nobody will hear how it ended. */
  readonly endIsLost: boolean
  readonly delivery: Delivery
  readonly tally: Tally
  readonly random: Random
  /** Sequence of its first event. */
  readonly sequence: number
}

type State = 'starting' | 'playing' | 'paused' | 'seeking' | 'stalled' | 'over'

/** Moments that may come, in the order in which they count when several come at once. */
const M = { leave: 0, ready: 1, finish: 2, fail: 3, empty: 4, resume: 5, act: 6, change: 7, adapt: 8, beat: 9 } as const
const MOMENTS = Object.keys(M).length
const NEVER = Number.POSITIVE_INFINITY

/** A player notices a new throughput after some segments. */
const NOTICED_AFTER_MS = [3_000, 9_000] as const
/** Playing time between two failures, on a good day and on a bad one. */
const [FAIL_EVERY_MS, FAIL_EVERY_IN_FAULT_MS] = [60 * 3_600_000, 25 * 60_000]
const SEEK_LATENCY_MAX_MS = 15_000
const SEEK_AGAIN = 0.3

export class View {
  state: State = 'starting'
  nowMs: number
  sequence: number
  readonly tally: Tally
  readonly #parts: ViewParts
  readonly #random: Random
  readonly #due = new Float64Array(MOMENTS).fill(NEVER)
  #asked = false
  readonly #trigger: string
  readonly #playback: Playback
  readonly #budgetMs: number
  #fails: says.Failure | undefined
  #stateSinceMs: number
  #seekSinceMs = 0
  #seekTargetMs = -1
  #droppedFrames = 0

  constructor(startMs: number, parts: ViewParts) {
    const { random, title, effect, last, source } = parts
    this.nowMs = startMs
    this.#stateSinceMs = startMs
    this.sequence = parts.sequence
    this.tally = parts.tally
    this.#parts = parts
    this.#random = random
    const begin = parts.trigger === undefined ? habits.beginsAt(title, random) : { positionMs: 0, trigger: 'next' }
    this.#trigger = begin.trigger
    source.change(startMs)
    this.#playback = new Playback({
      source,
      screenHeight: parts.screenHeight,
      durationMs: title.durationMs,
      positionMs: begin.positionMs,
      ratePermille: habits.rateOf(random),
    })
    this.#budgetMs = last ? habits.budgetOf(title, random, effect.watch ?? 1) : NEVER
  }

  /** What is said next, or that nothing is any more (undefined, and the state is `over`). */
  next(): NewEvent | undefined {
    if (!this.#asked) return this.#ask()
    for (;;) {
      let moment = 0
      for (let i = 1; i < MOMENTS; i++) if (this.#due[i]! < this.#due[moment]!) moment = i
      this.#advance(this.#due[moment]!)
      const said = this.#happens(moment)
      if (said !== undefined || this.state === 'over') {
        if (said !== undefined) this.tally.add('events')
        return said
      }
    }
  }

  // — the time up to a moment —

  #advance(toMs: number): void {
    const fromMs = this.nowMs
    const ms = toMs - fromMs
    if (ms === 0) return
    this.nowMs = toMs
    const { tally } = this
    switch (this.state) {
      case 'starting':
        tally.add('startingMs', ms)
        break
      case 'playing':
        this.#play(ms)
        break
      case 'paused':
        tally.add('pausedMs', ms)
        this.#playback.load(ms)
        return
      case 'seeking':
        tally.add('seekingMs', ms)
        break
      case 'stalled':
        tally.stall(ms)
        this.#playback.load(ms)
        break
    }
    tally.watch(fromMs, toMs)
  }

  #play(ms: number): void {
    const kbps = this.#playback.kbps
    const mediaMs = this.#playback.play(ms)
    this.tally.add('playingMs', ms)
    this.tally.add('mediaMs', mediaMs)
    this.tally.add('bits', mediaMs * kbps)
  }

  // — what happens —

  #happens(moment: number): NewEvent | undefined {
    switch (moment) {
      case M.ready:
        return this.#ready()
      case M.empty:
        return this.#stall()
      case M.leave:
        return this.#leave(this.#parts.last ? 'quit' : 'replaced')
      case M.finish:
        return this.#leave('finished')
      case M.fail:
        return this.#fail({ code: 'MEDIA_ERR_NETWORK', phase: 'playback', business: false })
      case M.resume:
        this.#go('playing')
        return says.resumed(this.#moment())
      case M.act:
        return this.#act()
      case M.change:
        this.#changed()
        return undefined
      case M.adapt:
        return this.#adapt()
      default:
        return this.#beat()
    }
  }

  #ask(): NewEvent {
    const { title, context, effect, setupMs } = this.#parts
    const playback = this.#playback
    const { nowMs } = this
    this.#asked = true
    this.tally.add('views')
    this.tally.add('events')
    const { startupMs, patienceMs, failure } = startupOf({ playback, setupMs, effect, nowMs }, this.#random)
    this.#fails = failure
    this.#due[M.ready] = nowMs + startupMs
    this.#due[M.leave] = nowMs + patienceMs
    this.#due[M.beat] = nowMs + SIM_LIMITS.beatMs
    return says.started(this.#moment(), this.#trigger, context, title.facts)
  }

  /** What was waited for is there. */
  #ready(): NewEvent {
    if (this.state === 'starting') {
      if (this.#fails !== undefined) return this.#fail(this.#fails)
      const startupMs = this.nowMs - this.#stateSinceMs
      this.tally.add('starts')
      this.tally.add('startupMs', startupMs)
      this.#playback.bufferMs = START_MEDIA_MS
      this.#go('playing')
      // A speed of its own is said at once, before anything that was played at it.
      if (this.#playback.ratePermille !== 1_000) this.#due[M.beat] = this.nowMs
      return says.firstFrame(this.#moment(), startupMs, this.#playback.picture)
    }
    if (this.state === 'stalled') {
      const stallMs = this.nowMs - this.#stateSinceMs
      this.tally.endStall(stallMs)
      this.#go('playing')
      return says.stallEnded(this.#moment(), stallMs)
    }
    return this.#seekDone()
  }

  #stall(): NewEvent {
    const played = this.#playback.played()
    this.tally.beginStall(this.nowMs)
    this.#go('stalled')
    return says.stallStarted(this.#moment(), this.#playback.picture, played)
  }

  #act(): NewEvent {
    if (this.state === 'playing' && habits.isPause(this.#random)) {
      const played = this.#playback.played()
      this.#go('paused')
      return says.paused(this.#moment(), played)
    }
    return this.#seek()
  }

  #seek(): NewEvent {
    const { title, source } = this.#parts
    const { nowMs } = this
    const played = this.#playback.played()
    this.tally.beginSeek(nowMs)
    this.#seekTargetMs = habits.seekTarget(this.#playback.positionMs, title.durationMs, this.#random)
    const event = says.seekStarted(this.#moment(), this.#seekTargetMs, played)
    const mediaMs = this.#playback.seek(this.#seekTargetMs)
    const loadMs = mediaMs === 0 ? 0 : 2 * source.roundTripMs(nowMs) + mediaMs
    const latencyMs = Math.round(Math.min(SEEK_LATENCY_MAX_MS, this.#random.between(40, 160) + loadMs))
    this.#seekSinceMs = nowMs
    if (this.state === 'playing') this.#go('seeking')
    this.#due[M.act] = NEVER
    this.#due[M.ready] = nowMs + latencyMs
    return event
  }

  #seekDone(): NewEvent {
    const seekMs = this.nowMs - this.#seekSinceMs
    this.#playback.goTo(this.#seekTargetMs)
    this.tally.endSeek(this.nowMs, seekMs)
    this.#due[M.ready] = NEVER
    if (this.state === 'seeking') {
      this.#go('playing')
      if (this.#random.chance(SEEK_AGAIN)) this.#due[M.act] = this.nowMs + Math.round(this.#random.between(150, 1_600))
    }
    return says.seekEnded(this.#moment(), seekMs)
  }

  #changed(): void {
    const { source } = this.#parts
    source.change(this.nowMs)
    this.#plan()
    if (this.#due[M.adapt] === NEVER && this.#playback.wantedRung() !== this.#playback.rung) this.#notice()
  }

  #notice(): void {
    this.#due[M.adapt] = this.nowMs + Math.round(this.#random.between(...NOTICED_AFTER_MS))
  }

  #adapt(): NewEvent | undefined {
    this.#due[M.adapt] = NEVER
    const playback = this.#playback
    const wanted = playback.wantedRung()
    if (wanted === playback.rung) return undefined
    const plays = this.state === 'playing' || this.state === 'stalled'
    const up = wanted > playback.rung
    if (!plays || (up && !playback.mayStepUp())) {
      this.#notice()
      return undefined
    }
    this.tally.add(up ? 'upSwitches' : 'downSwitches')
    playback.rung = wanted
    this.#plan()
    return says.renditionChanged(this.#moment(), playback.picture)
  }

  #beat(): NewEvent {
    const everyMs = this.state === 'paused' ? SIM_LIMITS.pausedBeatMs : SIM_LIMITS.beatMs
    this.#due[M.beat] = this.nowMs + everyMs
    if (this.state === 'playing' && this.#random.chance(0.1)) this.#droppedFrames += this.#random.below(6)
    const played = this.#playback.played()
    return says.heartbeat(this.#moment(), {
      durationMs: this.#parts.title.durationMs,
      played,
      state: this.state as PlayerState,
      ratePermille: this.#playback.ratePermille,
      rung: this.#playback.picture,
      bufferMs: Math.round(this.#playback.bufferMs),
      throughputKbps: Math.round(this.#parts.source.kbps),
      stallMs: this.tally.made('stalledMs'),
      droppedFrames: this.#droppedFrames,
    })
  }

  #fail(failure: says.Failure): NewEvent {
    const played = this.#playback.played()
    const { tally } = this
    if (failure.business) tally.add('businessFailures')
    else tally.add(failure.phase === 'startup' ? 'startupFailures' : 'playbackFailures')
    tally.ending = 'failed'
    const event = says.failed(this.#moment(), failure, played)
    this.state = 'over'
    return event
  }

  #leave(reason: 'finished' | 'quit' | 'replaced'): NewEvent | undefined {
    const { tally } = this
    const waitedMs = this.nowMs - this.#stateSinceMs
    if (this.state === 'stalled') tally.endStall(waitedMs)
    if (this.#parts.endIsLost) {
      if (this.state === 'starting') tally.add('lostBeforeStart')
      tally.ending = 'lost'
      this.state = 'over'
      return undefined
    }
    if (this.state === 'starting') tally.add(waitedMs >= 1_000 ? 'exitsBeforeStart' : 'quickExits')
    tally.add('cleanEnds')
    tally.ending = reason
    const event = says.ended(this.#moment(), reason, this.#parts.title.durationMs, this.#playback.played())
    this.state = 'over'
    return event
  }

  // — states and plans —

  #go(state: State): void {
    this.state = state
    this.#stateSinceMs = this.nowMs
    const due = this.#due
    due[M.ready] = due[M.act] = due[M.resume] = due[M.fail] = NEVER
    const { source } = this.#parts
    due[M.change] = source.changesAtMs
    due[M.beat] = this.nowMs + SIM_LIMITS.beatMs
    if (state === 'paused') this.#pause()
    if (state === 'playing') {
      due[M.act] = this.nowMs + 1 + Math.round(this.#random.exponential(habits.ACT_EVERY_MS))
      if (due[M.adapt] === NEVER && this.#playback.wantedRung() !== this.#playback.rung) this.#notice()
    }
    due[M.leave] = this.#leavesAt()
    this.#plan()
  }

  #pause(): void {
    const ms = habits.pauseMs(this.#random)
    this.#due[M.beat] = this.nowMs + SIM_LIMITS.pausedBeatMs
    this.#due[M.resume] = this.nowMs + Math.max(500, ms)
    // Some look for another place meanwhile.
    if (ms > 30_000 && this.#random.chance(0.15)) this.#due[M.act] = this.nowMs + 5_000
  }

  #leavesAt(): number {
    const { tally, nowMs } = this
    switch (this.state) {
      case 'playing':
        return nowMs + Math.max(1, this.#budgetMs - tally.made('playingMs'))
      case 'stalled':
        return nowMs + habits.stallPatienceMs(this.#random)
      default:
        return NEVER
    }
  }

  /** The moments that follow from speeds. */
  #plan(): void {
    const due = this.#due
    const { source, effect } = this.#parts
    const { nowMs } = this
    due[M.change] = Math.max(source.changesAtMs, nowMs + 1)
    due[M.finish] = due[M.empty] = NEVER
    if (this.state === 'stalled') due[M.ready] = nowMs + this.#playback.resumesInMs()
    if (this.state !== 'playing') return
    due[M.finish] = nowMs + this.#playback.endsInMs()
    due[M.empty] = nowMs + this.#playback.emptyInMs()
    const everyMs = source.failuresAt(nowMs) > 0 ? FAIL_EVERY_IN_FAULT_MS : FAIL_EVERY_MS
    const failures = effect.failures ?? 1
    due[M.fail] = failures === 0 ? NEVER : nowMs + 1 + Math.round(this.#random.exponential(everyMs / failures))
  }

  // — what is said —

  #moment(): says.Moment {
    const { title, delivery } = this.#parts
    const { whose } = this.tally
    return {
      meta: delivery.stamp(this.nowMs),
      profileId: whose.profileId,
      sessionId: whose.sessionId,
      titleId: title.titleId,
      sequence: this.sequence++,
      positionMs: this.#playback.positionMs,
    }
  }
}
