import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Breaker } from '../../api/breaker.ts'
import { guardedProgress } from '../../api/guarded.ts'
import { beginExport, type ExportPorts, exportDocument } from '../../api/profiles/export.ts'
import { PROFILE_LIMITS } from '../../api/profiles/limits.ts'
import { boundTo } from '../../log/bound.ts'
import { LogUnavailable } from '../../log/errors.ts'
import { createOpener } from '../../producers/personal.ts'
import { streamAccountOf } from '../../producers/streams.ts'
import type { NewEvent } from '../../schemas/index.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import { ADMIN, ANN, BOB, type House, house, personalOf } from './profiles-support.ts'

const NOW_MS = 1_800_000_000_000
let ids = 0

function meta(atMs = NOW_MS) {
  const eventId = `00000000-0000-8000-8000-${String(++ids).padStart(12, '0')}`
  return {
    eventId,
    occurredAt: atMs,
    receivedAt: atMs,
    source: 'api',
    appId: 'shop',
    environment: 'staging',
    clock: 'trusted',
  } as const
}

function report(profileId: string, titleId: string, positionMs: number): NewEvent {
  return {
    type: 'ProgressReported',
    meta: meta(),
    profileId,
    titleId,
    positionMs,
    played: [],
    personal: { deviceId: `${profileId}s tv`, accountId: 'smith', custom: { club: 'red' } },
  }
}

function slot(profileId: string, slotId: string): NewEvent {
  const stream = { accountId: streamAccountOf('smith'), slotId, streamsMax: 2, ttlMs: 45_000 }
  return {
    type: 'StreamSlotRequested',
    meta: meta(),
    profileId,
    ...stream,
    personal: personalOf({ deviceId: `${profileId}s tv` }),
  }
}

interface Exported {
  readonly profileId: string
  readonly progress?: readonly { readonly titleId: string; readonly positionMs: number; readonly device: string }[]
  readonly streams?: readonly { readonly slotId: string; readonly device: string }[]
  readonly events: readonly {
    readonly topic: string
    readonly position: string
    readonly event: { readonly type: string; readonly titleId?: string; readonly personal: unknown }
  }[]
  readonly scanned: readonly { readonly topic: string; readonly from: string; readonly to: string }[]
  readonly complete: boolean
  readonly next: string | null
}

async function exported(h: House, headers: object, query = '', profile = 'ann'): Promise<Exported> {
  const answer = await h.app.inject({
    method: 'GET',
    url: `/v1/profiles/${profile}/export${query}`,
    headers: { ...headers },
  })
  assert.equal(answer.statusCode, 200, answer.body)
  assert.equal(answer.headers['cache-control'], 'no-store')
  return JSON.parse(answer.body) as Exported
}

test('an export shows rows, stream slots and events, what was sealed in the clear, and nobody else’s', async (t) => {
  const h = await house(t)
  await h.write([
    report('ann', 't1', 5_000),
    report('bob', 't1', 7_000),
    report('ann', 't2', 9_000),
    slot('ann', 's1'),
    slot('bob', 's2'),
  ])
  const found = await exported(h, ANN)
  assert.deepEqual(
    found.progress?.map(({ titleId, positionMs, device }) => [titleId, positionMs, device]),
    [
      ['t1', 5_000, 'anns tv'],
      ['t2', 9_000, 'anns tv'],
    ],
  )
  assert.deepEqual(
    found.streams?.map(({ slotId, device }) => [slotId, device]),
    [['s1', 'anns tv']],
  )
  assert.deepEqual(
    found.events.map(({ topic, event }) => [topic, event.type, event.titleId]),
    [
      ['playback-events', 'ProgressReported', 't1'],
      ['playback-events', 'ProgressReported', 't2'],
      ['account-events', 'StreamSlotRequested', null],
    ],
  )
  assert.deepEqual(found.events[0]?.event.personal, {
    accountId: 'smith',
    deviceId: 'anns tv',
    userAgent: null,
    address: null,
    custom: { club: 'red' },
    sealed: null,
  })
  assert.deepEqual([found.complete, found.next], [true, null])
  assert.ok(!JSON.stringify(found).includes('bob'))
  // An admin key knows no account: it names one.
  assert.deepEqual((await exported(h, ADMIN)).events.length, 2)
  assert.deepEqual((await exported(h, ADMIN, '?account=smith')).events.length, 3)
})

