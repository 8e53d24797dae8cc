/** The audit beside the live folds: what it says of good tables, and of a row that no fold would have written. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { readKeyFile } from '../../cli/keys.ts'
import { liveRoles } from '../../cli/live-roles.ts'
import { freePorts, start, tempFolder } from './playhead.ts'
import { spoil } from './spoil.ts'

async function up(t: TestContext) {
  const data = join(tempFolder(t), 'data')
  const run = start(t, { ...freePorts(data), PLAYHEAD_VERIFY_KEYS_PER_HOUR: '10000000' }, 'up')
  await run.line((l) => l.includes('"msg":"up: '), 'the last word of the start')
  const [health, url] = ['consumers', 'api'].map((role) => {
    return liveRoles(join(data, 'run')).find((note) => note.role === role)!.url
  })
  const { publishable } = readKeyFile(join(data, 'keys.json'))
  const post = async (...events: readonly object[]) => {
    const answer = await fetch(`${url}/v1/events`, {
      method: 'POST',
      headers: { 'x-playhead-key': publishable, 'content-type': 'application/json' },
      body: JSON.stringify({ events }),
    })
    assert.equal(answer.status, 202, await answer.text())
  }
  const metric = async (name: string, projection: string) => {
    const text = await (await fetch(`${health}/metrics`)).text()
    const found = new RegExp(`^${name}\\{projection="${projection}"[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1]
    assert.ok(found !== undefined, `${name} is told of ${projection}`)
    return Number(found)
  }
  return { data, run, post, metric }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; !(await holds()); await delay(50)) {
    assert.ok(Date.now() < deadline, `never: ${what}`)
  }
}

const beat = (profileId: string, sequence: number) => ({
  type: 'Heartbeat',
  ...{ profileId, sessionId: `s-${profileId}`, titleId: 't1', sequence, positionMs: sequence * 10_000 },
  ...{ durationMs: 100_000, state: 'playing' },
})

test('a row that is not what the log says is found beside the live folds: told with its events, and counted', async (t) => {
  const { data, run, post, metric } = await up(t)
  await post(beat('ann', 1), beat('bob', 1), beat('ann', 2))
  await until('both keys were looked at', async () => (await metric('playhead_verify_keys_total', 'progress')) >= 2)
  await until('and those of views', async () => (await metric('playhead_verify_keys_total', 'views')) >= 2)
  for (const name of ['progress', 'views', 'streams', 'titles']) {
    assert.equal(await metric('playhead_verify_differences_total', name), 0, name)
    assert.equal(await metric('playhead_verify_skipped_total', name), 0, name)
    assert.ok((await metric('playhead_verify_full_look_seconds', name)) >= 0, name)
  }
  await spoil(data)
  // What moves the log makes it look through all keys again.
  await post(beat('bob', 2))
  const line = await run.line((l) => l.includes('verify: a row is not what the log says'), 'the difference')
  const told = JSON.parse(line) as {
    projection: string
    key: object
    what: string
    columns: string[]
    events: string[]
  }
  assert.deepEqual(
    [told.projection, told.key, told.what, told.columns],
    ['progress', { profile_id: 'ann', title_id: 't1' }, 'differs', ['permyriad']],
  )
  assert.equal(told.events.length, 2)
  for (const event of told.events) assert.match(event, /^playback-events\/\d+@\d+$/)
  await until('it is counted', async () => (await metric('playhead_verify_differences_total', 'progress')) >= 1)
  assert.equal(await metric('playhead_verify_differences_total', 'views'), 0)
})
