import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import type { CommitKey, CommitRecord } from '../../stores/state.ts'
import type { StateSuite } from './state-contract.ts'

const tally = { read: 0n, folded: 0n, duplicates: 0n, parked: 0n, undecryptable: 0n }
const audit = 0n
const longMax = 2n ** 63n - 1n

function freshKey(): CommitKey {
  return { generation: `progress-${randomUUID()}`, topic: 'playback-events', partition: 0 }
}

/** The record that follows `before`. */
function after(before: CommitRecord | undefined, term: bigint, checkpoint = 0n): CommitRecord {
  return { term, revision: (before?.revision ?? 0n) + 1n, checkpoint, tally, audit }
}

const first = after(undefined, 1n)

export function commitContract(suite: StateSuite): void {
  describe('commit records', () => {
    test('there is none at first', async () => {
      assert.equal(await suite.first.commits.read(freshKey()), undefined)
    })

    test('a record comes back whole, with its intent and without', async () => {
      const { commits } = suite.first
      const key = freshKey()
      const whole: CommitRecord = {
        term: 1n,
        revision: 1n,
        checkpoint: 40n,
        intent: { from: 40n, to: longMax, parked: [41n, 43n, longMax], audit: 2n ** 64n - 1n, blocks: 12n },
        tally: { read: longMax, folded: 4n, duplicates: 3n, parked: 2n, undecryptable: 1n },
        audit: 2n ** 64n - 1n,
      }
      assert.deepEqual(await commits.swap(key, undefined, whole), { swapped: true })
      assert.deepEqual(await suite.second.commits.read(key), whole)
      const { intent, ...rest } = whole
      const cleared = { ...rest, revision: 2n }
      assert.deepEqual(await commits.swap(key, whole, cleared), { swapped: true })
      assert.deepEqual(await suite.second.commits.read(key), cleared)
      const nothingParked = { ...cleared, revision: 3n, intent: { ...intent!, parked: [] } }
      assert.deepEqual(await commits.swap(key, cleared, nothingParked), { swapped: true })
      assert.deepEqual(await suite.second.commits.read(key), nothingParked)
    })

    test('a swap happens only on the revision that is stored, and a refusal answers what is', async () => {
      const { commits } = suite.first
      const key = freshKey()
      const second = after(first, 2n, 5n)
      assert.deepEqual(await commits.swap(key, first, second), { swapped: false, found: undefined })
      assert.deepEqual(await commits.swap(key, undefined, first), { swapped: true })
      assert.deepEqual(await commits.swap(key, undefined, first), { swapped: false, found: first })
      assert.deepEqual(await commits.swap(key, first, second), { swapped: true })
      assert.deepEqual(await commits.swap(key, first, after(first, 1n, 9n)), { swapped: false, found: second })
      const ahead = after(second, 2n)
      assert.deepEqual(await commits.swap(key, ahead, after(ahead, 2n)), { swapped: false, found: second })
      assert.deepEqual(await commits.read(key), second)
    })

    test('a swap to a revision that does not follow is a broken caller', async () => {
      const key = freshKey()
      await assert.rejects(suite.first.commits.swap(key, undefined, { ...first, revision: 7n }), /revision 7, where 1/)
      assert.equal(await suite.first.commits.read(key), undefined)
    })

    test('two handles may swap in turn', async () => {
      const key = freshKey()
      let last: CommitRecord | undefined
      for (let checkpoint = 1n; checkpoint <= 10n; checkpoint++) {
        const { commits } = checkpoint % 2n ? suite.first : suite.second
        const next = after(last, 1n, checkpoint)
        assert.deepEqual(await commits.swap(key, last, next), { swapped: true })
        last = next
      }
      assert.deepEqual(await suite.first.commits.read(key), last)
    })

    test('of swaps that race exactly one wins', async () => {
      const key = freshKey()
      let last: CommitRecord | undefined
      for (let round = 0; round < 50; round++) {
        // Told apart by their checkpoints, so that the stored one must be the winner's.
        const racers = [suite.first, suite.second, suite.first, suite.second].slice(0, 2 + (round % 3))
        const nexts = racers.map((_, index) => after(last, (last?.term ?? 0n) + 1n, BigInt(index)))
        const swaps = await Promise.all(racers.map((store, index) => store.commits.swap(key, last, nexts[index]!)))
        const won = swaps.flatMap(({ swapped }, index) => (swapped ? [index] : []))
        assert.equal(won.length, 1, `round ${round}`)
        last = nexts[won[0]!]
        assert.deepEqual(await suite.second.commits.read(key), last)
        for (const swap of swaps) if (!swap.swapped) assert.deepEqual(swap.found, last)
      }
    })

    test('of equal records that race exactly one wins', async () => {
      const key = freshKey()
      const swaps = await Promise.all(
        [suite.first, suite.second].map((store) => store.commits.swap(key, undefined, first)),
      )
      assert.deepEqual(swaps.map(({ swapped }) => swapped).toSorted(), [false, true])
    })

    test("list answers one generation's records", async () => {
      const { commits } = suite.first
      const { generation } = freshKey()
      const keys = ['a', 'b'].flatMap((topic) => [0, 7].map((partition) => ({ generation, topic, partition })))
      for (const key of keys) await commits.swap(key, undefined, after(undefined, 1n, BigInt(key.partition)))
      await commits.swap({ ...keys[0]!, generation: `${generation}0` }, undefined, first)
      const listed = await suite.second.commits.list(generation)
      assert.deepEqual(
        listed.toSorted((a, b) => (a.topic + a.partition < b.topic + b.partition ? -1 : 1)),
        keys.map((key) => ({ ...key, record: after(undefined, 1n, BigInt(key.partition)) })),
      )
      assert.deepEqual(await commits.list(freshKey().generation), [])
    })
  })
}
