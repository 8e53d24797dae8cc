/** `playhead token`, the settings about callers, and that what the one makes the other lets in. */
import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import Fastify from 'fastify'
import { Registry } from 'prom-client'
import { Breakers } from '../../api/breaker.ts'
import { asProblem, PROBLEMS } from '../../api/problems.ts'
import { signJwt } from '../../api/tokens/jwt.ts'
import { openAdmission, tokenSecrets } from '../../cli/admission.ts'
import { parseArgs, UsageError } from '../../cli/args.ts'
import { token } from '../../cli/commands/token.ts'
import { ConfigError, type Env, loadConfig, shown } from '../../cli/config.ts'
import { KeysError } from '../../cli/key-file.ts'
import { ensureTokenSecret } from '../../cli/token-secret.ts'
import { tempFolder } from './playhead.ts'

const SECRET = 'a secret of the backend, 32 characters'
const random = (bytes: Uint8Array) => globalThis.crypto.getRandomValues(bytes)

async function run(env: Env, ...words: readonly string[]): Promise<string> {
  let out = ''
  const io = { env, tty: false, out: (text: string) => (out += text), err: () => undefined }
  assert.equal(await token.run(parseArgs(token, words), io), 0)
  return out.trim()
}

/** As the API with these settings answers a profile's request. */
async function letIn(env: Env, bearer: string, profile = 'ann') {
  const { config } = loadConfig(env)
  const metrics = new Registry()
  const warnings: string[] = []
  const { admission, close } = await openAdmission({
    config,
    keys: { verify: () => undefined },
    breakers: new Breakers(metrics),
    metrics,
    nowMs: Date.now,
    warn: (message) => warnings.push(message),
  })
  const app = Fastify()
  app.setErrorHandler((error, _request, reply) => reply.code(PROBLEMS[asProblem(error).code].status).send({}))
  app.get('/', (request, reply) => admission.profile(request, reply, profile, 'browse'))
  try {
    const answer = await app.inject({ url: '/', headers: { authorization: `Bearer ${bearer}` } })
    return {
      status: answer.statusCode,
      body: answer.json() as Record<string, unknown>,
      headers: answer.headers,
      warnings,
    }
  } finally {
    await app.close()
    await close()
  }
}

test('a token made on a fresh machine opens its profile there, and nothing had to be configured', async (t) => {
  const data = join(tempFolder(t), 'data')
  const made = await run(
    { PLAYHEAD_DATA: data },
    '--profile',
    'ann',
    '--account',
    'smith',
    '--plan',
    'premium',
    '--region',
    'DE',
  )
  const { status, body, headers, warnings } = await letIn({ PLAYHEAD_DATA: data }, made)
  assert.equal(status, 200)
  assert.deepEqual([body.profile, body.account, body.plan, body.region], ['ann', 'smith', 'premium', 'DE'])
  assert.equal(headers['x-ratelimit-limit'], '100')
  assert.deepEqual(warnings, [])
  assert.equal((await letIn({ PLAYHEAD_DATA: `${data}2` }, made)).status, 401, 'another machine has another secret')
})