test('an export that is too large for one answer goes on with its cursor, and every event comes once', async (t) => {
  const h = await house(t)
  await h.write(Array.from({ length: 30 }, (_, i) => report('ann', `t${i}`, i)))
  const ports: ExportPorts = { ...h.context, opener: createOpener(h.vault), log: fewAtATime(h) }
  const whose = { profileId: 'ann', accountId: 'smith' }
  const text = async (document: AsyncIterable<string>) => {
    let whole = ''
    for await (const piece of document) whole += piece
    return JSON.parse(whole) as Exported
  }
  const start = await beginExport(ports, whose)
  const first = await text(exportDocument(ports, whose, start, { scanMs: 1_000, bytesMax: 1 }))
  assert.deepEqual([first.complete, first.events.length], [false, 7])
  const rest = await exported(h, ANN, `?cursor=${first.next}`)
  assert.equal(rest.progress, undefined)
  assert.equal(rest.complete, true)
  const all = [...first.events, ...rest.events].map(({ event }) => event.titleId)
  assert.deepEqual(
    all,
    Array.from({ length: 30 }, (_, i) => `t${i}`),
  )
  assert.equal(rest.scanned[0]?.from, first.scanned[0]?.to)
})

/** Seven records in a read. */
function fewAtATime({ log }: House): ExportPorts['log'] {
  const read: typeof log.read = (request) => log.read({ ...request, recordsMax: 7 })
  return { ...boundTo(log), read }
}

test('an erasure empties the tables, and once its keys are destroyed the log says nothing personal any more', async (t) => {
  const h = await house(t)
  await h.write([report('ann', 't1', 5_000), report('bob', 't1', 7_000)])
  const answer = await h.app.inject({ method: 'DELETE', url: '/v1/profiles/ann?reason=asked', headers: ANN })
  assert.equal(answer.statusCode, 202)
  const begun = answer.json<{ erasure: string; position: string; state: string }>()
  assert.deepEqual(
    [begun.state, answer.headers.location, answer.headers['playhead-position']],
    ['pending', begun.erasure, begun.position],
  )
  await h.settled()
  const ask = async () => (await h.app.inject({ method: 'GET', url: begun.erasure, headers: ANN })).json<object>()
  const retired = await h.vault.retired('ann')
  if (retired.length > 0) {
    assert.deepEqual(await ask(), { profileId: 'ann', state: 'pending', progressPassed: true, keysToDestroy: 1 })
    await h.vault.destroy(retired)
  }
  assert.deepEqual(await ask(), { profileId: 'ann', state: 'done', progressPassed: true, keysToDestroy: 0 })
  const after = await exported(h, ANN)
  assert.deepEqual(after.progress, [])
  assert.deepEqual(
    after.events.map(({ event }) => [event.type, event.personal]),
    [
      ['ProgressReported', 'undecryptable'],
      ['ProfileErased', undefined],
    ],
  )
  assert.equal((await exported(h, BOB, '', 'bob')).progress?.[0]?.positionMs, 7_000)
})

