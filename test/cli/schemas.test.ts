import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { playhead, tempFolder } from './playhead.ts'

const SCHEMAS = fileURLToPath(new URL('../../schemas', import.meta.url))

test('`schemas diff --sources` says in words what an edited schema breaks, and is silent of what was not edited', async (t) => {
  const dir = join(tempFolder(t), 'schemas')
  cpSync(SCHEMAS, dir, { recursive: true })
  const same = await playhead(t, {}, 'schemas', 'diff', '--sources', dir)
  assert.deepEqual([same.code, same.out], [0, `Nothing in ${dir} differs from what was released.\n`])

  const file = join(dir, 'playback', 'Heartbeat.avsc')
  const schema = JSON.parse(readFileSync(file, 'utf8')) as { fields: { name: string }[] }
  schema.fields = schema.fields.filter(({ name }) => name !== 'positionMs')
  writeFileSync(file, JSON.stringify(schema))
  const broken = await playhead(t, {}, 'schemas', 'diff', '--sources', dir)
  assert.equal(broken.code, 1)
  assert.match(broken.out, /^✗ playhead\.playback\.Heartbeat, version 1 → .*\n {2}✗ positionMs was removed/)

  const both = await playhead(t, {}, 'schemas', 'diff', 'Heartbeat', '--against', '1', '--sources', dir)
  assert.deepEqual([both.code, both.out], [2, ''])
})
