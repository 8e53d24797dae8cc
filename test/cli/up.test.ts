import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readKeyFile } from '../../cli/keys.ts'
import { startOf } from '../../cli/lock.ts'
import { freePorts, playhead, type Running, start, tempFolder } from './playhead.ts'

interface Up {
  readonly data: string
  readonly run: Running
  readonly api: string
  readonly clickhouse: string
}

async function startUp(t: TestContext): Promise<Up> {
  const data = join(tempFolder(t), 'data')
  const run = start(t, freePorts(data), 'up')
  const urlOf = async (role: string) => {
    const line = await run.line((l) => l.includes(`"role":"${role}"`) && l.includes('"msg":"ready"'), `${role} ready`)
    return (JSON.parse(line) as { url: string }).url
  }
  const [clickhouse, api] = [await urlOf('analytics'), await urlOf('api')]
  await run.line((l) => l.includes('"msg":"up: '), 'the last word of the start')
  return { data, run, api, clickhouse }
}

const heartbeat = (sequence: number) => ({
  type: 'Heartbeat',
  profileId: 'ann',
  sessionId: 's1',
  titleId: 't1',
  sequence,
  positionMs: sequence * 1000,
})

test('what is posted is on the log, in ClickHouse within two seconds, and Ctrl-C ends it all with 0', async (t) => {
  const { data, run, api, clickhouse } = await startUp(t)
  const env = { PLAYHEAD_DATA: data }
  const keys = readKeyFile(join(data, 'keys.json'))
  assert.equal(statSync(join(data, 'keys.json')).mode & 0o777, 0o600)
  const query = async (sql: string): Promise<string> => {
    const authorization = `Bearer ${keys.data}`
    const answer = await fetch(clickhouse, { method: 'POST', body: sql, headers: { authorization } })
    return (await answer.text()).trim()
  }

  const words = ['--topic', 'playback-events', '--from', 'start', '--count', '3']
  const tail = start(t, env, 'log', 'tail', '--json', ...words)
  const post = await fetch(`${api}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keys.publishable}`, 'content-type': 'application/json' },
    body: JSON.stringify({ events: [heartbeat(0), heartbeat(1), heartbeat(2)] }),
  })
  const postedAtMs = Date.now()
  assert.equal(post.status, 202)

  const count = "SELECT count() FROM playhead.events WHERE type = 'Heartbeat' AND profile_id = 'ann' FORMAT TSV"
  while ((await query(count)) !== '3') {
    assert.ok(Date.now() - postedAtMs < 2_000, `after 2 s ClickHouse says ${await query(count)}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }

  const tailed = await tail.ended
  assert.equal(tailed.code, 0, tailed.err)
  const records = tailed.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { key: string; event: { sequence: number } })
  assert.deepEqual(
    records.map((r) => [r.key, r.event.sequence]),
    [
      ['ann', 0],
      ['ann', 1],
      ['ann', 2],
    ],
  )

  const status = await playhead(t, env, 'status', '--json')
  assert.equal(status.code, 0, status.out)
  const { roles, partitions } = JSON.parse(status.out) as { roles: { role: string }[]; partitions: { lag: string }[] }
  assert.deepEqual(
    roles.map((r) => r.role),
    ['analytics', 'api', 'consumers'],
  )
  assert.ok(partitions.length > 0)

  const second = await playhead(t, freePorts(data), 'up')
  assert.equal(second.code, 78)
  assert.match(second.err, new RegExp(`in use by another \`playhead up\` \\(process ${run.child.pid} `))

  run.child.kill('SIGINT')
  const { code, out } = await run.ended
  assert.equal(code, 0)
  const drained = out.split('\n').filter((line) => line.includes(' stopped after '))
  assert.deepEqual(
    drained.map((line) => (JSON.parse(line) as { msg: string }).msg.split(' ')[0]),
    ['api', 'consumers', 'analytics'],
  )
  assert.doesNotMatch(out, new RegExp(`${keys.admin}|${keys.data}|${keys.publishable}`))
})

