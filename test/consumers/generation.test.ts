import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usualProjections } from '../../cli/projections.ts'
import { generationOf } from '../../consumers/generation.ts'
import { progressV1 } from '../../projections/progress/v1.ts'

const idOf = (given?: Parameters<typeof progressV1>[0], incarnation = 'log') =>
  generationOf(progressV1(given), incarnation).id

test('a generation is named by fold, parameters and log: said as it is, a parameter changes nothing', () => {
  assert.equal(idOf(), 'progress_v1_4aa297fe', 'ids that are in use never change')
  assert.equal(idOf({ positionDays: 90, historyDays: 365 }), idOf())
  assert.notEqual(idOf({ positionDays: 30 }), idOf())
  assert.notEqual(idOf({ historyDays: 30 }), idOf({ positionDays: 30 }))
  assert.equal(idOf({ historyDays: 9, positionDays: 8 }), idOf({ positionDays: 8, historyDays: 9 }))
  assert.notEqual(idOf({}, 'another log'), idOf())
})

test('the configured days are what the fold counts by', () => {
  const usual = usualProjections({ positionDays: 10, historyDays: 20, definitions: [] })
  const progress = usual.find(({ name }) => name === 'progress')
  assert.deepEqual(progress?.parameters, { positionDays: 10, historyDays: 20 })
  const dayMs = 86_400_000
  const state = progress?.keyed?.fold(undefined, {
    type: 'ProgressReported',
    meta: { eventId: '01900000-0000-7000-8000-000000000001', occurredAt: 100 * dayMs, receivedAt: 100 * dayMs },
    profileId: 'p',
    titleId: 't',
    sessionId: null,
    positionMs: 61_000,
    durationMs: null,
    played: [],
    facts: null,
    personal: null,
  } as never)
  assert.equal(progress?.keyed?.expiresAtMs?.(state), 120 * dayMs)
  const columns = progress?.keyed?.toColumns(state) ?? []
  const named = Object.fromEntries(progress!.keyed!.shape.columns.map(({ name }, i) => [name, columns[i]]))
  assert.equal(named.position_until, 110 * dayMs)
})
