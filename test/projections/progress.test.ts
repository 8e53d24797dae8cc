/** What the progress of one profile in one title says after these events. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { correctClock } from '../../producers/clock.ts'
import { toRow } from '../../projections/progress/columns.ts'
import { PROGRESS_LIMITS } from '../../projections/progress/limits.ts'
import type { ProgressRow } from '../../projections/progress/row.ts'
import { progressV1 } from '../../projections/progress/v1.ts'
import type { PlayheadEvent } from '../../schemas/index.ts'
import { checkRow } from '../../stores/values.ts'
import { cmcd, ended, paused } from './arbitrary-progress.ts'
import {
  after,
  beat,
  cleared,
  DAY_MS,
  device,
  FACTS,
  marked,
  meta,
  report,
  rowsAfter,
  SECOND_MS,
  START_MS,
  specOf,
  started,
} from './support.ts'

const projection = progressV1()
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS

function given(...events: readonly PlayheadEvent[]): ProgressRow {
  const rows = after(projection, events)
  assert.equal(rows.length, 1)
  const { columns, key, version } = rows[0]!
  return toRow(columns, key, version)
}

test('the newest report by client time says where to resume, on which device, whatever arrives last', () => {
  const row = given(
    beat(START_MS + 20_000, 2, { positionMs: 20_000, durationMs: 100_000, personal: device('tv') }),
    beat(START_MS + 10_000, 1, { positionMs: 90_000, durationMs: 110_000, personal: device('phone') }),
  )
  assert.equal(row.positionMs, 20_000)
  assert.equal(row.durationMs, 100_000)
  assert.equal(row.permyriad, 2_000)
  assert.equal(row.device, 'tv')
  assert.equal(row.updatedAtMs, START_MS + 20_000)
  assert.equal(row.positionUntilMs, START_MS + 20_000 + 90 * DAY_MS)
  assert.equal(row.started, true)
})

test('of two reports at one moment the larger event id counts, in either order', () => {
  const two = [beat(START_MS, 1, { positionMs: 1_000 }), beat(START_MS, 2, { positionMs: 2_000 })] as const
  assert.equal(given(two[0], two[1]).positionMs, 2_000)
  assert.equal(given(two[1], two[0]).positionMs, 2_000)
})

test('a heartbeat, a pause, a stop and a report of an application say the same', () => {
  const fields = { positionMs: 50_000, played: [{ fromMs: 40_000, toMs: 50_000 }], personal: device('tv') }
  const facts = { ...FACTS, durationMs: 100_000 }
  const rows = [
    given(beat(START_MS, 1, { ...fields, facts })),
    given(paused(START_MS, 1, { ...fields, facts })),
    given(report(START_MS, 1, { ...fields, facts, sessionId: 'session-1' })),
    given(report(START_MS, 1, { ...fields, durationMs: 100_000, sessionId: 'session-1' })),
  ].map(({ positionMs, durationMs, watched, plays, device: on }) => ({ positionMs, durationMs, watched, plays, on }))
  for (const row of rows) assert.deepEqual(row, rows[0])
  assert.deepEqual(rows[0]?.durationMs, 100_000)
})

test('a device whose clock is a day ahead does not freeze the title: its next report, and another device, still count', () => {
  const receive = (receivedAtMs: number, id: number, positionMs: number, aheadMs: number) => {
    const { atMs } = correctClock({ atMs: receivedAtMs + aheadMs, receivedAtMs })
    return beat(atMs, id, { positionMs, meta: meta(atMs, id, receivedAtMs) } as Parameters<typeof beat>[2])
  }
  const first = receive(START_MS, 9, 10_000, DAY_MS)
  assert.equal(first.meta.occurredAt, START_MS)
  assert.equal(given(first, receive(START_MS + 10_000, 1, 20_000, DAY_MS)).positionMs, 20_000)
  assert.equal(given(first, receive(START_MS + 10_000, 1, 30_000, -DAY_MS)).positionMs, 10_000)
  assert.equal(given(first, receive(START_MS + 10_000, 1, 30_000, 0)).positionMs, 30_000)
})

test('fifty offline updates that come hours late under a newer one add what was watched and move nothing', () => {
  const newer = report(START_MS, 99, { positionMs: 3_000_000, durationMs: 6_000_000 })
  const late = Array.from({ length: 50 }, (_, i) =>
    report(START_MS - 5 * HOUR_MS + i * 10_000, i, {
      positionMs: i * 10_000,
      played: [{ fromMs: i * 10_000, toMs: (i + 1) * 10_000 }],
      sessionId: 'on the train',
    }),
  )
  const row = given(newer, ...late)
  assert.equal(row.positionMs, 3_000_000)
  assert.equal(row.updatedAtMs, START_MS)
  assert.equal(row.watched, '0-500')
  assert.equal(row.plays.length, 2)
  assert.equal(row.firstWatchedAtMs, START_MS - 5 * HOUR_MS)
})

test('a delete that races an update: what is newer by client time counts, in either order of arrival', () => {
  const update = (atMs: number) => beat(atMs, 1, { positionMs: 50_000, durationMs: 100_000, personal: device('tv') })
  for (const events of [
    [update(START_MS), cleared(START_MS + 1, 2)],
    [cleared(START_MS + 1, 2), update(START_MS)],
  ]) {
    const row = given(...events)
    assert.deepEqual([row.started, row.positionMs, row.permyriad, row.device], [false, 0, null, null])
    assert.equal(row.updatedAtMs, START_MS + 1)
    assert.equal(row.plays.length, 1, 'the history stays')
  }
  for (const events of [
    [update(START_MS + 2), cleared(START_MS + 1, 2)],
    [cleared(START_MS + 1, 2), update(START_MS + 2)],
  ]) {
    const row = given(...events)
    assert.deepEqual([row.started, row.positionMs], [true, 50_000])
  }
})

test('completed at 95 %, or at 90 % once the credits are known and have begun', () => {
  const at = (positionMs: number, creditsStartMs: number | null) =>
    given(beat(START_MS, 1, { positionMs, durationMs: 100_000, facts: { ...FACTS, creditsStartMs } })).completed
  assert.equal(at(94_999, null), false)
  assert.equal(at(95_000, null), true)
  assert.equal(at(92_000, 91_000), true)
  assert.equal(at(92_000, 93_000), false)
  assert.equal(at(89_999, 80_000), false)
  assert.equal(at(90_000, 80_000), true)
  assert.equal(given(beat(START_MS, 1, { positionMs: 99_000 })).completed, false, 'nobody knew how long it is')
  const unknown = given(beat(START_MS, 1, { positionMs: 99_000, durationMs: 0 }))
  assert.deepEqual(
    [unknown.completed, unknown.durationMs, unknown.permyriad],
    [false, null, null],
    'nor did the player',
  )
})

test('a mark counts until something newer is said', () => {
  const half = (atMs: number, id: number) => beat(atMs, id, { positionMs: 50_000, durationMs: 100_000 })
  const end = (atMs: number, id: number) => beat(atMs, id, { positionMs: 99_000, durationMs: 100_000 })
  assert.equal(given(half(START_MS, 1), marked(START_MS + 1, 2)).completed, true)
  assert.equal(given(marked(START_MS + 1, 2), half(START_MS + 2, 1)).completed, false, 'watched again since')
  assert.equal(given(end(START_MS, 1), marked(START_MS + 1, 2, { watched: false })).completed, false)
  assert.equal(given(marked(START_MS, 1), cleared(START_MS + 1, 2)).completed, false)
  const only = given(marked(START_MS, 1, { facts: { ...FACTS, seriesId: 's', season: 1, episode: 2 } }))
  assert.deepEqual([only.completed, only.started, only.plays, only.lastWatchedAtMs], [true, false, [], 0])
  assert.deepEqual([only.seriesId, only.season, only.episode], ['s', 1, 2])
})

test('what was played is counted once, in whole seconds', () => {
  const row = given(
    beat(START_MS, 1, { played: [{ fromMs: 0, toMs: 9_600 }] }),
    beat(START_MS + 1, 2, { played: [{ fromMs: 9_600, toMs: 20_400 }] }),
    beat(START_MS + 2, 3, { played: [{ fromMs: 5_000, toMs: 15_000 }] }),
    beat(START_MS + 3, 4, {
      played: [
        { fromMs: 60_000, toMs: 65_000 },
        { fromMs: 70_000, toMs: 70_100 },
        { fromMs: 8, toMs: 0 },
      ],
    }),
    beat(START_MS + 4, 5, {
      played: [
        { fromMs: 40_000, toMs: 60_000 },
        { fromMs: 99_999_000, toMs: 999_000_000 },
      ],
    }),
  )
  assert.equal(row.watched, '0-20,40-65')
  assert.equal(row.watchedMs, 45_000)
})

test('sessions that start within thirty seconds of the one before are one play', () => {
  const at = (seconds: number, sessionId: string, id: number) => beat(START_MS + seconds * SECOND_MS, id, { sessionId })
  const row = given(at(0, 'a', 1), at(600, 'a', 2), at(30, 'b', 3), at(60, 'c', 4), at(91, 'd', 5), at(700, 'b', 6))
  assert.deepEqual(row.plays, [
    { startedAtMs: START_MS, lastAtMs: START_MS + 700 * SECOND_MS },
    { startedAtMs: START_MS + 91 * SECOND_MS, lastAtMs: START_MS + 91 * SECOND_MS },
  ])
})

test('reports outside of a session are one play for each day', () => {
  const row = given(report(START_MS, 1), report(START_MS + HOUR_MS, 2), report(START_MS + DAY_MS, 3))
  assert.deepEqual(
    row.plays.map(({ startedAtMs }) => startedAtMs),
    [START_MS, START_MS + DAY_MS],
  )
})

test('asking for playback is a play and no position: the resume point stays', () => {
  const row = given(beat(START_MS, 1, { positionMs: 50_000 }), started(START_MS + 1_000, 2, { sessionId: 'later' }))
  assert.equal(row.positionMs, 50_000)
  assert.equal(row.lastWatchedAtMs, START_MS + 1_000)
  const only = given(started(START_MS, 1))
  assert.deepEqual([only.started, only.plays.length, only.updatedAtMs], [false, 1, START_MS])
})

test('a player that has shown nothing yet, or failed before it did, does not cost the viewer the place', () => {
  const before = beat(START_MS, 1, { positionMs: 50_000 })
  for (const nothing of [
    beat(START_MS + 1_000, 2, { positionMs: 0, state: 'starting' }),
    ended(START_MS + 1_000, 2, { positionMs: 0, reason: 'failed' }),
  ]) {
    const row = given(before, nothing)
    assert.deepEqual([row.positionMs, row.lastWatchedAtMs], [50_000, START_MS + 1_000])
  }
  const played = [{ fromMs: 50_000, toMs: 58_000 }]
  assert.equal(
    given(before, ended(START_MS + 9_000, 2, { positionMs: 58_000, reason: 'failed', played })).positionMs,
    58_000,
  )
  assert.equal(given(before, ended(START_MS + 9_000, 2, { positionMs: 0, reason: 'quit' })).positionMs, 0)
})

test('a row lives as long as the history after its newest event, by the events’ times', () => {
  const [row] = after(progressV1({ positionDays: 10, historyDays: 20 }), [beat(START_MS, 1), cleared(START_MS - 5, 2)])
  assert.equal(row?.expiresAtMs, START_MS + 20 * DAY_MS)
  assert.equal(toRow(row!.columns, row!.key, 0n).positionUntilMs, START_MS + 10 * DAY_MS)
})

test('after a silence as long as the history it begins anew, whichever side of the silence arrives first', () => {
  const before = beat(START_MS, 1, { positionMs: 5_000, played: [{ fromMs: 0, toMs: 5_000 }] })
  const later = beat(START_MS + 365 * DAY_MS, 2, { positionMs: 1_000, played: [{ fromMs: 10_000, toMs: 20_000 }] })
  assert.equal(given(before, later).watched, '10-20')
  assert.deepEqual(given(later, before), given(before, later))
  for (const order of [
    [before, later],
    [later, before],
  ]) {
    const batches = order.map((event) => ({ events: [event], readBack: true }))
    assert.deepEqual([...rowsAfter(projection, batches).values()], after(projection, [later]))
  }
})

test('a row never grows beyond what a store takes, however long its story and its ids', () => {
  const many = Array.from({ length: PROGRESS_LIMITS.sessionsMax + 50 }, (_, i) => {
    const sessionId = `${String(i).padStart(4, '0')}${'\u0001'.repeat(124)}`
    const played = Array.from({ length: 1_000 }, (_, j) => {
      const fromMs = (i * 1_000 + j) * 2_000
      return { fromMs, toMs: fromMs + 1_000 }
    })
    return beat(START_MS + i * MINUTE_MS, i, { sessionId, played: i < 100 ? played : [] })
  })
  const [row] = after(projection, many)
  checkRow(specOf(projection), row!)
  const { plays, watchedMs } = toRow(row!.columns, row!.key, 0n)
  assert.equal(plays.length, PROGRESS_LIMITS.sessionsMax)
  assert.equal(watchedMs, (PROGRESS_LIMITS.watchedSecondsMax / 2) * 1_000)
  assert.deepEqual(after(projection, many.toReversed()), [row])
})

test('hostile numbers are kept at the edge of what a store takes', () => {
  const odd = beat(-5, 1, { positionMs: -7, durationMs: -1, played: [{ fromMs: -9_000, toMs: 3_000 }] })
  const row = given(odd)
  assert.deepEqual([row.updatedAtMs, row.positionMs, row.durationMs, row.watched], [0, 0, null, '0-3'])
  const far = after(projection, [beat(2 ** 52, 1, { positionMs: 2 ** 52 })])
  checkRow(specOf(projection), far[0]!)
})

test('an erasure names the partition of the profile', () => {
  const erased = { type: 'ProfileErased', meta: meta(START_MS, 1), profileId: 'ada', reason: null, by: null } as const
  assert.deepEqual(projection.keyed?.erases?.(erased), ['ada'])
  assert.equal(projection.keyed?.erases?.(beat(START_MS, 1)), undefined)
  assert.equal(projection.keyed?.key(erased), undefined)
})

test('a CMCD report with a position says where to resume, as a heartbeat does', () => {
  const row = given(
    beat(START_MS, 1, { positionMs: 5_000, durationMs: 100_000 }),
    cmcd(START_MS + 30_000, 2, { positionMs: 35_000 }),
  )
  assert.equal(row.positionMs, 35_000)
  assert.equal(row.permyriad, 3_500)
  assert.equal(row.updatedAtMs, START_MS + 30_000)
  const known = given(cmcd(START_MS, 1, { positionMs: 10_000, facts: { ...FACTS, durationMs: 40_000 } }))
  assert.equal(known.permyriad, 2_500)
})

test('a CMCD report without a position, of a preload or of a start, costs the viewer no place', () => {
  const beats = [beat(START_MS, 1, { positionMs: 5_000 })]
  const later = START_MS + 30_000
  const others = [
    cmcd(later, 2, {}),
    cmcd(later, 3, { positionMs: 0, state: 's' }),
    cmcd(later, 4, { positionMs: 0, state: 'd' }),
    cmcd(later, 5, { positionMs: 0, state: 'f' }),
  ]
  assert.equal(given(...beats, ...others).positionMs, 5_000)
  assert.deepEqual(after(projection, others.slice(0, 1)), [])
})
