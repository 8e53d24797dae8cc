/** Who is let in, over HTTP: every refusal with its status and its code. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InjectOptions } from 'fastify'
import type { PlaybackClaims } from '../../api/context.ts'
import { Jwks } from '../../api/tokens/jwks.ts'
import { bySecret, claims, type Door, forged, NOW_S, openDoor, SECRET, signer } from './callers.ts'

const ADMIN = { 'x-playhead-key': 'admin-key-0123456789' }
const DATA = { 'x-playhead-key': 'data-key-0123456789' }
const PUBLISHABLE = { 'x-playhead-key': 'pub-key-0123456789' }
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

interface Answer {
  readonly status: number
  readonly code: string | undefined
  readonly body: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, unknown>>
}

async function ask(door: Door, options: InjectOptions): Promise<Answer> {
  const answer = await door.app.inject(options)
  const body = answer.json() as Record<string, unknown>
  return { status: answer.statusCode, code: body.code as string | undefined, body, headers: answer.headers }
}

const get = (door: Door, headers: Record<string, string>, id = 'ann', query = '') =>
  ask(door, { method: 'GET', url: `/v1/profiles/${id}${query}`, headers })
const start = (door: Door, headers: Record<string, string>) => ask(door, { method: 'POST', url: '/v1/start', headers })
const beat = (door: Door, token?: string) =>
  ask(door, { method: 'POST', url: '/v1/beat', payload: token === undefined ? {} : { token } })
const refusal = ({ status, code }: Answer) => `${status} ${code}`

const VIEW: Omit<PlaybackClaims, 'expiresAtMs'> = {
  account: 'smith',
  profile: 'ann',
  title: 't1',
  session: 's1',
  slot: 's1',
  device: 'tv',
  appId: 'shop',
  environment: 'staging',
}

test("a profile's own token opens its routes, and says whom it is for", async (t) => {
  const door = openDoor(t)
  const { status, body } = await get(door, bearer(bySecret()))
  assert.equal(status, 200)
  const wanted = { account: 'smith', profile: 'ann', plan: 'basic', region: 'DE', by: 'profile ann' }
  assert.deepEqual(body, { ...wanted, appId: 'default', environment: 'production' })
})

test('app and environment are those of the key that is sent too, else of the token', async (t) => {
  const door = openDoor(t)
  const token = bySecret({ app: 'tv', env: 'test' })
  const scope = ({ body }: Answer) => [body.appId, body.environment]
  assert.deepEqual(scope(await get(door, bearer(token))), ['tv', 'test'])
  assert.deepEqual(scope(await get(door, { ...bearer(token), ...PUBLISHABLE })), ['shop', 'staging'])
  assert.deepEqual(scope(await get(door, bearer(token), 'ann', '?key=pub-key-0123456789')), ['shop', 'staging'])
})

test('an admin key opens every profile, and is not counted', async (t) => {
  const door = openDoor(t, { limits: { progress: 1 } })
  for (const headers of [ADMIN, bearer('admin-key-0123456789')]) {
    for (const id of ['ann', 'bob']) {
      const { status, body, headers: sent } = await get(door, headers, id)
      assert.equal(status, 200)
      assert.deepEqual([body.profile, body.account, body.by], [id, undefined, 'key ops'])
      assert.equal(sent['x-ratelimit-limit'], undefined)
    }
  }
})

test('profile routes refuse: nothing, keys that are no admin, wrong keys, bad tokens, tokens of others', async (t) => {
  const door = openDoor(t)
  const cases: readonly (readonly [Record<string, string>, string])[] = [
    [{}, '401 TOKEN_MISSING'],
    [PUBLISHABLE, '401 TOKEN_MISSING'],
    [DATA, '403 KEY_NOT_ALLOWED'],
    [{ 'x-playhead-key': 'nobody-0123456789' }, '401 KEY_UNKNOWN'],
    [bearer('nobody-0123456789'), '401 KEY_UNKNOWN'],
    [{ ...bearer(bySecret()), 'x-playhead-key': 'nobody-0123456789' }, '401 KEY_UNKNOWN'],
    [{ authorization: `Basic ${bySecret()}` }, '401 TOKEN_MISSING'],
    [bearer(bySecret({ exp: NOW_S })), '401 TOKEN_EXPIRED'],
    [bearer(bySecret({ nbf: NOW_S + 600 })), '401 TOKEN_INVALID'],
    [bearer(bySecret({}, `${SECRET}!`)), '401 TOKEN_INVALID'],
    [bearer(forged({ alg: 'none' }, claims())), '401 TOKEN_INVALID'],
    [bearer(`${forged({ alg: 'none' }, claims())}AA`), '401 TOKEN_INVALID'],
    [bearer(bySecret({ account: undefined })), '401 TOKEN_INVALID'],
    [bearer(bySecret({ profile: 'bob' })), '403 PROFILE_NOT_YOURS'],
    [bearer(bySecret({ profile: 'Ann' })), '403 PROFILE_NOT_YOURS'],
    [{ ...bearer(bySecret({ profile: 'bob' })), ...ADMIN }, '403 PROFILE_NOT_YOURS'],
  ]
  for (const [headers, wanted] of cases)
    assert.equal(refusal(await get(door, headers)), wanted, JSON.stringify(headers))
})

test('a refusal says what to do, by what, and never repeats the token', async (t) => {
  const door = openDoor(t)
  const token = bySecret({ exp: NOW_S })
  const { body, headers } = await get(door, bearer(token))
  assert.equal(headers['www-authenticate'], 'Bearer error="invalid_token"')
  assert.doesNotMatch(JSON.stringify(body), new RegExp(token.split('.')[2] ?? 'x'))
  assert.equal((await get(door, {})).headers['www-authenticate'], 'Bearer')
  assert.match(String((await get(door, bearer(bySecret({ profile: undefined })))).body.detail), /"profile"/)
})

test('a start needs a token: an admin key is nobody', async (t) => {
  const door = openDoor(t)
  assert.equal((await start(door, bearer(bySecret()))).body.profile, 'ann')
  assert.equal(refusal(await start(door, ADMIN)), '403 KEY_NOT_ALLOWED')
  assert.equal(refusal(await start(door, DATA)), '403 KEY_NOT_ALLOWED')
  assert.equal(refusal(await start(door, PUBLISHABLE)), '401 TOKEN_MISSING')
  assert.equal(refusal(await start(door, {})), '401 TOKEN_MISSING')
})

test('EventSource and WebSocket bring their token in a GET; a write does not take it from its address', async (t) => {
  const door = openDoor(t)
  const token = bySecret()
  assert.equal((await get(door, {}, 'ann', `?token=${token}`)).status, 200)
  assert.equal((await get(door, { 'sec-websocket-protocol': `playhead, playhead.token.${token}` })).status, 200)
  const put = await ask(door, { method: 'PUT', url: `/v1/profiles/ann?token=${token}` })
  assert.equal(refusal(put), '401 TOKEN_MISSING')
})

test('a playback token opens its session and nothing else', async (t) => {
  const door = openDoor(t)
  const { token, expiresAtMs } = door.admission.mintPlayback(VIEW)
  assert.deepEqual((await beat(door, token)).body, { ...VIEW, expiresAtMs })
  assert.equal(refusal(await get(door, bearer(token))), '401 TOKEN_INVALID')
  assert.equal(refusal(await start(door, bearer(token))), '401 TOKEN_INVALID')
  assert.equal(refusal(await beat(door)), '401 TOKEN_MISSING')
  assert.equal(refusal(await beat(door, bySecret())), '401 TOKEN_INVALID')
  assert.equal(refusal(await beat(door, 'nonsense')), '401 TOKEN_INVALID')
  door.clock.ms = expiresAtMs
  assert.equal(refusal(await beat(door, token)), '401 TOKEN_EXPIRED')
})

test('events need a publishable key, also when a token is sent beside it', async (t) => {
  const door = openDoor(t)
  const post = (headers: Record<string, string>, query = '') =>
    ask(door, { method: 'POST', url: `/v1/events${query}`, headers })
  assert.equal((await post(PUBLISHABLE)).body.name, 'web')
  assert.equal((await post({}, '?key=pub-key-0123456789')).body.name, 'web')
  assert.equal((await post({ ...PUBLISHABLE, ...bearer(bySecret()) })).body.name, 'web')
  assert.equal(refusal(await post(DATA)), '403 KEY_NOT_ALLOWED')
  assert.equal(refusal(await post({})), '401 KEY_MISSING')
  assert.equal(refusal(await post(bearer(bySecret()))), '401 KEY_MISSING')
  assert.equal(refusal(await post({ 'x-playhead-key': 'x'.repeat(300) })), '401 KEY_UNKNOWN')
})

test('keys that check tokens and can not be reached are our fault: 503, try again', async (t) => {
  const door = openDoor(t, {
    secrets: [],
    jwks: new Jwks({ load: async () => Promise.reject(new Error('away')), nowMs: () => 0, warn: () => undefined }),
  })
  const answer = await get(door, bearer(signer('EdDSA', 'e1').sign()))
  assert.equal(refusal(answer), '503 TOKEN_KEYS_UNAVAILABLE')
  assert.equal(answer.headers['retry-after'], '1')
})

test('too many: 429 with when to come back, and the count in every answer', async (t) => {
  const door = openDoor(t, { limits: { progress: 3 } })
  const left: unknown[] = []
  for (let i = 0; i < 3; i++) {
    const { status, headers } = await get(door, bearer(bySecret()))
    assert.equal(status, 200)
    left.push(headers['x-ratelimit-remaining'])
    assert.equal(headers['x-ratelimit-limit'], '3')
    assert.ok(Number(headers['x-ratelimit-reset']) <= 65)
  }
  assert.deepEqual(left, ['2', '1', '0'])
  const answer = await get(door, bearer(bySecret()))
  assert.equal(refusal(answer), '429 RATE_LIMITED')
  assert.match(String(answer.body.detail), /3 requests.*"progress"/)
  assert.equal(answer.headers['x-ratelimit-remaining'], '0')
  const waitS = Number(answer.headers['retry-after'])
  door.clock.ms += waitS * 1000
  assert.equal((await get(door, bearer(bySecret()))).status, 200)
})

test('profiles of one account share its limit; accounts, apps and classes each have their own', async (t) => {
  const door = openDoor(t, { limits: { progress: 1, start: 1 } })
  assert.equal((await get(door, bearer(bySecret()))).status, 200)
  assert.equal((await get(door, bearer(bySecret({ profile: 'bob' })), 'bob')).status, 429)
  assert.equal((await start(door, bearer(bySecret()))).status, 200)
  assert.equal((await get(door, bearer(bySecret({ account: 'jones' })))).status, 200)
  assert.equal((await get(door, bearer(bySecret({ app: 'tv' })))).status, 200)
})

test('a token that knocks at the doors of others is counted too', async (t) => {
  const door = openDoor(t, { limits: { progress: 2 } })
  assert.equal(refusal(await get(door, bearer(bySecret()), 'bob')), '403 PROFILE_NOT_YOURS')
  assert.equal(refusal(await get(door, bearer(bySecret()), 'bob')), '403 PROFILE_NOT_YOURS')
  assert.equal(refusal(await get(door, bearer(bySecret()), 'bob')), '429 RATE_LIMITED')
})

test('thousands behind one address do not share a limit of events: the session counts, not the address', async (t) => {
  const door = openDoor(t, { limits: { events: 1 } })
  const tokens = ['s1', 's2'].map((session) => door.admission.mintPlayback({ ...VIEW, session }).token)
  assert.deepEqual(
    [(await beat(door, tokens[0])).status, (await beat(door, tokens[1])).status, (await beat(door, tokens[0])).status],
    [200, 200, 429],
  )
  const post = async (headers: Record<string, string>, query = '') =>
    (await ask(door, { method: 'POST', url: `/v1/events${query}`, headers: { ...PUBLISHABLE, ...headers } })).status
  assert.equal(await post({ 'x-playhead-session': 'a' }), 200)
  assert.equal(await post({ 'x-playhead-session': 'a' }), 429)
  assert.equal(await post({ 'x-playhead-session': 'b' }), 200)
  assert.equal(await post({}, '?session=c'), 200)
  // With nothing else to go by: this key from this address with this player.
  assert.deepEqual([await post({ 'user-agent': 'tv/1' }), await post({ 'user-agent': 'tv/1' })], [200, 429])
  assert.equal(await post({ 'user-agent': 'tv/2' }), 200)
})

test('every answer, refusals too, carries the security headers, and what is personal is kept by no cache', async (t) => {
  const door = openDoor(t)
  for (const url of ['/v1/profiles/ann', '/v1/nothing', '/open', '/nothing']) {
    const { headers } = await door.app.inject({ method: 'GET', url })
    assert.equal(headers['x-content-type-options'], 'nosniff', url)
    assert.equal(headers['referrer-policy'], 'no-referrer', url)
    assert.match(String(headers['content-security-policy']), /default-src 'none'/, url)
    assert.equal(headers['cache-control'], url.startsWith('/v1/') ? 'no-store' : undefined, url)
  }
})
