/** A view explained from its events: the same row, and which events made it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { explainView, type LooseEvent } from '../../projections/views/explain.ts'
import type { PlayheadEvent } from '../../schemas/index.ts'
import { viewEvents } from './views-arbitrary.ts'
import { rowOf, START_MS, Story, slicesOf } from './views-events.ts'

/** As the table of events gives them back: JSON without nulls. */
function loose(events: readonly PlayheadEvent[]): LooseEvent[] {
  return events.map((event) => JSON.parse(JSON.stringify(event, (_, value) => value ?? undefined)) as LooseEvent)
}

test('a view explained from its stored events has the very row and minutes of the fold', () => {
  fc.assert(
    fc.property(viewEvents, (events) => {
      const explained = explainView(loose(events))
      assert.deepEqual(explained?.row, rowOf(events))
      assert.deepEqual(explained?.slices, slicesOf(events))
    }),
    { numRuns: 500 },
  )
})

test('its timeline says what went on and which event began it, its evidence which events made a number', () => {
  const story = new Story().say('PlaybackStarted', 0).say('FirstFrame', 2)
  story.say('StallStarted', 30, { positionMs: 28_000 }).say('StallEnded', 34, { positionMs: 28_000 })
  story.say('PlaybackPaused', 50, { positionMs: 44_000 }).say('PlaybackEnded', 60, { sequence: 9 })
  const ids = story.events.map(({ meta }) => meta.eventId)
  const explained = explainView([...loose(story.events), ...loose(story.events.slice(0, 1))])!
  assert.deepEqual(
    explained.timeline.map(({ state, fromMs, toMs, cause }) => [
      state,
      (fromMs - START_MS) / 1_000,
      (toMs - START_MS) / 1_000,
      ids.indexOf(cause),
    ]),
    [
      ['starting', 0, 2, 0],
      ['playing', 2, 30, 1],
      ['stalled', 30, 34, 2],
      ['playing', 34, 50, 3],
      ['paused', 50, 60, 4],
    ],
  )
  assert.deepEqual(explained.evidence.startup_ms, [ids[1]])
  assert.deepEqual(explained.evidence.stalls, [ids[2]])
  assert.deepEqual(explained.evidence.stalled_ms, [ids[3]])
  assert.deepEqual(explained.evidence.playing_ms, [ids[2], ids[4]])
  assert.deepEqual(explained.evidence.clean_ends, [ids[5]])
  assert.deepEqual(explained.notes, [
    'Events that only say what another has said: 1.',
    'Sequence numbers missing in between: 4.',
  ])
  assert.equal(explainView([]), undefined)
})
