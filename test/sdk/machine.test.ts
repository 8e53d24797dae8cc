import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MACHINE, type Signal, type State, step, type Word } from '../../sdk/machine.ts'

const SIGNALS = Object.keys(MACHINE.idle) as Signal[]

/** What must be open for a word to be said, and what it opens or closes: the grammar that a fold relies on. */
function grammar(words: readonly Word[]): string[] {
  let [asked, framed, paused, seeking, stalled, over] = [false, false, false, false, false, false]
  const wrong: string[] = []
  const must = (holds: boolean, why: string) => {
    if (!holds) wrong.push(why)
  }
  for (const word of words) {
    if (word !== 'request') must(asked, `${word} before anything was asked for`)
    if (word === 'request') [asked, over, paused, seeking, stalled] = [true, false, false, false, false]
    if (word === 'frame') [framed, over] = [true, false]
    if (word === 'pause') {
      must(!paused, 'paused twice')
      ;[paused, stalled] = [true, false]
    }
    if (word === 'resume') {
      must(paused || over || seeking, 'resumed what was not paused')
      ;[paused, over] = [false, false]
    }
    if (word === 'seek') {
      must(!seeking, 'a seek in a seek')
      ;[seeking, stalled] = [true, false]
      if (over) [over, paused] = [false, true]
    }
    if (word === 'sought') {
      must(seeking, 'the end of no seek')
      seeking = false
    }
    if (word === 'stall') {
      must(!stalled && !paused && !seeking, 'a stall in a pause, a seek or a stall')
      stalled = true
    }
    if (word === 'flow') {
      must(stalled, 'the end of no stall')
      stalled = false
    }
    if (word === 'end' || word === 'quit' || word === 'fail') {
      must(!over || word !== 'quit', 'left twice')
      ;[over, paused, seeking, stalled] = [true, false, false, false]
    }
  }
  void framed
  return wrong
}

function told(signals: readonly Signal[]): Word[] {
  let state: State = 'idle'
  return signals.flatMap((signal) => {
    const next = step(state, signal)
    if (next === undefined) return []
    state = next.state
    return [...next.words]
  })
}

test('whatever an element says in whatever order, what is told makes sense', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...SIGNALS), { maxLength: 40 }), (signals) => {
      assert.deepEqual(grammar(told(signals)), [])
    }),
    { numRuns: 5_000 },
  )
})

test('the first word of a session is that it was asked for, and it is said of each view that is told of', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...SIGNALS), { maxLength: 20 }), (signals) => {
      const words = told(signals)
      assert.ok(words.length === 0 || words[0] === 'request')
    }),
  )
})

test('a wait before the first frame, in a seek or in a pause is no stall', () => {
  assert.ok(!told(['play', 'waits', 'moves']).includes('stall'))
  assert.ok(!told(['play', 'moves', 'seeks', 'waits', 'sought', 'moves']).includes('stall'))
  assert.ok(!told(['play', 'moves', 'pause', 'waits', 'play']).includes('stall'))
  assert.deepEqual(told(['play', 'moves', 'waits', 'moves']), ['request', 'frame', 'stall', 'flow'])
})

test('a seek lasts until media moves, or until the browser has the position if it is paused', () => {
  assert.deepEqual(told(['play', 'moves', 'seeks', 'sought']), ['request', 'frame', 'seek'])
  assert.deepEqual(told(['play', 'moves', 'seeks', 'sought', 'moves']), ['request', 'frame', 'seek', 'sought'])
  assert.deepEqual(told(['play', 'moves', 'pause', 'seeks', 'sought']), ['request', 'frame', 'pause', 'seek', 'sought'])
})
