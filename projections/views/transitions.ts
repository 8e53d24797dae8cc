/** What an observation changes in what the player is doing: one case for each kind. */
import { AT } from './numbers.ts'
import { BIT, KIND, type Observation, SAID } from './observation.ts'
import type { Timeline } from './timeline.ts'

/** Content that went on this far past the place of a break is not in it any more. */
const PAST_BREAK_MS = 1_000

/** `proved`: the time up to here held media that was played. */
export function transition(t: Timeline, o: Observation, proved: boolean): void {
  const n = t.numbers
  switch (o.kind) {
    case KIND.beat:
      beat(t, o, proved)
      return
    case KIND.request:
      request(t, o)
      return
    case KIND.response:
      claimed(t, o)
      return
    case KIND.waiting:
      waiting(t, o, proved)
      return
    case KIND.firstFrame:
      t.inBreak = t.inAd = t.seeking = t.stalled = false
      firstFrame(t, o)
      reopen(t, true)
      return
    case KIND.playing:
      endSeek(t, o.at, true)
      t.inBreak = t.inAd = t.paused = t.stalled = false
      firstFrame(t, o)
      // Players recover from what they called fatal.
      reopen(t, true)
      return
    case KIND.paused:
      if (proved) start(t)
      // Some players say it again when a seek has ended that began in the pause.
      if (t.paused) endSeek(t, o.at, true)
      t.paused = true
      t.stalled = false
      return
    case KIND.resumed:
      t.paused = false
      t.asked = true
      reopen(t, false)
      return
    case KIND.seekStarted:
      if (proved) start(t)
      reopen(t, false)
      t.stalled = false
      beginSeek(t, o.at)
      return
    case KIND.seekEnded:
      seekEnded(t, o)
      return
    case KIND.stallStarted:
      if (proved) start(t)
      // A stall is neither startup nor a pause: a player that says so then is waiting for its first data, or idle.
      if (n[AT.starts] === 1 && !t.paused) t.stalled = true
      return
    case KIND.stallEnded:
      start(t)
      t.stalled = false
      reopen(t, false)
      return
    case KIND.failed:
      failed(t, o, proved)
      return
    case KIND.ended:
      ended(t, o, proved)
      return
    default:
      advertisement(t, o)
      return
  }
}

function request(t: Timeline, o: Observation): void {
  const n = t.numbers
  if (n[AT.requests] === 0) {
    n[AT.requests] = 1
    if (n[AT.first_frame] === 0) t.requestAt = o.at
  }
  if (n[AT.over] === 1) {
    t.paused = t.seeking = t.stalled = t.inBreak = t.inAd = false
    reopen(t, true)
  }
  t.asked = true
}

/**
 * Before the first frame it is how some players say that they start, in a seek all of them say it until the seek is
 * over. Otherwise it is a stall, but for one that waits, in a pause, for its viewer.
 */
function waiting(t: Timeline, o: Observation, proved: boolean): void {
  if (proved) start(t)
  const known = o.said === SAID.stalled
  if (t.numbers[AT.starts] === 0) {
    if (known) request(t, o)
    return
  }
  if (t.seeking || (t.paused && !known)) return
  t.asked = true
  t.paused = false
  t.stalled = true
}

/** Only a view that has started can tell how long that took. Players that tell no state tell of their start by it. */
function claimed(t: Timeline, o: Observation): void {
  const n = t.numbers
  if (o.claimMs < 0 || n[AT.startups] === 1 || (n[AT.starts] === 0 && n[AT.requests] === 1)) return
  start(t)
  startup(t, o.claimMs)
}

/** A heartbeat says what it finds; it tells of no moment at which that began. */
function beat(t: Timeline, o: Observation, proved: boolean): void {
  const n = t.numbers
  const plays = o.said === SAID.playing || (o.said === SAID.unknown && proved)
  if (t.inBreak || t.inAd) {
    if (!plays || t.adPos < 0 || o.pos <= t.adPos + PAST_BREAK_MS) return
    t.inBreak = t.inAd = false
  }
  if (plays) {
    start(t)
    endSeek(t, o.at, false)
    t.paused = t.stalled = false
    reopen(t, false)
    if (o.claimMs >= 0 && n[AT.startups] === 0) startup(t, o.claimMs)
    return
  }
  switch (o.said) {
    case SAID.unknown:
      claimed(t, o)
      return
    case SAID.starting:
      t.asked = true
      return
    case SAID.paused:
      if (proved) start(t)
      t.paused = true
      t.stalled = false
      return
    case SAID.seeking:
      t.asked = true
      t.stalled = false
      reopen(t, false)
      beginSeek(t, o.at)
      return
    case SAID.stalled:
      if (proved) start(t)
      t.asked = true
      if (n[AT.starts] === 0) return
      endSeek(t, o.at, false)
      t.paused = false
      t.stalled = true
      return
    case SAID.ended:
      over(t, 'finished', proved)
      return
  }
}

function start(t: Timeline): void {
  t.numbers[AT.starts] = 1
  t.asked = true
}

function firstFrame(t: Timeline, o: Observation): void {
  const n = t.numbers
  start(t)
  if (n[AT.first_frame] === 1) return
  n[AT.first_frame] = 1
  if (n[AT.startups] === 1) return
  if (t.requestAt >= 0) {
    startup(t, Math.max(0, o.at - t.requestAt - n[AT.ad_ms]!))
    if (t.adAt >= t.requestAt) n[AT.preroll_startup_ms] = t.adAt - t.requestAt
  } else if (o.claimMs >= 0) startup(t, o.claimMs)
}

