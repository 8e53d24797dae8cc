import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createClock } from '../../sdk/clock.ts'
import { fakeTime, recording, START_MS } from './support.ts'

test('startup is from the request to the first frame', () => {
  const { time, recorder, events, types } = recording()
  recorder.signal('play')
  time.pass(800)
  recorder.signal('moves')
  assert.deepEqual(types(), ['PlaybackStarted', 'FirstFrame'])
  assert.equal(events[1]!.startupMs, 800)
  assert.deepEqual(
    events.map(({ sequence }) => sequence),
    [0, 1],
  )
})

test('an autoplay is asked for when its media was, not when all of it was there', () => {
  const { time, recorder, events } = recording()
  time.pass(2_000)
  recorder.signal('play', { agoMs: 1_500, trigger: 'autoplay' })
  recorder.signal('moves')
  assert.equal(events[0]!.occurredAt, START_MS + 500)
  assert.equal(events[1]!.startupMs, 1_500)
})

test('attached to a player that plays already, no startup is claimed', () => {
  const { recorder, types, play } = recording()
  recorder.signal('moves')
  play(1_000)
  assert.deepEqual(types(), ['PlaybackStarted'])
  assert.equal(recorder.state(), 'playing')
})

test('what was played is told once, without what was skipped', () => {
  const { look, time, recorder, events, play } = recording()
  recorder.signal('play')
  recorder.signal('moves')
  play(12_000)
  look.positionMs = 40_000
  recorder.signal('seeks')
  time.pass(300)
  recorder.signal('sought')
  play(3_000)
  recorder.signal('leaves')
  const seek = events.find(({ type }) => type === 'SeekStarted')!
  assert.deepEqual([seek.positionMs, seek.toMs], [12_000, 40_000])
  const ranges = events.flatMap(({ played = [] }) => played as { fromMs: number; toMs: number }[])
  const first = ranges.filter(({ toMs }) => toMs <= 12_000)
  assert.equal(first[0]!.fromMs, 0)
  assert.equal(first.at(-1)!.toMs, 12_000)
  assert.equal(
    ranges.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0),
    14_750,
    'all but the first sample after the seek, which says that it moves again',
  )
  assert.ok(!ranges.some(({ fromMs, toMs }) => fromMs < 40_000 && toMs > 12_000))
})

test('a position that stands is a stall from when it stood, though no browser says so', () => {
  const { time, recorder, events, play } = recording()
  recorder.signal('play')
  recorder.signal('moves')
  play(2_000)
  const stoodAt = time.wallMs
  for (let i = 0; i < 6; i++) {
    time.pass(250)
    recorder.tick(true)
  }
  const stall = events.find(({ type }) => type === 'StallStarted')!
  assert.equal(stall.occurredAt, stoodAt)
  play(250)
  assert.equal(events.find(({ type }) => type === 'StallEnded')!.stallMs, 1_750)
})

test('a hop of the player over a hole in its buffer is no seek and ends no stall', () => {
  const { look, recorder, types, play } = recording()
  recorder.signal('play')
  recorder.signal('moves')
  play(2_000)
  recorder.signal('waits')
  look.positionMs += 100
  recorder.signal('seeks')
  recorder.signal('sought')
  assert.equal(recorder.state(), 'stalled')
  assert.ok(!types().includes('SeekStarted'))
})

test('a machine that sleeps is a pause, from when it fell asleep to when it woke', () => {
  const { time, recorder, events, play } = recording()
  recorder.signal('play')
  recorder.signal('moves')
  play(3_000)
  const asleepAt = time.wallMs
  time.sleep(3_600_000)
  play(500)
  const [paused, resumed] = ['PlaybackPaused', 'PlaybackResumed'].map((type) => events.find((e) => e.type === type)!)
  assert.equal(paused!.occurredAt, asleepAt)
  assert.equal(paused!.reason, 'system')
  assert.ok(Math.abs(resumed!.occurredAt - asleepAt - 3_600_000) <= 250)
  assert.equal(recorder.state(), 'playing')
})

test('a machine that sleeps with its steady clock running is a pause too', () => {
  const { time, recorder, types, play } = recording()
  recorder.signal('play')
  recorder.signal('moves')
  play(3_000)
  time.pass(600_000)
  play(500)
  assert.deepEqual(
    types().filter((type) => /Paused|Resumed|Stall/.test(type)),
    ['PlaybackPaused', 'PlaybackResumed'],
  )
})