test('a token has the names, issuer and audience that the API is configured to want', async (t) => {
  const env = {
    PLAYHEAD_DATA: tempFolder(t),
    PLAYHEAD_TOKEN_SECRET: SECRET,
    PLAYHEAD_TOKEN_CLAIMS: 'profile=sub, account=/app_metadata/account',
    PLAYHEAD_TOKEN_ISSUER: 'https://login.example',
    PLAYHEAD_TOKEN_AUDIENCE: 'playhead',
    PLAYHEAD_LIMIT_CLASSES: 'browse=7',
  }
  const made = JSON.parse(await run(env, '--profile', 'ann', '--ttl', '15m', '--json')) as Record<string, string>
  const leftMs = Date.parse(made.expiresAt ?? '') - Date.now()
  assert.ok(leftMs > 14 * 60_000 && leftMs <= 15 * 60_000)
  const payload = JSON.parse(Buffer.from(made.token!.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>
  assert.deepEqual([payload.sub, payload.app_metadata], ['ann', { account: 'ann' }])
  const { status, body, headers } = await letIn(env, made.token!)
  assert.deepEqual([status, body.profile, body.account], [200, 'ann', 'ann'])
  assert.equal(headers['x-ratelimit-limit'], '7')
  assert.deepEqual(readdirSync(env.PLAYHEAD_DATA), [], 'a configured secret leaves none on disk')
})

test('what is wrong with the words is said', async (t) => {
  const env = { PLAYHEAD_DATA: tempFolder(t) }
  await assert.rejects(run(env), /--profile ID/)
  for (const ttl of ['1w', '0s', '', '31d', '1'])
    await assert.rejects(run(env, '--profile', 'a', '--ttl', ttl), UsageError)
  await assert.rejects(run(env, '--profile', 'x'.repeat(129)), UsageError)
})

test('with a JWKS a secret of the data folder opens nothing, and no tokens are made here', async (t) => {
  const data = tempFolder(t)
  const made = await run({ PLAYHEAD_DATA: data }, '--profile', 'ann')
  const { privateKey } = generateKeyPairSync('ed25519')
  const jwk = { ...createPublicKey(privateKey).export({ format: 'jwk' }), kid: 'k1' }
  const jwks = join(data, 'jwks.json')
  writeFileSync(jwks, JSON.stringify({ keys: [jwk] }))
  const env = { PLAYHEAD_DATA: data, PLAYHEAD_TOKEN_JWKS: jwks }
  const exp = Math.floor(Date.now() / 1000) + 60
  const theirs = signJwt({ profile: 'ann', account: 'smith', exp }, { kid: 'k1', algorithm: 'EdDSA', key: privateKey })
  assert.equal((await letIn(env, theirs)).status, 200)
  assert.equal((await letIn(env, made)).status, 401)
  await assert.rejects(run(env, '--profile', 'ann'), /PLAYHEAD_TOKEN_JWKS/)
  assert.equal((await letIn({ ...env, PLAYHEAD_TOKEN_SECRET: SECRET }, theirs)).status, 200)
})

test('which secret signs what: the former one only checks, and playback may have its own', (t) => {
  const data = tempFolder(t)
  const of = (env: Env) => tokenSecrets(loadConfig({ PLAYHEAD_DATA: data, ...env }).config)
  const [now, former, playback] = [SECRET, `${SECRET} (old)`, `${SECRET} (playback)`]
  const both = { PLAYHEAD_TOKEN_SECRET: now, PLAYHEAD_TOKEN_SECRET_OLD: former }
  assert.deepEqual(of(both), { profile: [now, former], playback: [now, former], local: false })
  assert.deepEqual(of({ ...both, PLAYHEAD_PLAYBACK_SECRET: playback }), {
    profile: [now, former],
    playback: [playback],
    local: false,
  })
  const jwks = { PLAYHEAD_TOKEN_JWKS: 'https://login.example/jwks' }
  assert.deepEqual(of({ ...jwks, PLAYHEAD_PLAYBACK_SECRET: playback }), {
    profile: [],
    playback: [playback],
    local: false,
  })
  assert.deepEqual(readdirSync(data), [])
  const local = of({})
  assert.deepEqual([local.local, local.profile], [true, local.playback])
  assert.deepEqual(of(jwks), { profile: [], playback: local.playback, local: true })
})

test('token-secret is for its owner alone, made once, and a broken one is named and not shown', (t) => {
  const path = join(tempFolder(t), 'data', 'token-secret')
  const made = ensureTokenSecret(path, random)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(ensureTokenSecret(path, random), made)
  assert.equal(readFileSync(path, 'utf8'), `${made}\n`)
  assert.deepEqual(readdirSync(join(path, '..')), ['token-secret'])
  writeFileSync(path, 'short')
  assert.throws(
    () => ensureTokenSecret(path, random),
    (error: unknown) => error instanceof KeysError && !/short/.test(error.message),
  )
})

test('settings about callers that are wrong are named, and no secret is shown', () => {
  const wrong: Env = {
    PLAYHEAD_TOKEN_SECRET: 'hunter2',
    PLAYHEAD_TOKEN_JWKS: 'http://login.example/jwks',
    PLAYHEAD_TOKEN_CLAIMS: 'profil=sub',
    PLAYHEAD_LIMITS: 'memcached://host',
    PLAYHEAD_LIMIT_CLASSES: 'progress=0',
  }
  for (const [key, value] of Object.entries(wrong)) {
    assert.throws(
      () => loadConfig({ [key]: value }),
      (error: unknown) =>
        error instanceof ConfigError && error.message.startsWith(key) && !error.message.includes('hunter2'),
      key,
    )
  }
  for (const classes of ['progress', 'progress=x', 'heartbeat=5', 'start=-1', 'start=1e3', 'start=99999999']) {
    assert.throws(() => loadConfig({ PLAYHEAD_LIMIT_CLASSES: classes }), ConfigError, classes)
  }
  const { config } = loadConfig({
    PLAYHEAD_LIMITS: 'valkeys://u:secret@host:6380/2',
    PLAYHEAD_LIMIT_CLASSES: 'start=5, events=10',
    PLAYHEAD_TOKEN_JWKS: '/etc/playhead/jwks.json',
  })
  assert.deepEqual(config.limits, { engine: 'redis', url: 'rediss://u:secret@host:6380/2' })
  assert.deepEqual(config.limitClasses, { progress: 60, start: 5, browse: 100, events: 10 })
  for (const address of ['redis://u:secret@host', 'redis://:secret@host']) {
    assert.doesNotMatch(shown('limits', address) ?? '', /secret/)
  }
})
