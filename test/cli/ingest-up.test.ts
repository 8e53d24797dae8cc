/** The command as people call it, beside everything that runs: requests of a log are found by their session. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { readKeyFile } from '../../cli/keys.ts'
import { freePorts, playhead, start, tempFolder } from './playhead.ts'

/** All of one session, so in one partition: more than its window of duplicates sees. */
const SEGMENTS = 9_000
const QUERY = new URL('../../docs/queries/delivery-and-stalls.sql', import.meta.url)

function accessLog(nowMs: number): string {
  const pad = (n: number) => String(n).padStart(2, '0')
  const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
  const lines = Array.from({ length: SEGMENTS }, (_, i) => {
    const at = new Date(nowMs - SEGMENTS + i)
    const day = `${pad(at.getUTCDate())}/${months[at.getUTCMonth()]}/${at.getUTCFullYear()}`
    const clock = `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}:${pad(at.getUTCSeconds())}`
    const cmcd = encodeURIComponent(`br=3000,cid="film",d=4000,ot=v,sid="session-3"`)
    return `192.0.2.1 - - [${day}:${clock} +0000] "GET /s${i}.m4s?CMCD=${cmcd} HTTP/1.1" 200 9 "-" "-" uht=0.020 cache=HIT`
  })
  return `${lines.join('\n')}\n`
}

test('requests of a CDN’s log are joined to the views of their session, and a log that is read twice is there once', async (t) => {
  const dir = tempFolder(t)
  const env = freePorts(join(dir, 'data'))
  const run = start(t, env, 'up')
  const urlOf = async (role: string) => {
    const line = await run.line((l) => l.includes(`"role":"${role}"`) && l.includes('"msg":"ready"'), `${role} ready`)
    return (JSON.parse(line) as { url: string }).url
  }
  const [clickhouse, api] = [await urlOf('analytics'), await urlOf('api')]
  const keys = readKeyFile(join(dir, 'data', 'keys.json'))
  const query = async (sql: string): Promise<string> => {
    const headers = { authorization: `Bearer ${keys.data}` }
    return (await (await fetch(clickhouse, { method: 'POST', body: sql, headers })).text()).trim()
  }
  const until = async (sql: string, wanted: string) => {
    const deadlineMs = performance.now() + 30_000
    while ((await query(sql)) !== wanted) {
      assert.ok(performance.now() < deadlineMs, `${sql} says ${await query(sql)}`)
      await sleep(50)
    }
  }
  const view = { profileId: 'ann', sessionId: 'session-3', titleId: 'film', context: { cdn: 'player' } }
  const posted = await fetch(`${api}/v1/events`, {
    method: 'POST',
    headers: { 'x-playhead-key': keys.publishable, 'content-type': 'application/json' },
    body: JSON.stringify({ events: [{ type: 'PlaybackStarted', sequence: 0, positionMs: 0, ...view }] }),
  })
  assert.equal(posted.status, 202)

  const log = accessLog(Date.now())
  writeFileSync(join(dir, 'media.log'), log)
  writeFileSync(join(dir, 'again.log.gz'), gzipSync(log))
  const files = [join(dir, 'media.log'), join(dir, 'again.log.gz')]
  const read = await playhead(t, env, 'ingest', 'cmcd-log', ...files, '--cdn', 'own', '--json')
  assert.equal(read.code, 0, read.err)
  const outcomes = read.out
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as { counts: { events: number } })
  assert.deepEqual(
    outcomes.map(({ counts }) => counts.events),
    [SEGMENTS, SEGMENTS],
  )
  await until("SELECT count() > 9000 FROM playhead.events WHERE type = 'CmcdRequest' FORMAT TSV", '1')
  await until(
    `SELECT countIf(fate = 'folded' OR fate = 'duplicate') FROM playhead.events WHERE type = 'CmcdRequest' FORMAT TSV`,
    String(2 * SEGMENTS),
  )
  await until('SELECT count() FROM playhead.cdn_requests FORMAT TSV', String(SEGMENTS))
  assert.ok(Number(await query('SELECT count() FROM playhead.cdn_request_rows FORMAT TSV')) > SEGMENTS)
  await until('SELECT count() FROM playhead.qoe_views FORMAT TSV', '1')
  const joined = await query(`${readFileSync(QUERY, 'utf8')} FORMAT TSV`)
  assert.deepEqual(joined.split('\t').slice(0, 3), ['own', 'mostly hits', '1'])

  const wrong = await playhead(t, env, 'ingest', 'cmcd-log', join(dir, 'nothing.log'))
  assert.deepEqual([wrong.code, /There is no file/.test(wrong.err)], [2, true])
})
