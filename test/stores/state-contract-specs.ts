import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { StateRow, TableSpec } from '../../stores/state.ts'
import { collect, person, type StateSuite, uniqueName } from './state-contract.ts'

const first: StateRow = { key: ['p', 't'], version: 1n, columns: [1n, 'one'] }

export function specContract(suite: StateSuite): void {
  describe('table specs', () => {
    test('a table may be asked for again, with other comments', async () => {
      const spec = { ...person, name: uniqueName() }
      const tables = await Promise.all([suite.first, suite.second, suite.first].map((store) => store.table(spec)))
      await tables[0]!.upsert([first])
      const again = await suite.second.table({ ...spec, comment: 'Other words' })
      for (const table of [...tables, again]) assert.deepEqual(await table.get([['p', 't']]), [first])
    })

    test('columns may be added at the end; rows from before have null there, and old handles go on', async () => {
      const spec = { ...person, name: uniqueName() }
      const old = await suite.first.table(spec)
      await old.upsert([first])
      const wide = await suite.second.table({ ...spec, columns: [...spec.columns, { name: 'speed', type: 'int' }] })
      assert.deepEqual(await wide.get([['p', 't']]), [{ ...first, columns: [1n, 'one', null] }])
      const second: StateRow = { key: ['p', 'u'], version: 2n, columns: [2n, 'two', 3] }
      await wide.upsert([second])
      assert.deepEqual(await old.get([['p', 'u']]), [{ ...second, columns: [2n, 'two'] }])
      await old.upsert([{ ...first, version: 3n }])
      assert.deepEqual(await wide.list({ partition: ['p'], limit: 9 }), [
        { ...first, version: 3n, columns: [1n, 'one', null] },
        second,
      ])
    })

    test('any other change of a table is refused with what differs', async () => {
      const spec = { ...person, name: uniqueName() }
      const table = await suite.first.table(spec)
      await table.upsert([first])
      const changes: [Partial<TableSpec>, RegExp][] = [
        [
          { partition: [{ name: 'profile', type: 'text' }] },
          /its partition is \(profile_id text\), not \(profile text\)/,
        ],
        [{ clustering: [{ name: 'title_id', type: 'text', order: 'desc' }] }, /clustering is \(title_id text\)/],
        [{ columns: [spec.columns[0]!, { name: 'note', type: 'blob' }] }, /column 2 is note text, not note blob/],
        [{ columns: spec.columns.toReversed() }, /column 1 is position_ms long, not note text/],
        [{ columns: spec.columns.slice(0, 1) }, /column 2 is note text, not absent/],
      ]
      for (const [change, message] of changes) {
        await assert.rejects(suite.second.table({ ...spec, ...change }), { code: 'STORE_REFUSED', message })
      }
      assert.deepEqual(await table.get([['p', 't']]), [first])
    })

    test('a spec that no engine could keep is refused', async () => {
      const bad: [Partial<TableSpec>, RegExp][] = [
        [{ name: 'Upper' }, /table name Upper/],
        [{ name: 'x'.repeat(49) }, /48 characters/],
        [{ name: 'playhead_commits' }, /store's own/],
        [{ partition: [] }, /no partition column/],
        [{ columns: [{ name: 'title_id', type: 'text' }] }, /title_id.*twice/],
        [{ columns: [{ name: 'version', type: 'long' }] }, /version.*keeps this name/],
        [{ columns: [{ name: 'a b', type: 'long' }] }, /column a b/],
      ]
      for (const [change, message] of bad) {
        await assert.rejects(suite.table(change), { code: 'STORE_REFUSED', message })
      }
    })

    test('a dropped table is gone, and one made again under its name is empty', async () => {
      const table = await suite.table()
      await table.upsert([first])
      await table.erase(['q'], 9n)
      await suite.second.drop(table.spec.name)
      await suite.second.drop(table.spec.name)
      const other = { ...table.spec, columns: [{ name: 'speed', type: 'int' as const }] }
      const again = await suite.second.table(other)
      assert.deepEqual(await collect(again.scan()), [])
      await again.upsert([{ key: ['q', 't'], version: 1n, columns: [1] }])
      assert.equal((await again.get([['q', 't']]))[0]?.version, 1n)
    })

    test('a handle on a dropped table is refused', async () => {
      const table = await suite.table()
      await table.upsert([first])
      await suite.first.drop(table.spec.name)
      await assert.rejects(table.upsert([first]), { code: 'STORE_REFUSED' })
      await assert.rejects(table.get([['p', 't']]), { code: 'STORE_REFUSED' })
    })
  })
}
