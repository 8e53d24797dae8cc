/** Tokens: what is taken, and every way in which one is refused. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { Recent } from '../../api/recent.ts'
import { claimsOf, profileClaims } from '../../api/tokens/claims.ts'
import { TokenError, type TokenFault } from '../../api/tokens/errors.ts'
import { Jwks } from '../../api/tokens/jwks.ts'
import { jwksLoader } from '../../api/tokens/jwks-load.ts'
import { isSignedBy, parseJwt, signJwt } from '../../api/tokens/jwt.ts'
import { parseJwks, playbackKey, secretKey } from '../../api/tokens/keys.ts'
import { TOKEN_LIMITS } from '../../api/tokens/limits.ts'
import { PlaybackTokens } from '../../api/tokens/playback.ts'
import { type ProfileTokenOptions, ProfileTokens } from '../../api/tokens/profile.ts'
import { Remembered } from '../../api/tokens/remembered.ts'
import { bySecret, Clock, claims, forged, hmac, NOW_S, SECRET, signer } from './callers.ts'

function tokens(more: Partial<ProfileTokenOptions> = {}) {
  const clock = new Clock()
  const profiles = new ProfileTokens({ secrets: [secretKey(SECRET)], mapping: {}, nowMs: clock.now, ...more })
  return { clock, profiles, verify: (token: string) => profiles.verify(token) }
}

function refused(answer: Promise<unknown> | (() => unknown), fault: TokenFault, words?: RegExp): Promise<void> {
  const check = (error: unknown) => {
    assert.ok(error instanceof TokenError, `${error}`)
    assert.equal(error.fault, fault)
    if (words !== undefined) assert.match(error.message, words)
    return true
  }
  return assert.rejects(typeof answer === 'function' ? async () => answer() : answer, check)
}

/** A JWKS whose document and clock are the test's. */
function jwksOf(clock: Clock, ...first: readonly object[]) {
  const state = { keys: first, down: false, loads: 0, warnings: [] as string[] }
  const load = async () => {
    state.loads++
    if (state.down) throw new Error('it answered 502')
    return JSON.stringify({ keys: state.keys })
  }
  return { state, jwks: new Jwks({ load, nowMs: clock.now, warn: (message) => state.warnings.push(message) }) }
}

test('a token signed with the shared secret says whose it is', async () => {
  const { verify } = tokens()
  assert.deepEqual(await verify(bySecret({ app: 'shop', env: 'staging' })), {
    account: 'smith',
    profile: 'ann',
    plan: 'basic',
    region: 'DE',
    app: 'shop',
    environment: 'staging',
  })
})

test("a former secret is taken while the secret is changed, and a stranger's never", async () => {
  const former = 'the secret that was in use until today'
  const { verify } = tokens({ secrets: [secretKey(SECRET), secretKey(former)] })
  assert.equal((await verify(bySecret({}, former))).profile, 'ann')
  await refused(verify(bySecret({}, 'some other secret, long enough to be one')), 'NOT_TRUSTED')
})

test('alg "none" is refused, however it is written, signed or not', async () => {
  const { verify } = tokens()
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
    await refused(verify(forged({ alg }, claims())), 'NOT_TRUSTED')
    await refused(verify(forged({ alg }, claims(), hmac(SECRET))), 'NOT_TRUSTED')
  }
})

test('a public key is never taken for an HMAC secret, nor one kind of key for another', async () => {
  const clock = new Clock()
  const [rsa, ed] = [signer('RS256', 'r1'), signer('EdDSA', 'e1')]
  const { jwks } = jwksOf(clock, rsa.jwk, ed.jwk)
  for (const secrets of [[], [secretKey(SECRET)]]) {
    const { verify } = tokens({ secrets, jwks })
    assert.equal((await verify(rsa.sign())).profile, 'ann')
    for (const key of [rsa, ed]) {
      for (const format of ['pem', 'der'] as const) {
        const bytes = key.publicKey.export({ type: 'spki', format } as { type: 'spki'; format: 'der' })
        await refused(verify(forged({ alg: 'HS256', kid: key.kid }, claims(), hmac(bytes))), 'NOT_TRUSTED')
      }
    }
    const [, body, tail] = rsa.sign().split('.')
    const head = Buffer.from(JSON.stringify({ alg: 'EdDSA', kid: 'r1' })).toString('base64url')
    await refused(verify(`${head}.${body}.${tail}`), 'NOT_TRUSTED')
  }
})

