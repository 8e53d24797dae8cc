/**
 * From what a media element says to events: pure, apart from the ports. It owns the session's sequence, the state, what
 * was played and what was stalled. Nothing else makes events.
 *
 * Times of events never go back, whatever the order in which things become known: a stall that is found a second late
 * is stamped when media stood still, but never before the event that was told last.
 *
 * Here and in the other stateful files of sdk/ state lives in a function's variables and not in a class: a bundler
 * shortens those to a letter, and a page loads every byte.
 */
import type { Clock } from './clock.ts'
import type { EndReason, PlayedRange, PlayerContext, PlayerState, QueuedEvent, Said, SaidType } from './events.ts'
import * as limits from './limits.ts'
import { type Signal, type State, step, type Word } from './machine.ts'

/** The rendition that is shown; what is not known is left out. */
export type Rendition = Pick<
  Said['RenditionChanged'],
  'renditionId' | 'videoBitrateKbps' | 'audioBitrateKbps' | 'width' | 'height' | 'cdn'
>

/** The player as it is at this moment. */
export interface Look {
  readonly positionMs: number
  readonly playbackRatePermille: number
  /** Device pixels. */
  readonly playerWidth: number
  readonly playerHeight: number
  readonly durationMs: number | undefined
  readonly bufferMs: number
  readonly rendition: Rendition
  /** What only heartbeats say: frames, throughput, requests. Asked for when one is due. */
  readonly more: () => Said['Heartbeat']
}

export interface Failure {
  readonly code: string
  readonly message?: string | undefined
  readonly business?: boolean | undefined
}

export interface RecorderPorts {
  readonly clock: Clock
  readonly look: () => Look
  readonly mint: (atMs: number) => string
  readonly emit: (event: QueuedEvent) => void
  readonly context: () => PlayerContext
  readonly deviceId?: string | undefined
  readonly heartbeatMs: () => number
}

export interface Extra {
  readonly atMs?: number
  /** It happened so long before it was said. */
  readonly agoMs?: number
  readonly failure?: Failure
  readonly reason?: EndReason
  readonly trigger?: string
  readonly cause?: string
}

export interface Recorder {
  readonly state: () => State
  /** The element said so, now. */
  readonly signal: (signal: Signal, extra?: Extra) => void
  /** Media may have moved: called several times a second while it plays, and by the clock. `running`: neither paused nor seeking. */
  readonly tick: (running: boolean) => void
  /** A heartbeat now; nothing where nothing is watched. */
  readonly beat: () => void
  /** A failure that playback survived. */
  readonly trouble: (failure: Failure) => void
  readonly custom: (
    name: string,
    words?: Readonly<Record<string, string>>,
    numbers?: Readonly<Record<string, number>>,
  ) => void
}

/** Nothing is watched. */
const OVER: readonly State[] = ['idle', 'ended', 'failed']

/** While these last, somebody watches or waits. */
const ACTIVE: readonly State[] = ['starting', 'playing', 'seeking', 'stalled']