test('a startup that is slept through is no startup of an hour', () => {
  const { time, recorder, types } = recording()
  recorder.signal('play')
  time.pass(500)
  recorder.tick(false)
  time.sleep(3_600_000)
  recorder.tick(false)
  recorder.signal('moves')
  assert.deepEqual(types().slice(0, 3), ['PlaybackStarted', 'PlaybackPaused', 'PlaybackResumed'])
})

test('a short seek forward is not played', () => {
  const { look, time, recorder, events, play } = recording()
  recorder.signal('play')
  recorder.signal('moves')
  play(2_000)
  time.pass(250)
  look.positionMs += 900
  recorder.signal('seeks')
  recorder.signal('leaves')
  const ranges = events.flatMap(({ played = [] }) => played as { fromMs: number; toMs: number }[])
  assert.equal(ranges.at(-1)!.toMs, 2_000)
})

test('timers that a hidden tab is denied are no sleep while media plays on', () => {
  const { recorder, types, play } = recording()
  recorder.signal('play')
  recorder.signal('moves')
  play(120_000, 60_000)
  assert.ok(!types().includes('PlaybackPaused'))
  assert.ok(!types().includes('StallStarted'))
})

test('a heartbeat comes every ten seconds, every thirty in a pause, and at once when the speed changes', () => {
  const { look, time, recorder, types, last, play } = recording()
  const beats = () => types().filter((type) => type === 'Heartbeat').length
  recorder.signal('play')
  recorder.signal('moves')
  play(30_000)
  assert.equal(beats(), 3)
  time.pass(1_500)
  look.positionMs += 1_500
  look.playbackRatePermille = 2_000
  recorder.tick(true)
  assert.equal(beats(), 4)
  assert.equal(last().playbackRatePermille, 2_000)
  recorder.signal('pause')
  for (let s = 0; s < 120; s++) {
    time.pass(1_000)
    recorder.tick(false)
  }
  assert.equal(beats(), 8)
  assert.equal(last().state, 'paused')
})

test('times never go back and sequences have no gap, whatever happens and however the clocks jump', () => {
  const signals = ['play', 'moves', 'pause', 'waits', 'seeks', 'sought', 'ends', 'fails', 'leaves'] as const
  const act = fc.oneof(
    fc.constantFrom(...signals).map((signal) => ({ signal })),
    fc.integer({ min: 0, max: 20_000 }).map((passMs) => ({ passMs })),
    fc.integer({ min: -10_000_000, max: 10_000_000 }).map((jumpMs) => ({ jumpMs })),
    fc.integer({ min: -5_000, max: 5_000 }).map((moveMs) => ({ moveMs })),
    fc.boolean().map((running) => ({ running })),
  )
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const { time, look, recorder, events } = recording()
      for (const one of acts) {
        if ('signal' in one) recorder.signal(one.signal)
        if ('passMs' in one) time.pass(one.passMs)
        if ('jumpMs' in one) time.wallMs += one.jumpMs
        if ('moveMs' in one) look.positionMs = Math.max(0, look.positionMs + one.moveMs)
        if ('running' in one) recorder.tick(one.running)
      }
      for (const [i, event] of events.entries()) {
        assert.equal(event.sequence, i)
        assert.ok(i === 0 || event.occurredAt >= events[i - 1]!.occurredAt, `${event.type} goes back`)
        for (const { fromMs, toMs } of (event.played ?? []) as { fromMs: number; toMs: number }[]) {
          assert.ok(0 <= fromMs && fromMs < toMs)
        }
      }
      assert.equal(new Set(events.map(({ eventId }) => eventId)).size, events.length)
    }),
    { numRuns: 2_000 },
  )
})

test('a wall clock that is set back, or by more than any sleep, changes no time', () => {
  const time = fakeTime()
  const clock = createClock(
    () => time.wallMs,
    () => time.steadyMs,
  )
  time.pass(1_000)
  time.wallMs -= 3_600_000
  assert.equal(clock.now(), START_MS + 1_000)
  time.pass(1_000)
  time.wallMs += 40 * 365 * 86_400_000
  assert.equal(clock.now(), START_MS + 2_000)
  time.pass(1_000)
  time.sleep(60_000)
  assert.equal(clock.now(), START_MS + 63_000, 'a sleep after that is still seen')
  assert.equal(clock.sleptMs(), 60_000)
})
