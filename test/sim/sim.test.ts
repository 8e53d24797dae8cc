/** The entire engine under one seed, many seeds; and planted bugs that the same checks must find (planted.test.ts). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MUST_HAPPEN, runSeeds } from './outcome.ts'
import { simulate } from './run.ts'

const SEEDS = 300

test(`${SEEDS} seeds of faults lose nothing, double nothing and mix no generations`, async () => {
  const { counts } = await runSeeds({
    first: 1,
    seeds: SEEDS,
    went: (_done, found, { engine }) => {
      if (found === undefined) return true
      const replay = `npm run simulate:faults -- --seed ${found.seed} --verbose`
      const trace = engine.world.trace.slice(-40).join('\n')
      assert.fail(`seed ${found.seed}:\n  ${found.wrong.join('\n  ')}\nreplay it: ${replay}\n${trace}`)
    },
  })
  for (const what of MUST_HAPPEN) assert.ok((counts.get(what) ?? 0) > 0, `${what}: never happened, not exercised`)
})

test('undisturbed, nothing is wrong and nothing goes wrong', async () => {
  const { found, counts } = await runSeeds({ first: 1, seeds: 15, undisturbed: true, went: () => true })
  assert.deepEqual(found, [])
  for (const what of ['crashes', 'requests lost', 'a full disk']) assert.equal(counts.get(what), undefined)
})

test('the same seed is the same run', async () => {
  const [a, b] = [await simulate(7), await simulate(7)]
  assert.deepEqual(a.engine.world.trace, b.engine.world.trace)
  assert.equal(a.engine.world.nowMs, b.engine.world.nowMs)
  assert.deepEqual(a.acknowledged, b.acknowledged)
})