export function createRecorder({
  clock,
  look: see,
  mint,
  emit,
  context,
  deviceId,
  heartbeatMs,
}: RecorderPorts): Recorder {
  let state: State = 'idle'
  let sequence = 0
  let played: { fromMs: number; toMs: number }[] = []
  let lastEventAt = 0
  let lastBeatAt = 0
  /** When code of ours ran last, where media stood then, and when it moved last. */
  let aliveAt = clock.now()
  let position = see().positionMs
  let movedAt = aliveAt
  let slept = clock.sleptMs()
  let requestAt = 0
  let seekAt = 0
  let stallAt = 0
  let stalledMs = 0
  let errors = 0
  let framed = false
  let shownRendition = ''
  let shownShape = ''

  function say<T extends SaidType>(type: T, positionMs: number, atMs: number, fields: Said[T]): void {
    lastEventAt = Math.max(Math.round(atMs), lastEventAt)
    emit({
      type,
      eventId: mint(lastEventAt),
      occurredAt: lastEventAt,
      sequence: sequence++,
      positionMs,
      ...fields,
      ...(deviceId && { personal: { deviceId } }),
    })
  }

  /** What was not told yet; it counts as told from here on. */
  function takePlayed(): readonly PlayedRange[] {
    const taken = played
    played = []
    return taken
  }

  function play(fromMs: number, toMs: number): void {
    const last = played.at(-1)
    if (last?.toMs === fromMs) last.toMs = toMs
    else if (played.push({ fromMs, toMs }) > limits.playedRangesMax) played.shift()
  }

  /** Time has passed: what was played in it, and whether the machine slept. */
  function sample(look: Look): void {
    const at = clock.now()
    const goneMs = at - aliveAt
    const ahead = look.positionMs - position
    const rate = Math.max(1, Math.abs(look.playbackRatePermille)) / 1_000
    const jumped = clock.sleptMs() > slept
    slept = clock.sleptMs()
    const plausible = ahead >= 0 && ahead <= goneMs * rate * 1.5 + limits.progressSlackMs
    const awakeMs = Math.min(goneMs, plausible ? ahead / rate : 0)
    const asleep = goneMs > limits.sleepGapMs && goneMs - awakeMs > limits.sleepMinMs
    if (asleep && ACTIVE.includes(state) && (jumped || state === 'playing')) {
      // Nothing played while the machine slept: told as a pause of that length.
      const before = { ...look, positionMs: position }
      apply('pause', before, { atMs: aliveAt, cause: 'system' })
      apply('play', before, { atMs: at - awakeMs })
    }
    if (ahead !== 0) movedAt = at
    if (state === 'playing' && plausible && ahead > 0) play(position, look.positionMs)
    aliveAt = at
  }

  function apply(signal: Signal, look: Look, extra: Extra): void {
    if (signal === 'seeks' && nudged(look)) return
    const next = step(state, signal)
    if (next === undefined) return
    const at = Math.max(extra.atMs ?? clock.now() - (extra.agoMs ?? 0), lastEventAt)
    if (state === 'stalled') stalledMs += at - stallAt
    state = next.state
    for (const word of next.words) tell(word, look, at, extra)
    // What is played from here on is counted from here on.
    if (state === 'playing') {
      movedAt = Math.max(movedAt, at)
      framed = true
    }
    changes(look)
  }

  /** Players hop over holes in their buffer; that is no seek of the viewer's, and ends no stall. */
  function nudged({ positionMs }: Look): boolean {
    const hop = positionMs - position
    return (state === 'playing' || state === 'stalled') && hop >= 0 && hop <= limits.nudgeMaxMs
  }

  function tell(word: Word, look: Look, at: number, { failure, reason, trigger, cause }: Extra): void {
    const { positionMs, rendition, bufferMs, durationMs } = look
    const { cdn, renditionId: _, ...shown } = rendition
    const put = <T extends SaidType>(type: T, fields: Said[T]) => say(type, positionMs, at, fields)
    const words: Readonly<Record<Word, () => void>> = {
      request() {
        requestAt = lastBeatAt = at
        put('PlaybackStarted', { trigger, context: context() })
      },
      frame: () => put('FirstFrame', { startupMs: at - requestAt, ...shown, context: context() }),
      pause: () => put('PlaybackPaused', { played: takePlayed(), reason: cause }),
      resume: () => put('PlaybackResumed', {}),
      seek() {
        seekAt = at
        say('SeekStarted', position, at, { played: takePlayed(), toMs: positionMs })
      },
      sought: () => put('SeekEnded', { seekMs: at - seekAt }),
      stall() {
        stallAt = at
        put('StallStarted', { played: takePlayed(), videoBitrateKbps: shown.videoBitrateKbps, bufferMs, cdn })
      },
      flow: () => put('StallEnded', { stallMs: at - stallAt }),
      fail: () => fail(look, at, failure, true),
      end: () => put('PlaybackEnded', { played: takePlayed(), durationMs, reason: 'finished' }),
      quit: () => put('PlaybackEnded', { played: takePlayed(), durationMs, reason: reason ?? 'quit' }),
    }
    words[word]()
  }

  function fail({ positionMs, rendition }: Look, at: number, failure: Failure | undefined, fatal: boolean): void {
    const phase = framed ? 'playback' : 'startup'
    const played = takePlayed()
    say('PlaybackFailed', positionMs, at, { code: 'unknown', ...failure, fatal, phase, played, cdn: rendition.cdn })
  }

  /** Another rendition is shown, or the player has another size or speed. */
  function changes(look: Look): void {
    if (OVER.includes(state)) return
    const { rendition, positionMs, playerWidth, playerHeight, playbackRatePermille } = look
    const key = JSON.stringify(rendition)
    if (key !== shownRendition && key !== '{}' && framed) {
      const reason = shownRendition === '' ? 'initial' : 'abr'
      shownRendition = key
      say('RenditionChanged', positionMs, clock.now(), { ...rendition, reason, playerWidth, playerHeight })
    }
    const shape = `${[playbackRatePermille, playerWidth, playerHeight]}`
    if (shape === shownShape) return
    // A window that is dragged larger changes it many times a second.
    if (shownShape === '') shownShape = shape
    else if (clock.now() - lastBeatAt >= limits.tickMs) {
      shownShape = shape
      beat(look)
    }
  }

  function beat(look = see()): void {
    if (OVER.includes(state)) return
    const at = clock.now()
    lastBeatAt = at
    const { positionMs, rendition, more, ...rest } = look
    const { renditionId: _, ...shown } = rendition
    say('Heartbeat', positionMs, at, {
      state: (state === 'held' || state === 'scrubbing' ? 'paused' : state) as PlayerState,
      played: takePlayed(),
      ...rest,
      ...more(),
      ...shown,
      stallMs: stalledMs + (state === 'stalled' ? at - stallAt : 0),
    })
  }

  return {
    state: () => state,
    signal(signal, extra = {}) {
      const look = see()
      // A seek has moved the position already; all else finds media where it was played to.
      if (signal !== 'seeks') sample(look)
      apply(signal, look, extra)
      position = look.positionMs
    },
    tick(running) {
      const look = see()
      sample(look)
      const moves = running && look.positionMs > position
      if (moves) apply('moves', look, {})
      position = look.positionMs
      if (state === 'playing' && aliveAt - movedAt >= limits.stallAfterMs) apply('waits', look, { atMs: movedAt })
      changes(look)
      const everyMs = ACTIVE.includes(state) ? heartbeatMs() : limits.pausedHeartbeatMs
      if (aliveAt - lastBeatAt >= everyMs) beat(look)
    },
    beat,
    trouble(failure) {
      if (state !== 'idle' && ++errors <= limits.errorsMax) fail(see(), clock.now(), failure, false)
    },
    custom: (name, properties, numbers) =>
      say('CustomEvent', see().positionMs, clock.now(), { name, properties, numbers }),
  }
}
