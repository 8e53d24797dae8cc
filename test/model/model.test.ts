/**
 * The delivery protocol, explored through every state of a few small worlds; and the same with each step left out,
 * swapped or done wrong, which must be found. A failure prints the counterexample, one action a line.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Exploration, explore, type Watch } from './explore.ts'
import { MUTATIONS, VARIANTS } from './mutations.ts'
import { CYCLE, PROTOCOL, type Step, TAKE_OVER, type World } from './protocol.ts'
import * as worlds from './worlds.ts'

/** What the tables say when all is done; the order of steps is judged by nothing else. */
const EFFECT: Watch = {
  invariants: [
    'each event is counted once or parked',
    'the rows are those of the states',
    'read = folded + duplicates + parked',
    'somebody gets to the end',
  ],
  betweenBatches: false,
}

function holds({ counterexample }: Exploration): void {
  if (counterexample === undefined) return
  const { invariant, what, trace } = counterexample
  assert.fail(`${invariant}: ${what}\n${trace.map((line) => `  ${line}`).join('\n')}`)
}

describe('the delivery protocol loses nothing and counts nothing twice', () => {
  for (const [name, world] of Object.entries<World>(worlds)) {
    if (world.takeOversMayHang) continue
    test(`in the world ${name}`, (t) => {
      const exploration = explore({ ...PROTOCOL, ...world })
      holds(exploration)
      assert.ok(exploration.atRest > 0)
      t.diagnostic(`${exploration.states} states, ${exploration.atRest} of them at rest`)
    })
  }

  test('also when no state is left out', () => {
    const all = explore({ ...PROTOCOL, ...worlds.TWO_OWNERS, pruned: false })
    holds(all)
    assert.ok(all.states > explore({ ...PROTOCOL, ...worlds.TWO_OWNERS }).states)
  })

  for (const { when, protocol, world } of VARIANTS) {
    test(`also when ${when}`, () => holds(explore({ ...world, ...protocol }, EFFECT)))
  }
})

describe('the model finds a violation', () => {
  for (const { when, protocol, world, breaks } of MUTATIONS) {
    test(`when ${when}`, (t) => {
      const { counterexample } = explore({ ...world, ...protocol }, { invariants: [breaks], betweenBatches: false })
      assert.equal(counterexample?.invariant, breaks)
      t.diagnostic(`${counterexample.what}, after ${counterexample.trace.length} actions`)
    })
  }
})

describe('the order of the steps', () => {
  const before = (steps: readonly Step[], first: Step, then: Step) => steps.indexOf(first) < steps.indexOf(then)

  test('after the fold: intent, then rows, then states, then checkpoint; dead letters anywhere between the ends', () => {
    for (const steps of orders<Step>(CYCLE.slice(1))) {
      const wanted =
        steps[0] === 'intent' && steps[4] === 'checkpoint' && before(steps, 'insert', 'upsert') ? 'safe' : 'unsafe'
      const rules = { ...PROTOCOL, ...worlds.TWO_OWNERS, lost: 0, cycle: ['fold', ...steps] as const }
      assert.equal(verdict(explore(rules, EFFECT)), wanted, steps.join(', '))
    }
  })

  test('in a take-over: the term is raised before owners are written and before the record is read', () => {
    for (const takeOver of orders<Step>(TAKE_OVER)) {
      const wanted = before(takeOver, 'raise', 'owners') && before(takeOver, 'raise', 'read record') ? 'safe' : 'unsafe'
      const rules = { ...PROTOCOL, ...worlds.ONE_KEY, lost: 0, takeOver }
      assert.equal(verdict(explore(rules, EFFECT)), wanted, takeOver.join(', '))
    }
  })
})

function verdict({ counterexample }: Exploration): 'safe' | 'unsafe' {
  return counterexample === undefined ? 'safe' : 'unsafe'
}

function orders<T>(things: readonly T[]): readonly (readonly T[])[] {
  if (things.length === 0) return [[]]
  return things.flatMap((thing, i) => {
    const others = [...things.slice(0, i), ...things.slice(i + 1)]
    return orders(others).map((rest) => [thing, ...rest])
  })
}