test('a good signature under another name of algorithm is none', () => {
  const signed = (alg: string) => isSignedBy(parseJwt(forged({ alg }, claims(), hmac(SECRET))), secretKey(SECRET))
  assert.deepEqual(['HS256', 'none', 'RS256', 'HS384', 'hs256'].map(signed), [true, false, false, false, false])
})

test('without a secret a token by secret is refused, also with an empty one', async () => {
  const { verify } = tokens({ secrets: [] })
  await refused(verify(forged({ alg: 'HS256' }, claims(), hmac(''))), 'NOT_TRUSTED')
})

test('each changed character of a token makes it another, which is refused', async () => {
  const { verify } = tokens()
  const token = bySecret()
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: token.length - 1 }),
      fc.constantFrom(...'AZaz09-_.+/= '),
      async (at, character) => {
        fc.pre(token[at] !== character)
        await assert.rejects(verify(token.slice(0, at) + character + token.slice(at + 1)), TokenError)
      },
    ),
    { numRuns: 500 },
  )
})

test('whatever is no token is refused as such, and never throws anything else', async () => {
  const { verify } = tokens()
  for (const text of ['', '.', '..', '...', 'a.b', 'eyJ.eyJ.eyJ', `${bySecret()}.x`, 'x'.repeat(10_000), 'é.é.é']) {
    await refused(verify(text), 'MALFORMED')
  }
  const part = (text: string) => Buffer.from(text).toString('base64url')
  for (const text of [
    'null',
    '[]',
    '1',
    '"x"',
    '{',
    '{"alg":1}',
    '{"alg":"HS256","kid":5}',
    '{"alg":"HS256","crit":["b64"]}',
  ]) {
    await refused(verify(`${part(text)}.${part('{}')}.`), 'MALFORMED')
  }
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string(), { minLength: 3, maxLength: 3 }), (parts) =>
      assert.rejects(verify(parts.map((text) => part(text)).join('.')), TokenError),
    ),
    { numRuns: 300 },
  )
})

test('a token must expire: exp is needed, is a number, and is exact to the millisecond', async () => {
  const { clock, verify } = tokens()
  for (const exp of [undefined, null, `${NOW_S + 60}`, -1, 1e300])
    await refused(verify(bySecret({ exp })), 'CLAIM', /exp/)
  const token = bySecret({ exp: NOW_S + 60 })
  clock.ms += 59_999
  await verify(token)
  clock.ms += 1
  await refused(verify(token), 'EXPIRED')
  await refused(tokens().verify(bySecret({ exp: NOW_S })), 'EXPIRED')
})

test('a token of the future waits, but a clock may be a minute off', async () => {
  const { clock, verify } = tokens()
  for (const name of ['nbf', 'iat']) {
    await verify(bySecret({ [name]: NOW_S + 60 }))
    await refused(verify(bySecret({ [name]: NOW_S + 61 })), 'NOT_YET', new RegExp(name))
    await refused(verify(bySecret({ [name]: 'now' })), 'CLAIM', new RegExp(name))
  }
  clock.ms += 1_000
  await verify(bySecret({ nbf: NOW_S + 61 }))
})

test('a missing claim is named, by the name it has in the token', async () => {
  await refused(tokens().verify(bySecret({ profile: undefined })), 'CLAIM', /"profile"/)
  await refused(tokens().verify(bySecret({ account: undefined })), 'CLAIM', /"account"/)
  const { verify } = tokens({ mapping: { account: 'https://x/acct' } })
  await refused(verify(bySecret()), 'CLAIM', /"https:\/\/x\/acct" \(the account\)/)
  for (const profile of ['', 'x'.repeat(129), {}, [], true, 1.5]) {
    await refused(tokens().verify(bySecret({ profile })), 'CLAIM', /"profile"/)
  }
})

