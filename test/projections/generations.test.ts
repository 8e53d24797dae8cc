/** The book of generations: a set of facts, whatever the order in which they come. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type BookEvent, bookRowOf, foldBook, projectionOf } from '../../projections/generations/fold.ts'
import { BOOK_LIMITS } from '../../projections/generations/limits.ts'
import { GENERATION_ACTIONS } from '../../projections/generations/row.ts'
import { generationsV1, toBookRow } from '../../projections/generations/v1.ts'
import type { EventOf, Meta } from '../../schemas/index.ts'

const keyed = generationsV1().keyed!

function meta(atMs: number, n: number): Meta {
  const eventId = `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`
  const about = { source: 'engine', appId: 'playhead', environment: 'engine', clock: 'trusted', sentAt: null } as const
  return { eventId, occurredAt: atMs, receivedAt: atMs, ...about } as Meta
}

let count = 0
const asked = (id: string, atMs: number, more: Partial<EventOf<'GenerationRequested'>> = {}): BookEvent => ({
  type: 'GenerationRequested',
  meta: meta(atMs, ++count),
  ...{ subject: 'projection:views', projection: 'views', generationId: id, foldVersion: 1, parameters: {} },
  ...{ build: null, until: null, recordsPerSecond: null, reason: null, by: 'ops' },
  ...more,
})
const promoted = (id: string, atMs: number): BookEvent => ({
  type: 'GenerationPromoted',
  meta: meta(atMs, ++count),
  ...{ subject: 'projection:views', projection: 'views', generationId: id, previousGenerationId: null },
  ...{ digest: null, reason: null, by: 'ops' },
})
const acted = (id: string, action: keyof typeof GENERATION_ACTIONS, atMs: number, details = {}): BookEvent => ({
  type: 'OperatorActed',
  meta: meta(atMs, ++count),
  ...{ subject: 'projection:views', action: GENERATION_ACTIONS[action], details: { generation: id, ...details } },
  ...{ reason: null, by: 'ops' },
})

const stateOf = (events: readonly BookEvent[]) =>
  events.reduce<unknown>((state, event) => keyed.fold(state as never, event as never), undefined) as never
const rowOf = (...events: readonly BookEvent[]) => bookRowOf('views', stateOf(events))

test('the generation promoted last is the last of the promotions, and a request is listed with what was done to it', () => {
  const row = rowOf(
    asked('a', 1),
    promoted('a', 2),
    asked('b', 3, { parameters: { minStallMs: 500 }, build: 'second', recordsPerSecond: 1_000 }),
    acted('b', 'pause', 4),
    promoted('b', 6),
  )
  assert.deepEqual(
    row.promotions.map(({ id }) => id),
    ['a', 'b'],
  )
  const [first, second] = row.generations
  assert.deepEqual([first?.id, first?.status], ['a', 'building'])
  assert.deepEqual(
    [second?.id, second?.status, second?.parameters, second?.build, second?.recordsPerSecond],
    ['b', 'paused', { minStallMs: 500 }, 'second', 1_000],
  )
})

test('a generation that was dropped stays dropped, whatever is said later; a rate can be taken away', () => {
  const row = rowOf(
    asked('a', 1, { recordsPerSecond: 5 }),
    acted('a', 'drop', 2),
    acted('a', 'resume', 3),
    acted('a', 'rate', 4, { recordsPerSecond: '' }),
  )
  assert.deepEqual([row.generations[0]?.status, row.generations[0]?.recordsPerSecond], ['dropped', null])
})

test('what was never asked for is no generation, and other things that operators do are none of the book', () => {
  assert.deepEqual(rowOf(acted('a', 'pause', 1)).generations, [])
  const other = { ...acted('a', 'pause', 1), action: 'alerts.test' } as BookEvent
  assert.equal(projectionOf(other), undefined)
  assert.equal(keyed.key(other as never), undefined)
})

test('any order, with copies, ends in the same book, to the byte, also through the store', () => {
  const id = fc.constantFrom('a', 'b', 'c')
  const atMs = fc.integer({ min: 1, max: 6 })
  const event = fc.oneof(
    fc.tuple(id, atMs).map(([g, at]) => asked(g, at, { build: `${at}` })),
    fc.tuple(id, atMs).map(([g, at]) => promoted(g, at)),
    fc
      .tuple(id, fc.constantFrom<keyof typeof GENERATION_ACTIONS>('pause', 'resume', 'drop', 'rate'), atMs)
      .map(([g, action, at]) => acted(g, action, at, { recordsPerSecond: `${at}` })),
  )
  const shuffled = fc.array(event, { minLength: 1, maxLength: 12 }).chain((events) =>
    fc.tuple(
      fc.constant(events),
      fc.shuffledSubarray([...events, ...events.slice(0, 3)], {
        minLength: events.length + Math.min(3, events.length),
      }),
    ),
  )
  fc.assert(
    fc.property(shuffled, ([events, others]) => {
      const columns = keyed.toColumns(stateOf(events))
      assert.deepEqual(keyed.toColumns(stateOf(others)), columns)
      const read = keyed.fromColumns(columns, ['all', 'views'])
      assert.deepEqual(keyed.toColumns(read), columns)
      assert.deepEqual(toBookRow(['all', 'views'], columns), bookRowOf('views', stateOf(events)))
    }),
    { numRuns: 500 },
  )
})

test('the book stays small: beyond its limits the oldest go', () => {
  const many = Array.from({ length: BOOK_LIMITS.generationsMax + 20 }, (_, i) => [
    asked(`g${i}`, i),
    promoted(`g${i}`, i),
  ])
  const row = rowOf(...many.flat())
  assert.equal(row.generations.length, BOOK_LIMITS.generationsMax)
  assert.equal(row.promotions.length, BOOK_LIMITS.promotionsMax)
  assert.equal(row.generations[0]?.id, 'g20')
  assert.deepEqual(foldBook(undefined, many[0]![0]!).promoted, [])
})
