import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
// @ts-expect-error: a build script without types
import { bundle } from '../../deploy/bundle.mjs'

test('the SDK is one module of at most 8,192 bytes gzipped, and brings nothing along', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-sdk-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  await bundle(dir)
  const module = readFileSync(join(dir, 'sdk/playhead.js'))
  const bytes = gzipSync(module, { level: 9 }).length
  assert.ok(bytes <= 8_192, `${bytes} bytes gzipped`)
  assert.doesNotMatch(module.toString(), /\bimport\b/)
  assert.match(module.toString(), /export\{\w+ as attach\}/)
})