test('login tokens are taken with their own names of claims, at any depth, numbers too', async () => {
  const { verify } = tokens({ mapping: { profile: 'sub', account: '/app_metadata/customer', plan: 'https://x/plan' } })
  const token = bySecret({ sub: 'bob', app_metadata: { customer: 4711 }, 'https://x/plan': 'premium' })
  const found = await verify(token)
  assert.deepEqual([found.profile, found.account, found.plan], ['bob', '4711', 'premium'])
})

test('claims that are written under a mapping are read back under it', () => {
  const name = fc.stringMatching(/^[a-z:/.]{1,12}$/).filter((text) => !text.startsWith('/'))
  const path = fc
    .array(fc.stringMatching(/^[a-z]{1,4}$/), { minLength: 1, maxLength: 3 })
    .map((p) => `/root_/${p.join('/')}`)
  fc.assert(
    fc.property(fc.uniqueArray(name, { minLength: 2, maxLength: 2 }), path, ([profile, account], plan) => {
      const mapping = { profile: profile!, account: account!, plan }
      const claims = claimsOf({ profile: 'p', account: 'a', plan: 'gold' }, mapping)
      const read = profileClaims(claims, mapping)
      assert.deepEqual([read.profile, read.account, read.plan], ['p', 'a', 'gold'])
    }),
  )
})

test('issuer and audience are checked where they are configured', async () => {
  const { verify } = tokens({ issuer: 'https://login.example', audience: 'playhead' })
  const good = { iss: 'https://login.example', aud: 'playhead' }
  await verify(bySecret(good))
  await verify(bySecret({ ...good, aud: ['web', 'playhead'] }))
  for (const aud of [undefined, 'web', [], ['web'], ['playhead2'], { playhead: 1 }]) {
    await refused(verify(bySecret({ ...good, aud })), 'CLAIM', /aud/)
  }
  await refused(verify(bySecret({ ...good, iss: undefined })), 'CLAIM', /iss/)
})

test('EdDSA, RS256 and ES256 are taken by JWKS, and a kid is rotated without a restart', async () => {
  const clock = new Clock()
  const first = [signer('EdDSA', 'e1'), signer('RS256', 'r1'), signer('ES256', 'c1')]
  const { jwks, state } = jwksOf(clock, ...first.map(({ jwk }) => jwk))
  const { verify } = tokens({ secrets: [], jwks, nowMs: clock.now })
  for (const key of first) assert.equal((await verify(key.sign())).profile, 'ann')
  assert.equal(state.loads, 1)

  const next = signer('EdDSA', 'e2')
  state.keys = [next.jwk]
  await refused(verify(next.sign()), 'NOT_TRUSTED')
  clock.ms += TOKEN_LIMITS.jwksRefetchMs
  assert.equal((await verify(next.sign())).profile, 'ann')
  // The old key is withdrawn: what was verified with it is judged anew.
  await refused(verify(first[0]!.sign()), 'NOT_TRUSTED')
})

test('unknown kids make us look again at most once in 30 s, however many ask at once', async () => {
  const clock = new Clock()
  const { jwks, state } = jwksOf(clock, signer('EdDSA', 'e1').jwk)
  const { verify } = tokens({ jwks, nowMs: clock.now })
  const stranger = signer('EdDSA', 'x')
  const attempt = () => refused(verify(stranger.sign({ jti: Math.random() })), 'NOT_TRUSTED')
  await Promise.all(Array.from({ length: 50 }, attempt))
  await attempt()
  assert.equal(state.loads, 1)
  clock.ms += TOKEN_LIMITS.jwksRefetchMs
  await Promise.all(Array.from({ length: 50 }, attempt))
  assert.equal(state.loads, 2)
})

