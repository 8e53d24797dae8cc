/** How large a view, its rows and its state may become, and how often its rows change. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { SignedRow, StateCell } from '../../projections/projection.ts'
import { decode } from '../../projections/views/bytes.ts'
import { VIEW_LIMITS } from '../../projections/views/limits.ts'
import { FLAGS } from '../../projections/views/row.ts'
import type { View } from '../../projections/views/state.ts'
import { viewsV1 } from '../../projections/views/v1.ts'
import type { PlayheadEvent } from '../../schemas/index.ts'
import { numbers } from './support.ts'
import { named, rowOf, Story, slicesOf, viewOf } from './views-events.ts'

const { keyed } = viewsV1()
const KEY: readonly StateCell[] = ['ada', 's1', 'dune']

/** As an SDK sends it: timers are late, positions are read a little after, totals ride along. */
function twoHours(): Story {
  const next = numbers(5)
  const context = {
    ...{ player: 'hls.js', playerVersion: '1.7.0', sdkVersion: '1.0.0', appVersion: '4.2.1', deviceType: 'desktop' },
    ...{ os: 'macOS', osVersion: '15.1', browser: 'Chrome', browserVersion: '142', country: 'DE', region: 'BE' },
    ...{ asn: 3320, isp: 'Deutsche Telekom AG', cdn: 'fastly', protocol: 'hls', streamType: 'vod', language: 'de' },
  } as never
  const story = new Story().say('PlaybackStarted', 0, { context, trigger: 'user' })
  story.say('FirstFrame', 0.8, { startupMs: 800, videoBitrateKbps: 3_000, width: 1_280, height: 720 })
  let fromMs = 0
  for (let beat = 1; beat <= 720; beat++) {
    const toMs = beat * 10_000 + next(30)
    const size = { width: 1_280, height: 720, playerWidth: 1_920, playerHeight: 1_080 }
    const delivery = {
      ...{ requests: 5 * beat, failures: 0, bytes: 4_000_000 * beat + next(9_999) },
      ...{ transferMs: 2_000 * beat + next(500), firstByteMs: 90 * beat },
    }
    story.say('Heartbeat', 0.8 + beat * 10 + next(40) / 1_000, {
      ...{ state: 'playing', positionMs: toMs, played: [{ fromMs, toMs }], durationMs: 8_000_000, delivery, ...size },
      ...{
        videoBitrateKbps: 3_000,
        stallMs: 0,
        droppedFrames: beat,
        bufferMs: next(30_000),
        throughputKbps: next(9_000),
      },
    })
    fromMs = toMs
  }
  return story
}

function sizeOf(cells: readonly StateCell[]): number {
  return cells.reduce<number>((sum, cell) => {
    if (cell instanceof Uint8Array) return sum + cell.length
    return sum + (typeof cell === 'string' ? Buffer.byteLength(cell) : 8)
  }, 0)
}

test('two hours with a heartbeat every 10 s are kept in less than 4,000 bytes', () => {
  const view = viewOf(twoHours().events)
  const bytes = sizeOf(keyed.toColumns(view))
  assert.ok(bytes < 4_000, `${bytes} bytes`)
  assert.equal(decode(view.observations().bytes).length, 722)
})

test('a view of two hours changes its rows once a minute and once a change of state', () => {
  const { events } = twoHours().say('PlaybackPaused', 7_205).say('PlaybackResumed', 7_230).say('PlaybackEnded', 7_240)
  let view: View | undefined
  let before: readonly SignedRow[] = []
  let written = 0
  let views = 0
  for (const event of events) {
    view = keyed.fold(view, event)
    const now = view.rows()
    const old = new Map(before.map((row) => [row.rowKey, row]))
    for (const row of now) {
      const stood = old.get(row.rowKey)
      if (stood === row || (stood && JSON.stringify(stood.cells) === JSON.stringify(row.cells))) continue
      written++
      if (row.landing.name === 'landing_views') views++
    }
    before = now
  }
  // Request, first frame, the title's length (told by the first heartbeat), pause, resume, end.
  const changes = 6
  const minutes = 120
  assert.ok(views <= minutes + changes, `${views} view rows`)
  // Every minute once when it is done, and as it is at each change of state.
  assert.ok(written - views <= minutes + 1 + changes, `${written - views} minutes`)
})

test('a pause of 24 h is a pause, and has no minutes while nothing is said', () => {
  const story = new Story().say('PlaybackStarted', 0).say('FirstFrame', 1).say('PlaybackPaused', 61)
  const day = 86_400
  story.say('PlaybackResumed', 61 + day).say('PlaybackEnded', 91 + day)
  const row = rowOf(story.events)
  assert.deepEqual([row.paused_ms, row.watched_ms, row.playing_ms], [day * 1_000, 91_000, 90_000])
  assert.ok(slicesOf(story.events).length <= 6)
  const week = new Story().say('PlaybackStarted', 0).say('FirstFrame', 1)
  for (let s = 60; s < 7 * day; s += 240) week.say('Heartbeat', s, { state: 'paused' })
  assert.equal(slicesOf(week.events).length, VIEW_LIMITS.slicesMax)
})

