/** The pages' own logic, as far as it needs no page. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashOf, readChoice, toggled } from '../../web/dashboard/choice.ts'
import { drawnOf, totals } from '../../web/dashboard/timeline-shape.ts'
import type { StoryEvent, ViewStory } from '../../web/dashboard/types.ts'
import { backOffMs } from '../../web/shared/back-off.ts'
import { bitrate, clock, length, percent, wait } from '../../web/shared/format.ts'
import { areaPath, linePath, nearestIndex, scaleTo, timeTicks } from '../../web/shared/scale.ts'
import { createSseParser } from '../../web/shared/sse-parse.ts'

test('a stream is read whatever its chunks, and a message without an end is refused', () => {
  const text =
    'retry: 2000\n\nid: 1\nevent: audience\ndata: {"a":1}\n\n: beat\r\n\r\nevent: end\r\ndata: x\r\ndata: y\r\n\r\n'
  const whole = createSseParser()(text)
  assert.deepEqual(whole, [
    { event: 'audience', data: '{"a":1}' },
    { event: 'end', data: 'x\ny' },
  ])
  const parse = createSseParser()
  assert.deepEqual(
    [...text].flatMap((character) => parse(character)),
    whole,
  )
  const endless = createSseParser()
  assert.throws(() => {
    for (let i = 0; i < 20; i++) endless(`data: ${'x'.repeat(100_000)}`)
  }, RangeError)
})

test('who can not be reached is left alone for longer each time, and for as long as it asks', () => {
  const waits = Array.from({ length: 12 }, (_, tries) => backOffMs(tries, () => 1))
  assert.deepEqual(waits.slice(0, 3), [1_000, 2_000, 4_000])
  assert.equal(Math.max(...waits), 30_000)
  assert.equal(
    backOffMs(0, () => 0),
    500,
  )
  assert.equal(
    backOffMs(0, () => 1, 9_000),
    9_000,
  )
})

test('what the page shows is in its address, and what the address says badly is left out', () => {
  const choice = toggled({ ...readChoice(''), window: '6h', sort: '-failure_percent' }, 'cdn', 'a b&c')
  assert.deepEqual(readChoice(hashOf(choice)), choice)
  const session = { ...choice, session: 'a/b?c#d %' }
  assert.deepEqual(readChoice(hashOf(session)), session)
  assert.deepEqual(toggled(choice, 'cdn', 'a b&c').filters, [])
  assert.equal(hashOf(readChoice('#/?window=9y&by=nothing&metric=x&sort=<script>&views=1')), '#/')
  assert.equal(readChoice('#/view/%E0%A4%A').session, '%E0%A4%A')
})

test('axes end at round numbers at or above what is drawn', () => {
  for (const max of [0, 0.013, 0.9, 1, 7, 99, 100, 101, 12_345, Number.NaN]) {
    const { max: top, ticks } = scaleTo(max)
    assert.ok(top >= (max || 0) && ticks.length >= 2 && ticks.length <= 7, `${max}: ${ticks.join()}`)
    assert.equal(ticks.at(-1), top)
  }
  for (const max of [0, 1, 3, 9, 10, 11, 25]) {
    assert.ok(scaleTo(max, 4, true).ticks.every(Number.isInteger), String(max))
  }
  assert.deepEqual(timeTicks(0, 3_600_000, 4), [0, 900_000, 1_800_000, 2_700_000, 3_600_000])
  // Six in the morning where the clock is five and a half hours ahead.
  assert.deepEqual(timeTicks(1_000, 3 * 3_600_000, 3, 19_800_000), [1_800_000, 5_400_000, 9_000_000])
})

test('a gap is drawn as a gap, and a single point can be seen', () => {
  const same = (value: number) => value
  assert.equal(linePath([0, 1, 2, 3], [5, 6, null, 7], same, same), 'M0.0 5.0L1.0 6.0M3.0 7.0h1')
  assert.equal(areaPath([0, 1, 2], [5, 6, null], same, same), 'M0.0 0.0L0.0 5.0L1.0 6.0L1.0 0.0Z')
  assert.deepEqual(
    [-5, 4, 6, 99].map((at) => nearestIndex([0, 10, 20], at)),
    [0, 0, 1, 2],
  )
  assert.equal(nearestIndex([], 1), -1)
})

test('numbers are shown as people read them, and what is not known as a dash', () => {
  assert.deepEqual([840, 1_240, 12_340, 75_000].map(wait), ['840 ms', '1.24 s', '12.3 s', '1 min 15 s'])
  assert.deepEqual([0, 0.004, 0.345, 4.56, 45.6].map(percent), ['0%', '<0.01%', '0.34%', '4.6%', '46%'])
  assert.deepEqual([wait(null), percent(undefined), clock(null), bitrate(null)], ['–', '–', '–', '–'])
  assert.deepEqual([clock(65_000), clock(3_723_000), length(7_500_000)], ['1:05', '1:02:03', '2 h 5 min'])
})

test('a view is drawn by when things happened, not by when they came in', () => {
  const event = (type: string, at: number, sequence: number, fields: object = {}) =>
    ({ type, occurredAt: new Date(at).toISOString(), fields: { sequence, ...fields } }) as unknown as StoryEvent
  const view = {
    row: { started_at: new Date(1_000).toISOString(), title_duration_ms: 60_000 },
    explanation: {
      timeline: [
        { from: new Date(1_000).toISOString(), to: new Date(2_000).toISOString(), state: 'starting', cause: 'a' },
        { from: new Date(2_000).toISOString(), to: new Date(9_000).toISOString(), state: 'playing', cause: 'b' },
      ],
      notes: [],
      differences: [],
      behind: null,
    },
  } as unknown as ViewStory
  const late = event('Heartbeat', 5_000, 2, { positionMs: 3_000, videoBitrateKbps: 900 })
  const drawn = drawnOf(view, [
    event('StallStarted', 6_000, 3, { positionMs: 4_000 }),
    late,
    event('FirstFrame', 2_000, 1),
  ])
  assert.deepEqual(
    drawn.marks.map(({ kind, atMs }) => [kind, atMs]),
    [
      ['note', 2_000],
      ['beat', 5_000],
      ['stall', 6_000],
    ],
  )
  assert.deepEqual([drawn.fromMs, drawn.toMs], [1_000, 9_000])
  assert.deepEqual(drawn.position, [
    [5_000, 3_000],
    [6_000, 4_000],
  ])
  assert.deepEqual(drawn.bitrate, [[5_000, 900]])
  assert.deepEqual(
    [...totals(drawn.bands)],
    [
      ['starting', 1_000],
      ['playing', 7_000],
    ],
  )
})