function startup(t: Timeline, ms: number): void {
  t.numbers[AT.startups] = 1
  t.numbers[AT.startup_ms] = ms
}

/** It goes on after all. After a fatal failure only a new request or frame says so. */
function reopen(t: Timeline, afterFailure: boolean): void {
  const n = t.numbers
  if (n[AT.over] === 0) return
  if (!afterFailure && (n[AT.failures] === 1 || n[AT.business_failures] === 1)) return
  n[AT.over] = 0
  n[AT.clean] = 0
  t.words = { ...t.words, endReason: '' }
}

function beginSeek(t: Timeline, at: number): void {
  const n = t.numbers
  if (t.seeking) return
  t.seeking = true
  if (at - t.seekEndedAt > t.parameters.seekJoinMs || n[AT.seeks] === 0) n[AT.seeks]!++
  t.seekAt = at
}

function endSeek(t: Timeline, at: number, known: boolean): void {
  if (!t.seeking) return
  const n = t.numbers
  t.seeking = false
  t.seekEndedAt = at
  if (!known) return
  if (n[AT.seek_latencies]! < n[AT.seeks]!) n[AT.seek_latencies]!++
  n[AT.seek_latency_ms]! += at - t.seekAt
}

/** Where its start was lost, the player's own measure must do. */
function seekEnded(t: Timeline, o: Observation): void {
  const n = t.numbers
  if (t.seeking) {
    endSeek(t, o.at, true)
    return
  }
  if (o.claimMs < 0) return
  if (o.at - o.claimMs - t.seekEndedAt > t.parameters.seekJoinMs || n[AT.seeks] === 0) n[AT.seeks]!++
  if (n[AT.seek_latencies]! < n[AT.seeks]!) n[AT.seek_latencies]!++
  n[AT.seek_latency_ms]! += o.claimMs
  t.seekEndedAt = o.at
}

function failed(t: Timeline, o: Observation, proved: boolean): void {
  const n = t.numbers
  const known = n[AT.over] === 1 && n[AT.failures]! + n[AT.business_failures]! > 0
  if (known && o.bits & BIT.fatal) {
    // Players repeat it with every report that follows, and some say why only then.
    if (t.words.errorCode === '') t.words = { ...t.words, errorCode: o.text }
    return
  }
  n[AT.errors]!++
  if (proved || o.bits & BIT.playbackPhase) start(t)
  if ((o.bits & BIT.fatal) === 0) return
  const inStartup = (o.bits & BIT.startupPhase) !== 0 || n[AT.starts] === 0
  if (n[AT.failures] === 0 && n[AT.business_failures] === 0) {
    if (o.bits & BIT.business) n[AT.business_failures] = 1
    else fail(t, inStartup)
    t.words = { ...t.words, errorCode: o.text, failurePhase: inStartup ? 'startup' : 'playback' }
  }
  end(t, 0, 'failed')
}

function fail(t: Timeline, inStartup: boolean): void {
  const n = t.numbers
  n[AT.failures] = 1
  n[inStartup ? AT.startup_failures : AT.playback_failures] = 1
}

function ended(t: Timeline, o: Observation, proved: boolean): void {
  const n = t.numbers
  if (proved || o.text === 'finished') start(t)
  if (o.text !== 'failed') {
    over(t, o.text, proved)
    return
  }
  if (n[AT.failures] === 0 && n[AT.business_failures] === 0) {
    const inStartup = n[AT.starts] === 0
    fail(t, inStartup)
    t.words = { ...t.words, failurePhase: inStartup ? 'startup' : 'playback' }
  }
  end(t, 0, 'failed')
}

/** The first word on how it ended counts, but an end of its own before one by stalling. */
function over(t: Timeline, reason: string, proved: boolean): void {
  const n = t.numbers
  if (proved) start(t)
  if (n[AT.over] === 1 && t.words.endReason !== 'stalled') return
  end(t, 1, reason)
}

function end(t: Timeline, clean: number, endReason: string): void {
  t.numbers[AT.over] = 1
  t.numbers[AT.clean] = clean
  t.inBreak = t.inAd = t.overlay = false
  t.words = { ...t.words, endReason }
}

function advertisement(t: Timeline, o: Observation): void {
  const n = t.numbers
  switch (o.kind) {
    case KIND.breakStarted:
      n[AT.ad_breaks]!++
      if (o.bits & BIT.overlay) t.overlay = true
      else beginAd(t, o, true)
      return
    case KIND.breakEnded:
      t.inBreak = t.inAd = t.overlay = false
      return
    case KIND.breakFailed:
      n[AT.ad_errors]!++
      t.inBreak = t.inAd = t.overlay = false
      return
    case KIND.adStarted:
      n[AT.ads]!++
      if (!t.inBreak && !t.overlay) beginAd(t, o, false)
      return
    case KIND.adEnded:
      t.inAd = false
      return
    case KIND.adFailed:
      n[AT.ad_errors]!++
      t.inAd = false
      return
  }
}

function beginAd(t: Timeline, o: Observation, isBreak: boolean): void {
  if (isBreak) t.inBreak = true
  else t.inAd = true
  t.adPos = o.pos
  if (t.adAt < 0) t.adAt = o.at
}
