/** Which generations run and which is read, from the book and the settings. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf } from '../../cli/generations.ts'
import { foldOf } from '../../cli/projections.ts'
import type { Book } from '../../consumers/book.ts'
import { type Build, generationOf } from '../../consumers/generation.ts'
import type { BookRow, GenerationRow, PromotionRow } from '../../projections/generations/row.ts'

const SETTINGS = { positionDays: 90, historyDays: 365, definitions: [] }
const LOG = 'one log'

function made(parameters: Readonly<Record<string, number>> = {}, build?: Build, incarnation = LOG) {
  return generationOf(foldOf('progress', 1, parameters, SETTINGS)!, incarnation, build)
}

function row(
  parameters: Readonly<Record<string, number>>,
  build: Build | undefined,
  more: Partial<GenerationRow> = {},
) {
  const { id, projection } = made(parameters, build)
  const given = { foldVersion: 1, parameters: projection.parameters ?? {}, build: build?.name ?? null, by: null }
  const none = { untilMs: build?.untilMs ?? null, recordsPerSecond: null, reason: null, resumedAtMs: null }
  return { id, ...given, ...none, status: 'building', askedAtMs: 1, ...more } satisfies GenerationRow
}

const promotion = (id: string, atMs: number): PromotionRow => ({
  ...{ id, atMs, eventId: `${atMs}`, digest: null, by: null, reason: null },
})

function planned(generations: readonly GenerationRow[], promotions: readonly PromotionRow[], settings = SETTINGS) {
  const book: Book = new Map<string, BookRow>([['progress', { projection: 'progress', generations, promotions }]])
  const plan = planOf(settings, book, LOG).find(({ name }) => name === 'progress')!
  return { ...plan, read: plan.read.id, running: plan.running.map(({ id }) => id), promotes: plan.promotes?.id }
}

const first = made()
const again = { name: 'again' }
const second = made({}, again)

test('with an empty book the usual generation is read and runs, and that is to be said', () => {
  const plan = planned([], [])
  assert.deepEqual([plan.read, plan.running, plan.begins], [first.id, [first.id], true])
})

test('one that was asked for runs beside the one that is read, until it is paused or dropped', () => {
  const promotions = [promotion(first.id, 1)]
  assert.deepEqual(planned([row({}, undefined), row({}, again)], promotions).running, [first.id, second.id])
  assert.deepEqual(planned([row({}, undefined), row({}, again, { status: 'paused' })], promotions).running, [first.id])
  assert.deepEqual(planned([row({}, undefined), row({}, again, { status: 'dropped' })], promotions).running, [first.id])
})

test('the one promoted last is read, the one before rests, and runs again when it is asked for', () => {
  const promotions = [promotion(first.id, 1), promotion(second.id, 5)]
  const after = planned([row({}, undefined), row({}, again)], promotions)
  assert.deepEqual([after.read, after.running, after.promotes], [second.id, [second.id], undefined])
  const back = planned([row({}, undefined, { resumedAtMs: 7 }), row({}, again)], promotions)
  assert.deepEqual([back.read, back.running], [second.id, [second.id, first.id]])
  const long = planned([row({}, undefined, { resumedAtMs: 3 }), row({}, again)], promotions)
  assert.deepEqual(long.running, [second.id], 'it was resumed before the promotion, not since')
})

test('other settings make another usual generation: built beside, and then promoted by itself, once', () => {
  const settings = { ...SETTINGS, historyDays: 30 }
  const wanted = made({ historyDays: 30 })
  const building = planned([row({}, undefined)], [promotion(first.id, 1)], settings)
  assert.deepEqual([building.read, building.running, building.promotes], [first.id, [first.id, wanted.id], wanted.id])
  const done = planned(
    [row({}, undefined), row({ historyDays: 30 }, undefined)],
    [promotion(first.id, 1), promotion(wanted.id, 2), promotion(first.id, 3)],
    settings,
  )
  assert.deepEqual([done.read, done.promotes], [first.id, undefined], 'an operator went back: that stays')
})

test("another log's generations are none of ours; one that this release can't make is told and not run", () => {
  const other = made({}, undefined, 'another log')
  const plan = planned([{ ...row({}, undefined), id: other.id }], [promotion(other.id, 1)])
  assert.deepEqual([plan.read, plan.running, plan.strange], [first.id, [first.id], [other.id]])
  const future = planned([{ ...row({}, again), foldVersion: 9 }], [promotion(first.id, 1)])
  assert.deepEqual([future.running, future.strange], [[first.id], [second.id]])
})

test('a build that ends at a moment is another one than one that does not, and so is one of another name', () => {
  assert.equal(
    new Set([first.id, second.id, made({}, { name: 'again', untilMs: 5 }).id, made({}, { name: 'x' }).id]).size,
    4,
  )
  assert.equal(
    made({}, { name: 'again', recordsPerSecond: 5 }).id,
    second.id,
    'how fast it is built makes no other tables',
  )
})
