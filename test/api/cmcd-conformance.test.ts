/** What players get wrong, counted from the table of all events on the real embedded engine. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Static } from '@sinclair/typebox'
import type { ConformanceSchema } from '../../api/cmcd/schemas.ts'
import { eventsV1 } from '../../projections/events/v1.ts'
import type { Cell, Entry } from '../../projections/projection.ts'
import type { PlayheadEvent } from '../../schemas/index.ts'
import { cmcdEvents, post } from './cmcd-support.ts'
import { DATA, type Harness, startHarness } from './harness.ts'
import { openTables, type Tables } from './qoe-support.ts'
import { NOW_MS, PUBLISHABLE } from './support.ts'

type Answer = Static<(typeof ConformanceSchema)['response'][200]>

let tables: Tables
before(async () => {
  tables = await openTables()
})
after(() => tables.close())

let position = 0n

/** As the events consumer puts them into the table. */
async function fold(h: Harness): Promise<void> {
  const { journal } = eventsV1(['playback-events'])
  const rows: (readonly Cell[])[] = []
  for (const event of await cmcdEvents(h)) {
    const place = { topic: 'playback-events', partition: 0, position: position++, timestampMs: NOW_MS, key: 'k' }
    const entry = {
      ...place,
      fate: 'folded',
      schemaId: 1,
      event: event as unknown as PlayheadEvent,
    } as unknown as Entry
    rows.push(journal!.row(entry)!)
  }
  await tables.putEvents(rows)
}

const ask = async (h: Harness, query = '') => {
  const answer = await h.app.inject({ method: 'GET', url: `/v1/cmcd/conformance${query}`, headers: DATA })
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.json<Answer>()
}

test('each player and version has its records and faults counted, with an example; what made no event too', async (t) => {
  const h = await startHarness(t, { folding: false, wrap: (parts) => ({ ...parts, analytics: tables.analytics }) })
  const good = (sn: number) => `cid="f",e=t,sid="s1",sn=${sn},sta=p,ts=${NOW_MS - 100},v=2`
  const bad = (sn: number) => `bs=true,cid="f",e=t,sid="s1",sn=${sn},sta="p",ts=${NOW_MS - 100},v=2,zzz=1`
  const longest = bad(9).replace('zzz=1', `com.example-note="${'x'.repeat(700)}"`)
  await post(h, '/v1/cmcd?player=hls.js/1.7.4', [good(0), good(1), bad(2), bad(3)].join('\n'), PUBLISHABLE)
  await post(h, '/v1/cmcd?player=Shaka', longest, PUBLISHABLE)
  await post(h, '/v1/cmcd?player=Shaka', 'e=t,sid="s1",v=7\n<html>', PUBLISHABLE)
  const agent = { 'user-agent': 'Roku/DVP-14.5 (14.5.4)' }
  await h.app.inject({
    method: 'GET',
    url: '/v1/cmcd/request?CMCD=br%3D1%2Csid%3Dabc',
    headers: { ...PUBLISHABLE, ...agent },
  })
  const response = `cid="f",e=rr,rc=200,sid="s1",sn=10,ts=${NOW_MS - 100},ttfb=${NOW_MS},url="/a",v=2`
  await post(h, '/v1/cmcd?player=dash.js/5.2.1', response, PUBLISHABLE)
  await h.app.inject({ url: '/v1/cmcd/request?player=dash.js/5.2.1&CMCD=sid%3D%22a%22%2Cv%3D2', headers: PUBLISHABLE })
  await fold(h)

  const answer = await ask(h)
  assert.equal(answer.records, 8)
  assert.equal(answer.complete, true)
  const hls = answer.players.find(({ player }) => player === 'hls.js/1.7.4')!
  assert.deepEqual([hls.version, hls.mode, hls.records, hls.faulty], [2, 'event', 4, 2])
  assert.deepEqual(
    hls.faults.map(({ code, key, count }) => [code, key, count]),
    [
      ['VALUE_BOOLEAN', 'bs', 2],
      ['VALUE_QUOTED', 'sta', 2],
      ['KEY_UNKNOWN', 'zzz', 2],
    ].sort((a, b) => (`${a[0]}:${a[1]}` < `${b[0]}:${b[1]}` ? -1 : 1)),
  )
  assert.ok([bad(2), bad(3)].includes(hls.faults[0]!.example))
  assert.ok(hls.faults.every(({ says }) => says.length > 10))
  const shaka = answer.players.find(({ player }) => player === 'Shaka')!
  assert.equal(shaka.faults[0]!.example.length, 512, 'an example is bounded')
  const dash = answer.players.filter(({ player }) => player === 'dash.js/5.2.1')
  assert.deepEqual(
    dash.map(({ mode, version, records, faults }) => [
      mode,
      version,
      records,
      faults.map(({ code, key }) => `${code} ${key}`),
    ]),
    [
      ['event', 2, 1, ['VALUE_RANGE ttfb']],
      ['request', 2, 1, []],
    ],
    'a response is one record, and not a request too',
  )
  const roku = answer.players.find(({ player }) => player === 'Roku/14.5')!
  assert.deepEqual([roku.mode, roku.version, roku.faults[0]!.code], ['request', 1, 'VALUE_UNQUOTED'])
  assert.deepEqual(
    answer.leftOut.map(({ player, reason, version, count }) => [player, reason, version, count]).sort(),
    [
      ['Shaka', 'empty', 1, 1],
      ['Shaka', 'version', 7, 1],
    ],
  )
})

test('records of before the hours asked for are not looked at, and one player can be asked for', async (t) => {
  const h = await startHarness(t, { folding: false, wrap: (parts) => ({ ...parts, analytics: tables.analytics }) })
  h.clock.ms = NOW_MS + 30 * 3_600_000
  assert.equal((await ask(h)).records, 0)
  assert.equal((await ask(h, '?hours=48')).records, 8)
  const one = await ask(h, '?hours=48&player=Shaka')
  assert.deepEqual(
    one.players.map(({ player }) => player),
    ['Shaka'],
  )
  const refused = await h.app.inject({ method: 'GET', url: '/v1/cmcd/conformance?hours=0', headers: DATA })
  assert.equal(refused.statusCode, 400)
  const stranger = await h.app.inject({ method: 'GET', url: '/v1/cmcd/conformance', headers: PUBLISHABLE })
  assert.equal(stranger.statusCode, 403)
})
