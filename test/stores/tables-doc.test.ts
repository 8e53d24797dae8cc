/** docs/tables.md is what its generator makes, and no column goes without a definition. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { startEngine } from './qoe-support.ts'
import { tablesDoc } from './tables-doc.ts'

test('docs/tables.md says what the tables say of themselves: else run npm run docs:tables', async (t) => {
  const engine = await startEngine()
  t.after(() => engine.stop())
  const made = await tablesDoc(engine.store)
  assert.doesNotMatch(made, /\| +\|\n/, 'a column has no definition')
  assert.equal(await readFile(new URL('../../docs/tables.md', import.meta.url), 'utf8'), made)
})
