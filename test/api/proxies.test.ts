import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { startHarness } from './harness.ts'
import { PUBLISHABLE } from './support.ts'

const BEAT = { type: 'Heartbeat', profileId: 'p', sessionId: 's', titleId: 't', sequence: 1, positionMs: 1 }

/** Statuses of one request each for these viewers behind one proxy, where one request in a minute is let in. */
async function behind(t: TestContext, proxy: string, viewers: readonly string[], trustedProxies?: readonly string[]) {
  const { app } = await startHarness(t, {
    limits: { events: 1 },
    folding: false,
    ...(trustedProxies && { trustedProxies }),
  })
  const statuses: number[] = []
  for (const viewer of viewers) {
    const answer = await app.inject({
      method: 'POST',
      url: '/v1/events',
      remoteAddress: proxy,
      headers: { ...PUBLISHABLE, 'x-forwarded-for': viewer },
      payload: { events: [BEAT] },
    })
    statuses.push(answer.statusCode)
  }
  return statuses
}

test('behind a trusted proxy each viewer is counted alone; another one is not believed', async (t) => {
  const viewers = ['192.0.2.1', '192.0.2.2', '192.0.2.1']
  assert.deepEqual(await behind(t, '10.1.2.3', viewers, ['10.0.0.0/8']), [202, 202, 429])
  assert.deepEqual(await behind(t, '172.16.0.1', viewers, ['10.0.0.0/8']), [202, 429, 429])
  assert.deepEqual(await behind(t, '10.1.2.3', viewers), [202, 429, 429])
})
