/** Deliveries to a real HTTP server that fails, hangs, redirects and comes back: signed, in order, none lost. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { endpointsOf, WebhookInvalid, webhooksFrom } from '../../consumers/alerts/endpoints.ts'
import { ALERT_LIMITS } from '../../consumers/alerts/limits.ts'
import { send } from '../../consumers/alerts/send.ts'
import { alertTest, incidentIdOf, incidentOpened, incidentResolved } from '../../producers/incidents.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import type { StateStore } from '../../stores/state.ts'
import { verified } from '../docs/webhook-receiver.ts'
import { rule } from '../projections/incident-rules.ts'
import { MINUTE_MS, type Scene, START_MS, startScene, until } from './alerts-scene.ts'

const SECRET = 'a secret that both sides know'

interface Taken {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly json: { readonly id: string; readonly type: string; readonly incident?: Readonly<Record<string, unknown>> }
}

interface Receiver {
  readonly url: string
  readonly server: Server
  readonly taken: Taken[]
  /** How it answers from now on; 200 at first. */
  answer: (response: ServerResponse) => void
}

async function receiver(t: TestContext, port = 0): Promise<Receiver> {
  const taken: Taken[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    taken.push({ headers: request.headers, body, json: JSON.parse(body) as Taken['json'] })
    self.answer(response)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => close(server))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=in-the-url`
  const self: Receiver = { url, server, taken, answer: ok }
  return self
}

const ok = (response: ServerResponse) => void response.writeHead(200).end()
const status =
  (code: number, headers = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(code, headers).end()

async function close(server: Server): Promise<void> {
  if (!server.listening) return
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
}

let incidents = 0
/** Rules that know of the tests' incidents and see nothing: what no rule speaks of would be resolved. */
const JUDGED = {
  rules: Array.from({ length: 40 }, (_, i) => rule({ name: `rule-${i}` })),
  query: () => Promise.resolve([]),
}

/** An incident that opens in the log. */
async function open(scene: Scene): Promise<string> {
  const name = `rule-${incidents++}`
  const subject = `incident:${name}`
  const incidentId = incidentIdOf(subject, undefined)
  const what = {
    subject,
    incidentId,
    rule: name,
    severity: 'critical',
    summary: 'Too few starts',
  } as const
  const seen = {
    observed: 91.5,
    threshold: 95,
    dimensions: { cdn: 'edge' },
    since: START_MS,
    atMs: START_MS + MINUTE_MS,
  }
  await scene.log.append([incidentOpened(scene.codec, arrival(scene), { ...what, ...seen })])
  return incidentId
}

function arrival(scene: Scene) {
  return { source: 'engine', appId: 'playhead', environment: 'engine', receivedAtMs: scene.clock.ms } as const
}

const ids = (of: Receiver) => of.taken.map(({ json }) => json.incident?.id)

async function started(t: TestContext, ...receivers: readonly Receiver[]) {
  const scene = await startScene(t)
  const webhooks = receivers.map(({ url }) => ({ url, secret: SECRET }))
  const start = async (more = {}) => {
    const alerts = await scene.start({ ...JUDGED, webhooks, ...more })
    await until('the webhooks wait', () => alerts.status().webhooks.every(({ next }) => next !== undefined))
    await until('it holds', () => alerts.status().webhooks.length === receivers.length)
    return alerts
  }
  return { scene, start }
}

test('an incident is told when it opens and when it resolves, signed', async (t) => {
  const to = await receiver(t)
  const { scene, start } = await started(t, to)
  await start()
  const incidentId = await open(scene)
  await until('the incident is told', () => to.taken.length === 1)
  await until('the incident is folded', async () => (await scene.rows()).length === 1)
  const [row] = await scene.rows()
  const over = { subject: row!.subject, incidentId, rule: row!.rule, observed: 99, reason: 'recovered' }
  await scene.log.append([incidentResolved(scene.codec, arrival(scene), { ...over, atMs: START_MS + 9 * MINUTE_MS })])
  await until('its end is told', () => to.taken.length === 2)
  const [opened, resolved] = to.taken.map(({ json }) => json)
  const same = { id: incidentId, rule: row!.rule, severity: 'critical', summary: 'Too few starts', threshold: 95 }
  const times = { since: '2026-01-01T00:00:00.000Z', openedAt: '2026-01-01T00:01:00.000Z' }
  assert.equal(opened?.type, 'incident.opened')
  assert.deepEqual(opened?.incident, { ...same, state: 'open', dimensions: { cdn: 'edge' }, observed: 91.5, ...times })
  assert.equal(resolved?.type, 'incident.resolved')
  assert.deepEqual(resolved?.incident, {
    ...{ ...same, state: 'resolved', dimensions: { cdn: 'edge' }, observed: 99, ...times },
    ...{ resolvedAt: '2026-01-01T00:09:00.000Z', reason: 'recovered' },
  })
  for (const { headers, body, json } of to.taken) {
    assert.equal(headers['playhead-event-id'], json.id)
    assert.equal(headers['content-type'], 'application/json')
    const signature = String(headers['playhead-signature'])
    assert.ok(verified(SECRET, signature, body, scene.clock.ms / 1_000))
    assert.ok(!verified('another secret, as long', signature, body, scene.clock.ms / 1_000))
    assert.ok(!verified(SECRET, signature, body.replace('critical', 'info'), scene.clock.ms / 1_000))
    assert.ok(!verified(SECRET, signature, body, scene.clock.ms / 1_000 + 600), 'an old one sent again')
  }
})

test('what was not taken is sent again, the same and in order, until it is', async (t) => {
  const to = await receiver(t)
  const { scene, start } = await started(t, to)
  to.answer = status(500)
  const alerts = await start({ metrics: scene.metrics })
  const [first, second] = [await open(scene), await open(scene)]
  await until('it was tried a few times', () => to.taken.length >= 4)
  assert.equal(alerts.status().webhooks[0]?.failing, 'answered 500')
  assert.match(
    await scene.metrics.metrics(),
    /playhead_webhook_deliveries_total{endpoint="127[^"]*",outcome="failed"} [1-9]/,
  )
  to.answer = ok
  await until('both are taken', () => ids(to).includes(second))
  assert.deepEqual([...new Set(ids(to))], [first, second])
  assert.equal(new Set(to.taken.filter(({ json }) => json.incident?.id === first).map(({ body }) => body)).size, 1)
})

test('nothing is lost over a restart, and what was taken is not told again', async (t) => {
  const to = await receiver(t)
  const { scene, start } = await started(t, to)
  const first = await start()
  const one = await open(scene)
  await until('the first is told', () => to.taken.length === 1)
  await until('that is noted', () => first.status().webhooks[0]?.waitingSinceMs === undefined)
  await first.close()
  const [two, three] = [await open(scene), await open(scene)]
  await start()
  await until('the others are told', () => to.taken.length === 3)
  assert.deepEqual(ids(to), [one, two, three])
})

test('an endpoint that comes back after a restart of its own is told what it missed', async (t) => {
  const to = await receiver(t)
  const { scene, start } = await started(t, to)
  const alerts = await start()
  await close(to.server)
  const missed = await open(scene)
  await until('it can not be reached', () => alerts.status().webhooks[0]?.failing === 'ECONNREFUSED')
  const back = await receiver(t, Number(new URL(to.url).port))
  await until('it is told', () => back.taken.length === 1)
  assert.deepEqual(ids(back), [missed])
})

test('a delivery that was taken and not noted is told again under the same id', async (t) => {
  const to = await receiver(t)
  const { scene, start } = await started(t, to)
  let failures = 1
  const { commits } = scene.state
  const state: StateStore = new Proxy(scene.state, {
    get: (target, name: keyof StateStore) => {
      if (name !== 'commits') return target[name] instanceof Function ? target[name].bind(target) : target[name]
      return {
        read: commits.read.bind(commits),
        list: commits.list.bind(commits),
        swap: async (...swap: Parameters<typeof commits.swap>) => {
          if (to.taken.length > 0 && failures-- > 0) throw new StoreUnavailable('killed')
          return await commits.swap(...swap)
        },
      }
    },
  })
  await start({ state })
  await open(scene)
  await until('it was told twice', () => to.taken.length === 2)
  assert.equal(to.taken[0]?.json.id, to.taken[1]?.json.id)
})

test('a redirect is not followed, and what is refused again and again is given up for the next', async (t) => {
  const elsewhere = await receiver(t)
  const to = await receiver(t)
  const { scene, start } = await started(t, to)
  to.answer = status(302, { location: elsewhere.url })
  await start({ metrics: scene.metrics })
  assert.match(await scene.metrics.metrics(), /outcome="given-up"} 0/, 'a counter that begins at 1 never increased')
  const first = await open(scene)
  await until('it was given up', () => scene.told.some(({ message }) => message.includes('given up')))
  assert.deepEqual(
    ids(to),
    Array.from({ length: ALERT_LIMITS.deliveryRefusalsMax }, () => first),
  )
  assert.equal(elsewhere.taken.length, 0)
  to.answer = ok
  const second = await open(scene)
  await until('the next is told', () => ids(to).includes(second))
  assert.match(await scene.metrics.metrics(), /outcome="given-up"} 1/)
})

test('an endpoint that is dead for a day loses what is older, and is tried once for each', async (t) => {
  const to = await receiver(t)
  const { scene, start } = await started(t, to)
  to.answer = status(503)
  await start()
  const [one, two] = [await open(scene), await open(scene)]
  await until('it is tried', () => to.taken.length > 0)
  scene.clock.ms += ALERT_LIMITS.deliveryGiveUpAfterMs + 1
  await until('both are given up', () => scene.told.filter(({ message }) => message.includes('given up')).length === 2)
  assert.equal(ids(to).filter((id) => id === two).length, 1)
  assert.ok(ids(to).includes(one))
})

test('a dead endpoint holds up no other', async (t) => {
  const dead = await receiver(t)
  const alive = await receiver(t)
  dead.answer = () => undefined
  const { scene, start } = await started(t, dead, alive)
  await start()
  await open(scene)
  await open(scene)
  await until('the other is told both', () => alive.taken.length === 2)
  assert.equal(dead.taken.length, 1)
})

test('a webhook that is new begins with what comes from now on', async (t) => {
  const to = await receiver(t)
  const { scene, start } = await started(t, to)
  await open(scene)
  await start()
  const news = await open(scene)
  await until('it is told', () => to.taken.length === 1)
  assert.deepEqual(ids(to), [news])
})

test('an event that is in the log twice is told once; a test is told; other events are not', async (t) => {
  const to = await receiver(t)
  const { scene, start } = await started(t, to)
  await start()
  const once_ = await open(scene)
  incidents--
  assert.equal(await open(scene), once_)
  const mint = () => '0190a0b0-0000-7000-8000-000000000001'
  await scene.log.append([alertTest({ codec: scene.codec, mint }, arrival(scene), 'ops').record])
  await until('the test is told', () => to.taken.some(({ json }) => json.type === 'test'))
  assert.deepEqual(
    to.taken.map(({ json }) => json.type),
    ['incident.opened', 'test'],
  )
})

test('no secret and no path of a URL is told to anybody but the endpoint', async (t) => {
  const to = await receiver(t)
  const { scene, start } = await started(t, to)
  to.answer = status(401)
  const alerts = await start({ metrics: scene.metrics })
  await open(scene)
  await until('it was given up', () => scene.told.some(({ message }) => message.includes('given up')))
  const shown = JSON.stringify(
    [alerts.status().webhooks, scene.told, await scene.metrics.metrics()],
    (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
  )
  assert.ok(!shown.includes(SECRET) && !shown.includes('in-the-url'))
})

test('a server that accepts and never answers has its time', async (t) => {
  const to = await receiver(t)
  to.answer = () => undefined
  const answer = await send(to.url, {}, '{}', new AbortController().signal, 50)
  assert.deepEqual(answer, { kind: 'failed', why: 'no answer within 50 ms' })
})

test('a webhook that can not be delivered to is refused when it is configured, without its URL', () => {
  const good = { url: 'https://hooks.example/x', secret: SECRET }
  const bad = [
    { ...good, url: 'not a url, secret-path' },
    { ...good, url: 'ftp://hooks.example/secret-path' },
    { ...good, url: 'https://user:secret-path@hooks.example/' },
    { ...good, secret: 'short' },
  ]
  for (const webhook of [...bad.map((one) => [one]), [good, good]]) {
    assert.throws(
      () => endpointsOf(webhook),
      (error) => error instanceof WebhookInvalid && !error.message.includes('secret-path'),
    )
  }
  assert.match(endpointsOf([good])[0]?.name ?? '', /^hooks\.example#[0-9a-f]{6}$/)
})

test('webhooks are configured as JSON, and what is wrong is told without its secrets', () => {
  const good = { url: 'https://hooks.example/x', secret: SECRET }
  assert.deepEqual(webhooksFrom(undefined), [])
  assert.deepEqual(webhooksFrom(''), [])
  assert.deepEqual(webhooksFrom(JSON.stringify([good])), [good])
  for (const text of [SECRET, `{"secret": "${SECRET}"}`, `[{"secret": "${SECRET}"}]`, `[{"secret": "${SECRET}"`]) {
    assert.throws(
      () => webhooksFrom(text),
      (error) => error instanceof WebhookInvalid && !error.message.includes(SECRET),
    )
  }
})
