/** `playhead migrate` from one folder to another, under load: what both directions on a cluster have in common. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  allOnce,
  migrate,
  migrateUntil,
  phaseIn,
  settingsBeside,
  startEngine,
  startWriter,
  urlOf,
} from './migrate-suite.ts'
import { start } from './playhead.ts'

test('an engine goes elsewhere under load, killed at every step: what was acknowledged is there, once, and the old one refuses', async (t) => {
  const old = await startEngine(t)
  const { file, env } = settingsBeside(t, old, {})
  let newApi: string | undefined
  const writer = startWriter(t, old, [() => old.api, () => newApi])
  await writer.atLeast(300)
  for (const step of [/^copy: the log/, /^fold: /, /^cut: writes are paused/]) {
    await migrateUntil(t, old.env, file, step)
  }
  assert.equal(phaseIn(old.env.PLAYHEAD_DATA!), 'cut')
  // Nobody calls again: writers open the old log by themselves when the pause is over, or the next call does.
  const api = start(t, env, 'api')
  newApi = await urlOf(api, 'api')
  await migrateUntil(t, old.env, file, /the old log takes no more/)
  const done = await migrate(t, old.env, file)
  assert.equal(done.code, 0, done.out + done.err)
  await writer.atLeast(100)
  const consumers = start(t, env, 'consumers')
  await consumers.line((l) => l.includes('"msg":"ready"'), 'consumers')
  await writer.atLeast(100)
  await writer.stop()
  await allOnce(old, writer)
  const refused = await fetch(`${old.api}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${old.keys.publishable}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      events: [{ type: 'Heartbeat', profileId: 'p', sessionId: 's', titleId: 't', sequence: 1, positionMs: 1 }],
    }),
  })
  assert.equal(refused.status, 503, await refused.text())
})
