/** Every role as a process, on real Kafka and Cassandra, each killed in turn while events are posted over HTTP. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { readKeyFile } from '../../cli/keys.ts'
import { freePorts, playhead, start, tempFolder } from '../cli/playhead.ts'
import { cassandra, kafka } from './servers.ts'

const WAIT_MS = 60_000

test('api, consumers and analytics, each killed in turn under load: what was acknowledged is in ClickHouse, once', async (t) => {
  const [broker, store] = await Promise.all([kafka(), cassandra()])
  t.after(() => Promise.all([broker.close(), store.close()]))
  const data = join(tempFolder(t), 'data')
  const env = {
    ...freePorts(data),
    PLAYHEAD_LOG: `kafka://${broker.host}:${broker.port}`,
    PLAYHEAD_STORE: `cassandra://${store.host}:${store.port}/roles_${process.pid}`,
  }
  const run = start(t, env, 'up')
  const urlOf = async (role: string) => {
    const line = await run.line((l) => l.includes(`"role":"${role}"`) && l.includes('"msg":"ready"'), `${role} ready`)
    return (JSON.parse(line) as { url: string }).url
  }
  const [clickhouse, api] = [await urlOf('analytics'), await urlOf('api')]
  await run.line((l) => l.includes('"msg":"up: '), 'the last word of the start')
  const keys = readKeyFile(join(data, 'keys.json'))
  const session = `session-${process.pid}-${Date.now()}`
  let acknowledged = 0
  let sequence = 0

  /** A batch is posted until it is acknowledged; the ids are ours, so that a second copy is known as one. */
  const post = async (): Promise<void> => {
    const events = Array.from({ length: 20 }, () => ({
      type: 'Heartbeat',
      profileId: `p${sequence % 5}`,
      sessionId: session,
      titleId: 't',
      sequence: sequence++,
      positionMs: 1,
    }))
    for (;;) {
      try {
        const answer = await fetch(`${api}/v1/events`, {
          method: 'POST',
          headers: { authorization: `Bearer ${keys.publishable}`, 'content-type': 'application/json' },
          body: JSON.stringify({ events }),
        })
        await answer.text()
        if (answer.status === 202) {
          acknowledged += events.length
          return
        }
      } catch (error) {
        if (!(error instanceof TypeError)) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
  const count = async (sql: string): Promise<number> => {
    try {
      const headers = { authorization: `Bearer ${keys.data}` }
      const answer = await fetch(clickhouse, { method: 'POST', body: sql, headers })
      return answer.ok ? Number(await answer.text()) : -1
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      return -1
    }
  }
  const where = `FROM playhead.events WHERE session_id = '${session}' AND fate = 'folded'`
  const settled = async (what: string) => {
    const deadline = Date.now() + WAIT_MS
    while ((await count(`SELECT uniqExact(JSONExtractInt(payload, 'sequence')) ${where}`)) !== acknowledged) {
      const found = await count(`SELECT count() ${where}`)
      assert.ok(Date.now() < deadline, `${what}: ClickHouse has ${found} of ${acknowledged}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  await post()
  await settled('before anybody died')
  for (const role of ['consumers', 'analytics', 'api']) {
    const status = await playhead(t, env, 'status', '--json')
    const { roles } = JSON.parse(status.out) as { roles: { role: string; pid: number }[] }
    const pid = roles.find((r) => r.role === role)?.pid
    assert.ok(pid !== undefined, `${role} runs`)
    process.kill(pid, 'SIGKILL')
    await post()
    await run.line((l) => l.includes(`${role} was ended by SIGKILL`), `${role} is missed`)
    await post()
    await settled(`after ${role} was killed`)
  }
  const doubled = await count(
    `SELECT count() FROM (SELECT topic, partition, position FROM playhead.events GROUP BY ALL HAVING count() > 1)`,
  )
  assert.equal(doubled, 0, 'a row for each position, and only one')
  run.child.kill('SIGINT')
  assert.equal((await run.ended).code, 0)
})