test('100,000 events in one session fold in less than 2 s, in order and out of order', () => {
  const story = new Story().say('PlaybackStarted', 0).play(0, 100_000, 0, 1)
  story.events.length = 100_000
  const fold = (events: readonly PlayheadEvent[]): [number, unknown] => {
    const began = process.cpuUsage()
    const rows = viewOf(events).rows()
    const { user, system } = process.cpuUsage(began)
    return [(user + system) / 1_000, rows.map(({ cells }) => cells)]
  }
  const [inOrderMs, rows] = fold(story.events)
  const [mixedMs, same] = fold([...story.events.slice(50_000), ...story.events.slice(0, 50_000)])
  assert.deepEqual(same, rows)
  assert.ok(inOrderMs < 2_000 && mixedMs < 2_000, `${inOrderMs} ms in order, ${mixedMs} ms out of order`)
})

test('of more observations than are kept the earliest count, whatever came first, and the row says so', () => {
  const story = new Story().say('PlaybackStarted', 0)
  for (let i = 1; i < VIEW_LIMITS.observationsMax + 500; i++) {
    story.say('Heartbeat', i / 10, { state: 'playing', positionMs: i * 100 })
  }
  const { events } = story
  const inOrder = viewOf(events)
  assert.ok(inOrder.observations().bytes.length < 900_000)
  assert.equal(inOrder.observations().count, VIEW_LIMITS.observationsMax)
  const backwards = viewOf([...events].reverse())
  assert.deepEqual(cellsOf(backwards), cellsOf(inOrder))
  assert.equal(named(inOrder.rows()[0]!).flags, FLAGS.no_first_frame | FLAGS.truncated)
  const stored = keyed.fromColumns(keyed.toColumns(inOrder), KEY)
  assert.deepEqual(cellsOf(keyed.fold(stored, events[events.length - 1]!)), cellsOf(inOrder))
})

test('what a hostile player says stays small enough for the stores', () => {
  const next = numbers(9)
  const story = new Story()
  for (let i = 0; i < 12_000; i++) {
    const played = Array.from({ length: 64 }, () => ({ fromMs: next(1e9), toMs: 1e9 + next(1e9) }))
    const wild = { playbackRatePermille: next(16_000), width: next(16_000), cdn: 'é'.repeat(200 + (i % 2)) }
    story.say('Heartbeat', next(1e6), { sequence: next(2 ** 31), played, positionMs: next(2e9), ...wild })
  }
  const view = viewOf(story.events)
  assert.ok(view.observations().bytes.length < 900_000)
  assert.equal(view.truncated, true)
})

function cellsOf(view: View): unknown {
  return view.rows().map(({ rowKey, cells }) => [rowKey, cells])
}

/** A session with something of everything. */
function golden(): PlayheadEvent[] {
  const story = new Story().say('PlaybackStarted', 0, { trigger: 'autoplay', pageStartupMs: 400, playerStartupMs: 90 })
  story.say('AdBreakStarted', 0.4).say('AdStarted', 0.5).say('AdEnded', 15).say('AdBreakEnded', 15.2)
  story.say('FirstFrame', 16.4, { videoBitrateKbps: 1_200, audioBitrateKbps: 128, width: 640, height: 360 })
  story.play(16.4, 96.4, 0, 10, { playerWidth: 1_920, playerHeight: 1_080, droppedFrames: 3 })
  story.say('RenditionChanged', 98, { positionMs: 81_600, videoBitrateKbps: 4_500, width: 1_920, height: 1_080 })
  story.say('StallStarted', 101, { positionMs: 84_600 }).say('StallEnded', 103.3, { positionMs: 84_600 })
  story.say('SeekStarted', 130, { positionMs: 111_300 }).say('SeekEnded', 131.1, { positionMs: 600_000 })
  story.play(131.1, 331.1, 600, 10, { liveLatencyMs: 4_000 })
  story.say('PlaybackPaused', 335, { positionMs: 803_900 }).say('PlaybackResumed', 4_000, { positionMs: 803_900 })
  story.say('CmcdReport', 4_005, { event: 't', state: 'p', sequence: 1, target: 'b', videoBitrateKbps: 3_000 })
  story.say('PlaybackFailed', 4_010, { positionMs: 813_900, code: 'DECODE', meta: { receivedAt: 1_767_273_000_000 } })
  return story.events
}

test('a golden session means what it always meant; if not, make a new version of the fold', () => {
  const events = golden()
  const hash = createHash('sha256')
  for (let i = 1; i <= events.length; i++) hash.update(JSON.stringify(cellsOf(viewOf(events.slice(0, i)))))
  assert.equal(hash.digest('hex').slice(0, 16), 'a668201ebeeed547')
})
