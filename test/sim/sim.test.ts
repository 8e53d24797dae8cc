/** The engine under one seed, many seeds; and planted faults that the same checks must find. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { violations } from './invariants.ts'
import { type Exercised, type Mutations, simulate } from './run.ts'

const SEEDS = Number(process.env.PLAYHEAD_SIM_SEEDS ?? 300)
const FIRST_SEED = Number(process.env.PLAYHEAD_SIM_SEED ?? 1)

test(`${SEEDS} seeds of crashes, pauses, power cuts, lost and late answers lose nothing and double nothing`, async () => {
  const seen: Exercised = { crashes: 0, pauses: 0, tears: 0, lateSends: 0, failpoints: 0 }
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const run = await simulate(seed)
    const wrong = violations(run)
    if (wrong.length > 0) {
      const replay = `PLAYHEAD_SIM_SEED=${seed} PLAYHEAD_SIM_SEEDS=1 npm test -- sim/sim`
      assert.fail(
        `seed ${seed}:\n  ${wrong.join('\n  ')}\nreplay it: ${replay}\n${run.engine.world.trace.slice(-40).join('\n')}`,
      )
    }
    for (const what of Object.keys(seen) as (keyof Exercised)[]) seen[what] += run.exercised[what]
  }
  for (const [what, times] of Object.entries(seen)) assert.ok(times > 0, `${what} never happened: not exercised`)
})

test('the same seed is the same run', async () => {
  const [a, b] = [await simulate(7), await simulate(7)]
  assert.deepEqual(a.engine.world.trace, b.engine.world.trace)
  assert.equal(a.engine.world.nowMs, b.engine.world.nowMs)
})

/** Each is a fault seen in the field, or a step of the protocol broken in an engine. */
const PLANTED: Readonly<Record<string, Mutations>> = {
  'a producer whose sequence rolls back stores one batch twice and another never': { log: { sequenceRollback: true } },
  'a record is acknowledged and not stored': { log: { acknowledgedNotStored: true } },
  'a read begins one position late': { log: { offByOneSeek: true } },
  'records are skipped under a slow batch': { log: { skipUnderSlowBatch: true } },
  'readers see what is not durable yet': { log: { readsBeyondDurable: true } },
  'a swap of the commit record ignores the term': { state: { swapIgnoresTerm: true } },
  'a swap compares the term only': { state: { swapIgnoresRevision: true } },
  'an upsert ignores versions': { state: { upsertIgnoresVersion: true } },
  'an upsert is acknowledged before it is written': { state: { upsertNotAwaited: true } },
  'an insert ignores the guard and its token': { analytics: { ignoresGuard: true, ignoresToken: true } },
  'an insert ignores its token': { analytics: { ignoresToken: true } },
  'a token is remembered before its rows are in': { analytics: { tokenBeforeRows: true } },
}

const SEEDS_TO_FIND = 200

for (const [what, mutations] of Object.entries(PLANTED)) {
  test(`found: ${what}`, async () => {
    for (let seed = 1; seed <= SEEDS_TO_FIND; seed++) {
      if (violations(await simulate(seed, mutations)).length > 0) return
    }
    assert.fail(`${SEEDS_TO_FIND} seeds did not find it`)
  })
}
