/** The API while Cassandra is dead: reads in bounded time, writes to the log, and afterwards everything is there. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readKeyFile } from '../../cli/keys.ts'
import { freePorts, playhead, start, tempFolder } from '../cli/playhead.ts'
import { kafka, ownCassandra } from './servers.ts'

const BOUNDED_MS = 4_000
const BACK_MS = 90_000

test('Cassandra away: reads answer what was known or 503, writes are stored, and all of it is folded once it is back', async (t) => {
  const [broker, store] = await Promise.all([kafka(), ownCassandra()])
  t.after(() => Promise.all([broker.close(), store.close()]))
  const api = await startUp(t, broker, store)
  const ann = await api.token('ann')

  assert.equal((await api.put(ann, 'ann', 61_000)).status, 200)
  await api.until(ann, 'ann', 61_000)

  await store.server.kill()
  const stale = await api.bounded(() => api.get(ann, 'ann'))
  assert.deepEqual([stale.status, stale.headers.get('playhead-stale')], [200, 'true'])
  assert.equal(((await stale.json()) as { positionMs: number }).positionMs, 61_000)
  const bob = await api.token('bob')
  const unknown = await api.bounded(() => api.get(bob, 'bob'))
  assert.equal(unknown.status, 503)
  assert.ok(Number(unknown.headers.get('retry-after')) >= 1)
  assert.equal(((await unknown.json()) as { code: string }).code, 'STORE_UNAVAILABLE')
  for (let n = 1; n <= 8; n++) {
    const written = await api.bounded(() => api.put(ann, 'ann', 62_000 + n))
    assert.equal(written.status, 200, await written.clone().text())
  }
  assert.equal((await api.bounded(() => api.put(bob, 'bob', 5_000))).status, 200)

  await store.server.restart()
  await api.until(ann, 'ann', 62_008)
  await api.until(bob, 'bob', 5_000)
})

async function startUp(
  t: TestContext,
  broker: { readonly host: string; readonly port: number },
  store: { readonly host: string; readonly port: number },
) {
  const data = join(tempFolder(t), 'data')
  const env = {
    ...freePorts(data),
    PLAYHEAD_LOG: `kafka://${broker.host}:${broker.port}`,
    PLAYHEAD_STORE: `cassandra://${store.host}:${store.port}/away_${process.pid}`,
  }
  const run = start(t, env, 'up')
  const ready = await run.line((l) => l.includes('"role":"api"') && l.includes('"msg":"ready"'), 'api ready')
  const url = `${(JSON.parse(ready) as { url: string }).url}/v1/profiles`
  assert.ok(readKeyFile(join(data, 'keys.json')))
  const titleId = `film-${process.pid}-${Date.now()}`
  const get = (token: string, profile: string) =>
    fetch(`${url}/${profile}/progress/${titleId}`, { headers: { authorization: `Bearer ${token}` } })
  return {
    get,
    token: async (profile: string) => {
      const made = await playhead(t, env, 'token', '--profile', profile, '--account', 'smith')
      return made.out.trim()
    },
    put: (token: string, profile: string, positionMs: number) =>
      fetch(`${url}/${profile}/progress/${titleId}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ positionMs, durationMs: 7_200_000, deviceId: 'tv' }),
      }),
    bounded: async (ask: () => Promise<Response>) => {
      const begunMs = performance.now()
      const answer = await ask()
      assert.ok(performance.now() - begunMs < BOUNDED_MS, `it took ${performance.now() - begunMs} ms`)
      return answer
    },
    until: async (token: string, profile: string, positionMs: number) => {
      const deadline = Date.now() + BACK_MS
      for (;;) {
        const answer = await get(token, profile)
        const row = (await answer.json()) as { positionMs?: number; code?: string }
        if (row.positionMs === positionMs && answer.headers.get('playhead-stale') === null) return
        assert.ok(Date.now() < deadline, `${profile} is at ${JSON.stringify(row)}, not at ${positionMs}`)
        await new Promise((resolve) => setTimeout(resolve, 1_000))
      }
    },
  }
}
