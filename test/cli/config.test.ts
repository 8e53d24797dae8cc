import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ConfigError, type Env, loadConfig, shown } from '../../cli/config.ts'
import { SETTING_NAMES, SETTINGS } from '../../cli/settings.ts'
import { settingsPage } from '../../cli/settings-help.ts'

const files = (contents: Readonly<Record<string, string>>) => (path: string) => {
  const content = contents[path]
  if (content === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
  return content
}

function problems(env: Env, read = files({})): readonly string[] {
  try {
    loadConfig(env, read)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
  throw new Error('the settings were taken')
}

test('with nothing given, everything is embedded and on the ports that the docs say', () => {
  const { config, warnings } = loadConfig({})
  assert.deepEqual([config.port, config.analyticsPort, config.data], [8080, 8123, './data'])
  assert.deepEqual(
    [config.log.engine, config.store.engine, config.analytics.engine],
    ['embedded', 'embedded', 'embedded'],
  )
  assert.deepEqual(warnings, [])
})

test('addresses with several hosts, users and passwords are taken apart', () => {
  const { config } = loadConfig({
    PLAYHEAD_LOG: 'kafka://us%40er:p%3A%2Fss@k1:9092,k2,[::1]:9094',
    PLAYHEAD_STORE: 'cassandra://c1:9042,c2:9043/playhead',
    PLAYHEAD_ANALYTICS: 'https://u:p@host/db',
  })
  assert.deepEqual(config.log, {
    engine: 'kafka',
    brokers: [
      { host: 'k1', port: 9092 },
      { host: 'k2', port: 9092 },
      { host: '::1', port: 9094 },
    ],
    username: 'us@er',
    password: 'p:/ss',
  })
  assert.deepEqual(config.store, {
    engine: 'cassandra',
    contactPoints: [
      { host: 'c1', port: 9042 },
      { host: 'c2', port: 9043 },
    ],
    keyspace: 'playhead',
  })
  assert.deepEqual(config.analytics, {
    engine: 'clickhouse',
    url: 'https://host:8443',
    database: 'db',
    username: 'u',
    password: 'p',
  })
})

test('every wrong setting is named in one go, with what was given and what is wanted', () => {
  const found = problems({
    PLAYHEAD_PORT: '80x',
    PLAYHEAD_LOG_LEVEL: 'loud',
    PLAYHEAD_STORE: 'cassandra://h/Bad-Space',
  })
  assert.equal(found.length, 3)
  assert.match(
    found.join('\n'),
    /PLAYHEAD_PORT: "80x" was given \(environment\); wanted: a whole number from 0 to 65535/,
  )
  assert.match(found.join('\n'), /PLAYHEAD_LOG_LEVEL.*wanted: one of trace, debug/)
  assert.match(found.join('\n'), /PLAYHEAD_STORE.*keyspace/)
})

test('trusted proxies are addresses and networks, and anything else is refused', () => {
  const read = (text: string) => SETTINGS.trustedProxies.parse(text)
  assert.deepEqual(read('10.0.0.0/8, ::1,fd00::/8'), { ok: true, value: ['10.0.0.0/8', '::1', 'fd00::/8'] })
  assert.deepEqual(read(''), { ok: true, value: [] })
  for (const wrong of ['proxy.example', '10.0.0.0/33', '10.0.0.0/8/9', '10.0.0.0/', 'fd00::/129']) {
    assert.equal(read(wrong).ok, false, wrong)
  }
})

test('definitions have names and parameters that differ from the usual ones', () => {
  const read = (text: string) => SETTINGS.definitions.parse(text)
  assert.deepEqual(read('strict:minStallMs=500,sustainedStallMs=2000; lax : stallEndsMs = 600000'), {
    ok: true,
    value: [
      { name: 'strict', parameters: { minStallMs: 500, sustainedStallMs: 2_000 } },
      { name: 'lax', parameters: { stallEndsMs: 600_000 } },
    ],
  })
  assert.deepEqual(read(''), { ok: true, value: [] })
  const wrong = [
    'strict',
    'Strict:minStallMs=1',
    'a:minStall=1',
    'a:minStallMs=x',
    'a:minStallMs=250',
    'a:minStallMs=1;a:minStallMs=2',
  ]
  for (const text of [...wrong, 'a:minStallMs=1,minStallMs=2', 'a:minStallMs=1:b'])
    assert.equal(read(text).ok, false, text)
  assert.equal(read('a:ebvsMinMs=1;b:ebvsMinMs=1;c:ebvsMinMs=1;d:ebvsMinMs=1;e:ebvsMinMs=1').ok, false)
})

test('an error never shows a password', () => {
  const found = problems({ PLAYHEAD_LOG: 'kafka://user:hunter2@@@bad host', PLAYHEAD_ANALYTICS: 'ftp://u:hunter2@h/d' })
  assert.equal(found.length, 2)
  assert.doesNotMatch(found.join('\n'), /hunter2/)
})

test('what is shown hides passwords and nothing else', () => {
  assert.equal(shown('log', 'kafka://u:hunter2@h:9092'), 'kafka://u:***@h:9092')
  assert.equal(shown('log', 'kafka://u:hun@ter2@h:9092'), 'kafka://u:***@h:9092')
  assert.equal(shown('logPassword', 'hunter2'), '***')
  assert.equal(shown('port', '8080'), '8080')
})

test('a secret may come from a file of its own, without its last line end; both at once is refused', () => {
  const read = files({ '/run/secrets/kafka': 'hunter2\n' })
  assert.equal(loadConfig({ PLAYHEAD_LOG_PASSWORD_FILE: '/run/secrets/kafka' }, read).config.logPassword, 'hunter2')
  assert.match(problems({ PLAYHEAD_LOG_PASSWORD: 'a', PLAYHEAD_LOG_PASSWORD_FILE: 'b' }, read)[0] ?? '', /keep one/)
  assert.match(
    problems({ PLAYHEAD_LOG_PASSWORD_FILE: '/gone' }, read)[0] ?? '',
    /PLAYHEAD_LOG_PASSWORD_FILE: \/gone can't be read \(ENOENT\)/,
  )
})

test('a config file may be JSON or KEY=VALUE lines, and the environment wins over it', () => {
  const read = files({
    'a.json': '{"PLAYHEAD_PORT": 9000, "PLAYHEAD_DATA": "/a"}',
    'b.env': '# ours\nexport PLAYHEAD_PORT=9000\nPLAYHEAD_DATA="/a"\n',
  })
  for (const file of ['a.json', 'b.env']) {
    const { config, origins } = loadConfig({ PLAYHEAD_CONFIG: file, PLAYHEAD_PORT: '9001' }, read)
    assert.deepEqual([config.port, config.data], [9001, '/a'])
    assert.deepEqual([origins.port, origins.data, origins.host], ['environment', 'config file', 'default'])
  }
})

test('a config file that is none of both is named with its line', () => {
  const read = files({ 'bad.json': '{"PLAYHEAD_PORT":', 'bad.env': 'PLAYHEAD_PORT=1\nnonsense' })
  assert.match(problems({ PLAYHEAD_CONFIG: 'bad.json' }, read)[0] ?? '', /bad\.json starts with \{ but is not JSON/)
  assert.match(problems({ PLAYHEAD_CONFIG: 'bad.env' }, read)[0] ?? '', /line 2 of bad\.env/)
})

test('an unknown key of ours is warned of, with the nearest name; others are left alone', () => {
  const { warnings } = loadConfig({ PLAYHEAD_PROT: '1', PLAYHEAD_TEST_KAFKA: 'x', PATH: '/bin' })
  assert.deepEqual(warnings, ['PLAYHEAD_PROT (in the environment) is no setting; did you mean PLAYHEAD_PORT?'])
})

test('an empty variable is an absent one', () => {
  assert.equal(loadConfig({ PLAYHEAD_PORT: '' }).config.port, 8080)
})

test('docs/configuration.md is what the table says now (else: playhead config --markdown)', () => {
  assert.equal(readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8'), settingsPage())
})

test('every setting has a default that its own parser takes, a help text and a key of its own', () => {
  const keys = SETTING_NAMES.map((name) => SETTINGS[name].key)
  assert.equal(new Set(keys).size, keys.length)
  for (const name of SETTING_NAMES) {
    const { default: given, parse, help } = SETTINGS[name]
    assert.ok(help.length > 10, name)
    if (given !== undefined) assert.ok(parse(given).ok, name)
  }
})