test('a profile that comes back has a new key and its own new rows; erased twice, the second erasure takes them too', async (t) => {
  const h = await house(t)
  const erase = async () =>
    (
      await h.app.inject({ method: 'DELETE', url: '/v1/profiles/ann', headers: { ...ANN, 'idempotency-key': 'k1' } })
    ).json<{ erasure: string }>()
  await h.write([report('ann', 't1', 5_000)])
  await erase()
  await h.settled()
  await h.vault.destroy(await h.vault.retired('ann'))
  await h.write([{ ...report('ann', 't2', 6_000), personal: null } as NewEvent])
  assert.deepEqual(
    (await exported(h, ANN)).progress?.map(({ titleId }) => titleId),
    ['t2'],
  )
  const { erasure } = await erase()
  await h.settled()
  await h.vault.destroy(await h.vault.retired('ann'))
  const state = (await h.app.inject({ method: 'GET', url: erasure, headers: ANN })).json<{ state: string }>()
  assert.equal(state.state, 'done')
  assert.deepEqual((await exported(h, ANN)).progress, [])
})

test('without a position, an erasure is done when everything that the profile’s partition holds has been passed', async (t) => {
  const h = await house(t)
  const ask = async () =>
    (await h.app.inject({ method: 'GET', url: '/v1/profiles/ann/erasure', headers: ADMIN })).json<{ state: string }>()
  assert.equal((await ask()).state, 'done')
  await h.write([report('ann', 't1', 5_000)])
  await h.vault.retire('ann')
  assert.equal((await ask()).state, 'pending')
})

test('the key is retired before the event is in the log, and again when the request is repeated after a failure', async (t) => {
  const h = await house(t)
  await h.write([report('ann', 't1', 5_000)])
  const order: string[] = []
  const { retire } = h.vault
  h.vault.retire = async (profileId) => {
    order.push('retire')
    if (order.length === 1) throw new StoreUnavailable('gone')
    return await retire.call(h.vault, profileId)
  }
  const { append } = h.log
  h.log.append = async (records) => {
    order.push('append')
    return await append.call(h.log, records)
  }
  const erase = () => h.app.inject({ method: 'DELETE', url: '/v1/profiles/ann', headers: ANN })
  const failed = await erase()
  assert.deepEqual([failed.statusCode, failed.json<{ code: string }>().code], [503, 'STORE_UNAVAILABLE'])
  assert.equal((await erase()).statusCode, 202)
  assert.deepEqual(order, ['retire', 'retire', 'append'])
})

test('every route refuses a stranger, another profile, a bad cursor, position and key', async (t) => {
  const h = await house(t)
  const routes = [
    ['GET', '/v1/profiles/ann/export'],
    ['DELETE', '/v1/profiles/ann'],
    ['GET', '/v1/profiles/ann/erasure'],
  ] as const
  for (const [method, url] of routes) {
    assert.equal((await h.app.inject({ method, url })).statusCode, 401, url)
    assert.equal((await h.app.inject({ method, url, headers: BOB })).statusCode, 403, url)
    const long = url.replace('ann', 'a'.repeat(129))
    assert.equal((await h.app.inject({ method, url: long, headers: ADMIN })).statusCode, 400, url)
  }
  const bad = [
    ['GET', '/v1/profiles/ann/export?cursor=nonsense', 400],
    ['GET', `/v1/profiles/ann/export?cursor=${cursor('other', ['playback-events', 0, '0', '1'])}`, 400],
    ['GET', `/v1/profiles/ann/export?cursor=${cursor(await h.log.incarnation(), ['engine-events', 0, '0', '1'])}`, 400],
    ['GET', `/v1/profiles/ann/export?account=${'a'.repeat(200)}`, 400],
    ['GET', '/v1/profiles/ann/erasure?position=nonsense', 400],
    ['DELETE', `/v1/profiles/ann?reason=${'a'.repeat(300)}`, 400],
  ] as const
  for (const [method, url, status] of bad) {
    const answer = await h.app.inject({ method, url, headers: ANN })
    assert.equal(answer.statusCode, status, `${url}: ${answer.body}`)
    assert.match(answer.json<{ detail: string }>().detail, /cursor|account|reason|Playhead-Position/)
  }
  assert.deepEqual(await h.vault.retired('ann'), [])
})

