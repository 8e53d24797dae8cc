/** Rows of views are a function of the set of events: any order, any copies, any batches, from memory or from the store. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { SignedRow, StateCell } from '../../projections/projection.ts'
import type { View } from '../../projections/views/state.ts'
import { viewsV1 } from '../../projections/views/v1.ts'
import type { PlayheadEvent } from '../../schemas/index.ts'
import { viewEvents } from './views-arbitrary.ts'
import { Story, viewOf } from './views-events.ts'

const { keyed } = viewsV1()
const KEY: readonly StateCell[] = ['ada', 's1', 'dune']

function shownBy(view: View): unknown {
  return view.rows().map(({ landing, rowKey, cells }) => [landing.name, rowKey, cells])
}

function keptOf(view: View): unknown {
  return keyed.toColumns(view).map(copy)
}

function byTime(events: readonly PlayheadEvent[]): PlayheadEvent[] {
  return [...events].sort((a, b) => a.meta.occurredAt - b.meta.occurredAt)
}

/** From a store that writes over its buffer at once. */
function stored(view: View): View {
  const cells = keyed.toColumns(view).map(copy)
  const read = keyed.fromColumns(cells, KEY)
  for (const cell of cells) if (cell instanceof Uint8Array) cell.fill(255)
  return read
}

function copy(cell: StateCell): StateCell {
  return cell instanceof Uint8Array ? cell.slice() : cell
}

test('any order and any copies of the same events mean the same rows and the same state', () => {
  const shuffled = viewEvents.chain((events) =>
    fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length })),
  )
  fc.assert(
    fc.property(shuffled, ([events, mixed]) => {
      const expected = shownBy(viewOf(events))
      assert.deepEqual(shownBy(viewOf(mixed)), expected)
      assert.deepEqual(shownBy(viewOf([...mixed, ...events])), expected)
      assert.deepEqual(shownBy(viewOf(byTime(events))), expected)
      assert.deepEqual(keptOf(viewOf([...mixed, ...events])), keptOf(viewOf(byTime(events))))
    }),
    { numRuns: 3_000 },
  )
})

test('observation by observation means what all of them mean at once', () => {
  fc.assert(
    fc.property(viewEvents, (events) => {
      const inOrder = byTime(events)
      let view: View | undefined
      inOrder.forEach((event, i) => {
        view = keyed.fold(view, event)
        // Backwards nothing can be appended: everything is put in order at the end.
        assert.deepEqual(shownBy(view), shownBy(viewOf(inOrder.slice(0, i + 1).reverse())))
      })
    }),
    { numRuns: 300 },
  )
})

test('batches, and a store between them, change nothing', () => {
  fc.assert(
    fc.property(viewEvents, fc.array(fc.boolean(), { minLength: 50, maxLength: 50 }), (events, restarts) => {
      let view: View | undefined
      events.forEach((event, i) => {
        view = keyed.fold(view, event)
        if (restarts[i]) view = stored(view)
      })
      assert.deepEqual(shownBy(view!), shownBy(viewOf(events)))
      assert.deepEqual(shownBy(stored(view!)), shownBy(view!))
    }),
    { numRuns: 1_000 },
  )
})

test('a state goes on showing what it showed when others are folded from it', () => {
  fc.assert(
    fc.property(viewEvents, (events) => {
      const states: View[] = []
      for (const event of events) states.push(keyed.fold(states.at(-1), event))
      const shown = states.map(shownBy)
      // Twice from the same state, as a batch that is folded again.
      states.slice(0, -1).forEach((state, i) => {
        assert.deepEqual(shownBy(keyed.fold(state, events[i + 1]!)), shown[i + 1])
      })
      assert.deepEqual(states.map(shownBy), shown)
      // Another future for each of them.
      const later = new Story().say('PlaybackEnded', 86_400 * 9, { sequence: 3_000 }).events[0]!
      states.forEach((state, i) => {
        assert.deepEqual(shownBy(keyed.fold(state, later)), shownBy(viewOf([...events.slice(0, i + 1), later])))
      })
      const fresh: View[] = []
      for (const event of events) fresh.push(keyed.fold(fresh.at(-1), event))
      for (let i = fresh.length - 1; i >= 0; i--) assert.deepEqual(shownBy(fresh[i]!), shown[i])
    }),
    { numRuns: 500 },
  )
})

test('durations add up, minutes add up to the view, and nothing is negative', () => {
  fc.assert(
    fc.property(viewEvents, (events) => {
      const rows = viewOf(events).rows()
      for (const { cells } of rows) {
        for (const cell of cells.flat()) {
          if (typeof cell === 'number') assert.ok(Number.isSafeInteger(cell) && cell >= 0, `${cell}`)
          else assert.equal(typeof cell, 'string')
        }
      }
      for (const name of [
        'starting_ms',
        'playing_ms',
        'seeking_ms',
        'stalled_ms',
        'stalls',
        'ad_ms',
        'media_ms',
        'bits',
      ]) {
        assert.equal(sumOf(rows.slice(1), name), sumOf(rows.slice(0, 1), name), name)
      }
    }),
    { numRuns: 2_000 },
  )
})

function sumOf(rows: readonly SignedRow[], name: string): number {
  return rows.reduce((sum, { landing, cells }) => sum + (cells[landing.columns.indexOf(name) - 5] as number), 0)
}

test('a minute that is done stays the same row object, and a heartbeat within a minute changes no row', () => {
  const { events } = new Story().say('PlaybackStarted', 0).say('FirstFrame', 1).play(1, 401, 0)
  let view: View | undefined
  let rows: readonly SignedRow[] = []
  for (const event of events) {
    view = keyed.fold(view, event)
    const now = view.rows()
    const minute = Math.floor((event.meta.occurredAt - events[0]!.meta.occurredAt) / 60_000)
    const turned = minute > 0 && event.meta.occurredAt % 60_000 < 10_000
    if (event.type === 'Heartbeat' && !turned) assert.equal(now, rows)
    // All but the view and the minute at hand.
    for (let i = 1; i < Math.min(rows.length, now.length) && i < minute; i++) assert.equal(now[i], rows[i])
    rows = now
  }
})
