/** `at`, `why`, `verify` and the dead letters, as an operator uses them on a running engine. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { readKeyFile } from '../../cli/keys.ts'
import { freePorts, playhead, type Running, start, tempFolder } from './playhead.ts'
import { spoil } from './spoil.ts'

async function up(t: TestContext) {
  const data = join(tempFolder(t), 'data')
  const env = freePorts(data)
  const run = start(t, env, 'up')
  const { url, analyticsPort } = await placesOf(run)
  const keys = readKeyFile(join(data, 'keys.json'))
  const post = async (...events: readonly object[]) => {
    const answer = await fetch(`${url}/v1/events`, {
      method: 'POST',
      headers: { 'x-playhead-key': keys.publishable, 'content-type': 'application/json' },
      body: JSON.stringify({ events }),
    })
    assert.equal(answer.status, 202, await answer.text())
    return answer.headers.get('playhead-position')!
  }
  const read = async (profile: string, title: string, position: string) => {
    const headers = { authorization: `Bearer ${keys.admin}`, 'playhead-position': position }
    const answer = await fetch(`${url}/v1/profiles/${profile}/progress/${title}`, { headers })
    assert.equal(answer.status, 200)
    return (await answer.json()) as { positionMs: number }
  }
  const ask = async (port: string, ...words: readonly string[]) =>
    await playhead(t, { ...env, PLAYHEAD_ANALYTICS_PORT: port }, ...words)
  return { data, run, post, read, ask: (...words: readonly string[]) => ask(analyticsPort, ...words), askAt: ask }
}

/** Commands have to be told of ports that were free at the start. */
async function placesOf(run: Running) {
  const urlOf = async (role: string) => {
    const line = await run.line((l) => l.includes(`"role":"${role}"`) && l.includes('"msg":"ready"'), role)
    return (JSON.parse(line) as { url: string }).url
  }
  const analyticsPort = new URL(await urlOf('analytics')).port
  const url = await urlOf('api')
  await run.line((l) => l.includes('"msg":"up: '), 'the last word of the start')
  return { url, analyticsPort }
}

const beat = (positionMs: number, sequence: number) => ({
  type: 'Heartbeat',
  ...{ profileId: 'ann', sessionId: 's1', titleId: 't1', sequence, positionMs, durationMs: 100_000, state: 'playing' },
})

interface Then {
  readonly shown: readonly { readonly key: object; readonly state: { readonly position_ms: string } }[]
  readonly steps: readonly {
    readonly fate: string
    readonly event: { readonly type: string }
    readonly changes: object[]
  }[]
}

test('what a row was at a moment is what was read at that moment, and why says which events made it', async (t) => {
  const { post, read, ask } = await up(t)
  const seen: { readonly at: string; readonly positionMs: number }[] = []
  for (let n = 1; n <= 4; n++) {
    const position = await post(beat(n * 10_000, n))
    const { positionMs } = await read('ann', 't1', position)
    seen.push({ at: new Date().toISOString(), positionMs })
    await delay(5)
  }
  const at = async (moment: string): Promise<Then> => {
    const { out, err } = await ask('at', moment, 'progress', '--profile', 'ann', '--title', 't1', '--json')
    assert.notEqual(out, '', err)
    return JSON.parse(out) as Then
  }
  for (const { at: moment, positionMs } of seen) {
    assert.equal(Number((await at(moment)).shown[0]?.state.position_ms), positionMs, moment)
  }
  assert.deepEqual((await at('2020-01-01T00:00:00Z')).shown, [])
  const why = await ask('why', 'progress', '--profile', 'ann', '--json')
  const { steps } = JSON.parse(why.out) as Then
  assert.deepEqual(
    steps.map(({ fate, event }) => `${fate} ${event.type}`),
    Array.from({ length: 4 }, () => 'folded Heartbeat'),
  )
  for (const { changes } of steps)
    assert.ok(changes.some((change) => 'what' in change && change.what === 'position_ms'))
})

test('verify finds a row that is not what the log says, names it and the events behind it; the rest is as it should be', async (t) => {
  const { data, run, post, read, ask, askAt } = await up(t)
  const position = await post(beat(20_000, 1), {
    ...beat(5_000, 2),
    profileId: 'bob',
    sessionId: 's2',
  })
  await read('ann', 't1', position)
  const good = await ask('verify', 'progress')
  assert.equal(good.code, 0, good.out + good.err)
  assert.match(good.out, /✓ progress: 2 rows of 2 keys, as the log says/)
  run.child.kill('SIGTERM')
  await run.ended
  await spoil(data)
  const again = start(t, freePorts(data), 'up')
  const { analyticsPort } = await placesOf(again)
  const bad = await askAt(analyticsPort, 'verify', 'progress')
  assert.equal(bad.code, 1, bad.out)
  assert.match(bad.out, /profile_id ann · title_id t1: differs/)
  assert.match(bad.out, /permyriad: 9999 stands, 2000 should/)
  assert.match(bad.out, /playback-events\/\d+@\d+/)
})