test('a JWKS that is away keeps the keys it had, says so once, and comes back', async () => {
  const clock = new Clock()
  const key = signer('EdDSA', 'e1')
  const { jwks, state } = jwksOf(clock, key.jwk)
  const { verify } = tokens({ jwks, nowMs: clock.now })
  state.down = true
  await refused(verify(key.sign()), 'KEYS_AWAY')
  await refused(verify(key.sign()), 'KEYS_AWAY')
  assert.equal(state.loads, 1)
  state.down = false
  clock.ms += TOKEN_LIMITS.jwksFirstRetryMs
  await verify(key.sign({ jti: 1 }))
  state.down = true
  for (const jti of [2, 3]) {
    clock.ms += TOKEN_LIMITS.jwksRefetchMs
    await refused(verify(signer('EdDSA', 'x').sign({ exp: NOW_S + 9_999 })), 'NOT_TRUSTED')
    await verify(key.sign({ jti, exp: NOW_S + 9_999 }))
  }
  assert.equal(state.warnings.length, 2)
})

test('a withdrawn key ends also for tokens that are remembered, once the keys are old', async () => {
  const clock = new Clock()
  const key = signer('EdDSA', 'e1')
  const { jwks, state } = jwksOf(clock, key.jwk)
  const { verify } = tokens({ jwks, nowMs: clock.now })
  const token = key.sign()
  await verify(token)
  state.keys = [signer('EdDSA', 'e2').jwk]
  await verify(token)
  clock.ms += TOKEN_LIMITS.jwksMaxAgeMs
  await verify(token)
  // The load that this began has no waiter: it is over when its microtasks are.
  await new Promise((resolve) => setImmediate(resolve))
  await refused(verify(token), 'NOT_TRUSTED')
})

test('without a kid only a key that is the one of its kind is taken', async () => {
  const clock = new Clock()
  const key = signer('EdDSA', 'e1')
  const [head, body] = key.sign().split('.')
  assert.ok(head && body)
  const { privateKey, publicKey } = await import('node:crypto').then((c) => c.generateKeyPairSync('ed25519'))
  const bare = signJwt(claims(), { kid: undefined, algorithm: 'EdDSA', key: privateKey })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'lone' }
  const alone = jwksOf(clock, jwk, signer('RS256', 'r1').jwk)
  assert.equal((await tokens({ jwks: alone.jwks }).verify(bare)).profile, 'ann')
  const two = jwksOf(clock, jwk, key.jwk)
  await refused(tokens({ jwks: two.jwks }).verify(bare), 'NOT_TRUSTED')
})

test('a JWKS keeps what can check signatures, and leaves out secrets, weak keys, other uses and nonsense', async () => {
  const { generateKeyPairSync } = await import('node:crypto')
  const good = signer('EdDSA', 'good')
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
  const keys = [
    { kty: 'oct', k: Buffer.from(SECRET).toString('base64url'), kid: 'good' },
    { ...weak, kid: 'weak' },
    { ...good.jwk, use: 'enc' },
    { ...good.jwk, alg: 'RS256' },
    { kty: 'OKP', crv: 'Ed25519', x: '?', kid: 'broken' },
    { kty: 'OKP', crv: 'X25519', kid: 'other' },
    null,
    7,
    good.jwk,
  ]
  const found = parseJwks(JSON.stringify({ keys }))
  assert.deepEqual(
    found.map(({ kid, algorithm }) => [kid, algorithm]),
    [['good', 'EdDSA']],
  )
  for (const text of ['', '{}', 'null', '{"keys":{}}']) assert.throws(() => parseJwks(text))
})

