/** Everything at once, as on a user's machine, on any engines: the roles run, a file is imported, a profile is read and forgotten. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts, playhead, start, tempFolder } from './playhead.ts'

export const IMPORTED =
  'what is imported while everything runs is where the viewer resumes, and is gone when the profile is forgotten'

export async function imported(t: TestContext, engines: Readonly<Record<string, string>> = {}): Promise<void> {
  const dir = tempFolder(t)
  // A cluster's log may know another ann.
  const ann = `ann-${process.pid}`
  const env = { ...freePorts(join(dir, 'data')), ...engines }
  const run = start(t, env, 'up')
  const ready = await run.line((l) => l.includes('"role":"api"') && l.includes('"msg":"ready"'), 'the API')
  const { url } = JSON.parse(ready) as { url: string }
  const file = join(dir, 'a.csv')
  const updatedAt = Date.now() - 60_000
  writeFileSync(
    file,
    `user,titleId,positionMs,durationMs,updatedAt,deviceId\n${ann},t1,600000,1800000,${updatedAt},the tv\n`,
  )
  const [minted, filed] = [
    await playhead(t, env, 'token', '--profile', ann, '--account', 'smith'),
    await playhead(t, env, 'import', 'progress', file, '--map', 'user=profileId'),
  ]
  assert.equal(filed.code, 0, filed.err)
  const headers = { authorization: `Bearer ${minted.out.trim()}` }
  const profile = `${url}/v1/profiles/${ann}`
  const row = await eventually(() => fetch(`${profile}/progress/t1`, { headers }), 200)
  const { positionMs, device } = (await row.json()) as { positionMs: number; device: string }
  assert.deepEqual([positionMs, device], [600_000, 'the tv'])

  const erased = await fetch(profile, { method: 'DELETE', headers })
  assert.equal(erased.status, 202)
  const position = erased.headers.get('playhead-position') ?? ''
  const after = await fetch(`${profile}/progress/t1`, { headers: { ...headers, 'playhead-position': position } })
  assert.deepEqual([after.headers.get('playhead-position-passed'), after.status], ['true', 404])
  const exported = (await (await fetch(`${profile}/export`, { headers })).json()) as {
    progress: unknown[]
    events: unknown[]
  }
  assert.deepEqual([exported.progress, exported.events.length], [[], 2])
}

async function eventually(ask: () => Promise<Response>, status: number): Promise<Response> {
  for (let tries = 0; tries < 500; tries++) {
    const answer = await ask()
    if (answer.status === status) return answer
    await sleep(20)
  }
  return assert.fail(`no ${status} came`)
}
