/** The incidents' routes: what is open, what was, which rules are in force, and a test delivery on its way. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { incidentReader } from '../../api/incidents/reader.ts'
import { addIncidentRoutes } from '../../api/incidents/routes.ts'
import { positionsOf } from '../../api/position.ts'
import { incidentIdOf, incidentOpened, incidentResolved } from '../../producers/incidents.ts'
import { rulesInForce } from '../../projections/incidents/rules.ts'
import { SHIPPED_RULES } from '../../projections/incidents/shipped.ts'
import { MINUTE_MS, type Scene, START_MS, startScene, until } from '../consumers/alerts-scene.ts'
import { ADMIN, DATA, startHarness } from './harness.ts'
import { PUBLISHABLE } from './support.ts'

const HOUR_MS = 60 * MINUTE_MS

async function start(t: TestContext) {
  const scene = await startScene(t)
  scene.clock.ms = START_MS + 240 * HOUR_MS
  let admission: Parameters<typeof addIncidentRoutes>[1]['admission'] | undefined
  const { app, call } = await startHarness(t, {
    folding: false,
    wrap: (parts) => {
      admission = parts.admission
      return parts
    },
  })
  const { log, codec } = scene
  const mint = () => '0190a0b0-0000-7000-8000-000000000001'
  const positions = positionsOf({ next: async () => undefined })
  const parts = { log, codec, mint, positions, nowMs: () => scene.clock.ms, rules: SHIPPED_RULES }
  addIncidentRoutes(app, { ...parts, admission: admission!, incidents: incidentReader(scene.incidents.table) })
  return { scene, call, get: async (url: string) => await call('GET', url, DATA) }
}

async function incident(scene: Scene, rule: string, fromHour: number, toHour?: number): Promise<string> {
  const subject = `incident:${rule}`
  const incidentId = incidentIdOf(subject, undefined)
  const arrival = { source: 'engine', appId: 'a', environment: 'e', receivedAtMs: scene.clock.ms } as const
  const openedMs = START_MS + fromHour * HOUR_MS
  const what = { subject, incidentId, rule, severity: 'warning', summary: 'Slow starts' } as const
  const seen = { observed: 2_500, threshold: 2_000, dimensions: { country: 'PE' }, since: openedMs - 10 * MINUTE_MS }
  const records = [incidentOpened(scene.codec, arrival, { ...what, ...seen, atMs: openedMs })]
  if (toHour !== undefined) {
    const over = { subject, incidentId, rule, observed: 1_500, reason: 'recovered', atMs: START_MS + toHour * HOUR_MS }
    records.push(incidentResolved(scene.codec, arrival, over))
  }
  await scene.log.append(records)
  await until('it is folded', async () => {
    const row = (await scene.rows()).find((one) => one.incidentId === incidentId)
    return row !== undefined && (toHour === undefined || row.resolved !== null)
  })
  return incidentId
}

test('incidents are listed newest first, by state, rule and the time in which they were open', async (t) => {
  const { scene, get } = await start(t)
  await incident(scene, 'long-ago', 1, 2)
  await incident(scene, 'still-open', 3)
  await incident(scene, 'yesterday', 220, 221)
  await incident(scene, 'now', 239)
  const names = async (query: string) =>
    (await get(`/v1/incidents${query}`)).json().incidents.map(({ rule }: { rule: string }) => rule)
  assert.deepEqual(await names(''), ['now', 'yesterday', 'still-open'], 'of the last week')
  assert.deepEqual(await names('?state=open'), ['now', 'still-open'])
  assert.deepEqual(await names('?state=resolved'), ['yesterday'])
  assert.deepEqual(await names('?rule=yesterday'), ['yesterday'])
  assert.deepEqual(await names(`?from=${START_MS}`), ['now', 'yesterday', 'still-open', 'long-ago'])
  assert.deepEqual(await names('?from=2026-01-01T01:30:00Z&to=2026-01-01T02:30:00Z'), ['long-ago'])
  assert.deepEqual(await names('?limit=2'), ['now', 'yesterday'])
  assert.equal((await get('/v1/incidents?limit=2')).json().more, true)
  assert.equal((await get('/v1/incidents')).json().more, false)
})

test('an incident is shown whole', async (t) => {
  const { scene, get } = await start(t)
  const incidentId = await incident(scene, 'video-start', 230, 231)
  const answer = await get(`/v1/incidents/${incidentId}`)
  const openedAt = START_MS + 230 * HOUR_MS
  assert.equal(answer.statusCode, 200)
  assert.deepEqual(answer.json(), {
    ...{ incidentId, rule: 'video-start', state: 'resolved', severity: 'warning', summary: 'Slow starts' },
    ...{ dimensions: { country: 'PE' }, observed: 2_500, threshold: 2_000, since: openedAt - 10 * MINUTE_MS, openedAt },
    ...{ resolvedAt: openedAt + HOUR_MS, resolvedObserved: 1_500, reason: 'recovered' },
  })
  assert.equal((await get('/v1/incidents/nobody-knows-it')).statusCode, 404)
})

test('the rules in force are shown as a file could say them', async (t) => {
  const { get } = await start(t)
  const { rules } = (await get('/v1/alerts/rules')).json()
  assert.deepEqual(rulesInForce({ shipped: false, rules }), SHIPPED_RULES)
})

test('a test delivery is asked for in the log, by an admin only', async (t) => {
  const { scene, call } = await start(t)
  assert.equal((await call('POST', '/v1/alerts/test', DATA)).statusCode, 403)
  const answer = await call('POST', '/v1/alerts/test', ADMIN)
  assert.equal(answer.statusCode, 202)
  assert.equal(answer.json().position, 'engine-events/0@0')
  const [event] = await scene.events()
  assert.ok(event?.type === 'OperatorActed' && event.action === 'alerts.test' && event.by === 'ops')
})

test('a key that may not read data sees no incidents, and a wrong question says which part is wrong', async (t) => {
  const { call, get } = await start(t)
  for (const url of ['/v1/incidents', '/v1/incidents/x', '/v1/alerts/rules']) {
    assert.equal((await call('GET', url, PUBLISHABLE)).statusCode, 403)
    assert.equal((await call('GET', url, {})).statusCode, 401)
  }
  for (const [query, field] of [
    ['from=yesterday', 'from'],
    ['to=-1', 'to'],
    ['state=closed', 'state'],
    ['limit=0', 'limit'],
    ['limit=100000', 'limit'],
  ]) {
    const answer = await get(`/v1/incidents?${query}`)
    assert.equal(answer.statusCode, 400, query)
    assert.equal(answer.json().field, field)
  }
})
