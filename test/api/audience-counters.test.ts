/** Who counts as watching, and that only what was reported decides it: not the order, not who looked when. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AudienceCounters, type AudienceCounts } from '../../api/audience/counters.ts'
import { AUDIENCE_LIMITS } from '../../api/audience/limits.ts'
import { contextOf, event, type PlayheadEvent, type Said, T0 } from './audience-support.ts'

const S = 1_000

function counted(events: readonly PlayheadEvent[], viewsMax?: number): AudienceCounters {
  const counters = new AudienceCounters(viewsMax)
  for (const one of events) counters.take(one, one.meta.receivedAt)
  return counters
}

const frame = (events: readonly PlayheadEvent[], atMs: number): AudienceCounts => counted(events).frame(atMs)
const at = (seconds: number, more: Partial<Said> = {}): Said => ({ atMs: T0 + seconds * S, ...more })
const beat = (said: Said, state = 'playing', more: object = {}) => event('Heartbeat', said, { state, ...more })
const failed = (said: Said, more: object = {}) =>
  event('PlaybackFailed', said, { code: 'x', fatal: true, business: false, phase: 'startup', ...more })

test('starting, playing, seeking, stalled and just failed watch; paused and ended do not', () => {
  const events = [
    event('PlaybackStarted', at(0, { profile: 'a' })),
    beat(at(0, { profile: 'b' })),
    event('SeekStarted', at(0, { profile: 'c' })),
    event('StallStarted', at(0, { profile: 'd' })),
    failed(at(0, { profile: 'e' })),
    event('PlaybackPaused', at(0, { profile: 'f' })),
    event('PlaybackEnded', at(0, { profile: 'g' }), { reason: 'quit' }),
    event('PlaybackEnded', at(0, { profile: 'h' }), { reason: 'failed' }),
  ]
  const { starting, playing, seeking, stalled, failed: justFailed, paused, concurrent } = frame(events, T0 + S)
  assert.deepEqual([starting, playing, seeking, stalled, justFailed, paused], [1, 1, 1, 1, 2, 1])
  assert.equal(concurrent, 6)
})

test('a view counts until 20 s after its next report was due, by the interval that it has shown', () => {
  const once = counted([beat(at(0))])
  assert.equal(once.frame(T0 + 29_999).concurrent, 1, 'an interval of 10 s is taken for granted')
  assert.equal(once.frame(T0 + 30_000).concurrent, 0)
  const slow = counted([beat(at(0)), beat(at(30))])
  assert.equal(slow.frame(T0 + 79_999).concurrent, 1, '30 s apart: 50 s')
  assert.equal(slow.frame(T0 + 80_000).concurrent, 0)
  const back = counted([beat(at(0)), beat(at(120))])
  assert.equal(back.frame(T0 + 149_999).concurrent, 1)
  assert.equal(back.frame(T0 + 150_000).concurrent, 0, 'two minutes of silence are no interval')
})

test('nobody waits for more than five minutes of unbroken stalling', () => {
  const stall = [event('StallStarted', at(0)), ...[10, 20, 30].map((i) => i * 10).map((s) => beat(at(s), 'stalled'))]
  assert.equal(frame(stall, T0 + 300 * S).stalled, 1)
  assert.equal(frame(stall, T0 + 301 * S).concurrent, 0)
  const broken = [...stall, beat(at(290)), event('StallStarted', at(291)), beat(at(310), 'stalled')]
  assert.equal(frame(broken, T0 + 311 * S).stalled, 1, 'it played for a second')
  const unseen = [0, 300].map((s) => beat(at(s), 'stalled'))
  assert.equal(frame(unseen, T0 + 301 * S).concurrent, 0, 'its begin was not seen: since it is known')
})

test('a start counts once, in the second in which something was first seen', () => {
  const events = [
    event('PlaybackStarted', at(0)),
    event('FirstFrame', at(2.5)),
    beat(at(12)),
    event('FirstFrame', at(14)),
    event('PlaybackStarted', at(3, { profile: 'b' })),
    // Its first frame was never reported: the heartbeat proves it.
    beat(at(5, { profile: 'b' })),
    // This one ran before anybody looked.
    beat(at(5, { profile: 'c' })),
  ]
  const counters = counted(events)
  assert.deepEqual(counters.frame(T0 + 3 * S).starts, { lastSecond: 1, lastMinute: 1 })
  assert.deepEqual(counters.frame(T0 + 6 * S).starts, { lastSecond: 1, lastMinute: 2 })
  assert.deepEqual(counters.frame(T0 + 62 * S).starts, { lastSecond: 0, lastMinute: 2 })
  assert.deepEqual(counters.frame(T0 + 63 * S).starts, { lastSecond: 0, lastMinute: 1 })
})

test('failures are the fatal ones that no rule meant, once for each view', () => {
  const events = [
    failed(at(1)),
    failed(at(2)),
    failed(at(1, { profile: 'b' }), { fatal: false }),
    failed(at(1, { profile: 'c' }), { business: true }),
    event('CmcdReport', at(1, { profile: 'd' }), { state: 'f', event: 'ps', cdn: null }),
  ]
  assert.deepEqual(frame(events, T0 + 3 * S).failures, { lastSecond: 0, lastMinute: 2 })
})

test('a seek before the first frame is no start, and a CMCD player is counted like any other', () => {
  const seeks = [event('PlaybackStarted', at(0)), event('SeekStarted', at(0.1)), event('SeekEnded', at(0.2))]
  assert.equal(frame(seeks, T0 + S).starts.lastMinute, 0)
  const report = (seconds: number, state: string | null, more: Partial<Said> = {}) =>
    event('CmcdReport', at(seconds, more), { state, event: 'ps', cdn: 'edge', sequence: null })
  const cmcd = [report(0, 's'), report(1, 'p'), report(2, 'r'), report(2, 'a', { profile: 'b' }), report(2, null)]
  const { starts, stalled, paused, concurrent, by } = frame(cmcd, T0 + 3 * S)
  assert.deepEqual([starts.lastMinute, stalled, paused, concurrent], [1, 1, 1, 1])
  assert.deepEqual(by.cdn, [{ value: 'edge', concurrent: 1, stalled: 1, starts: 1, failures: 0 }])
})

test('reports of the past are not of now, and are counted as left out', () => {
  const counters = counted([beat({ atMs: T0, occurredMs: T0 - 60_001 }), beat({ atMs: T0, occurredMs: T0 - 60_000 })])
  assert.equal(counters.frame(T0 + S).concurrent, 1)
  assert.deepEqual(counters.leftOut, { late: 1, evicted: 0 })
})

test('viewers are told by country, region, title and CDN, the largest first, the unknown as such', () => {
  const from = (profile: string, country: string, region: string | null, title: string, cdn: string) =>
    beat(at(0, { profile, title }), 'playing', { context: contextOf({ country, region, cdn }) })
  const { by } = frame(
    [
      from('a', 'DE', 'BY', 't1', 'one'),
      from('b', 'DE', 'BE', 't1', 'two'),
      from('c', 'FR', null, 't2', 'one'),
      beat(at(0, { profile: 'd', title: 't1' })),
      // The CDN changes while it plays; where it plays stays as it was said.
      beat(at(1, { profile: 'b', title: 't1' }), 'stalled', { cdn: 'three' }),
    ],
    T0 + 2 * S,
  )
  const shown = (values: readonly { value: string; concurrent: number }[]) =>
    values.map(({ value, concurrent }) => `${value}=${concurrent}`).join(' ')
  assert.equal(shown(by.country), 'DE=2 =1 FR=1')
  assert.equal(shown(by.region), '=1 DE-BE=1 DE-BY=1 FR=1')
  assert.equal(shown(by.title), 't1=3 t2=1')
  assert.equal(shown(by.cdn), 'one=2 =1 three=1')
  assert.equal(by.title[0]?.stalled, 1)
})

test('of many titles only the largest are told', () => {
  const viewers = Array.from({ length: 300 }, (_, n) =>
    Array.from({ length: n % 60 }, (_, i) => beat(at(0, { profile: `p${n}-${i}`, title: `title ${n}` }))),
  ).flat()
  const { title } = frame(viewers, T0 + S).by
  assert.equal(title.length, AUDIENCE_LIMITS.topValuesMax)
  const all = Array.from({ length: 300 }, (_, n) => ({ value: `title ${n}`, concurrent: n % 60 }))
  all.sort((a, b) => b.concurrent - a.concurrent || (a.value < b.value ? -1 : 1))
  assert.deepEqual(
    title.map(({ value, concurrent }) => ({ value, concurrent })),
    all.slice(0, AUDIENCE_LIMITS.topValuesMax),
  )
})

test('with all places taken the longest silent view leaves, and that is counted', () => {
  const counters = counted(
    [0, 1, 2, 0, 3].map((n, i) => beat(at(i, { profile: `p${n}`, title: `t${n}` }))),
    3,
  )
  const { concurrent, by } = counters.frame(T0 + 5 * S)
  assert.equal(concurrent, 3)
  assert.deepEqual(by.title.map(({ value }) => value).sort(), ['t0', 't2', 't3'])
  assert.deepEqual([counters.views, counters.leftOut.evicted], [3, 1])
})

test('a view that is silent for long is forgotten, and a text that nobody says any more with it', () => {
  const counters = new AudienceCounters(10)
  for (let n = 0; n < 1_000; n++) {
    const said = at(n * 700, { profile: `p${n}`, title: `t${n}` })
    counters.take(beat(said, 'playing', { context: contextOf({ country: 'DE', region: `${n}` }) }), said.atMs)
    counters.frame(said.atMs + S)
  }
  assert.equal(counters.views, 1)
  assert.deepEqual(counters.leftOut, { late: 0, evicted: 0 })
  assert.deepEqual(
    counters.frame(T0 + 999 * 700 * S + S).by.region.map(({ value }) => value),
    ['DE-999'],
  )
})

const STATES = ['starting', 'playing', 'paused', 'seeking', 'stalled', 'ended', 'unknown'] as const
test('a view that comes back after ten minutes is another, whether somebody looked or not', () => {
  const german = { context: contextOf({ country: 'DE' }) }
  const before = [event('PlaybackStarted', at(0), german), event('FirstFrame', at(1))]
  for (const looks of [false, true]) {
    const counters = counted(before)
    if (looks) counters.frame(T0 + 10 * S)
    counters.take(beat(at(602)), T0 + 602 * S)
    assert.deepEqual(
      counters.frame(T0 + 603 * S).by.region.map(({ value }) => value),
      [''],
    )
  }
  const kept = counted([...before, beat(at(601))])
  assert.equal(kept.frame(T0 + 602 * S).by.region[0]?.value, 'DE')
})

interface Spread {
  readonly seconds: fc.Arbitrary<number>
  readonly ages: readonly number[]
  readonly views: number
}
const WIDE: Spread = {
  seconds: fc.oneof(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 900, max: 1_700 })),
  ages: [0, 250, 749, 1_000, 9_000, 60_000, 61_000],
  views: 6,
}
/** Reports of one moment, of which only what they say tells one from another. */
const NARROW: Spread = { seconds: fc.integer({ min: 0, max: 1 }), ages: [0, 250], views: 2 }

