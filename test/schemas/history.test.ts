/** The log is for years: what the first release of every event wrote is folded by today's code as if it were written today. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { NewRecord } from '../../log/log.ts'
import { createCodec, EVENT_TYPES, type EventType, keyOf, type NewEvent, topicOf } from '../../schemas/index.ts'
import {
  anyFact,
  CHANGED_TYPES,
  encodeAsFirst,
  encodeAsNewest,
  type Fact,
  meaningOfMissing,
  sharedTypesThatGrew,
} from './history-facts.ts'
import { everyGeneration, foldEverything } from './history-fold.ts'

const codec = await createCodec()
const RUNS = 12
/** Projections that keep a state after any history: nobody erases those of titles, accounts and the engine. */
const STATEFUL = ['titles', 'streams', 'incidents', 'generations', 'erasures']

/** All types in one log, those with a history more often, in any order, each event with an id of its own. */
const anyHistory: fc.Arbitrary<readonly Fact[]> = fc
  .tuple(...EVENT_TYPES.map((type) => fc.array(anyFact(type), { minLength: 1, maxLength: timesOf(type) })))
  .map((lists) => lists.flat())
  .chain((facts) => fc.shuffledSubarray(facts, { minLength: facts.length }))
  .map((facts) => facts.map(withId))

function timesOf(type: EventType): number {
  return CHANGED_TYPES.includes(type) ? 8 : 3
}

function withId({ type, facts }: Fact, n: number): Fact {
  const eventId = `01900000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`
  return { type, facts: { ...facts, meta: { ...(facts.meta as object), eventId } } }
}

/** A record whose event is a replay has another inside, which was written by the same release. */
function recordsOf(history: readonly Fact[], encode: (fact: Fact) => Buffer): readonly NewRecord[] {
  const inner = history.filter(({ type }) => type === 'Heartbeat' || type === 'ProgressReported')
  return history.map((fact, n) => {
    const said = fact.type === 'ReplayedEvent' ? replayOf(fact, inner[n % inner.length]!, encode) : fact
    const event = { type: said.type, ...said.facts } as NewEvent
    const { receivedAt } = said.facts.meta as { receivedAt: number }
    return { topic: topicOf(event), key: keyOf(event), value: encode(said), timestampMs: receivedAt }
  })
}

function replayOf({ type, facts }: Fact, original: Fact, encode: (fact: Fact) => Buffer): Fact {
  return { type, facts: { ...facts, key: original.facts.profileId, value: encode(original) } }
}

describe('events of the first release', () => {
  it('are folded by every projection into what the same facts mean when they are written today', async () => {
    const folds = everyGeneration().map(({ projection: { name } }) => name)
    assert.ok(folds.length >= 13, `${folds}`)
    const found = await fc.check(
      fc.asyncProperty(anyHistory, async (history) => {
        const [first, newest] = await Promise.all([
          foldEverything(recordsOf(history, encodeAsFirst), codec),
          foldEverything(
            recordsOf(history, (fact) => encodeAsNewest(codec, fact)),
            codec,
          ),
        ])
        assert.deepEqual(first.parked, [])
        assert.deepEqual(newest.parked, [])
        assert.equal(first.folded, newest.folded)
        assert.deepEqual(first.states, newest.states)
        assert.deepEqual(first.rows, newest.rows)
        const empty = STATEFUL.filter((name) => first.states[name]!.length === 0)
        assert.deepEqual(empty, [], 'nothing was compared')
      }),
      { numRuns: RUNS, endOnFailure: true },
    )
    // Its own report would print the whole history.
    assert.ok(!found.failed, `seed ${found.seed}: ${String(found.errorInstance).slice(0, 4_000)}`)
  })

  for (const type of EVENT_TYPES) {
    it(`of type ${type} are read with every field of today`, () => {
      fc.assert(
        fc.property(anyFact(type), (fact) => {
          const read = codec.decode(encodeAsFirst(fact))
          assert.ok(read.ok, JSON.stringify(read))
          assert.deepStrictEqual(read.event, { type, ...fact.facts, ...meaningOfMissing(type) })
        }),
        { numRuns: 20 },
      )
    })
  }

  it('say with their own fields all that shared types say today', () => {
    assert.deepEqual(sharedTypesThatGrew(), [], 'a shared type grew: give encodeAsNewest what its new fields mean')
  })

  it('are really of another schema where an event has changed since', () => {
    assert.ok(CHANGED_TYPES.length >= 6, `${CHANGED_TYPES}`)
    for (const type of CHANGED_TYPES) {
      const [fact] = fc.sample(anyFact(type), 1)
      const id = encodeAsFirst(fact!).readUInt32BE(1)
      assert.notEqual(id, codec.schemaIdOf(type), type)
    }
  })
})
