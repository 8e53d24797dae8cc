/** What a view's row says: the worked examples of the definitions, and what players do to them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FLAGS, type ViewRow } from '../../projections/views/row.ts'
import { viewsV1 } from '../../projections/views/v1.ts'
import { rowOf, START_MS, Story, slicesOf } from './views-events.ts'

function has(row: ViewRow, expected: Partial<ViewRow>): void {
  assert.deepEqual(
    Object.fromEntries(Object.keys(expected).map((name) => [name, row[name as keyof ViewRow]])),
    expected,
  )
}

function playing(): Story {
  return new Story().say('PlaybackStarted', 0).say('FirstFrame', 0)
}

test('60 s of video, 10 s of stall and 30 s of pause are 70 s watched', () => {
  const story = playing()
    .say('StallStarted', 30, { positionMs: 30_000 })
    .say('StallEnded', 40, { positionMs: 30_000 })
    .say('PlaybackPaused', 70, { positionMs: 60_000 })
    .say('PlaybackEnded', 100, { positionMs: 60_000 })
  has(rowOf(story.events), { watched_ms: 70_000, playing_ms: 60_000, stalled_ms: 10_000, paused_ms: 30_000, stalls: 1 })
})

test('60 s of media at half speed are 120 s watched', () => {
  const half = { playbackRatePermille: 500, state: 'playing' } as const
  const story = playing()
    .say('Heartbeat', 0, half)
    .say('Heartbeat', 60, { ...half, positionMs: 30_000 })
  story.say('PlaybackEnded', 120, { positionMs: 60_000 })
  has(rowOf(story.events), { watched_ms: 120_000, playing_ms: 120_000, media_ms: 60_000, unique_media_ms: 60_000 })
})

test('a speed holds until another is said', () => {
  const story = playing().say('Heartbeat', 0, { state: 'playing', playbackRatePermille: 2_000 })
  story.say('RenditionChanged', 10, { positionMs: 20_000 }).say('PlaybackEnded', 40, { positionMs: 80_000 })
  has(rowOf(story.events), { media_ms: 80_000, playing_ms: 40_000, nonsense: 0 })
})

test('watched 30 s, back to 15 s and on to 60 s: 75 s played, 60 s of them unique', () => {
  const expected = {
    media_ms: 75_000,
    unique_media_ms: 60_000,
    playing_ms: 75_000,
    watched_from: [0],
    watched_to: [60],
  }
  const byPositions = playing()
    .say('SeekStarted', 30, { positionMs: 30_000 })
    .say('SeekEnded', 30, { positionMs: 15_000 })
    .say('PlaybackEnded', 75, { positionMs: 60_000 })
  has(rowOf(byPositions.events), expected)
  const byRanges = playing()
    .say('SeekStarted', 30, { positionMs: 30_000, played: [{ fromMs: 0, toMs: 30_000 }] })
    .say('SeekEnded', 30, { positionMs: 15_000 })
    .say('PlaybackEnded', 75, { positionMs: 60_000, played: [{ fromMs: 15_000, toMs: 60_000 }] })
  has(rowOf(byRanges.events), expected)
})

test('startup is first request to first frame, and a view without either has none', () => {
  const whole = new Story().say('PlaybackStarted', 0).say('PlaybackStarted', 1).say('FirstFrame', 2.5)
  has(rowOf(whole.events), { startups: 1, startup_ms: 2_500, starting_ms: 2_500, starts: 1, flags: 0 })
  const noRequest = new Story().say('FirstFrame', 2)
  has(rowOf(noRequest.events), { startups: 0, startup_ms: 0, starts: 1, requests: 0, flags: FLAGS.no_request })
  const claimed = new Story().say('FirstFrame', 2, { startupMs: 700 })
  has(rowOf(claimed.events), { startups: 1, startup_ms: 700 })
})

test('a missed first frame is a start all the same, without a startup time', () => {
  const story = new Story().say('PlaybackStarted', 0).say('Heartbeat', 10, { state: 'playing', positionMs: 8_000 })
  story.say('PlaybackEnded', 20)
  const expected = { starts: 1, startups: 0, ended_before_start: 0, flags: FLAGS.no_first_frame } as const
  has(rowOf(story.events), { ...expected, nonsense: 1, flags: FLAGS.no_first_frame | FLAGS.nonsense })
  const silent = new Story().say('PlaybackStarted', 0)
  silent.say('Heartbeat', 10, { positionMs: 8_000 }).say('PlaybackEnded', 20, { positionMs: 18_000 })
  has(rowOf(silent.events), { ...expected, playing_ms: 18_000, starting_ms: 2_000, media_ms: 18_000 })
})

test('a view that ends with neither a start nor a failure was left before start, but not within a second', () => {
  const left = new Story().say('PlaybackStarted', 0).say('PlaybackEnded', 1)
  has(rowOf(left.events), { ended_before_start: 1, failures: 0, ended: 1, score_views: 1, success_score_milli: 50_000 })
  const atOnce = new Story().say('PlaybackStarted', 0).say('PlaybackEnded', 0.999)
  has(rowOf(atOnce.events), { ended_before_start: 0, score_views: 0 })
  const open = new Story().say('PlaybackStarted', 0).say('Heartbeat', 60, { state: 'starting' })
  has(rowOf(open.events), { ended_before_start: 0, open: 1, open_unstarted: 1, score_views: 0 })
})

test('failures are told apart: in startup, in playback, by a rule, and those that playback survived', () => {
  const startup = new Story().say('PlaybackStarted', 0).say('PlaybackFailed', 2, { code: 'DRM' })
  const failed = { failures: 1, ended: 1, clean_ends: 0, state: 'failed', end_reason: 'failed' } as const
  has(rowOf(startup.events), {
    ...failed,
    startup_failures: 1,
    playback_failures: 0,
    error_code: 'DRM',
    score_milli: 0,
  })
  const later = playing().say('PlaybackFailed', 20, { code: 'NET' }).say('PlaybackEnded', 20, { reason: 'failed' })
  has(rowOf(later.events), { ...failed, playback_failures: 1, failure_phase: 'playback', error_code: 'NET', errors: 1 })
  const rule = new Story().say('PlaybackStarted', 0).say('PlaybackFailed', 2, { code: 'GEO', business: true })
  has(rowOf(rule.events), { failures: 0, business_failures: 1, ended_before_start: 0, ended: 1, error_code: 'GEO' })
  const survived = playing().say('PlaybackFailed', 5, { fatal: false }).say('PlaybackEnded', 9)
  has(rowOf(survived.events), { failures: 0, errors: 1, clean_ends: 1, error_code: '' })
})

test('stalls of less than 250 ms are none by Mux; those of a second are sustained; after a seek they are the seek’s', () => {
  const story = playing().say('StallStarted', 10).say('StallEnded', 10.2)
  story.say('StallStarted', 20).say('StallEnded', 20.5).say('StallStarted', 30).say('StallEnded', 31)
  story.say('SeekStarted', 40).say('SeekEnded', 41).say('StallStarted', 42).say('StallEnded', 44)
  story.say('PlaybackEnded', 50)
  has(rowOf(story.events), {
    stalls: 4,
    stalled_ms: 3_700,
    mux_stalls: 3,
    mux_stalled_ms: 3_500,
    sustained_stalls: 2,
    connection_stalls: 3,
    connection_stalled_ms: 1_700,
    longest_stall_ms: 2_000,
    seeks: 1,
    seek_latencies: 1,
    seek_latency_ms: 1_000,
  })
  const other = viewsV1({ minStallMs: 600 })
  assert.deepEqual(other.parameters, { minStallMs: 600 })
  has(rowOf(story.events, other.keyed), { stalls: 4, mux_stalls: 2, mux_stalled_ms: 3_000 })
  assert.equal(viewsV1({ minStallMs: 250 }).parameters, undefined)
})

test('before the first frame and within a seek or a pause nothing is a stall', () => {
  const story = new Story().say('PlaybackStarted', 0).say('StallStarted', 0.5).say('FirstFrame', 3)
  story.say('SeekStarted', 10).say('StallStarted', 10.1).say('StallEnded', 12).say('SeekEnded', 12)
  story.say('PlaybackPaused', 20).say('StallStarted', 20.1).say('PlaybackResumed', 30).say('PlaybackEnded', 40)
  has(rowOf(story.events), { stalls: 0, stalled_ms: 0, startup_ms: 3_000, seeking_ms: 2_000, paused_ms: 10_000 })
})

test('seeks within 2 s of each other are one', () => {
  const story = playing().say('SeekStarted', 10).say('SeekEnded', 10.5).say('SeekStarted', 12).say('SeekEnded', 12.5)
  story.say('SeekStarted', 15).say('SeekEnded', 16).say('PlaybackEnded', 20)
  has(rowOf(story.events), { seeks: 2, seek_latencies: 2, seek_latency_ms: 2_000 })
})

test('heartbeats after a pause and a seek don’t inflate what was watched', () => {
  const story = playing().say('PlaybackPaused', 10, { positionMs: 10_000 })
  story.say('SeekStarted', 15, { positionMs: 10_000 }).say('SeekEnded', 16, { positionMs: 500_000 })
  for (let s = 20; s <= 600; s += 10) story.say('Heartbeat', s, { state: 'paused', positionMs: 500_000 })
  has(rowOf(story.events), { watched_ms: 10_000, playing_ms: 10_000, paused_ms: 590_000, media_ms: 10_000, seeks: 1 })
})

test('stalls that only the player’s own count tells of are taken out of playing', () => {
  const beat = { state: 'playing' } as const
  const story = playing().say('Heartbeat', 10, { ...beat, positionMs: 10_000, stallMs: 0 })
  story.say('Heartbeat', 20, { ...beat, positionMs: 16_000, stallMs: 4_000 })
  story.say('Heartbeat', 30, { ...beat, positionMs: 26_000, stallMs: 4_100 })
  has(rowOf([...story.events, ...story.say('PlaybackEnded', 40).events.slice(-1)]), { stalls: 1, stalled_ms: 4_000 })
  const told = playing().say('StallStarted', 10).say('StallEnded', 14)
  told.say('Heartbeat', 20, { ...beat, stallMs: 4_000 }).say('PlaybackEnded', 30)
  has(rowOf(told.events), { stalls: 1, stalled_ms: 4_000, playing_ms: 26_000 })
  const beyond = playing().say('StallStarted', 10)
  for (let s = 20; s <= 370; s += 10) beyond.say('Heartbeat', s, { state: 'stalled', stallMs: (s - 10) * 1_000 })
  for (let s = 380; s <= 430; s += 10) beyond.say('Heartbeat', s, { ...beat, stallMs: 360_000 })
  has(rowOf(beyond.say('PlaybackEnded', 440).events), { stalls: 1, stalled_ms: 300_000, playing_ms: 70_000 })
  const startLost = playing().say('StallEnded', 14, { stallMs: 3_000 }).say('PlaybackEnded', 20)
  has(rowOf(startLost.events), { stalls: 1, stalled_ms: 3_000, playing_ms: 17_000 })
  const seen = playing().say('Heartbeat', 10, { ...beat, stallMs: 0 })
  seen.say('Heartbeat', 20, { state: 'stalled', stallMs: 2_000 }).say('Heartbeat', 30, { ...beat, stallMs: 9_000 })
  has(rowOf(seen.say('PlaybackEnded', 31).events), { stalls: 1, stalled_ms: 12_000, longest_stall_ms: 12_000 })
})

test('a preroll is not startup, and advertisements are apart from content', () => {
  const story = new Story().say('PlaybackStarted', 0).say('AdBreakStarted', 0.5).say('AdStarted', 0.6)
  story.say('Heartbeat', 10, { state: 'playing' }).say('AdEnded', 15).say('AdStarted', 15).say('AdFailed', 20)
  story.say('AdBreakEnded', 30.5).say('FirstFrame', 31.5).play(31.5, 61.5, 0).say('PlaybackEnded', 61.5)
  has(rowOf(story.events), {
    startup_ms: 1_500,
    preroll_startup_ms: 500,
    ad_ms: 30_000,
    ad_breaks: 1,
    ads: 2,
    ad_errors: 1,
    playing_ms: 30_000,
    watched_ms: 31_500,
    media_ms: 30_000,
  })
  const left = new Story().say('PlaybackStarted', 0).say('AdBreakStarted', 1)
  left.say('Heartbeat', 10, { state: 'playing' }).say('PlaybackEnded', 20)
  has(rowOf(left.events), { starts: 0, ended_before_start: 1 })
  const after = playing().say('PlaybackEnded', 60, { reason: 'finished', positionMs: 60_000 })
  after.say('AdBreakStarted', 60, { placement: 'postroll' }).say('AdBreakEnded', 90, { placement: 'postroll' })
  has(rowOf(after.events), { ended: 1, clean_ends: 1, state: 'ended', ad_ms: 30_000, playing_ms: 60_000 })
  const lost = playing().say('AdBreakStarted', 10, { positionMs: 10_000, placement: 'midroll' })
  lost.say('Heartbeat', 40, { state: 'playing', positionMs: 15_000 }).say('PlaybackEnded', 50, { positionMs: 25_000 })
  has(rowOf(lost.events), { ad_ms: 30_000, playing_ms: 20_000 })
})

test('five minutes of unbroken stall end a view, and a later report opens it again', () => {
  const story = playing().say('StallStarted', 60)
  for (let s = 70; s <= 600; s += 10) story.say('Heartbeat', s, { state: 'stalled' })
  const ended = { ended: 1, clean_ends: 0, open: 0, end_reason: 'stalled', stalled_ms: 300_000, stalls: 1 } as const
  has(rowOf(story.events), { ...ended, state: 'ended', watched_ms: 360_000, failures: 0 })
  const silent = playing().say('StallStarted', 60).say('Heartbeat', 500, { state: 'stalled' })
  has(rowOf(silent.events), ended)
  story.say('Heartbeat', 610, { state: 'playing' })
  has(rowOf(story.events), { ended: 0, open: 1, end_reason: '', state: 'playing', stalled_ms: 300_000, mux_stalls: 1 })
})

test('silence is not playing, unless the media that was played in it proves it', () => {
  const asleep = playing()
    .play(0, 60, 0)
    .say('Heartbeat', 8 * 3_600, { state: 'playing', positionMs: 62_000 })
  has(rowOf(asleep.events), { playing_ms: 120_000, media_ms: 62_000 })
  const film = playing().say('PlaybackEnded', 7_200, { positionMs: 7_200_000, reason: 'finished' })
  has(rowOf(film.events), { playing_ms: 7_200_000, media_ms: 7_200_000, watched_ms: 7_200_000 })
  assert.equal(slicesOf(film.events).length, 121)
})

test('bitrate is bits over media time, each bitrate for the media shown with it', () => {
  const story = playing().say('RenditionChanged', 0, {
    videoBitrateKbps: 1_000,
    audioBitrateKbps: 100,
    reason: 'initial',
  })
  story.say('RenditionChanged', 30, { positionMs: 30_000, videoBitrateKbps: 3_000 })
  story.say('RenditionChanged', 50, { positionMs: 50_000, videoBitrateKbps: 2_000 })
  story.say('PlaybackEnded', 60, { positionMs: 60_000 })
  has(rowOf(story.events), {
    bits: 1_100 * 30_000 + 3_100 * 20_000 + 2_100 * 10_000,
    bits_media_ms: 60_000,
    up_switches: 1,
    down_switches: 1,
    peak_kbps: 3_100,
  })
})

test('upscaling is of the side that fits first, weighted by time', () => {
  const sized = { width: 1_280, height: 720, playerWidth: 1_920, playerHeight: 1_440 }
  const story = playing().say('Heartbeat', 0, { state: 'playing', ...sized })
  story.say('Heartbeat', 10, { state: 'playing', playerWidth: 640, positionMs: 10_000 }).say('PlaybackEnded', 20)
  has(rowOf(story.events), {
    upscale_permille_ms: 500 * 10_000,
    downscale_permille_ms: 500 * 10_000,
    scale_ms: 20_000,
    upscale_max_permille: 500,
    quality_score_views: 1,
    quality_score_milli: Math.round(100_000 * Math.exp(-0.33 * (0.15 * 0.5 + 0.85 * 0.25))),
  })
})

test('values that make no sense are counted, flagged and not spread into sums', () => {
  const story = playing().say('Heartbeat', 10, { state: 'playing', positionMs: 10_000, videoBitrateKbps: 2_000 })
  story.say('Heartbeat', 20, { state: 'playing', positionMs: 9e15, videoBitrateKbps: 2_000_000_000 })
  story.say('Heartbeat', 30, { state: 'playing', positionMs: 3_000_000 })
  const long = [{ fromMs: 3_000_000, toMs: 4_000_000 }]
  story.say('Heartbeat', 40, { state: 'playing', positionMs: 3_010_000, played: long })
  story.say('PlaybackEnded', 50, { positionMs: 3_020_000 })
  const row = rowOf(story.events)
  has(row, { nonsense: 4, peak_kbps: 2_000, playing_ms: 50_000, flags: FLAGS.nonsense })
  assert.ok(row.media_ms <= 50_000 && row.bits <= 2_000 * 50_000, `${row.media_ms}`)
})

test('a clock that steps back leaves the state as the player said it last', () => {
  const story = playing()
    .say('StallStarted', 20, { sequence: 2 })
    .say('StallEnded', 18, { sequence: 3, stallMs: 3_000 })
  story.say('Heartbeat', 30, { state: 'playing', sequence: 4 }).say('PlaybackEnded', 40, { sequence: 5 })
  has(rowOf(story.events), { stalled_ms: 3_000, playing_ms: 37_000, stalls: 1, lost_reports: 0 })
  const early = new Story().say('PlaybackStarted', 5).say('FirstFrame', 4, { startupMs: 900 }).say('PlaybackEnded', 9)
  has(rowOf(early.events), { startup_ms: 900, starts: 1, started_at: START_MS + 4_000, starting_ms: 0 })
})

test('of two reports with one sequence the earlier counts; what is missing and late is counted', () => {
  const story = playing().say('PlaybackPaused', 10, { sequence: 2 }).say('PlaybackPaused', 5, { sequence: 2 })
  story.say('PlaybackEnded', 20, { sequence: 7, meta: { receivedAt: START_MS + 90_000 } })
  const expected = { reports: 4, duplicate_reports: 1, lost_reports: 4, late_reports: 1, playing_ms: 5_000 }
  has(rowOf(story.events), expected)
  has(rowOf([...story.events, ...story.events]), expected)
  const uncounted = new Story()
  for (let s = 0; s < 60; s += 10) {
    uncounted.say('Heartbeat', s, { sequence: (START_MS + s * 1_000) % 2 ** 31, state: 'playing' })
  }
  has(rowOf(uncounted.say('PlaybackPaused', 60, { sequence: (START_MS + 60_000) % 2 ** 31 }).events), {
    reports: 7,
    lost_reports: 0,
  })
})

test('an end that is missing leaves the view open; one that comes late closes it; a session on two devices is flagged', () => {
  const story = playing().play(0, 60, 0)
  has(rowOf(story.events), { open: 1, ended: 0, last_received_at: START_MS + 50_000, state: 'playing' })
  story.say('PlaybackEnded', 65, { reason: 'finished' })
  has(rowOf(story.events), { open: 0, ended: 1, clean_ends: 1, end_reason: 'finished' })
  const tv = { deviceType: 'tv', streamType: 'vod' } as never
  const both = playing().say('Heartbeat', 5, { context: tv, sequence: 9 })
  both.say('Heartbeat', 6, { context: { deviceType: 'phone', streamType: 'vod' } as never })
  has(rowOf(both.events), { flags: FLAGS.several_devices, device_type: 'tv', stream_type: 'vod' })
})

test('counters of the whole view count by their largest, once the minute is over or the view is', () => {
  const delivery = { requests: 10, failures: 1, bytes: 1_000, transferMs: 50, firstByteMs: 9 }
  const story = playing().say('Heartbeat', 10, { state: 'playing', droppedFrames: 4, delivery })
  has(rowOf(story.events), { dropped_frames: 0, delivery_bytes: 0 })
  story.say('Heartbeat', 70, { state: 'playing', droppedFrames: 9 })
  has(rowOf(story.events), { dropped_frames: 4, delivery_bytes: 1_000, delivery_requests: 10, delivery_failures: 1 })
  has(rowOf(story.say('PlaybackEnded', 75).events), { dropped_frames: 9, delivery_bytes: 1_000 })
})

test('CMCD alone tells startup, stalls, seeks, pauses and the end', () => {
  const story = new Story()
    .say('CmcdReport', 0, { state: 's' })
    .say('CmcdReport', 1.2, { state: 'p', startupMs: 1_150 })
  const rate = { videoBitrateKbps: 4_000 } as const
  story.say('CmcdReport', 10, { state: 'p', event: 't', ...rate }).say('CmcdReport', 20, { state: 'r' })
  story.say('CmcdReport', 23, { state: 'p', stallMs: 3_000 }).say('CmcdReport', 30, { state: 'k' })
  story
    .say('CmcdReport', 31, { state: 'p' })
    .say('CmcdReport', 40, { state: 'a' })
    .say('CmcdReport', 60, { state: 'p' })
  story.say('CmcdReport', 70, { state: 'p', event: 'e', errorCodes: ['27'] }).say('CmcdReport', 80, { state: 'e' })
  has(rowOf(story.events), {
    requests: 1,
    startup_ms: 1_200,
    stalls: 1,
    stalled_ms: 3_000,
    seeks: 1,
    seek_latency_ms: 1_000,
    paused_ms: 20_000,
    playing_ms: 54_800,
    media_ms: 54_800,
    errors: 1,
    failures: 0,
    clean_ends: 1,
    end_reason: 'finished',
    flags: 0,
  })
  const fatal = new Story()
    .say('CmcdReport', 0, { state: 's' })
    .say('CmcdReport', 3, { state: 'f', errorCodes: ['1001'] })
  has(rowOf(fatal.events), { failures: 1, startup_failures: 1, error_code: '1001' })
  const middle = new Story().say('CmcdReport', 5, { state: 'p', event: 't', startupMs: 640 })
  has(rowOf(middle.events), { starts: 1, startups: 1, startup_ms: 640 })
})

test('CMCD of a seek: the player rebuffers or waits until the seek is over, and that is no stall', () => {
  for (const state of ['r', 'w']) {
    const story = cmcdPlaying().say('CmcdReport', 10, { state: 'k' }).say('CmcdReport', 10.003, { state })
    story.say('CmcdReport', 10.5, { state, event: 't' }).say('CmcdReport', 11, { state: 'p' })
    story.say('CmcdReport', 20, { state: 'e' })
    has(rowOf(story.events), { seeks: 1, seek_latency_ms: 1_000, seeking_ms: 1_000, stalls: 0, playing_ms: 18_000 })
  }
})

test('CMCD that waits is a stall while it plays, and nothing new in a pause', () => {
  const stall = cmcdPlaying().say('CmcdReport', 10, { state: 'w' }).say('CmcdReport', 12, { state: 'w', event: 't' })
  stall.say('CmcdReport', 14, { state: 'p' }).say('CmcdReport', 20, { state: 'e' })
  has(rowOf(stall.events), { stalls: 1, stalled_ms: 4_000, paused_ms: 0, playing_ms: 15_000 })
  const pause = cmcdPlaying().say('CmcdReport', 10, { state: 'a' }).say('CmcdReport', 12, { state: 'w' })
  pause.say('CmcdReport', 14, { state: 'p' }).say('CmcdReport', 20, { state: 'e' })
  has(rowOf(pause.events), { stalls: 0, paused_ms: 4_000, playing_ms: 15_000 })
})

test('CMCD of a seek in a pause: the seek ends when the pause is told again, not when playback goes on', () => {
  const story = cmcdPlaying()
    .say('CmcdReport', 10, { state: 'a' })
    .say('CmcdReport', 15, { state: 'k' })
    .say('CmcdReport', 15.1, { state: 'r' })
  story
    .say('CmcdReport', 15.3, { state: 'a' })
    .say('CmcdReport', 40, { state: 'p' })
    .say('CmcdReport', 50, { state: 'e' })
  has(rowOf(story.events), { seeks: 1, seek_latency_ms: 300, seek_latencies: 1, paused_ms: 30_000, playing_ms: 19_000 })
})

test('an answered request of CMCD stands at the time it was made: the state that it repeats is of later', () => {
  const late = { event: 'rr', state: 'w', positionMs: 90_000, videoBitrateKbps: 9_000 } as const
  const story = cmcdPlaying().say('CmcdReport', 10, { state: 'w', sequence: 7 })
  // Asked for while it played, answered in the stall.
  story.say('CmcdReport', 6, { ...late, sequence: 8 }).say('CmcdReport', 14, { state: 'p', sequence: 9 })
  story.say('CmcdReport', 20, { state: 'e', sequence: 10 })
  has(rowOf(story.events), { stalls: 1, stalled_ms: 4_000, playing_ms: 15_000, peak_kbps: 0 })
  has(rowOf(story.events), { nonsense: 0, lost_reports: 0 })
})

test('CMCD that rebuffers before its first frame is starting', () => {
  const story = new Story().say('CmcdReport', 0, { event: 't' }).say('CmcdReport', 0.1, { state: 'r' })
  story.say('CmcdReport', 1.3, { state: 'p' }).say('CmcdReport', 1, { event: 'rr', state: 'p', startupMs: 1_190 })
  story.say('CmcdReport', 10, { state: 'e' }).say('CmcdReport', 10.003, { state: 'a' })
  story.say('CmcdReport', 10.006, { state: 'e' })
  has(rowOf(story.events), { requests: 1, startup_ms: 1_200, starting_ms: 1_200, stalls: 0, clean_ends: 1 })
})

test('CMCD without any state tells its start by the time it took', () => {
  const story = new Story().say('CmcdReport', 0, { event: 't' }).say('CmcdReport', 0.5, { event: 'rr' })
  has(rowOf(story.events), { starts: 0, startups: 0 })
  story.say('CmcdReport', 1.5, { event: 'rr', startupMs: 1_027 }).say('CmcdReport', 11.5, { event: 't' })
  has(rowOf(story.events), { starts: 1, startups: 1, startup_ms: 1_027, requests: 0, stalls: 0 })
})

test('a fatal error of CMCD is one, however often it is repeated, and the code may come after it', () => {
  const story = cmcdPlaying().say('CmcdReport', 5, { state: 'f' })
  story.say('CmcdReport', 5.001, { state: 'f', event: 'e', errorCodes: ['fragLoadError'] })
  for (const at of [10, 20, 30]) story.say('CmcdReport', at, { state: 'f', event: 't', errorCodes: ['27'] })
  has(rowOf(story.events), { errors: 1, failures: 1, playback_failures: 1, error_code: 'fragLoadError' })
})

test('CMCD that plays on after an error it called fatal is playing', () => {
  const story = cmcdPlaying().say('CmcdReport', 5, { state: 'f' }).say('CmcdReport', 8, { state: 'p' })
  story.say('CmcdReport', 20, { state: 'e' })
  has(rowOf(story.events), { failures: 1, playing_ms: 16_000, clean_ends: 1, end_reason: 'finished' })
})

/** Asked for at 0, playing from the first second on. */
function cmcdPlaying(): Story {
  return new Story().say('CmcdReport', 0, { state: 's' }).say('CmcdReport', 1, { state: 'p' })
}

test('minutes say what went on in them and where it stood', () => {
  const story = playing()
    .play(0, 90, 0, 10, { videoBitrateKbps: 1_000 })
    .say('PlaybackPaused', 95, { positionMs: 95_000 })
  story.say('PlaybackEnded', 130, { positionMs: 95_000 })
  const [first, second, third] = slicesOf(story.events)
  const shown = [first, second, third].map((s) => [s?.minute, s?.playing_ms, s?.paused_ms, s?.media_ms, s?.position_ms])
  assert.deepEqual(shown, [
    [START_MS, 60_000, 0, 60_000, 50_000],
    [START_MS + 60_000, 35_000, 25_000, 35_000, 95_000],
    [START_MS + 120_000, 0, 10_000, 0, 95_000],
  ])
  assert.deepEqual([first?.played_from, first?.played_to], [[0], [60]])
  // Nobody knew the bitrate before the first heartbeat.
  assert.deepEqual([first?.bits_media_ms, first?.bits, second?.bits], [50_000, 50_000_000, 35_000_000])
})