test('a cursor for another partition shows nothing of other profiles', async (t) => {
  const h = await house(t)
  await h.write(['ann', 'bob', 'carl', 'dora', 'emil'].map((profile) => report(profile, 't1', 1)))
  const incarnation = await h.log.incarnation()
  for (const { partition, end } of await h.log.bounds('playback-events')) {
    if (end === 0n) continue
    const found = await exported(
      h,
      ANN,
      `?cursor=${cursor(incarnation, ['playback-events', partition, '0', String(end)])}`,
    )
    assert.ok(found.events.every(({ event }) => (event as unknown as { profileId: string }).profileId === 'ann'))
  }
})

function cursor(incarnation: string, ...ranges: readonly (readonly unknown[])[]): string {
  return Buffer.from(JSON.stringify([incarnation, ...ranges])).toString('base64url')
}

test('rows that are only remembered are no export, and a store that is away is a 503', async (t) => {
  const h = await house(t)
  await h.write([report('ann', 't1', 5_000)])
  const { progress } = h.context
  let away = false
  const all = async (profileId: string) => {
    if (away) throw new StoreUnavailable('gone')
    return await progress.all(profileId)
  }
  const breaker = new Breaker({ name: 'progress', nowMs: Date.now, isFailure: (e) => e instanceof StoreUnavailable })
  Object.assign(h.context, { progress: guardedProgress({ ...progress, all }, breaker, Date.now) })
  const ask = () => h.app.inject({ method: 'GET', url: '/v1/profiles/ann/export', headers: ANN })
  assert.equal((await ask()).statusCode, 200)
  away = true
  assert.equal((await h.context.progress.all('ann')).length, 1, 'the guard remembers')
  const answer = await ask()
  assert.deepEqual([answer.statusCode, answer.json<{ code: string }>().code], [503, 'STORE_UNAVAILABLE'])
})

test('more exports at once than allowed are told to come back, and the next one is let in', async (t) => {
  const h = await house(t)
  let open: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const { progress } = h.context
  Object.assign(h.context, { progress: { ...progress, all: (id: string) => gate.then(() => progress.all(id)) } })
  // An inject that nobody awaits has not begun.
  const ask = async () => await h.app.inject({ method: 'GET', url: '/v1/profiles/ann/export', headers: ANN })
  const waiting = Array.from({ length: PROFILE_LIMITS.exportsAtOnceMax }, ask)
  const refused = await ask()
  assert.deepEqual([refused.statusCode, refused.json<{ code: string }>().code], [429, 'EXPORT_BUSY'])
  open()
  assert.deepEqual(new Set((await Promise.all(waiting)).map(({ statusCode }) => statusCode)), new Set([200]))
  assert.equal((await ask()).statusCode, 200)
})

test('a log that goes away before the first piece is a 503, and in the midst leaves what nobody takes for whole', async (t) => {
  const h = await house(t)
  const custom = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`d${i}`, 'x'.repeat(500)]))
  const large = { ...report('ann', 't1', 1), personal: personalOf({ custom }) } as NewEvent
  await h.write(Array.from({ length: 30 }, () => ({ ...large, meta: meta() }) as NewEvent))
  let readsLeft = 0
  const read: typeof h.log.read = async (request) => {
    if (readsLeft-- <= 0) throw new LogUnavailable('gone')
    return await h.log.read({ ...request, recordsMax: 20 })
  }
  const log = new Proxy(h.log, { get: (target, name) => (name === 'read' ? read : bound(target, name)) })
  const url = await h.app.listen({ port: 0 })
  const ask = () => fetch(`${url}/v1/profiles/ann/export`, { headers: ANN })
  Object.assign(h.context, { log })
  assert.equal((await ask()).status, 503)
  readsLeft = 1
  const cutOff = await ask()
  assert.equal(cutOff.status, 200)
  await assert.rejects(cutOff.json())
  readsLeft = 2
  assert.equal(((await (await ask()).json()) as Exported).events.length, 30)
})

function bound(target: object, name: string | symbol): unknown {
  const member = Reflect.get(target, name) as unknown
  return typeof member === 'function' ? member.bind(target) : member
}