const arbitraryEvent = ({ seconds, ages, views }: Spread) =>
  fc
    .record({
      second: seconds,
      ms: fc.constantFrom(0, 250),
      ageMs: fc.constantFrom(...ages),
      view: fc.nat(views - 1),
      sequence: fc.integer({ min: 0, max: 3 }),
      kind: fc.constantFrom('beat', 'beat', 'start', 'frame', 'stall', 'fail', 'pause', 'end') as fc.Arbitrary<string>,
      state: fc.constantFrom(...STATES),
      country: fc.constantFrom('DE', 'FR', null),
      cdn: fc.constantFrom('one', 'two', null),
    })
    .map(({ second, ms, ageMs, view, sequence, kind, state, country, cdn }): PlayheadEvent => {
      const atMs = T0 + second * S + ms
      const said = { atMs, occurredMs: atMs - ageMs, profile: `p${view % 3}`, title: `t${view}`, sequence }
      const context = country === null ? null : contextOf({ country, cdn })
      if (kind === 'start') return event('PlaybackStarted', said, { context })
      if (kind === 'frame') return event('FirstFrame', said, { context })
      if (kind === 'stall') return event('StallStarted', said, { context, cdn })
      if (kind === 'fail') return failed(said, { context, cdn })
      if (kind === 'pause') return event('PlaybackPaused', said, { context })
      if (kind === 'end') return event('PlaybackEnded', said, { context, reason: 'finished' })
      return beat(said, state, { context, cdn })
    })
