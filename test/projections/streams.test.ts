/** Who of an account may stream, in the order in which they asked. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { STREAMS_LIMITS } from '../../projections/streams/limits.ts'
import type { StreamsRow } from '../../projections/streams/row.ts'
import { streamsRow, streamsV1 } from '../../projections/streams/v1.ts'
import type { PlayheadEvent } from '../../schemas/index.ts'
import { checkRow } from '../../stores/values.ts'
import { released, renewed, requested } from './streams.ts'
import { after, rowsAfter, START_MS, specOf } from './support.ts'

const projection = streamsV1()
const TTL_MS = 60_000

function given(...events: readonly PlayheadEvent[]): StreamsRow {
  const [row] = after(projection, events)
  return streamsRow(row!.columns, row!.key, row!.version)
}

const held = ({ slots }: StreamsRow) => slots.map(({ slotId }) => slotId)
const verdict = ({ verdicts }: StreamsRow, id: string) => verdicts.find(({ slotId }) => slotId === id)

test('as many stream as the plan allows; the next is refused and told who holds', () => {
  const row = given(
    requested(0, 'a', { streamsMax: 2, device: 'tv' }),
    requested(1, 'b', { streamsMax: 2, device: 'phone' }),
    requested(2, 'c', { streamsMax: 2 }),
  )
  assert.deepEqual(held(row), ['a', 'b'])
  assert.deepEqual(
    row.verdicts.map(({ slotId, granted }) => [slotId, granted]),
    [
      ['a', true],
      ['b', true],
      ['c', false],
    ],
  )
  assert.deepEqual(
    verdict(row, 'c')?.holding.map(({ device, sinceMs, untilMs }) => [device, sinceMs, untilMs]),
    [
      ['tv', START_MS, START_MS + TTL_MS],
      ['phone', START_MS + 1, START_MS + 1 + TTL_MS],
    ],
  )
})

test('the order of the log decides, not the clocks of the players', () => {
  const early = requested(0, 'early')
  const late = requested(5_000, 'late')
  assert.deepEqual(held(given(early, late)), ['early'])
  assert.deepEqual(held(given(late, early)), ['late'])
})

test('a slot that was not renewed is free for the next who asks once its time is over, to the millisecond', () => {
  assert.deepEqual(held(given(requested(0, 'a'), requested(TTL_MS - 1, 'b'))), ['a'])
  assert.deepEqual(held(given(requested(0, 'a'), requested(TTL_MS, 'b'))), ['b'])
})

test('a renewal holds the slot, never shortens it, and of a slot that is gone it makes none', () => {
  const row = given(requested(0, 'a'), renewed(50_000, 'a'), requested(TTL_MS, 'b'))
  assert.deepEqual(held(row), ['a'])
  assert.equal(row.slots[0]?.untilMs, START_MS + 50_000 + TTL_MS)
  assert.equal(given(requested(9_000, 'a'), renewed(0, 'a')).slots[0]?.untilMs, START_MS + 9_000 + TTL_MS)
  assert.deepEqual(held(given(requested(0, 'a'), released(1, 'a'), renewed(2, 'a'))), [])
})

test('a late renewal revives a slot that nobody took', () => {
  assert.deepEqual(held(given(requested(0, 'a'), renewed(TTL_MS + 5, 'a'), requested(TTL_MS + 6, 'b'))), ['a'])
})

test('a released slot is free at once', () => {
  assert.deepEqual(held(given(requested(0, 'a'), released(1, 'a'), requested(2, 'b'))), ['b'])
})

test('the clock never goes back: what expired by it stays expired', () => {
  const row = given(requested(0, 'a'), renewed(TTL_MS + 5, 'other'), requested(10, 'b'))
  assert.deepEqual(held(row), ['b'])
  assert.equal(row.clockMs, START_MS + TTL_MS + 5)
})

test('the same request again gets its first answer again, and renews', () => {
  const granted = given(requested(0, 'a'), requested(30_000, 'a'))
  assert.deepEqual(held(granted), ['a'])
  assert.equal(granted.slots[0]?.untilMs, START_MS + 30_000 + TTL_MS)
  assert.equal(granted.verdicts.length, 1)
  const refused = given(requested(0, 'a'), requested(1, 'b'), released(2, 'a'), requested(3, 'b'))
  assert.equal(verdict(refused, 'b')?.granted, false)
  assert.deepEqual(held(refused), [])
})

test('a granted request that comes again after its slot expired takes it anew only where there is room', () => {
  assert.deepEqual(held(given(requested(0, 'a'), requested(TTL_MS, 'a'))), ['a'])
  const crowded = given(requested(0, 'a'), requested(TTL_MS, 'b'), requested(TTL_MS + 1, 'a'))
  assert.deepEqual(held(crowded), ['b'])
  assert.equal(verdict(crowded, 'a')?.granted, true)
})

test('a plan without streams grants none, and none grants more than the engine keeps', () => {
  assert.equal(verdict(given(requested(0, 'a', { streamsMax: 0 })), 'a')?.granted, false)
  const many = Array.from({ length: STREAMS_LIMITS.slotsMax + 1 }, (_, i) =>
    requested(i, `s${i}`, { streamsMax: 1_000 }),
  )
  const row = given(...many)
  assert.equal(row.slots.length, STREAMS_LIMITS.slotsMax)
  assert.equal(row.verdicts.length, STREAMS_LIMITS.verdictsMax)
  assert.equal(row.verdicts.at(-1)?.granted, false)
})

test('the row lives an hour longer than its last slot; a request after that begins anew', () => {
  const [row] = after(projection, [requested(0, 'a'), requested(1, 'b')])
  const endMs = START_MS + TTL_MS + STREAMS_LIMITS.keptMs
  assert.equal(row?.expiresAtMs, endMs)
  const anew = given(requested(0, 'a'), requested(1, 'b'), requested(endMs - START_MS, 'b'))
  assert.deepEqual(anew.verdicts, [{ slotId: 'b', granted: true, holding: [] }])
})

test('a row never grows beyond what a store takes, however long the ids', () => {
  const long = (i: number) => `${i}`.padEnd(128, '\u0001')
  const events = Array.from({ length: 200 }, (_, i) =>
    requested(i, long(i), {
      streamsMax: 64,
      device: long(i),
      titleId: long(i),
      sessionId: long(i),
      profileId: long(i),
    }),
  )
  const [row] = after(projection, events)
  checkRow(specOf(projection), row!)
  const { verdicts } = streamsRow(row!.columns, row!.key, 0n)
  assert.equal(verdicts.at(-1)?.slotId, long(199))
})

test('any batching, from memory or read back, decides alike; never do more hold than are allowed', () => {
  const slot = fc.constantFrom('a', 'b', 'c', 'd')
  const atMs = fc.integer({ min: 0, max: 8 }).map((n) => n * 20_000)
  const event = fc.oneof(
    fc.tuple(atMs, slot).map(([ms, id]) => requested(ms, id, { streamsMax: 2 })),
    fc.tuple(atMs, slot).map(([ms, id]) => renewed(ms, id)),
    fc.tuple(atMs, slot).map(([ms, id]) => released(ms, id)),
  )
  const cuts = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.boolean()), { minLength: 30, maxLength: 30 })
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 30 }), cuts, (events, sizes) => {
      let from = 0
      const batches = sizes.map(([size, readBack]) => {
        const batch = { events: events.slice(from, from + size), readBack }
        from += size
        return batch
      })
      const [row] = rowsAfter(projection, batches).values()
      const [once] = after(projection, events)
      assert.deepEqual(row, once)
      const { slots, clockMs } = streamsRow(row!.columns, row!.key, 0n)
      assert.ok(slots.filter(({ untilMs }) => untilMs > clockMs).length <= 2)
    }),
    { numRuns: 2_000 },
  )
})
