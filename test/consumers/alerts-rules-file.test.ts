/** The operator's file of rules, as a process finds it. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readRules } from '../../consumers/alerts/rules-file.ts'
import { RuleInvalid } from '../../projections/incidents/rules.ts'
import { SHIPPED_RULES } from '../../projections/incidents/shipped.ts'

test('rules come from the file that is named, else they are the shipped ones', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'playhead-rules-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  const written = async (text: string) => {
    await writeFile(join(dir, 'rules.json'), text)
    return await readRules(join(dir, 'rules.json'))
  }
  assert.equal(await readRules(undefined), SHIPPED_RULES)
  const rules = await written('{"rules": [{"name": "traffic", "disabled": true}]}')
  assert.equal(rules.length, SHIPPED_RULES.length - 1)
  await assert.rejects(written('{"rules": ['), RuleInvalid)
  await assert.rejects(written('{"rules": [{"name": "x"}]}'), { field: 'rules[0].metric' })
  await assert.rejects(readRules(join(dir, 'nowhere.json')), { code: 'ENOENT' })
})