test('a JWKS comes from a file or over http, within its bounds', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-jwks-'))
  const server = createServer((request, answer) => {
    if (request.url === '/large') return answer.end('x'.repeat(TOKEN_LIMITS.jwksBytesMax + 1))
    if (request.url === '/moved') return answer.writeHead(302, { location: '/keys' }).end()
    return answer.writeHead(request.url === '/keys' ? 200 : 500).end('{"keys":[]}')
  })
  t.after(() => {
    server.close()
    rmSync(dir, { recursive: true, force: true })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  assert.equal(await jwksLoader(`${base}/keys`)(), '{"keys":[]}')
  await assert.rejects(jwksLoader(`${base}/large`)(), /larger/)
  await assert.rejects(jwksLoader(`${base}/moved`)())
  await assert.rejects(jwksLoader(`${base}/broken`)(), /500/)
  const path = join(dir, 'jwks.json')
  await assert.rejects(jwksLoader(path)(), /ENOENT/)
  writeFileSync(path, '{"keys":[]}')
  assert.equal(await jwksLoader(path)(), '{"keys":[]}')
})

test('a playback token says its session for six hours, and no other token passes for one', () => {
  const clock = new Clock()
  const playbacks = new PlaybackTokens([playbackKey(SECRET)], clock.now)
  const view = {
    account: 'smith',
    profile: 'ann',
    title: 't1',
    session: 's1',
    slot: 's1',
    appId: 'shop',
    environment: 'staging',
  }
  for (const device of ['tv', undefined]) {
    const { token, expiresAtMs } = playbacks.mint({ ...view, device })
    assert.equal(expiresAtMs, clock.ms + 6 * 3_600_000)
    assert.deepEqual(playbacks.verify(token), { ...view, device, expiresAtMs })
  }
  const { token, expiresAtMs } = playbacks.mint({ ...view, device: 'tv' })
  const fault = (call: () => unknown, wanted: TokenFault) =>
    assert.throws(call, (error: unknown) => error instanceof TokenError && error.fault === wanted)
  fault(() => playbacks.verify(bySecret()), 'NOT_TRUSTED')
  fault(
    () => playbacks.verify(signJwt({ ...view, exp: NOW_S + 60 }, secretKey(SECRET), 'playhead-playback+jwt')),
    'NOT_TRUSTED',
  )
  fault(() => playbacks.verify(signJwt({ ...view, exp: NOW_S + 60 }, playbackKey(SECRET))), 'NOT_TRUSTED')
  fault(() => playbacks.verify(`${token.slice(0, -3)}AAA`), 'NOT_TRUSTED')
  fault(() => new PlaybackTokens([playbackKey(`${SECRET}2`)], clock.now).verify(token), 'NOT_TRUSTED')
  clock.ms = expiresAtMs
  fault(() => playbacks.verify(token), 'EXPIRED')
})

test('a playback token is no profile token, though both come from one secret', async () => {
  const { clock, verify } = tokens()
  const playbacks = new PlaybackTokens([playbackKey(SECRET)], clock.now)
  const view = {
    account: 'smith',
    profile: 'ann',
    title: 't1',
    session: 's1',
    slot: 's1',
    device: undefined,
    appId: 'a',
    environment: 'e',
  }
  await refused(verify(playbacks.mint(view).token), 'NOT_TRUSTED')
})

test('what is remembered ends with its time and with its keys', () => {
  const remembered = new Remembered<number>()
  remembered.put('t', 9, 100, 0)
  assert.deepEqual(
    [remembered.get('t', 99, 0), remembered.get('t', 100, 0), remembered.get('t', 99, 1)],
    [9, undefined, undefined],
  )
})

test('what is kept stays within its bounds, in number and in characters, and what is used stays longer', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 10 }), { size: 'max', maxLength: 400 }), (keys) => {
      const recent = new Recent<string>(20, 60)
      for (const [i, key] of keys.entries()) {
        recent.put(key, `${i}`)
        assert.ok(recent.size <= 20)
        assert.equal(recent.get(key), `${i}`)
      }
    }),
    { numRuns: 100 },
  )
  const recent = new Recent<number>(10, 1_000)
  for (let i = 0; i < 1_000; i++) {
    recent.put(`t${i}`, i)
    recent.put('used', -1)
    assert.equal(recent.get('used'), -1)
    if (i >= 1) assert.equal(recent.get(`t${i - 1}`), i - 1)
  }
  assert.equal(recent.get('t0'), undefined)
  for (let i = 0; i < 100; i++) recent.put(`${i}`.repeat(200), i)
  assert.ok(recent.size <= 4)
})
