/** Each bug is a fault seen in the field, or a rule of the engine broken; the checks must find it before long. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seedThatFinds } from './outcome.ts'
import { PLANTED } from './planted.ts'

const SEEDS_TO_FIND = 200

for (const [name, bug] of Object.entries(PLANTED)) {
  test(`found: ${bug.what}`, async () => {
    const found = await seedThatFinds(bug, SEEDS_TO_FIND)
    assert.ok(found !== undefined, `${SEEDS_TO_FIND} seeds did not find ${name}`)
  })
}