const arbitraryLog = (spread: Spread) =>
  fc
    .array(arbitraryEvent(spread), { minLength: 1, maxLength: 40 })
    .map((events) => events.sort((a, b) => a.meta.receivedAt - b.meta.receivedAt))

for (const [name, spread] of Object.entries({ minutes: WIDE, moments: NARROW })) {
  test(`the order within a second, and the same record twice, change no number: ${name}`, () => {
    fc.assert(
      fc.property(arbitraryLog(spread), fc.infiniteStream(fc.nat()), (log, keys) => {
        const second = (one: PlayheadEvent) => Math.floor(one.meta.receivedAt / S)
        const shuffled = log
          .flatMap((one) => (keys.next().value % 3 === 0 ? [one, one] : [one]))
          .map((one) => ({ one, key: keys.next().value as number }))
          .sort((a, b) => second(a.one) - second(b.one) || a.key - b.key)
          .map(({ one }) => one)
        const endMs = (second(log.at(-1)!) + 1) * S
        for (const aheadMs of [0, 15_000, 40_000, 310_000]) {
          assert.deepEqual(frame(shuffled, endMs + aheadMs), frame(log, endMs + aheadMs))
        }
      }),
      { numRuns: 300 },
    )
  })
}

test('a log that is read again gives the same numbers, whoever looked meanwhile', () => {
  fc.assert(
    fc.property(arbitraryLog(WIDE), (log) => {
      const live = new AudienceCounters()
      let nextMs = (Math.floor(T0 / S) + 1) * S
      const seen: (readonly [number, AudienceCounts])[] = []
      for (const one of log) {
        for (; nextMs <= one.meta.receivedAt; nextMs += 40 * S) seen.push([nextMs, live.frame(nextMs)])
        live.take(one, one.meta.receivedAt)
      }
      for (const [atMs, was] of seen.slice(-8)) {
        const before = log.filter(({ meta }) => meta.receivedAt < atMs)
        assert.deepEqual(frame(before, atMs), was)
      }
    }),
    { numRuns: 200 },
  )
})
