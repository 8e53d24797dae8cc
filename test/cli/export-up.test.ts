/** Everything at once, as on a user's machine: views are watched, exported, corrected, compared with another product's. */
import assert from 'node:assert/strict'
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Manifest } from '../../cli/export/set.ts'
import { freePorts, playhead, start, tempFolder } from './playhead.ts'

const AT_MS = Date.now() - 600_000

test('views that players report are files, right again after a late report, and beside those of another product', async (t) => {
  const dir = tempFolder(t)
  const data = join(dir, 'data')
  const run = start(t, freePorts(data), 'up')
  const urlOf = async (role: string) => {
    const line = await run.line((l) => l.includes(`"role":"${role}"`) && l.includes('"msg":"ready"'), `${role} ready`)
    return new URL((JSON.parse(line) as { url: string }).url)
  }
  const [analytics, api] = [await urlOf('analytics'), await urlOf('api')]
  const keys = JSON.parse(readFileSync(join(data, 'keys.json'), 'utf8')) as { publishable: string; data: string }
  const env = { ...freePorts(data), PLAYHEAD_ANALYTICS_PORT: analytics.port }
  const post = async (...events: readonly object[]) => {
    const headers = { authorization: `Bearer ${keys.publishable}`, 'content-type': 'application/json' }
    const answer = await fetch(new URL('/v1/events', api), {
      method: 'POST',
      headers,
      body: JSON.stringify({ events }),
    })
    assert.ok(answer.ok, await answer.text())
  }
  /** Until ClickHouse answers so. */
  const shows = async (sql: string, wanted: string) => {
    let last = ''
    for (let tries = 0; tries < 300; tries++) {
      const answer = await fetch(analytics, {
        method: 'POST',
        headers: { authorization: `Bearer ${keys.data}` },
        body: sql,
      })
      last = (await answer.text()).trim()
      if (last === wanted) return
      await sleep(50)
    }
    assert.fail(`${sql} says ${last}, never ${wanted}`)
  }
  const said = (sessionId: string, sequence: number, afterMs: number, type: string, more: object = {}) => ({
    ...{ type, profileId: 'ann', sessionId, titleId: 'film-1', sequence, positionMs: 0 },
    ...{ occurredAt: AT_MS + afterMs, ...more },
  })
  await post(
    said('s1', 0, 0, 'PlaybackStarted'),
    said('s1', 1, 800, 'FirstFrame', { startupMs: 800 }),
    said('s1', 4, 60_800, 'PlaybackEnded', { positionMs: 60_000, reason: 'finished' }),
  )
  await shows('SELECT sum(views), sum(ended), sum(stalls) FROM playhead.qoe_views', '1\t1\t0')

  const lake = join(dir, 'lake')
  const exported = async () => {
    const ended = await playhead(t, env, 'export', 'views', lake, '--json')
    assert.equal(ended.code, 0, ended.err)
    const outcome = JSON.parse(ended.out) as { folder: string; written: { rows: number; corrected: boolean }[] }
    const manifest = JSON.parse(readFileSync(join(outcome.folder, '_playhead.json'), 'utf8')) as Manifest
    return { ...outcome, manifest }
  }
  const first = await exported()
  assert.deepEqual(
    first.written.map(({ rows, corrected }) => [rows, corrected]),
    [[1, false]],
  )
  assert.equal(join(lake, readlinkSync(join(lake, 'current'))), first.folder)

  // Two reports that were on their way.
  await post(
    said('s1', 2, 20_000, 'StallStarted', { positionMs: 19_200 }),
    said('s1', 3, 23_000, 'StallEnded', { positionMs: 19_200 }),
  )
  await shows('SELECT sum(stalls), sum(stalled_ms) FROM playhead.qoe_views', '1\t3000')
  const second = await exported()
  assert.deepEqual(
    second.written.map(({ rows, corrected }) => [rows, corrected]),
    [[1, true]],
  )
  const through = ({ manifest }: { manifest: Manifest }) =>
    Object.values(manifest.readThrough).reduce((sum, position) => sum + Number(position), 0)
  assert.deepEqual([through(first), through(second)], [3, 5])
  assert.deepEqual((await exported()).written, [])

  // What another product measured comes from an operator, never from a player.
  const forged = { type: 'ViewImported', profileId: 'ann', vendor: 'mux', viewId: 'x', startedAt: AT_MS }
  const refused = await fetch(new URL('/v1/events', api), {
    method: 'POST',
    headers: { authorization: `Bearer ${keys.publishable}`, 'content-type': 'application/json' },
    body: JSON.stringify({ events: [forged] }),
  })
  assert.match(await refused.text(), /EVENT_NOT_TAKEN/)

  const file = join(dir, 'mux.csv')
  const started = new Date(AT_MS).toISOString()
  writeFileSync(
    file,
    `view_id,viewer_user_id,view_start,video_startup_time,rebuffer_duration,watch_time\nv1,ann,${started},900,2900,64000\n`,
  )
  assert.equal((await playhead(t, env, 'import', 'views', file)).code, 0)
  await shows('SELECT count() FROM playhead.imported_views', '1')
  const compared = await playhead(t, env, 'compare', '--metric', 'views', '--metric', 'startup_ms', '--json')
  assert.equal(compared.code, 0, compared.err)
  const { groups } = JSON.parse(compared.out) as { groups: { metrics: object }[] }
  assert.deepEqual(
    groups.map(({ metrics }) => metrics),
    [
      {
        views: { theirs: 1, oursByMux: 1, oursByCta: 1 },
        startup_ms: { theirs: 900, oursByMux: 800, oursByCta: 800 },
      },
    ],
  )
})
