/** Snapshots and the plan of an upgrade as an operator uses them, on a running engine. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { readKeyFile } from '../../cli/keys.ts'
import { freePorts, playhead, start, tempFolder } from './playhead.ts'

test('what is read is saved while it runs, loaded beside it, compared and promoted; an upgrade to the same is nothing to do', async (t) => {
  const data = join(tempFolder(t), 'data')
  const env = freePorts(data)
  const run = start(t, env, 'up')
  const urlOf = async (role: string) => {
    const line = await run.line((l) => l.includes(`"role":"${role}"`) && l.includes('"msg":"ready"'), role)
    return (JSON.parse(line) as { url: string }).url
  }
  const known = { ...env, PLAYHEAD_ANALYTICS_PORT: new URL(await urlOf('analytics')).port }
  const api = await urlOf('api')
  await run.line((l) => l.includes('"msg":"up: '), 'the last word of the start')
  const { publishable, admin } = readKeyFile(join(data, 'keys.json'))
  const post = async (from: number) => {
    const events = Array.from({ length: 20 }, (_, n) => ({
      ...{ type: 'Heartbeat', profileId: `p${n % 5}`, sessionId: 's', titleId: `t${n % 3}`, sequence: from + n },
      ...{ positionMs: (from + n) * 1_000, durationMs: 100_000, state: 'playing' },
    }))
    const headers = { 'x-playhead-key': publishable, 'content-type': 'application/json' }
    const answer = await fetch(`${api}/v1/events`, { method: 'POST', headers, body: JSON.stringify({ events }) })
    assert.equal(answer.status, 202, await answer.text())
    return answer.headers.get('playhead-position')!
  }
  const ask = async (...words: readonly string[]) => {
    const { code, out, err } = await playhead(t, known, ...words)
    assert.equal(code, 0, `${words.join(' ')}: ${out}${err}`)
    return out
  }
  // As soon as it is folded, and no sooner.
  const folded = async (position: string) => {
    const headers = { authorization: `Bearer ${admin}`, 'playhead-position': position }
    const answer = await fetch(`${api}/v1/profiles/p0/progress/t0`, { headers })
    assert.deepEqual(
      [answer.status, answer.headers.get('playhead-position-passed')],
      [200, 'true'],
      await answer.text(),
    )
  }
  await folded(await post(0))
  const folder = join(tempFolder(t), 'progress')
  assert.match(
    await ask('snapshot', 'save', 'progress', folder),
    /^saved: progress v1, \d+ events folded into \d+ rows/,
  )
  await folded(await post(20))
  const loaded = JSON.parse(await ask('snapshot', 'load', folder, '--name', 'again', '--json')) as {
    readonly id: string
    readonly ended: string
  }
  assert.equal(loaded.ended, 'there')
  await ask('generations', 'compare', loaded.id)
  await ask('generations', 'promote', loaded.id)
  await run.line((l) => l.includes('another generation is read') && l.includes(`"to":"${loaded.id}"`), loaded.id)
  await folded(await post(40))
  assert.match(await ask('upgrade', '--plan'), /^Nothing to do/)
})
