import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BatchFold } from '../../consumers/fold.ts'
import { decodeRowVersions, encodeRowVersions } from '../../consumers/row-versions.ts'
import { type Held, StateCache } from '../../consumers/state-cache.ts'
import type { Keyed, Landing, Projection, SignedRow } from '../../projections/projection.ts'

const LANDING: Landing = {
  name: 'landing_t',
  target: 't',
  columns: ['topic', 'partition', 'row_key', 'version', 'sign', 'value'],
}

type State = readonly SignedRow[]

const KEYED: Keyed<State> = {
  shape: { name: 't', comment: '', partition: [{ name: 'k', type: 'text' }], clustering: [], columns: [] },
  key: () => ['k'],
  fold: (state) => state ?? [],
  rows: (state) => state,
  toColumns: () => [],
  fromColumns: () => [],
}
const PROJECTION: Projection = { name: 't', foldVersion: 1, topics: ['x'], batchMs: 1, landings: [LANDING] }
const NO_TABLE = {} as ConstructorParameters<typeof StateCache<unknown>>[0]
const CACHE = new StateCache<unknown>(NO_TABLE, { keyed: KEYED as Keyed<unknown>, landings: [LANDING] }, () => 0)

/** One batch that changes the state of one key: the state as held after it, and the lines it inserts. */
function step(before: Held<unknown> | undefined, state: State, to: bigint) {
  const place = { topic: 'x', partition: 0 }
  const opener = { open: async () => [] }
  const batch = new BatchFold({ projection: PROJECTION, place, cache: CACHE, opener, term: 1n, to, redo: false })
  batch.change(KEYED as Keyed<unknown>, CACHE, ['k'], 'k', before, state)
  const { bodies, states } = batch.close()
  const lines = bodies.flatMap((body) => body.bytes().toString().trimEnd().split('\n')).map((line) => line.split('\t'))
  return { held: states.get('k')!, lines }
}

test('of a state, those rows go out and come in that changed, each under the version it was written with', () => {
  const rows = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 2 })), {
    selector: ([name]) => name,
    maxLength: 10,
  })
  fc.assert(
    fc.property(fc.array(rows, { maxLength: 8 }), fc.boolean(), (steps, sameObjects) => {
      const kept = new Map<string, SignedRow>()
      const rowOf = ([name, value]: readonly [number, number]): SignedRow => {
        const text = `${name}/${value}`
        const row = (sameObjects ? kept.get(text) : undefined) ?? {
          landing: LANDING,
          rowKey: `r${name}`,
          cells: [value],
        }
        kept.set(text, row)
        return row
      }
      /** What stands in the table: name, version and value → Σ sign. */
      const table = new Map<string, number>()
      let held: Held<unknown> | undefined
      let before = new Map<string, number>()
      steps.forEach((step_, n) => {
        const answer = step(held, step_.map(rowOf), BigInt(n * 1_000 + 7))
        held = answer.held
        for (const [, , , name, version, sign, value] of answer.lines) {
          const row = `${name} ${version} ${value}`
          table.set(row, (table.get(row) ?? 0) + Number(sign))
        }
        const after = new Map(step_.map(([name, value]) => [`r${name}`, value]))
        const changed = [...after].filter(([name, value]) => before.get(name) !== value).length
        const gone = [...before].filter(([name, value]) => after.get(name) !== value).length
        assert.equal(answer.lines.length, changed + gone, 'nothing is written that did not change')
        const standing = [...table].filter(([, count]) => count !== 0)
        assert.ok(standing.every(([, count]) => count === 1))
        const expected = step_.map(([name, value], i) => `r${name} ${held!.rowVersions[i]} ${value}`)
        assert.deepEqual(standing.map(([row]) => row).sort(), expected.sort())
        before = after
      })
    }),
    { numRuns: 3_000 },
  )
})

test('versions come back as they were written, also those beyond 32 bits', () => {
  const version = fc.oneof(fc.integer({ min: 0, max: 1_000 }), fc.integer({ min: 0, max: 2 ** 51 }))
  fc.assert(
    fc.property(fc.array(version, { maxLength: 200 }), (versions) => {
      assert.deepEqual(decodeRowVersions(encodeRowVersions(versions)), versions)
    }),
  )
  const minutes = Array.from({ length: 120 }, (_, minute) => 10_000_000 + minute * 2_400_000)
  assert.ok(encodeRowVersions(minutes).length <= 500, 'a view of two hours under load')
  assert.throws(() => decodeRowVersions(Uint8Array.of(0x80)), /in the middle/)
})