test('a role that is killed comes back, on the port it had, and nothing that was acknowledged is gone', async (t) => {
  const { data, run, api } = await startUp(t)
  const keys = readKeyFile(join(data, 'keys.json'))
  const send = (sequence: number) =>
    fetch(`${api}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys.publishable}`, 'content-type': 'application/json' },
      body: JSON.stringify([heartbeat(sequence)]),
    })
  assert.equal((await send(0)).status, 202)
  const status = await playhead(t, { PLAYHEAD_DATA: data }, 'status', '--json')
  const { roles } = JSON.parse(status.out) as { roles: { role: string; pid: number }[] }
  process.kill(roles.find((r) => r.role === 'api')?.pid ?? 0, 'SIGKILL')
  await run.line((l) => l.includes('api was ended by SIGKILL: started again'), 'the restart')
  const again = (l: string) => l.includes('"role":"api"') && l.includes('"msg":"ready"')
  while (run.lines().filter(again).length < 2) await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal((await send(1)).status, 202)
  const words = ['--topic', 'playback-events', '--from', 'start', '--no-follow', '--json']
  const tailed = await playhead(t, { PLAYHEAD_DATA: data }, 'log', 'tail', ...words)
  assert.equal(tailed.out.trim().split('\n').length, 2)
  run.child.kill('SIGTERM')
  assert.equal((await run.ended).code, 0)
})

test('when the supervisor is killed, its roles end by themselves, and the next start finds the folder free', async (t) => {
  const { data, run } = await startUp(t)
  const status = await playhead(t, { PLAYHEAD_DATA: data }, 'status', '--json')
  const { roles } = JSON.parse(status.out) as { roles: { pid: number }[] }
  assert.equal(roles.length, 3)
  run.child.kill('SIGKILL')
  const deadlineMs = Date.now() + 10_000
  while (roles.some(({ pid }) => startOf(pid) !== undefined)) {
    assert.ok(Date.now() < deadlineMs, 'a role outlived its supervisor')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const next = start(t, freePorts(data), 'up')
  await next.line((l) => l.includes('"msg":"up: '), 'the second start')
  next.child.kill('SIGINT')
  assert.equal((await next.ended).code, 0)
})

test('a port in use is told with its setting before anything starts, and a wrong setting is named', async (t) => {
  const data = join(tempFolder(t), 'data')
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  const busy = await playhead(t, { ...freePorts(data), PLAYHEAD_ANALYTICS_PORT: `${port}` }, 'up')
  assert.equal(busy.code, 78)
  assert.match(
    busy.err,
    new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is in use\\. Set PLAYHEAD_ANALYTICS_PORT to another port`),
  )
  const wrong = await playhead(t, { ...freePorts(data), PLAYHEAD_LOG: 'kafka:/oops' }, 'up')
  assert.equal(wrong.code, 78)
  assert.match(wrong.err, /PLAYHEAD_LOG: "kafka:\/oops" was given/)
  assert.equal(readFileSync(join(data, 'run', 'lock.mdb')).length > 0, true)
})

test('a role alone says what is wrong and ends with the code that no restart cures', async (t) => {
  const data = tempFolder(t)
  const alone = await playhead(t, { ...freePorts(data), PLAYHEAD_KEYS_FILE: join(data, 'shared.json') }, 'api')
  assert.equal(alone.code, 78)
  assert.match(alone.out, /shared\.json is not there/)
})

test('a command or flag that is none ends with 2 and the nearest one', async (t) => {
  const data = tempFolder(t)
  const cases = [
    [['upp'], /Did you mean `playhead up`\?/],
    [['keys', 'lst'], /Did you mean `playhead keys list`\?/],
    [['log', 'tail', '--form', 'start'], /Did you mean --from\?/],
    [['log', 'tail', '--type', 'Hartbeat'], /Did you mean Heartbeat\?/],
  ] as const
  const answers = await Promise.all(cases.map(([words]) => playhead(t, { PLAYHEAD_DATA: data }, ...words)))
  for (const [i, { code, err }] of answers.entries()) {
    assert.equal(code, 2)
    assert.match(err, cases[i]![1])
  }
})
