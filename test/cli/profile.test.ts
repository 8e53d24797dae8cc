import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { freePorts, playhead, tempFolder } from './playhead.ts'

interface Document {
  readonly events: readonly { readonly event: { readonly type: string; readonly personal?: unknown } }[]
  readonly complete: boolean
}

test('what was imported of a profile is exported in the clear, in the log it is sealed, and an erasure begins with --yes only', async (t) => {
  const dir = tempFolder(t)
  const env = freePorts(join(dir, 'data'))
  const file = join(dir, 'a.ndjson')
  const row = {
    profileId: 'ann',
    titleId: 't1',
    positionMs: 5_000,
    updatedAt: Date.UTC(2026, 4, 1),
    deviceId: 'the tv',
  }
  writeFileSync(file, `${JSON.stringify(row)}\n${JSON.stringify({ ...row, profileId: 'bob' })}\n`)
  const imported = await playhead(t, env, 'import', 'progress', file)
  assert.equal(imported.code, 0, imported.err)
  const tail = await playhead(t, env, 'log', 'tail', '--from', 'start', '--no-follow')
  assert.match(tail.out, /ProgressReported profileId=ann/)
  assert.ok(!tail.out.includes('the tv'), tail.out)

  const out = join(dir, 'ann.json')
  const exported = await playhead(t, env, 'profile', 'export', 'ann', '--out', out)
  assert.equal(exported.code, 0, exported.err)
  assert.equal(statSync(out).mode & 0o777, 0o600)
  const document = JSON.parse(readFileSync(out, 'utf8')) as Document
  assert.equal(document.complete, true)
  assert.deepEqual(
    document.events.map(({ event }) => [event.type, (event.personal as { deviceId: string }).deviceId]),
    [['ProgressReported', 'the tv']],
  )

  const asked = await playhead(t, env, 'profile', 'erase', 'ann')
  assert.equal(asked.code, 2)
  assert.match(asked.err, /Say --yes/)
  const erased = await playhead(t, env, 'profile', 'erase', 'ann', '--yes', '--reason', 'asked', '--json')
  assert.equal(erased.code, 0, erased.err)
  const state = JSON.parse(erased.out) as { state: string; keysToDestroy: number; progressPassed: boolean }
  // No consumers are running here: nothing has dropped the rows, so the key is still there.
  assert.deepEqual([state.state, state.keysToDestroy, state.progressPassed], ['pending', 1, false])
  const after = await playhead(t, env, 'profile', 'export', 'ann')
  assert.deepEqual(
    (JSON.parse(after.out) as Document).events.map(({ event }) => event.type),
    ['ProgressReported', 'ProfileErased'],
  )
})
